"""A frame in its own light to the same frame in the light of its shot, and back.

The *gain* of a frame is its light as a multiple of the shot's: 1 outside fades. Paint is made,
warped and blended at unit gain, and gets the frame's light back at the end; otherwise a fade to
black would be painted as a boiling grey.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Planes

_GREY = 128


def apply_gain(planes: Planes, gain: float, *, black: int = 16) -> Planes:
    """Multiply the light of a frame; 1 gives back the very object.

    Args:
        planes: A frame.
        gain: Above 0. The gain of the frame lays its light on, 1 / gain takes it off.
        black: The luma code that stays where it is: 16, or 0 in full range.
    """
    if not gain > 0:
        raise ValueError(f"a gain is above 0, got {gain}")
    if gain == 1.0:
        return planes
    luma, chroma = _table(gain, black), _table(gain, _GREY)
    return Planes(
        luma=np.asarray(cv2.LUT(planes.luma, luma), np.uint8),
        blue=np.asarray(cv2.LUT(planes.blue, chroma), np.uint8),
        red=np.asarray(cv2.LUT(planes.red, chroma), np.uint8),
    )


def _table(gain: float, fixed: int) -> NDArray[np.uint8]:
    codes = (np.arange(256) - fixed) * gain + fixed
    return np.asarray(np.clip(np.rint(codes), 0, 255), np.uint8)
