"""A frame in its own light to the same frame in the light of its shot, and back.

The *gain* of a frame is its light as a multiple of the shot's: 1 outside fades. Paint is made,
warped and blended at unit gain, and gets the frame's light back at the end; otherwise a fade to
black would be painted as a boiling grey.
"""

import cv2
import numpy as np

from pipeline.media.color import Plane, Planes, white

_GREY = 128


def apply_gain(planes: Planes, gain: float, *, black: int = 16) -> Planes:
    """Multiply the light of a frame; 1 gives back the very object.

    Args:
        planes: A frame.
        gain: Above 0. The gain of the frame lays its light on, 1 / gain takes it off.
        black: The luma code, in 8 bits, that stays where it is: 16, or 0 in full range.
    """
    if not gain > 0:
        raise ValueError(f"a gain is above 0, got {gain}")
    if gain == 1.0:
        return planes
    depth = planes.depth
    luma, chroma = _table(gain, black, depth), _table(gain, _GREY, depth)
    return Planes(
        luma=_looked_up(planes.luma, luma),
        blue=_looked_up(planes.blue, chroma),
        red=_looked_up(planes.red, chroma),
        depth=depth,
    )


def _table(gain: float, fixed: int, depth: int) -> Plane:
    fixed <<= depth - 8
    codes = (np.arange(1 << depth) - fixed) * gain + fixed
    kind = np.uint8 if depth == 8 else np.uint16
    return np.asarray(np.clip(np.rint(codes), 0, white(depth)), kind)


def _looked_up(plane: Plane, table: Plane) -> Plane:
    if plane.dtype == np.uint8:
        return np.asarray(cv2.LUT(plane, table), np.uint8)
    return np.take(table, plane, mode="clip")
