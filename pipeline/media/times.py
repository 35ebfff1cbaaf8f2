"""Frames in order to the times at which they are shown.

A container's own times are taken where it has any. A broadcaster's clock starts anywhere, wraps and
is set anew in the middle: it is made one clock that starts with the file's first packet, and *runs*
say what was added where, so that sound can follow. Frames without a time are spaced evenly between
those that have one. Whatever was done beyond reading is said in a note.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from pipeline.errors import CorruptFilm
from pipeline.media.index import NONE, Index, Ticks
from pipeline.media.kinds import Kind

_LEAP = 3600
"""Seconds: a clock that goes on by more was set anew; less may be a gap in the signal."""

_SLACK = 5
"""Seconds that sound may come before or after its picture."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the file within which the clock goes on evenly."""

    begin: Fraction
    """Seconds on the file's clock of its first packet, as of its last in ``end``."""
    end: Fraction
    add: Fraction
    """Seconds to add for the film's time."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """When each frame is shown."""

    pts: Ticks
    """[N], ascending"""
    runs: tuple[Run, ...]
    """Empty where the file's own clock holds."""
    notes: tuple[str, ...]


def times_of(
    packets: Ticks, index: Index, *, kind: Kind, base: Fraction, origin: Fraction | None
) -> Times:
    """Find the time of each frame.

    Args:
        packets: [N], which packet each frame comes from, in order.
        index: Of the packets.
        kind: What the container's times are worth.
        base: Seconds a tick.
        origin: Seconds on the file's clock at which anything in it begins, if it is known.

    Raises:
        CorruptFilm: If times contradict each other.
    """
    if kind.times != "shown":
        column = index.dts if kind.times == "stored" else index.pts
        return _filled(np.sort(column[packets]), ())
    pts = index.pts[packets]
    runs: tuple[Run, ...] = ()
    if kind.clock:
        added, runs = _one_clock(index, base, origin)
        pts = np.where(pts == NONE, NONE, pts + added[packets])
        pts[1:][pts[1:] <= np.maximum.accumulate(pts)[:-1]] = NONE
    return _filled(pts, runs)


def _one_clock(
    index: Index, base: Fraction, origin: Fraction | None
) -> tuple[Ticks, tuple[Run, ...]]:
    """Give the ticks to add to each packet's time, [M], and the runs."""
    dts = _spread(index.dts)
    steps = np.diff(dts)
    usual = max(1, int(np.median(steps))) if steps.size else 1
    broken = np.flatnonzero((steps < 0) | (steps * base > _LEAP)) + 1
    added = np.zeros(dts.size, np.int64)
    runs: list[Run] = []
    add = -round((origin if origin is not None else int(dts[0]) * base) / base)
    bounds = [0, *broken.tolist(), dts.size]
    for begin, end in pairwise(bounds):
        if begin:
            add = int(dts[begin - 1] + added[begin - 1]) + usual - int(dts[begin])
        added[begin:end] = add
        runs.append(Run(int(dts[begin]) * base, int(dts[end - 1]) * base, add * base))
    return added, tuple(runs)


def _filled(pts: Ticks, runs: tuple[Run, ...]) -> Times:
    """Space frames without a time evenly between those that have one."""
    notes = tuple(
        f"its clock jumps at {float(run.begin):.3f} s: the times after that are joined on"
        for run in runs[1:]
    )
    missing = int((pts == NONE).sum())
    if missing:
        pts = _spread(pts)
        notes += (f"{missing} frames have no time of their own: spaced evenly",)
    again = pts[1:][np.diff(pts) <= 0]
    if again.size:
        raise CorruptFilm(f"two frames at PTS {again[0]}")
    return Times(pts, runs, notes)


def _spread(ticks: Ticks) -> Ticks:
    known = np.flatnonzero(ticks != NONE)
    if known.size == ticks.size:
        return ticks
    if known.size == 0:
        raise CorruptFilm("no frame has a time; rewrap it: ffmpeg -fflags +genpts -i FILM -c copy")
    gaps = np.diff(ticks[known]) / np.maximum(1, np.diff(known))
    step = float(np.median(gaps)) if gaps.size else 1.0
    found = np.interp(np.arange(ticks.size), known, ticks[known].astype(float))
    before, after = np.arange(known[0]), np.arange(known[-1] + 1, ticks.size)
    found[before] = ticks[known[0]] - step * (known[0] - before)
    found[after] = ticks[known[-1]] + step * (after - known[-1])
    spread: Ticks = np.rint(found).astype(np.int64)
    return spread


class Follower:
    """Puts another track of the file on the film's clock, packet by packet."""

    def __init__(self, runs: tuple[Run, ...]) -> None:
        self._runs, self._run, self._last = runs, 0, Fraction(-(1 << 62))

    def add(self, seconds: Fraction) -> Fraction:
        """Give the seconds to add to a packet's time; packets have to come in the file's order."""
        if not self._runs:
            return Fraction(0)
        back, self._last = seconds < self._last - _SLACK, seconds
        first = min(self._run + back, len(self._runs) - 1)
        for k in range(first, len(self._runs)):
            if self._runs[k].begin - _SLACK <= seconds <= self._runs[k].end + _SLACK:
                self._run = k
                break
        return self._runs[self._run].add
