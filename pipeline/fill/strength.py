"""A frame and its painting to the frame that goes out.

*Strength* is how much of the painting is laid over the film, in planes; what lies outside of the
*picture* (letterbox bars) stays the film's. Keys and fills do not depend on either.
"""

import cv2
import numpy as np

from pipeline.fill.warp import crop
from pipeline.media.color import Plane, Planes, Rect


def lay(source: Planes, painted: Planes, strength: float, *, picture: Rect | None = None) -> Planes:
    """Lay a painting over its frame: source + strength x (painted - source).

    0 gives the source back exactly, 1 the painting (inside the picture).

    Args:
        source: The film's frame.
        painted: Its picture painted, of the size of ``picture``.
        strength: 0 to 1.
        picture: Where to lay it; None is everywhere.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is 0 to 1, got {strength}")
    if strength == 0:
        return source
    height, width = source.luma.shape
    if picture is None or picture == Rect(0, 0, height, width):
        return _mixed(source, painted, strength)
    out = Planes(source.luma.copy(), source.blue.copy(), source.red.copy())
    onto, mixed = crop(out, picture), _mixed(crop(source, picture), painted, strength)
    onto.luma[...], onto.blue[...], onto.red[...] = mixed.luma, mixed.blue, mixed.red
    return out


def _mixed(source: Planes, painted: Planes, strength: float) -> Planes:
    if strength == 1:
        return painted
    return Planes(
        luma=_mix(source.luma, painted.luma, strength),
        blue=_mix(source.blue, painted.blue, strength),
        red=_mix(source.red, painted.red, strength),
    )


def _mix(source: Plane, painted: Plane, strength: float) -> Plane:
    return np.asarray(cv2.addWeighted(painted, strength, source, 1 - strength, 0), np.uint8)
