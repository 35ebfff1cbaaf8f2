"""Film luma and painted luma at the working size to the slope with which one follows the other.

That of the regression in a guided filter (He 2013, eq. 5), in a window around each sample. Sums
have a fixed order, so that a slope depends on its window and on nothing else, bit for bit.
"""

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32]
RADIUS = 4
"""Of the window that a slope is measured in, in working pixels."""
_NOISE = 16.0
"""Variance, in codes squared, below which the film's luma says little about the painting's."""


def slope_of(film: Real, painted: Real) -> Real:
    """Give cov(film, painted) / (var(film) + noise) in the window around each sample, -1 to 1.

    Both are in codes of 8 bits, not rounded.
    """
    x, y = film - np.float32(128), painted - np.float32(128)  # smaller squares, smaller errors
    mean_x, mean_y = _mean(x), _mean(y)
    covariance = _mean(x * y) - mean_x * mean_y
    variance = np.maximum(_mean(x * x) - mean_x * mean_x, 0)
    return np.clip(covariance / (variance + np.float32(_NOISE)), -1, 1)


def _mean(field: Real) -> Real:
    """Average over (2 r + 1)^2 samples, r = 4; edges go on. Nine terms, always added alike."""
    wide = np.pad(field, RADIUS, mode="edge")
    for _ in range(2):
        pair = wide[:-1] + wide[1:]
        four = pair[:-2] + pair[2:]
        wide = np.ascontiguousarray((four[:-5] + four[4:-1] + wide[8:]).T)
    return wide / np.float32((2 * RADIUS + 1) ** 2)
