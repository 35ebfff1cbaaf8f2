"""Rows to what of a film is shown: its shots, its worst frames, and stretches to play.

A frame's *excess* is its loss as a multiple of its budget: above 1 it flickers more than its
content accounts for. A *stretch* is a run of frames that can be played; a short film is one. A
pure function of rows and times. Frames are places in the painted film, from 0; ranges half-open.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from pipeline.judge.tables import Row

WORST = 10
MOST_SHOTS = 60
"""On the contact sheet."""
_WHOLE = Fraction(15)
"""Seconds up to which a film is played whole."""
_STRETCH = Fraction(5, 2)
_STRETCHES, _OF_WORST = 6, 2


@dataclass(frozen=True, slots=True)
class ShownShot:
    """Frames [start, stop) without a cut among them."""

    number: int
    """Counted from 1, as people do."""
    start: int
    stop: int
    keys: int
    worst: int | None
    """The frame of the largest excess; None if no frame could be judged."""

    @property
    def middle(self) -> int:
        """The frame that stands for it."""
        return (self.start + self.stop) // 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames [start, stop) that are played."""

    start: int
    stop: int
    name: str


def excess(row: Row) -> float | None:
    """Give a frame's loss as a multiple of its budget; None where it has no budget.

    >>> excess(Row(1, 1, False, loss=0.003, budget=0.002))
    1.5
    """
    if row.loss is None or not row.budget:
        return None
    return row.loss / row.budget


def shots(rows: Sequence[Row]) -> list[ShownShot]:
    """Divide a film where no frame before could be looked at: a shot's first has no coverage."""
    starts = [0, *(i for i, row in enumerate(rows) if i and row.coverage is None), len(rows)]
    return [
        ShownShot(
            number=number,
            start=start,
            stop=stop,
            keys=sum(row.key for row in rows[start:stop]),
            worst=next(iter(worst(rows[start:stop], count=1, first=start)), None),
        )
        for number, (start, stop) in enumerate(pairwise(starts), start=1)
    ]


def worst(rows: Sequence[Row], *, count: int = WORST, first: int = 0) -> list[int]:
    """Give the frames of the largest excess, the worst one first.

    A frame without loss shows nothing and is left out, and so is the film's first: the frame before
    it, against which it was measured, is not in the painted film.

    Args:
        rows: Of neighbouring frames.
        count: How many to give at most.
        first: The frame of the first row.
    """
    judged = [(found, i) for i, row in enumerate(rows, first) if i and (found := excess(row))]
    return [i for _, i in sorted(judged, key=lambda one: (-one[0], one[1]))[:count]]


def some(found: Sequence[ShownShot], rows: Sequence[Row]) -> list[ShownShot]:
    """Choose shots for the contact sheet: all, or half the worst ones and half spread evenly."""
    if len(found) <= MOST_SHOTS:
        return list(found)
    half = MOST_SHOTS // 2
    ranked = sorted(found, key=lambda shot: -_badness(shot, rows))
    chosen = {shot.number: shot for shot in ranked[:half]}
    rest = [shot for shot in found if shot.number not in chosen]
    left = MOST_SHOTS - half
    chosen |= {s.number: s for s in (rest[i * len(rest) // left] for i in range(left))}
    return [chosen[number] for number in sorted(chosen)]


def stretches(rows: Sequence[Row], times: Sequence[Fraction]) -> list[Stretch]:
    """Choose what is played: all of a short film, else the worst moments and some in between.

    Args:
        rows: N of them.
        times: N + 1 seconds; the last is when the last frame goes.
    """
    if times[-1] - times[0] <= _WHOLE:
        return [Stretch(0, len(rows), "Whole film")]
    found: list[Stretch] = []
    for place in worst(rows, count=len(rows)):
        if len(found) == _OF_WORST:
            break
        _add(found, _around(place, times), "Worst" if not found else "Also bad")
    length, left = times[-1] - times[0], _STRETCHES - len(found)
    for i in range(left):
        middle = times[0] + length * (2 * i + 1) / (2 * left)
        _add(found, _around(bisect_left(times, middle), times), "Sample")
    return sorted(found, key=lambda stretch: stretch.start)


def _around(place: int, times: Sequence[Fraction]) -> tuple[int, int]:
    """Give the frames of a stretch about a frame, within the film."""
    last = len(times) - 1
    begin = min(times[min(place, last)] - _STRETCH / 2, times[-1] - _STRETCH)
    start = bisect_left(times, max(begin, times[0]))
    stop = bisect_left(times, times[start] + _STRETCH)
    return start, max(start + 1, min(stop, last))


def _add(found: list[Stretch], span: tuple[int, int], name: str) -> None:
    """Take a stretch in, unless it runs into another."""
    start, stop = span
    if all(stop <= other.start or other.stop <= start for other in found):
        found.append(Stretch(start, stop, name))


def _badness(shot: ShownShot, rows: Sequence[Row]) -> float:
    return 0.0 if shot.worst is None else excess(rows[shot.worst]) or 0.0
