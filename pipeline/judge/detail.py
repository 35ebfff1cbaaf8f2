"""A frame to how much fine structure it has.

The other half of every judgement about flicker: a frame can always be made steadier by blurring it.
*Detail* is the energy between two Gaussians, of 1 and of 4 px: brush strokes, without the pixel
noise below and the forms above; *gradient* is the mean squared slope; a *lattice* is what repeats
every 4 px, where a net with strides leaves its own grid in the paint. All in luma, in units of
[0, 1]^2.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane

_PERIOD = 4
_BLOCK = 64


def gradient(luma: Plane) -> float:
    """Measure the mean squared slope, a pixel."""
    pairs = ((luma[:, 1:], luma[:, :-1]), (luma[1:], luma[:-1]))
    return sum(cv2.norm(a, b, cv2.NORM_L2SQR) / 255.0**2 / a.size for a, b in pairs if a.size)


def detail(luma: Plane) -> float:
    """Measure the energy of G1(Y) - G4(Y)."""
    light = luma.astype(np.float32) / 255
    fine, coarse = cv2.GaussianBlur(light, (0, 0), 1), cv2.GaussianBlur(light, (0, 0), 4)
    return _mean_square(np.asarray(fine - coarse, np.float32))


def lattice(luma: Plane) -> float:
    """Measure the 4 px grid in a frame, RMS in codes, above what chance would give.

    High-passed luma is folded modulo 4 over blocks of 64 px; a pattern that is there in every block
    stays, everything else averages out.
    """
    height, width = (side // _BLOCK * _BLOCK for side in luma.shape)
    if not height or not width:
        return 0.0
    light = luma.astype(np.float32)
    high = (light - cv2.GaussianBlur(light, (0, 0), 2))[:height, :width]
    folds = _BLOCK // _PERIOD
    cells = high.reshape(height // _BLOCK, folds, _PERIOD, width // _BLOCK, folds, _PERIOD)
    cells = cells.transpose(0, 3, 1, 4, 2, 5).reshape(-1, folds * folds, _PERIOD, _PERIOD)
    folded = cells.mean(axis=1)
    folded -= folded.mean(axis=(1, 2), keepdims=True)
    chance = cells.var(axis=1).mean(axis=(1, 2)) / (folds * folds)
    return float(np.sqrt(np.maximum(np.square(folded).mean(axis=(1, 2)) - chance, 0).mean()))


def _mean_square(field: NDArray[np.floating]) -> float:
    return float(np.square(field).mean(dtype=np.float64)) if field.size else 0.0
