"""Places in a film as people write them, to frames: numbers, times and timecodes.

A *place* is a frame's number, a time from the film's first frame (with an s or a colon: 12s, 1:30,
00:01:12.5), or a *timecode* of four parts, 01:00:10:05, as the film carries it. A job file may
number a film's frames from another number than 0, as plates are numbered from 1001.
"""

import re
from dataclasses import dataclass
from typing import Literal

from pipeline.errors import BadRequest
from pipeline.media.clock import frame_at, frames_between, parse_frames, parse_time
from pipeline.media.container import Film

Kind = Literal["frame", "time", "timecode"]

_FRAME = re.compile(r"[0-9]+")
_TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;]\d\d+")


def kind_of(place: str) -> Kind:
    """Say what a place is written as.

    >>> kind_of("1001"), kind_of("1:30"), kind_of("01:00:10;05")
    ('frame', 'time', 'timecode')

    Raises:
        BadRequest: If it is none.
    """
    if _FRAME.fullmatch(place):
        return "frame"
    if _TIMECODE.fullmatch(place):
        return "timecode"
    if not place.endswith("s") and ":" not in place:
        raise BadRequest(f"{place!r} is no place: write 300, 12s, 1:30 or 01:00:10:05")
    parse_time(place)
    return "time"


@dataclass(frozen=True, slots=True)
class Places:
    """Where places are in one film."""

    film: Film
    first: int = 0
    """The number of the film's first frame."""

    def frame(self, place: str) -> int:
        """The frame at a place, from 0.

        Raises:
            BadRequest: If the film does not have it.
        """
        kind = kind_of(place)
        if kind == "time":
            return self._at(place)
        frame = int(place) - self.first if kind == "frame" else self._coded(place)
        if not 0 <= frame < self.film.frames:
            raise BadRequest(f"frame {place} is not in the film: it has {self._all(kind)}")
        return frame

    def frames(self, words: str) -> tuple[int, int]:
        """The frames [start, stop) of a range of numbers, 1001-1090, from 0.

        Raises:
            BadRequest: If it is none, or not in the film.
        """
        start, stop = (number - self.first for number in parse_frames(words))
        if start < 0 or stop > self.film.frames:
            raise BadRequest(f"frames {words} are not all in the film: it has {self._all('frame')}")
        return start, stop

    def _at(self, place: str) -> int:
        film, seconds = self.film, parse_time(place)
        ticks = int(film.pts[-1]) + int(film.durations[-1]) - int(film.pts[0])
        end = ticks * film.time_base
        if seconds >= end:
            raise BadRequest(f"{place} is not in the film: it ends at {float(end):.3f} s")
        return frame_at(film, seconds)

    def _coded(self, place: str) -> int:
        film = self.film
        if film.timecode is None:
            raise BadRequest(f"{place}: the film has no timecode; write a frame or a time")
        if film.variable_rate:
            raise BadRequest(f"{place}: timecode needs a constant rate; write a frame or a time")
        mark = film.timecode[8:9]  # a person need not know that the film drops frame numbers
        code = f"{place[:8]}{mark}{place[9:]}"
        return frames_between(film.timecode, code, rate=film.frame_rate)

    def _all(self, kind: Kind) -> str:
        last = self.film.frames - 1
        if kind == "timecode":
            return f"{self.film.frames} from {self.film.timecode}"
        return f"{self.first}-{self.first + last}"
