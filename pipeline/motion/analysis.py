"""Film to spans, spans to a few numbers for each frame.

A *span* is about ten seconds between sync frames, and one task. The *row* of frame t tells what
changed from t - 1 to t, so a span [start, stop) makes the rows start + 1 ... stop: reading one
frame on is cheap, while reading the frame before a sync frame means decoding all that leads to it.
Scalars only; flows are measured again by those who need them.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Planes, in_eight_bits
from pipeline.media.container import Film
from pipeline.media.decode import frames
from pipeline.motion.confidence import hole_weight, inside, motion_boundary, occluded
from pipeline.motion.cuts import (
    CUT,
    Histograms,
    Pair,
    cut_score,
    distance,
    histograms,
    pair,
    small_chroma,
)
from pipeline.motion.dissolve import going_on, left_over
from pipeline.motion.flow import Luma, analysis_size, small_luma
from pipeline.motion.light import Bars, bars
from pipeline.motion.rows import TONES, Analysis

_SPAN = Fraction(10)
_FLASH = 3
"""Longest flash, in frames."""
_LEAST_COVERAGE = 0.2
_ANOTHER = 24.0
"""Codes by which a frame has dissolved into another that knows nothing of it."""


@dataclass(frozen=True, slots=True)
class _Glance:
    """What is kept of a frame while its neighbours are looked at."""

    planes: Planes
    shown: Planes
    """In 8 bits"""
    luma: Luma
    colors: Histograms
    contrast: float


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of ``Analysis``."""

    luma: float
    gradient: float
    bars: Bars
    colors: NDArray[np.uint8]
    cut: float = 0.0
    hole: float = 0.0
    residual: float = 0.0
    gain: float = 1.0
    content: float = 0.0
    still: bool = False


def spans(film: Film) -> list[tuple[int, int]]:
    """Divide a film at sync frames into spans [start, stop) of ten seconds or a little more."""
    starts = [0]
    for at in np.flatnonzero(film.sync).tolist():
        if (int(film.pts[at]) - int(film.pts[starts[-1]])) * film.time_base >= _SPAN:
            starts.append(at)
    return list(zip(starts, [*starts[1:], film.frames], strict=True))


def rows_of(start: int, stop: int, *, frames: int) -> tuple[int, int]:
    """Give the rows that a span makes: one later than its frames, and the film's first."""
    return (start + 1 if start else 0), min(stop + 1, frames)


def analyse(film: Film, start: int, stop: int, *, threads: int = 1) -> Analysis:
    """Decode a span, and a few frames on, and measure its rows.

    A cut in the first three rows of a span that does not open the film is judged without the frames
    before the span, so the end of a flash there can pass for a cut.

    Raises:
        CorruptFilm: If a frame does not decode.
    """
    first, last = rows_of(start, stop, frames=film.frames)
    black = 0 if film.color.full_range else 16
    size = analysis_size(*film.size)
    ahead = min(film.frames, last + _FLASH)
    seen: deque[tuple[int, _Glance]] = deque(maxlen=2 * _FLASH + 2)
    pairs: dict[int, Pair] = {}
    rows: list[_Row] = []
    for frame in frames(film, start, ahead, threads=threads):
        seen.append((frame.index, _glance(frame.planes, size)))
        if frame.index - _FLASH >= first:
            rows.append(_row(seen, frame.index - _FLASH, pairs, black=black))
    while len(rows) < last - first:
        rows.append(_row(seen, first + len(rows), pairs, black=black))
    return _table(rows, start=first)


def gradient_energy(luma: Luma) -> float:
    """Give the mean squared gradient of [h, w] by forward differences, in [0, 1]^2 per pixel^2."""
    across = cv2.subtract(luma[:, 1:], luma[:, :-1], dtype=cv2.CV_32F)
    down = cv2.subtract(luma[1:], luma[:-1], dtype=cv2.CV_32F)
    energy = cv2.norm(across, cv2.NORM_L2SQR) + cv2.norm(down, cv2.NORM_L2SQR)
    return energy / (luma.size * 255.0**2)


def tones(planes: Planes, luma: Luma, *, black: int) -> NDArray[np.uint8]:
    """Give a row of ``Analysis.colors``: [32], ascending within each of its three runs.

    Args:
        planes: The frame at full size, for its colour differences.
        luma: The same frame at analysis size.
        black: The luma code of black.
    """
    lit = np.maximum(luma, black) - black
    found = [
        _quantiles(p, n) for p, n in zip((lit, *small_chroma(planes, luma)), TONES, strict=True)
    ]
    return np.concatenate(found).astype(np.uint8)


def _quantiles(plane: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Give the codes below which lie 1/2, 3/2, ... ``count``ths of a plane's samples."""
    below = np.cumsum(np.bincount(plane.ravel(), minlength=256))
    return np.searchsorted(2 * count * below, (2 * np.arange(count) + 1) * plane.size)


def _glance(planes: Planes, size: tuple[int, int]) -> _Glance:
    shown = in_eight_bits(planes)
    luma = small_luma(shown.luma, size)
    return _Glance(planes, shown, luma, histograms(shown, luma), float(luma.std()))


def _row(
    seen: Sequence[tuple[int, _Glance]], at: int, pairs: dict[int, Pair], *, black: int
) -> _Row:
    """Measure frame ``at``; ``pairs`` holds what is known of it and the one before, and after."""
    near = dict(seen)
    now = near[at]
    own = _Row(
        luma=float(now.luma.mean()) - black,
        gradient=gradient_energy(now.luma),
        bars=bars(now.shown.luma, black=black),
        colors=tones(now.shown, now.luma, black=black),
    )
    before = near.get(at - 1)
    if before is None or _equal(now, before):
        return replace(own, still=before is not None)
    found = pairs.pop(at, None) or pair(now.luma, before.luma, black=black)
    score = _score(now, before, found)
    if score >= CUT:
        score = min([score, *_around(near, at, black=black)])
    cut = score >= CUT
    hole = float(hole_weight(found.trust, found.trust).mean())
    after = near.get(at + 1)
    if after is not None and not _equal(after, now):
        then = pairs[at + 1] = pair(after.luma, now.luma, black=black)
        left, again = left_over(now.luma, found.fetched), left_over(after.luma, then.fetched)
        hole = max(hole, min(1.0, going_on(left, again, then.back) / _ANOTHER))
    return replace(
        own,
        cut=score,
        hole=hole,
        residual=found.residual,
        gain=1.0 if cut else found.gain,
        content=float("nan") if cut else _content(now.luma, found),
    )


def _equal(one: _Glance, other: _Glance) -> bool:
    a, b = one.planes, other.planes
    return (
        np.array_equal(one.luma, other.luma)
        and np.array_equal(a.luma, b.luma)
        and np.array_equal(a.blue, b.blue)
        and np.array_equal(a.red, b.red)
    )


def _around(near: dict[int, _Glance], at: int, *, black: int) -> Iterable[float]:
    """Score the frame before with those soon after, and this frame with those long before."""
    forward = [(at + i, at - 1) for i in range(1, _FLASH + 1)]
    backward = [(at, at - 1 - i) for i in range(1, _FLASH + 1)]
    for later, earlier in forward + backward:
        if later in near and earlier in near:
            now, before = near[later], near[earlier]
            yield _score(now, before, pair(now.luma, before.luma, black=black))


def _score(now: _Glance, before: _Glance, found: Pair) -> float:
    return cut_score(
        found,
        distance=distance(now.colors, before.colors),
        contrast=max(now.contrast, before.contrast),
    )


def _content(luma: Luma, found: Pair) -> float:
    seen = inside(found.back) & ~occluded(found.back, found.forth) & ~motion_boundary(found.back)
    if np.count_nonzero(seen) < _LEAST_COVERAGE * seen.size:
        return float("nan")
    error = cv2.subtract(luma, found.fetched, dtype=cv2.CV_32F)
    return float(np.square(error[seen]).mean()) / 255.0**2


def _table(rows: Sequence[_Row], *, start: int) -> Analysis:
    def column(name: str) -> NDArray[np.float32]:
        return np.array([getattr(row, name) for row in rows], np.float32)

    return Analysis(
        start=start,
        cut=column("cut"),
        hole=column("hole"),
        residual=column("residual"),
        gain=column("gain"),
        luma=column("luma"),
        content=column("content"),
        gradient=column("gradient"),
        still=np.array([row.still for row in rows], bool),
        bars=np.array([row.bars for row in rows], np.int32).reshape(-1, 4),
        colors=np.array([row.colors for row in rows], np.uint8).reshape(-1, sum(TONES)),
    )
