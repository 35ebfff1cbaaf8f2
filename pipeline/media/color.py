"""Planes to RGB and back, by the film's own matrix and range.

*Planes* are a frame as the codec stores it; *tags* are the four numbers (ISO/IEC 23091-2) that say
what the planes mean. Nothing here decodes, resizes a film, or changes its transfer function.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""One component, [H, W]."""


@dataclass(frozen=True, slots=True)
class ColorTags:
    """What the samples mean: code points of ISO/IEC 23091-2; 2 is 'unspecified'."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class Planes:
    """One frame, as stored: 8-bit Y'CbCr in coded orientation."""

    luma: Plane
    """[H, W]"""
    blue: Plane
    """Cb, [ceil(H / v), ceil(W / h)] with the subsampling (h, v) of the pixel format."""
    red: Plane
    """Cr, the same shape as ``blue``."""


@dataclass(frozen=True, slots=True)
class Rect:
    """A region of a frame, in luma pixels of the coded orientation."""

    top: int
    left: int
    height: int
    width: int
