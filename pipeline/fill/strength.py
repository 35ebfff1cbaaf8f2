"""A frame and its painting to the frame that goes out.

*Strength* is how much of the painting is laid over the film, in planes; *keep_color* how much of
the film's own colour differences the painting takes before that. What lies outside of the *picture*
(letterbox bars) stays the film's. Keys and fills depend on none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from pipeline.curve import Curve
from pipeline.fill.warp import copied, crop
from pipeline.media.color import Plane, Planes, Rect


@dataclass(frozen=True, slots=True)
class Laying:
    """How a film's painting is laid over it."""

    strength: Curve
    """0 to 1 over time"""
    keep_color: float = 0.0
    """0 to 1"""
    given: Mapping[int, Planes] = field(default_factory=dict)
    """Frames that are laid on as they are, whole, bars and light included: somebody painted them"""


def lay(
    source: Planes,
    painted: Planes,
    strength: float,
    *,
    keep_color: float = 0.0,
    picture: Rect | None = None,
) -> Planes:
    """Lay a painting over its frame: source + strength x (painted - source).

    0 gives the source back exactly, 1 the painting (inside the picture). Alpha is the source's.

    Args:
        source: The film's frame.
        painted: Its picture painted, of the size of ``picture``.
        strength: 0 to 1.
        keep_color: 0 to 1; at 1 the two colour differences are the source's exactly, and luma alone
            is painted, at 0 all three are.
        picture: Where to lay it; None is everywhere.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is 0 to 1, got {strength}")
    if not 0 <= keep_color <= 1:
        raise ValueError(f"keep_color is 0 to 1, got {keep_color}")
    if strength == 0:
        return source
    laid = _laid(source, painted, strength, keep_color, picture)
    return laid if source.alpha is None else replace(laid, alpha=source.alpha)


def _laid(
    source: Planes, painted: Planes, strength: float, keep_color: float, picture: Rect | None
) -> Planes:
    height, width = source.luma.shape
    if picture is None or picture == Rect(0, 0, height, width):
        return _mixed(source, _colored(source, painted, keep_color), strength)
    out = copied(source)
    onto, inside = crop(out, picture), crop(source, picture)
    mixed = _mixed(inside, _colored(inside, painted, keep_color), strength)
    onto.luma[...], onto.blue[...], onto.red[...] = mixed.luma, mixed.blue, mixed.red
    return out


def _colored(source: Planes, painted: Planes, kept: float) -> Planes:
    """Give a painting so much of its source's colour differences."""
    if kept == 0:
        return painted
    if kept == 1:
        return replace(painted, blue=source.blue, red=source.red)
    blue = _mix(source.blue, painted.blue, 1 - kept)
    return replace(painted, blue=blue, red=_mix(source.red, painted.red, 1 - kept))


def _mixed(source: Planes, painted: Planes, strength: float) -> Planes:
    if strength == 1:
        return painted
    return Planes(
        luma=_mix(source.luma, painted.luma, strength),
        blue=_mix(source.blue, painted.blue, strength),
        red=_mix(source.red, painted.red, strength),
        depth=source.depth,
    )


def _mix(source: Plane, painted: Plane, strength: float) -> Plane:
    return np.asarray(cv2.addWeighted(painted, strength, source, 1 - strength, 0), source.dtype)
