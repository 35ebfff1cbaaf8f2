"""Keyed values as people write them to a value for every frame, exactly.

A *curve* is a number over time, given at *points*: constant before the first and after the last, a
straight line or a smooth step between two. Its points are all at times, in seconds since the film's
first frame, or all at frames. Nothing here knows what the number is for.
"""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from itertools import pairwise

from pipeline.errors import BadRequest
from pipeline.media.clock import Timed, parse_time

_NUMBER = re.compile(r"\d+\.?\d*|\.\d+")
_FRAME = re.compile(r"\d+")
_DIGITS = 999
_SHAPES = ("linear", "smooth")
_HINT = "write 0.7, 0s:0,2s:1 or 0:0,48:1,smooth"


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a moment."""

    at: Fraction
    """seconds since the first frame, or a frame's number"""
    value: Fraction
    """0 to 1"""


@dataclass(frozen=True, slots=True)
class Curve:
    """A number over time.

    Raises:
        ValueError: If there is no point, or one that does not come after the point before it.
    """

    points: tuple[Point, ...]
    by_frame: bool = False
    """Whether points are at frames; else at seconds."""
    smooth: bool = False
    """Whether it rests at each point; else it goes straight from one to the next."""

    def __post_init__(self) -> None:
        if not self.points or any(a.at >= b.at for a, b in pairwise(self.points)):
            raise ValueError(f"points have to come one after the other, got {self.points}")

    @property
    def constant(self) -> bool:
        """Whether it has one value only."""
        return len({point.value for point in self.points}) == 1

    def at(self, place: Fraction) -> Fraction:
        """The value at a moment, in the unit of the points.

        Between two points, x of the way from one to the next, a smooth curve has gone
        3 x^2 - 2 x^3 of the way (the cubic of Hermite with level ends).
        """
        before = [point for point in self.points if point.at <= place]
        after = self.points[len(before) :]
        if not before or not after:
            return (before or list(after))[-1 if before else 0].value
        left, right = before[-1], after[0]
        way = (place - left.at) / (right.at - left.at)
        if self.smooth:
            way = way * way * (3 - 2 * way)
        return left.value + way * (right.value - left.value)

    def of_frame(self, film: Timed, index: int) -> float:
        """The value at a frame of a film: at its number, or at its PTS from the first frame's."""
        if self.by_frame:
            return float(self.at(Fraction(index)))
        return float(self.at((int(film.pts[index]) - int(film.pts[0])) * film.time_base))

    def __str__(self) -> str:
        """Write the curve so that ``parse_curve`` reads the same one."""
        if len(self.points) == 1:
            return _decimal(self.points[0].value)
        unit = "" if self.by_frame else "s"
        parts = [f"{_decimal(p.at)}{unit}:{_decimal(p.value)}" for p in self.points]
        return ",".join([*parts, "smooth"] if self.smooth else parts)


def flat(value: float) -> Curve:
    """One value, 0 to 1, all the time."""
    return Curve((Point(Fraction(0), Fraction(str(value))),))


def parse_curve(text: str) -> Curve:
    """Read a number, or numbers at times or at frames, straight (as they are) or smooth.

    A moment that is a whole number is a frame; a time has an s or a colon. The value follows the
    last colon.

    >>> parse_curve("0s:0, 0:02:1, smooth").at(Fraction(1, 2))
    Fraction(5, 32)
    >>> str(parse_curve("00:01:12.5:0.3,80s:1"))
    '72.5s:0.3,80s:1'

    Raises:
        BadRequest: If it is none, if points are not in order, or frames and times are mixed.
    """
    members = [member.strip() for member in text.split(",")]
    shape = members.pop() if members[-1] in _SHAPES else "linear"
    if len(members) == 1 and ":" not in members[0] and shape == "linear":
        return Curve((Point(Fraction(0), _value(members[0])),))
    read = [_point(member) for member in members]
    kinds = {by_frame for _, by_frame in read}
    if len(kinds) != 1:
        mixed = "frames and times are mixed; write 2s for two seconds"
        raise BadRequest(mixed if kinds else f"there is no point; {_HINT}")
    points = tuple(point for point, _ in read)
    for left, right in pairwise(zip(points, members, strict=True)):
        if left[0].at >= right[0].at:
            raise BadRequest(f"{right[1]} does not come after {left[1]}")
    return Curve(points, by_frame=kinds.pop(), smooth=shape == "smooth")


def _point(member: str) -> tuple[Point, bool]:
    """Read a point, and whether it is at a frame."""
    place, colon, value = (part.strip() for part in member.rpartition(":"))
    if not colon:
        raise BadRequest(f"{member!r} is no point; {_HINT}")
    if _FRAME.fullmatch(place):
        return Point(Fraction(int(place)), _value(value)), True
    if not place.endswith("s") and ":" not in place:
        raise BadRequest(f"{place!r} is neither a time nor a frame; write 2s, 0:02 or 48")
    return Point(parse_time(place), _value(value)), False


def _value(word: str) -> Fraction:
    if not _NUMBER.fullmatch(word):
        raise BadRequest(f"{word!r} is no value from 0 to 1; {_HINT}")
    value = Fraction(word)
    if value > 1:
        raise BadRequest(f"{word} is above 1")
    return value


def _decimal(value: Fraction) -> str:
    """Write a decimal fraction in full; what people write has no other denominators."""
    exact = Context(prec=_DIGITS, traps=[Inexact])
    return format(exact.divide(Decimal(value.numerator), Decimal(value.denominator)), "f")
