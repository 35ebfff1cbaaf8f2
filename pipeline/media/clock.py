"""What people write about time to exact ticks and frames.

A *tick* is one unit of a time base; a *timecode* is the clock that a camera or an editor wrote on
the film, counted in frames. Seconds are ``Fraction`` and never float, and are counted from the
film's first frame, whatever its PTS. Nothing here looks into a film's packets.
"""

import re
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)\s*s?")
_FRAMES = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)")


class Timed(Protocol):
    """What has frames at known times."""

    @property
    def pts(self) -> NDArray[np.int64]:
        """[N], ascending."""

    @property
    def time_base(self) -> Fraction:
        """Seconds a tick."""


def parse_time(text: str) -> Fraction:
    """Read a time as people write it, in seconds.

    >>> parse_time("1:30"), parse_time("12s"), parse_time("00:01:12.5")
    (Fraction(90, 1), Fraction(12, 1), Fraction(145, 2))

    Raises:
        BadRequest: If it is no time.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise BadRequest(f"{text!r} is no time: write 12s, 1:30 or 00:01:12.5")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + Fraction(seconds)


def parse_frames(text: str) -> tuple[int, int]:
    """Read "100-250", which includes both ends, as the half-open (100, 251).

    Raises:
        BadRequest: If it is no range of frames, or an empty one.
    """
    match = _FRAMES.fullmatch(text.strip())
    if match is None:
        raise BadRequest(f"{text!r} is no range of frames: write 100-250")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise BadRequest(f"frames {text} end before they begin")
    return first, last + 1


def rescale(pts: int, from_base: Fraction, to_base: Fraction) -> int:
    """Move a time from one time base to another, to the nearest tick, halves away from zero.

    >>> rescale(1, Fraction(1, 2), Fraction(1)), rescale(-1, Fraction(1, 2), Fraction(1))
    (1, -1)
    """
    exact = pts * from_base / to_base
    nearest = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return nearest if exact >= 0 else -nearest


def frame_at(film: Timed, seconds: Fraction) -> int:
    """Find the frame that is on screen ``seconds`` after the film's first frame appeared.

    Times before the first frame give the first, times after the last give the last.
    """
    ticks = seconds / film.time_base
    after = int(np.searchsorted(film.pts - film.pts[0], ticks.__floor__(), side="right"))
    return max(0, after - 1)


def later_timecode(timecode: str, frames: int, *, rate: Fraction) -> str:
    """Advance a timecode by a number of frames, around midnight, drop frame (";") as such.

    >>> later_timecode("00:00:59;29", 1, rate=Fraction(30000, 1001))
    '00:01:00;02'

    Raises:
        ValueError: If it is no timecode.
    """
    count, nominal, dropped, mark = _counted(timecode, rate)
    count += frames
    ten = 600 * nominal - 9 * dropped
    tens, rest = divmod(count % (144 * ten), ten)
    if rest >= 60 * nominal:
        rest += dropped * (1 + (rest - 60 * nominal) // (60 * nominal - dropped))
    number = tens * 600 * nominal + rest
    seconds, ticks = divmod(number, nominal)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{ticks:02}"


def frames_between(first: str, other: str, *, rate: Fraction) -> int:
    """Count the frames from one timecode to another; across midnight if that is nearer.

    >>> frames_between("00:00:59;29", "00:01:00;02", rate=Fraction(30000, 1001))
    1

    Raises:
        BadRequest: If one of them is no timecode, or names a frame that drop frame leaves out.
    """
    counts = []
    for code in (first, other):
        try:
            count, nominal, dropped, _ = _counted(code, rate)
        except ValueError:
            raise BadRequest(f"{code!r} is no timecode: write 01:00:10:05") from None
        if later_timecode(code, 0, rate=rate) != code:
            raise BadRequest(f"there is no timecode {code} at {float(rate):.5g} frames a second")
        counts.append(count)
    day = 144 * (600 * nominal - 9 * dropped)
    return (counts[1] - counts[0] + day // 2) % day - day // 2


def _counted(timecode: str, rate: Fraction) -> tuple[int, int, int, str]:
    """Frames since midnight, numbers a second, numbers that are skipped a minute, and the mark."""
    match = _TIMECODE.fullmatch(timecode.strip())
    if match is None:
        raise ValueError(f"expected HH:MM:SS:FF, got {timecode!r}")
    hours, minutes, seconds, ticks = (int(match[i]) for i in (1, 2, 3, 5))
    mark, nominal = match[4], round(rate)
    dropped = nominal // 15 if mark in ";." else 0  # numbers skipped at each minute but the tenths
    total = minutes + 60 * hours
    count = (total * 60 + seconds) * nominal + ticks - dropped * (total - total // 10)
    return count, nominal, dropped, mark
