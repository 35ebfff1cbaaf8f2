"""Painted frames and the film's own motion to how still the paint is.

Luma in [0, 1] is split by a Gaussian of 2 px: L = G2*Y is palette and light, H = Y - L is strokes.
*Boil* says how much of the strokes is new in the next frame, 0 for strokes that move with what they
are painted on, 1 for strokes that have nothing to do with each other; *flicker* is how much palette
and light change along the motion, as a share of the frame's own variance; *HF* is the energy of H,
as a multiple of the film's: a painting without strokes does not boil. Frames are fetched
bicubically at their own size; what counts is M of M1 (``temporal``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.judge.referee import PairMotion
from pipeline.judge.temporal import LEAST_COVERAGE, counted, enlarged, fetch

Picture = NDArray[np.uint8]
"""[H, W, 3], RGB."""
Bands = NDArray[np.float32]
"""[H, W, 2]: H and L."""

_SIGMA = 2.0
_LEAST_VARIANCE = (1 / 255) ** 2
"""Of L; flatter frames count as this varied."""


@dataclass(frozen=True, slots=True)
class Stillness:
    """How still a clip is."""

    boil: float
    """sum M (W(H') - H)^2 / sum M (H^2 + W(H')^2), 0 to about 1"""
    flicker: float
    """mean over pairs of mean M (W(L') - L)^2 / Var(L), 0 and more"""
    energy: float
    """mean square of H, [0, 1]^2"""
    pairs: int
    """that were judged"""
    unjudged: int
    """pairs of which less than a fifth could be followed"""


def bands(picture: Picture) -> Bands:
    """Split a picture's luma into what is finer than about 2 px and what is not."""
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    low = cv2.GaussianBlur(light, (0, 0), _SIGMA)
    return np.asarray(np.dstack([light - low, low]), np.float32)


def stillness(pictures: Iterable[Picture], motion: Sequence[PairMotion]) -> Stillness:
    """Judge N pictures, which may come one at a time.

    Args:
        pictures: painted frames, all of one size.
        motion: N - 1, of the film.

    Raises:
        ValueError: If the numbers do not fit, or there is no pair.
    """
    if not motion:
        raise ValueError("a single frame cannot be judged for stillness")
    change = strokes = 0.0
    flickers: list[float] = []
    energies: list[float] = []
    frames = map(bands, pictures)
    for (before, now), along in zip(pairwise(_told(frames, energies)), motion, strict=True):
        judged = counted(along.forth, along.back)
        if judged.mean() < LEAST_COVERAGE:
            continue
        mask = enlarged(judged, before.shape)
        fetched = fetch(now, along.forth, interpolation="cubic")
        difference = np.square(fetched - before)
        area = int(np.count_nonzero(mask))
        change += _over(difference[..., 0], mask) * area
        strokes += _over(np.square(before[..., 0]) + np.square(fetched[..., 0]), mask) * area
        variance = max(float(before[..., 1].var()), _LEAST_VARIANCE)
        flickers.append(_over(difference[..., 1], mask) / variance)
    return Stillness(
        boil=change / strokes if strokes > 0 else 0.0,
        flicker=float(np.mean(flickers)) if flickers else 0.0,
        energy=float(np.mean(energies)),
        pairs=len(flickers),
        unjudged=len(motion) - len(flickers),
    )


def _told(frames: Iterable[Bands], energies: list[float]) -> Iterable[Bands]:
    for frame in frames:
        energies.append(float(np.square(frame[..., 0]).mean()))
        yield frame


def _over(values: NDArray[np.float32], mask: NDArray[np.uint8]) -> float:
    """The mean over a mask."""
    return float(cv2.mean(np.ascontiguousarray(values), mask)[0])
