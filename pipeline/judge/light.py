"""Frames to how steady their light is.

*Lightness* is CIE 1976 L*, 0 to 100; a person sees half a step of it. *Jitter* is how unsteady a
film's mean lightness is, and *contrast* how widely lightness is spread within a frame. A painting
that has twice the contrast of its film may follow the film's own jitter twice as far.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARE = 1.1
_UNSEEN = 0.05
"""L*, of jitter that no one sees."""


def lightness(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give L* of each pixel, [H, W], 0 to 100.

    Args:
        picture: [H, W, 3], RGB as displayed: sRGB, D65.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.ascontiguousarray(lab[..., 0], np.float32)


def jitter(levels: NDArray[np.float64]) -> float:
    """Measure how unsteady mean light is: the RMS second difference, in the unit of ``levels``.

    Args:
        levels: [N], mean lightness of consecutive frames; under 3 there is none.

    >>> jitter(np.array([10.0, 11.0, 12.0])), jitter(np.array([10.0, 12.0, 10.0]))
    (0.0, 4.0)
    """
    if levels.size < 3:
        return 0.0
    return float(np.sqrt(np.square(np.diff(levels, 2)).mean()))


def jitter_limit(source_jitter: float, *, contrast: float, source_contrast: float) -> float:
    """Give the jitter that a painting may have, in L*.

    1.1 times the film's own, scaled by how much more contrast the painting has, and 0.05 L*.

    Args:
        source_jitter: The film's, L*.
        contrast: Standard deviation of the painting's lightness within a frame, L*.
        source_contrast: The film's; a film without contrast passes none of its jitter on.

    >>> round(jitter_limit(0.2, contrast=30, source_contrast=20), 4)
    0.38
    """
    scale = contrast / source_contrast if source_contrast > 0 else 0.0
    return _SHARE * source_jitter * scale + _UNSEEN
