"""Two warped paintings to one that is nearly as crisp as they are.

Where two textures that do not quite agree are averaged, their fine detail cancels. *Texture* is the
local variance of what a Gaussian of 2 px leaves, one number for a cell of 8 x 8 pixels; the average
gets part of the texture back that its two sources had. Chroma is averaged plainly: the eye does not
see what is lost there.

Everything stays in 8 bits but the gains: a float copy of a frame costs more than all of this.
"""

import cv2
import numpy as np

from pipeline.fill.warp import upscale
from pipeline.media.color import Plane, Planes
from pipeline.motion.flow import Field

_SIGMA = 2.0
_KERNEL = (13, 13)
_CELL = 8
_EPSILON = 1.0
"""Squared codes; what is under it is rounding, not texture."""
_MOST_GAIN = 1.6
_RESTORED = 0.5
"""Share of the gain that is used: all of it brings back flicker along with the texture."""
_SQUARES = np.square(np.arange(256)).astype(np.uint16)


def variance_blend(a: Planes, b: Planes, weight: Field) -> Planes:
    """Average two frames and give luma some of the texture back that averaging took.

    Where the two are equal the result is equal to them.

    Args:
        a: A frame.
        b: Another, of the same shape.
        weight: [h, w] on any grid over the frame, 0 to 1: the share of ``a``.
    """
    if a.luma.shape != b.luma.shape or a.blue.shape != b.blue.shape:
        raise ValueError(f"two frames of one shape are needed, got {a.luma.shape}, {b.luma.shape}")
    share = _Share(weight, a.blue)
    return Planes(
        luma=_luma(a.luma, b.luma, weight),
        blue=share.of(a.blue, b.blue),
        red=share.of(a.red, b.red),
    )


def linear_blend(a: Planes, b: Planes, weight: Field) -> Planes:
    """Average two frames, plainly; ``weight`` as in ``variance_blend``."""
    luma, chroma = _Share(weight, a.luma), _Share(weight, a.blue)
    return Planes(
        luma=luma.of(a.luma, b.luma),
        blue=chroma.of(a.blue, b.blue),
        red=chroma.of(a.red, b.red),
    )


def texture(luma: Plane, smooth: Plane | None = None) -> Field:
    """Measure the local variance of fine detail, [H / 8, W / 8] rounded up, in squared codes."""
    fine = cv2.absdiff(luma, _low(luma) if smooth is None else smooth)
    height, width = luma.shape
    cells = (-(-width // _CELL), -(-height // _CELL))
    mean = cv2.resize(cv2.LUT(fine, _SQUARES), cells, interpolation=cv2.INTER_AREA)
    return np.asarray(mean, np.float32)


class _Share:
    """A weight, brought to the grid of a plane once."""

    __slots__ = ("_first", "_second")

    def __init__(self, weight: Field, like: Plane) -> None:
        height, width = like.shape
        shrinks = weight.shape[0] > height or weight.shape[1] > width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        large = cv2.resize(weight, (width, height), interpolation=how)
        self._first = np.asarray(large, np.float32)
        self._second = 1 - self._first

    def of(self, a: Plane, b: Plane) -> Plane:
        return np.asarray(cv2.blendLinear(a, b, self._first, self._second), np.uint8)


def _luma(a: Plane, b: Plane, weight: Field) -> Plane:
    mean = _Share(weight, a).of(a, b)
    smooth = _low(mean)
    has = texture(mean, smooth)
    height, width = has.shape
    share = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA)
    wanted = share * texture(a) + (1 - share) * texture(b)
    gain = np.sqrt((wanted + _EPSILON) / (has + _EPSILON))
    gain = 1 + _RESTORED * (np.clip(gain, 1, _MOST_GAIN) - 1)
    gain = gain.astype(np.float32)
    if (gain < 1.001).all():
        return mean
    # smooth + gain x (mean - smooth), in one pass without a float frame
    large = upscale(gain, (mean.shape[1], mean.shape[0]))
    return np.asarray(cv2.blendLinear(mean, smooth, large, 1 - large), np.uint8)


def _low(luma: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(luma, _KERNEL, _SIGMA), np.uint8)
