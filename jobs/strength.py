"""A strength as a job file has it to the one form that a recipe has: a number, or a curve as text.

Keys at frames, times or timecodes become a ``Curve``; a part of the film with a strength of its own
is folded into it by points at the last frame before and the first one in it, so that every frame
has exactly the value that was asked for, and no frame one in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from jobs.jobfile import Keyed
from jobs.places import Places, kind_of
from pipeline.curve import Curve, Point, flat, parse_curve
from pipeline.errors import BadRequest
from pipeline.media.clock import Timed, parse_time

_GRID = 10**9
"""Points between two frames lie on ticks of so much of a second: less than any frame lasts."""
_EXACT = 10**12
"""Values are rounded to so much, for a curve is written in decimals."""


@dataclass(frozen=True, slots=True)
class Over:
    """Frames [start, stop) that have a value of their own."""

    start: int
    stop: int
    value: float


def curve_of(words: float | str | Keyed, places: Places) -> Curve:
    """Read a strength.

    Raises:
        BadRequest: If it names places that the film does not have, or of two kinds.
    """
    if isinstance(words, float | int):
        return flat(float(words))
    if isinstance(words, str):
        curve = parse_curve(words)
        return _shifted(curve, places.first) if curve.by_frame and places.first else curve
    kinds = {kind_of(place) for place in words.keys}
    timed = kinds == {"time"}
    if "time" in kinds and not timed:
        raise BadRequest("strength: its keys are at times, or at frames and timecodes, not at both")
    found = {
        (parse_time(place) if timed else Fraction(places.frame(place))): Fraction(str(value))
        for place, value in words.keys.items()
    }
    if len(found) < len(words.keys):
        raise BadRequest("strength: two of its keys are at one frame")
    points = tuple(Point(at, value) for at, value in sorted(found.items()))
    return Curve(points, by_frame=not timed, smooth=words.shape == "smooth")


def folded(base: Curve, over: Sequence[Over], film: Timed) -> Curve:
    """Lay values of parts of the film over a curve.

    Raises:
        BadRequest: If parts overlap, or the curve is smooth: no other curve goes on as it would.
    """
    parts = sorted(over, key=lambda one: one.start)
    if not parts:
        return base
    for left, right in pairwise(parts):
        if right.start < left.stop:
            raise BadRequest(f"shots: frame {right.start} of the film is in two of them")
    if base.smooth and not base.constant:
        raise BadRequest("shots: a smooth strength cannot be changed in parts; write it in one")
    by_frame = base.by_frame or base.constant
    if by_frame:
        return _stepped(replace(base, by_frame=True), parts, film, up=Fraction, down=Fraction)

    def time(frame: int) -> Fraction:
        return (int(film.pts[frame]) - int(film.pts[0])) * film.time_base

    return _stepped(
        base,
        parts,
        film,
        up=lambda frame: Fraction(-(-time(frame) * _GRID // 1), _GRID),
        down=lambda frame: Fraction(time(frame) * _GRID // 1, _GRID),
    )


def _stepped(
    base: Curve,
    parts: Sequence[Over],
    film: Timed,
    *,
    up: Callable[[int], Fraction],
    down: Callable[[int], Fraction],
) -> Curve:
    """Set points around the parts; ``up`` and ``down`` place one just after, or before, a frame."""
    inside = {frame for part in parts for frame in (part.start, part.stop - 1)}
    last = len(film.pts) - 1
    found = {} if base.constant else {point.at: point.value for point in base.points}
    around: dict[Fraction, Fraction] = {}
    for part in parts:
        begins = up(part.start - 1) if part.start else down(0)
        ends = down(part.stop) if part.stop <= last else up(last)
        found = {at: value for at, value in found.items() if not begins <= at <= ends}
        value = Fraction(str(part.value))
        around |= {down(part.start): value, up(part.stop - 1): value}
        if part.start and part.start - 1 not in inside:
            around[begins] = _rounded(base.at(begins))
        if part.stop <= last and part.stop not in inside:
            around[ends] = _rounded(base.at(ends))
    points = tuple(Point(at, value) for at, value in sorted((found | around).items()))
    return replace(base, points=points)


def _rounded(value: Fraction) -> Fraction:
    return Fraction(round(value * _EXACT), _EXACT)


def _shifted(curve: Curve, first: int) -> Curve:
    """Count frames from 0."""
    if curve.points[0].at < first:
        raise BadRequest(
            f"strength: frame {curve.points[0].at} is before the film's first, {first}"
        )
    return replace(curve, points=tuple(Point(p.at - first, p.value) for p in curve.points))
