"""A film and its painting to numbers: one row a frame, and what they come to.

Both films are decoded once; nine frames are held.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.judge.detail import detail, gradient, lattice
from pipeline.judge.light import lightness
from pipeline.judge.referee import PairMotion, Referee, careful_search, motions, referee_size
from pipeline.judge.scores import FAR, Evaluation, Score, summed
from pipeline.judge.temporal import (
    PairError,
    content_floor,
    counted,
    masked_difference,
    stability_error,
    warping_error,
)
from pipeline.media.color import eight_bits, resolved, to_rgb
from pipeline.media.container import Film
from pipeline.media.decode import Frame, frames

Picture = NDArray[np.uint8]
"""[H, W, 3], RGB."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A frame of both films."""

    source: Picture
    painted: Picture


@dataclass(frozen=True, slots=True)
class _Pair:
    """What two frames come to; all but M1 is None where too little can be judged."""

    painted: PairError
    source: PairError
    difference: float | None
    stability: float | None


_FIRST = _Pair(PairError(None, 0.0), PairError(None, 0.0), None, None)


def evaluate(
    source: Film,
    painted: Film,
    *,
    count: int = 60,
    referee: Referee = careful_search,
    cache: Path | None = None,
) -> Evaluation:
    """Judge the first ``count`` frames of a painted film.

    Args:
        source: The film.
        painted: The same film painted.
        count: Frames to judge, at least 1; fewer if the films are shorter.
        referee: Whose motion to trust.
        cache: A .npz file where the referee's motion is kept, and over nine frames beside it; name
            it for source, count and referee.

    Raises:
        BadRequest: If the two are not of one size and length.
    """
    if (source.width, source.height, source.frames) != (
        painted.width,
        painted.height,
        painted.frames,
    ):
        raise BadRequest(
            f"{painted.path.name} ({painted.width}x{painted.height}, {painted.frames} frames) "
            f"is no painting of {source.path.name} "
            f"({source.width}x{source.height}, {source.frames} frames)"
        )
    stop = max(1, min(count, source.frames))
    size = referee_size(*source.size)
    small = [_small(_picture(source, frame), size) for frame in frames(source, 0, stop)]
    beside = cache.with_stem(f"{cache.stem}-over{FAR}") if cache is not None else None
    near = motions(small, referee, cache=cache)
    far = motions(small, referee, gap=FAR, cache=beside)
    return summed(list(_scores(source, painted, near, far, stop)))


def _scores(
    source: Film,
    painted: Film,
    near: Sequence[PairMotion],
    far: Sequence[PairMotion],
    stop: int,
) -> Iterator[Score]:
    held: deque[_Shown] = deque(maxlen=FAR)
    pairs = zip(frames(source, 0, stop), frames(painted, 0, stop), strict=True)
    for index, (theirs, ours) in enumerate(pairs):
        now = _Shown(_picture(source, theirs), _picture(painted, ours))
        short = _pair(held[-1], now, near[index - 1], stable=True) if index else _FIRST
        long = _pair(held[0], now, far[index - FAR]) if index >= FAR else _FIRST
        yield _score(index, ours, theirs, now, short, long)
        held.append(now)


def _pair(before: _Shown, now: _Shown, along: PairMotion, *, stable: bool = False) -> _Pair:
    """Judge two frames; M2, which fetches the other way, only where it is asked for."""
    judged = counted(along.forth, along.back)
    ours = warping_error(before.painted, now.painted, there=along.forth, judged=judged)
    own = warping_error(before.source, now.source, there=along.forth, judged=judged)
    if ours.error is None:
        return _Pair(ours, own, None, None)
    difference = masked_difference(before.painted, now.painted, there=along.forth, judged=judged)
    if not stable:
        return _Pair(ours, own, difference, None)
    returned = counted(along.back, along.forth)
    stability = stability_error(now.painted, before.painted, back=along.back, judged=returned)
    return _Pair(ours, own, difference, stability)


def _score(index: int, ours: Frame, theirs: Frame, now: _Shown, short: _Pair, long: _Pair) -> Score:
    luma, luma_source = (eight_bits(p.luma, p.depth) for p in (ours.planes, theirs.planes))
    steep, steep_source = gradient(luma), gradient(luma_source)
    light, light_source = lightness(now.painted), lightness(now.source)
    return Score(
        frame=ours.index,
        pts=ours.pts,
        error=short.painted.error,
        content=short.source.error,
        floor=content_floor(short.source.error, steep, steep_source),
        coverage=short.painted.coverage if index else None,
        error9=long.painted.error,
        content9=long.source.error,
        floor9=content_floor(long.source.error, steep, steep_source),
        coverage9=long.painted.coverage if index >= FAR else None,
        stability=short.stability,
        difference=short.difference,
        difference9=long.difference,
        detail=detail(luma),
        gradient=steep,
        gradient_source=steep_source,
        light=float(light.mean()),
        light_source=float(light_source.mean()),
        contrast=float(light.std()),
        contrast_source=float(light_source.std()),
        lattice=lattice(luma),
    )


def _picture(film: Film, frame: Frame) -> Picture:
    rgb = to_rgb(frame.planes, resolved(film.color, film.height))
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def _small(picture: Picture, size: tuple[int, int]) -> Picture:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
