"""A frame and the one before it to what is added to its low band, so that light holds still.

The low-pass of the temporal error is what is left of the gradient-domain energy of Bonneel (2015)
when texture is not to follow: one normalised convolution in place of a solver.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.fill.warp import upscale
from pipeline.media.color import Plane, Planes, white
from pipeline.motion.bridge import Bridge
from pipeline.motion.flow import Field, warp

_REACH = 8.0
"""Pixels of the film under which a difference is texture, not light."""
_FAR = 1e-3
_LEAST = 0.5
"""Codes of 8 bits."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be added, in codes, [h, w] on the grid of motion; None is nothing."""

    luma: Field | None
    blue: Field | None
    red: Field | None


def correction(planes: Planes, before: Planes, span: Bridge, share: float) -> Correction:
    """Say how a frame's low band differs from the frame before, as a share that is taken back.

    Args:
        planes: Frame t.
        before: Frame t - 1.
        span: The motion of t.
        share: 0 to 1, where the frame before is fully trusted.
    """
    if share <= 0 or planes is before:
        return Correction(None, None, None)
    trust = span.trust_previous
    error = cv2.subtract(
        warp(_small(before, trust), span.from_previous), _small(planes, trust), dtype=cv2.CV_32F
    )
    sigma = max(1.0, _REACH * trust.shape[1] / planes.luma.shape[1])
    weight = cv2.GaussianBlur(trust, (0, 0), sigma) + np.float32(_FAR)
    trusted = cv2.merge([trust] * 3)
    blurred = cv2.GaussianBlur(cv2.multiply(error, trusted), (0, 0), sigma)
    taken = trust / weight * np.float32(share)
    least = _LEAST * (1 << (planes.depth - 8))
    luma, blue, red = (
        None if max(abs(extreme) for extreme in cv2.minMaxLoc(low)[:2]) < least else low
        for low in (np.asarray(cv2.multiply(b, taken), np.float32) for b in cv2.split(blurred))
    )
    return Correction(luma, blue, red)


def corrected(plane: Plane, low: Field | None, *, depth: int = 8) -> Plane:
    """Add a correction to a plane of so many bits."""
    if low is None:
        return plane
    added = upscale(low, (plane.shape[1], plane.shape[0]))
    if depth == 8:
        return np.asarray(cv2.add(plane, added, dtype=cv2.CV_8U), np.uint8)
    summed = np.asarray(cv2.add(plane, added, dtype=cv2.CV_16U), np.uint16)
    return np.minimum(summed, np.uint16(white(depth)))


def _small(planes: Planes, like: Field) -> Plane:
    """[h, w, 3]: the three planes at the size of a field."""
    size = (like.shape[1], like.shape[0])
    three = (planes.luma, planes.blue, planes.red)
    small = cv2.merge([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in three])
    return np.asarray(small, planes.luma.dtype)
