"""One direction of a picture at the film's size and at the working size, and what reaches where."""

from dataclasses import dataclass

from pipeline.paint.sizes import STRIDE
from pipeline.paint.slope import RADIUS
from pipeline.paint.taps import Taps


@dataclass(frozen=True, slots=True)
class Reach:
    """What a run of film samples needs of one working axis, [a, b) each."""

    part: tuple[int, int]
    """to be painted"""
    seen: tuple[int, int]
    """with the net's apron"""


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a picture, at the film's and at the working size."""

    work: int
    share: int
    """samples of luma for one of chroma"""
    luma: Taps
    """film to working size"""
    chroma: Taps
    larger: Taps
    """working size to film, luma"""
    slope: Taps
    larger_chroma: Taps

    def reach(self, start: int, length: int, apron: int) -> Reach:
        """Say what ``length`` samples of the film's luma from ``start`` on need."""
        first, last = self.larger.needs(start, start + length)
        colour = start // self.share, -(-(start + length) // self.share)
        ends = self.larger_chroma.needs(*colour), self.slope.needs(start, start + length)
        first = min(first, *(end[0] for end in ends)) - RADIUS
        last = max(last, *(end[1] for end in ends)) + RADIUS
        top, bottom = max(0, first) // STRIDE * STRIDE, min(last, self.work)
        beyond = top - (top - bottom) // STRIDE * STRIDE + apron  # the net rounds up
        return Reach((top, bottom), (max(0, top - apron), min(beyond, self.work)))
