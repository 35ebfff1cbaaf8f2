"""A gap's frames to the ground on which they stand, and the painting to one that stands there too.

*Ground* is what has the same samples in a frame and in both keys around it, there and nearby:
whatever passed before it, it is painted as it is in the keys, without motion. Where motion is
measured next to something that moves it is never quite none, and what a blend of keys gains
reaches further than what moves, so ground beside it would tremble by a code.

Harmonised keys agree on ground, so it is the same in all frames, to the sample; keys that do not
agree fade one into the other.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.fill.warp import widened
from pipeline.media.color import Planes, subsampling
from pipeline.motion.flow import Field

_CELL = 8
"""Luma samples on a side of what is ground or not."""

Cells = NDArray[np.uint8]
"""[H / 8, W / 8] rounded up, 1 or 0."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the keys of a gap have the same samples."""

    source: Planes
    """The film's frame a."""
    same: Cells

    def under(self, source: Planes) -> Field | None:
        """Give how far frame t is ground, 0 to 1 a cell; None if it is nowhere."""
        same = self.same.copy()
        _compare(self.source, source, same)
        inside = cv2.erode(same, np.ones((3, 3), np.uint8))
        return np.asarray(inside, np.float32) if inside.any() else None


def ground(source: Planes, other: Planes) -> Ground | None:
    """Find the ground of a gap; None if there is none.

    Args:
        source: The film's frame a, a key.
        other: Its frame b, the next one.
    """
    height, width = source.luma.shape
    same = np.ones((-(-height // _CELL), -(-width // _CELL)), np.uint8)
    _compare(source, other, same)
    return Ground(source, same) if cv2.erode(same, np.ones((3, 3), np.uint8)).any() else None


def grounded(painted: Planes, left: Planes, right: Planes, phase: float, share: Field) -> Planes:
    """Lay the ground of both keys under a frame.

    Args:
        painted: What the keys, fetched along the motion, make of frame t.
        left: The painted key a.
        right: The painted key b.
        phase: Where t lies between a (0) and b (1).
        share: What ``Ground.under`` says.
    """
    from pipeline.fill import cells

    made = replace(
        painted, luma=painted.luma.copy(), blue=painted.blue.copy(), red=painted.red.copy()
    )
    keys = ((left.luma, right.luma), (left.blue, right.blue), (left.red, right.red))
    for (a, b), out in zip(keys, (made.luma, made.blue, made.red), strict=True):
        cells.lay_between(a, b, np.float32(phase), widened(share, out.shape[1]), out)
    return made


def _compare(one: Planes, other: Planes, same: Cells) -> None:
    """Put out cells in which two frames differ."""
    from pipeline.fill import cells

    across, down = subsampling(one)
    planes = ((one.luma, other.luma), (one.blue, other.blue), (one.red, other.red))
    sizes = ((_CELL, _CELL), (_CELL // down, _CELL // across), (_CELL // down, _CELL // across))
    for (a, b), size in zip(planes, sizes, strict=True):
        cells.keep_equal(np.ascontiguousarray(a), np.ascontiguousarray(b), *size, same)
