"""Two frames of the film to a motion that the fill had no part in.

A *referee* is a flow method used for judging alone, at 360 lines: RAFT (Teed 2020; its small
network) with weights that the caller has, or dense inverse search at its most careful preset, which
needs nothing but is of the family that the fill itself uses. Motion is always that of the film,
never of the painting, and is kept in a file because it outlives many paintings.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import MissingWeights
from pipeline.motion.flow import Flow, estimate

Picture = NDArray[np.uint8]
"""[h, w, 3], RGB."""
Referee = Callable[[Picture, Picture], Flow]
"""Gives flow(first, second) for two pictures at referee size."""

LINES = 360
_STRIDE = 8
_LEAST_SIDE = 128  # RAFT's smallest correlation level is 1/64 and must have two samples


@dataclass(frozen=True, slots=True)
class PairMotion:
    """The motion between two frames, the next or nine further on, at referee size."""

    forth: Flow
    """flow(first, second)"""
    back: Flow
    """flow(second, first)"""


def referee_size(width: int, height: int) -> tuple[int, int]:
    """Give (w, h) at which a referee looks: 360 lines at most, multiples of 8 for RAFT.

    >>> referee_size(1920, 1080), referee_size(64, 48)
    ((640, 360), (128, 128))
    """
    scale = min(1.0, LINES / min(width, height))
    w, h = (max(_LEAST_SIDE, round(side * scale / _STRIDE) * _STRIDE) for side in (width, height))
    return w, h


def careful_search(at: Picture, of: Picture) -> Flow:
    """Give flow(at, of) by dense inverse search, medium preset."""
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8) for picture in (at, of)]
    return estimate(grey[0], grey[1], preset="medium")


def raft(weights: Path) -> Referee:
    """Make a referee of RAFT-small; torch is imported here and nowhere else in this package.

    Args:
        weights: A safetensors file with torchvision's names.

    Raises:
        MissingWeights: If the file is not there or does not fit.
    """
    import torch
    from safetensors.torch import load_file
    from torchvision.models.optical_flow import raft_small

    if not weights.is_file():
        raise MissingWeights(f"no referee weights at {weights}")
    net = raft_small()
    try:
        net.load_state_dict(load_file(weights))
    except (RuntimeError, OSError) as error:
        raise MissingWeights(f"{weights} holds no RAFT-small") from error
    net.eval()

    def look(at: Picture, of: Picture) -> Flow:
        pair = [
            torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)[None].float() / 127.5 - 1
            for x in (at, of)
        ]
        with torch.inference_mode():
            flow = net(pair[0], pair[1])[-1][0]
        return np.ascontiguousarray(flow.permute(1, 2, 0).numpy(), np.float32)

    return look


class Motions(Sequence[PairMotion]):
    """The motion of many pairs, held as half floats: a minute of film fits into memory."""

    def __init__(self, packed: Sequence[NDArray[np.float16]]) -> None:
        """Keep [2, h, w, 2] a pair: forth and back."""
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> PairMotion: ...

    @overload
    def __getitem__(self, place: slice) -> "Motions": ...

    def __getitem__(self, place: int | slice) -> "PairMotion | Motions":
        if isinstance(place, slice):
            return Motions(self._packed[place])
        forth, back = self._packed[place]
        return PairMotion(forth.astype(np.float32), back.astype(np.float32))


def motions(
    pictures: Sequence[Picture], referee: Referee, *, gap: int = 1, cache: Path | None = None
) -> Motions:
    """Give the motion between frames t and t + gap of N pictures: N - gap pairs, or none.

    Args:
        pictures: At referee size.
        referee: How to look.
        gap: Frames from the first to the second of a pair.
        cache: A .npz file to take them from, or to leave them in. Whoever names it answers for
            film, referee and gap; motion is rounded to half floats there and in what is given back
            alike.
    """
    pairs = max(0, len(pictures) - gap)
    if cache is not None and cache.is_file():
        with np.load(cache) as stored:
            kept = stored["flow"]
        if kept.shape == (pairs, 2, *pictures[0].shape[:2], 2):
            return Motions(list(kept))
    looked = [
        np.stack([referee(first, second), referee(second, first)]).astype(np.float16)
        for first, second in zip(pictures, pictures[gap:], strict=False)
    ]
    if cache is not None and looked:
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_name(cache.name + ".part")
        with partial.open("wb") as file:
            np.savez(file, flow=np.stack(looked))
        partial.replace(cache)
    return Motions(looked)
