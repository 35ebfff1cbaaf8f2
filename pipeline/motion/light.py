"""Two frames to how much brighter the second is; one frame to its black bars.

*Gain* is the light of a frame as a multiple of another's, above black, where both show the same
things: a fade has one, a pan into a bright room has none. *Bars* are the rows and columns at the
edges that hold nothing but near-black. Nothing here decides what is done about either.
"""

import cv2
import numpy as np

from pipeline.media.color import Plane
from pipeline.motion.flow import Field, Luma

Bars = tuple[int, int, int, int]
"""Rows at the top and bottom, columns at the left and right; (-1, -1, -1, -1) where all is dark."""

ALL_DARK: Bars = (-1, -1, -1, -1)

_DEAD_ZONE = 0.015
_STRONGEST = np.log(2.0)
_DARKEST, _BRIGHTEST = 5, 214  # codes above black between which a ratio means something
_LEAST_SHARE = 0.05
_NEAR_BLACK = 12
_FLAT = 4


def pair_gain(luma: Luma, fetched: Luma, consistent: Field, *, black: int) -> float:
    """Give the light of a frame as a multiple of that of the frame before it.

    It is exactly 1 unless the change is above 1.5 %, at most twofold, and explains the picture
    better than no change does.

    Args:
        luma: Frame t, [h, w].
        fetched: Frame t - 1, warped onto t.
        consistent: How well the motion between them closes, 0 to 1.
        black: The code of black, 0 or 16.
    """
    now = luma[::2, ::2].astype(np.float32) - black
    then = fetched[::2, ::2].astype(np.float32) - black
    sure = consistent[::2, ::2] > 0.5
    # The brighter of the two decides: a fade in is a fade out seen backwards.
    brighter = np.maximum(now, then)
    sure &= (brighter >= 2 * _DARKEST) & (brighter <= _BRIGHTEST) & (np.minimum(now, then) > 0)
    if np.count_nonzero(sure) < _LEAST_SHARE * sure.size:
        return 1.0
    now, then = now[sure], then[sure]
    gain = float(np.median(now / then))
    if gain <= 0 or not _DEAD_ZONE <= abs(np.log(gain)) <= _STRONGEST:
        return 1.0
    explained = np.abs(now - gain * then).mean() < 0.8 * np.abs(now - then).mean()
    return gain if explained else 1.0


def lit(luma: Luma, gain: float, *, black: int) -> Luma:
    """Multiply the light of a frame above black."""
    if gain == 1.0:
        return luma
    codes = (np.arange(256) - black) * gain + black
    table = np.asarray(np.clip(np.rint(codes), 0, 255), np.uint8)
    return np.asarray(cv2.LUT(luma, table), np.uint8)


def bars(luma: Plane, *, black: int) -> Bars:
    """Measure the black bars of a plane of luma [H, W] at full size."""
    limit = black + _NEAR_BLACK
    if luma.max() <= limit:
        return ALL_DARK
    across = luma.T
    return (
        _dark_lines(luma, limit),
        _dark_lines(luma[::-1], limit),
        _dark_lines(across, limit),
        _dark_lines(across[::-1], limit),
    )


def _dark_lines(luma: Plane, limit: int) -> int:
    """Count the lines at the top that are near-black and flat; a dim picture is not flat."""
    for i, line in enumerate(luma):
        if line.max() > limit or int(line.max()) - int(line.min()) > _FLAT:
            return i
    return len(luma)
