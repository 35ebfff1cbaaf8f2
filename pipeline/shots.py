"""A shot's rows to its light, its picture, and the frames that it is measured on.

*Unit gain* is a shot's median light; *lit* are the frames that a fade leaves bright enough to tell
what is in them. Nothing here knows another shot.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Rect

_MEASURED = 4
_LIT_ENOUGH = 0.5
_FAINTEST = 1 / 16
_UNLIT = 1 / 32
_DRIFT = 1.5
_LEAST_PICTURE = 0.25


def gains(
    changes: NDArray[np.float32], luma: NDArray[np.float32], bars: NDArray[np.int32]
) -> tuple[float, ...]:
    """Turn changes from frame to frame into light relative to the shot's median.

    Args:
        changes: [N - 1], light of each frame but the first as a multiple of the one before.
        luma: [N], mean above black.
        bars: [N, 4], -1 where all is dark: over such a frame the painter would lay its mean colour.
    """
    dark = (bars[:, 0] < 0).tolist()
    return tuple(_UNLIT if d else g for d, g in zip(dark, _followed(changes, luma), strict=True))


def lit(start: int, light: Sequence[float], bars: NDArray[np.int32]) -> list[int]:
    """Give the lit frames of a shot that begins at frame ``start``; ``light`` are its gains."""
    return [
        t
        for t, (gain, sides) in enumerate(zip(light, bars, strict=True), start)
        if gain >= _LIT_ENOUGH and sides[0] >= 0
    ]


def picture(bars: NDArray[np.int32], size: tuple[int, int]) -> Rect:
    """Cut off the bars that all frames of a shot have, the same on both sides, on even lines."""
    width, height = size
    known = bars[bars[:, 0] >= 0]
    if len(known) == 0:
        return Rect(0, 0, height, width)
    top, bottom, left, right = known.min(axis=0).tolist()
    down, across = min(top, bottom) // 2 * 2, min(left, right) // 2 * 2
    # Where something is cut off, no chroma sample may be shared with the bar.
    below = (height - down) // 2 * 2 if down else height
    beyond = (width - across) // 2 * 2 if across else width
    bare = Rect(down, across, below - down, beyond - across)
    if bare.height * bare.width < _LEAST_PICTURE * height * width:
        return Rect(0, 0, height, width)
    return bare


def spread(candidates: Sequence[int]) -> tuple[int, ...]:
    """Choose at most 4, evenly."""
    count = min(_MEASURED, len(candidates))
    return tuple(candidates[(2 * i + 1) * len(candidates) // (2 * count)] for i in range(count))


def _followed(changes: NDArray[np.float32], luma: NDArray[np.float32]) -> tuple[float, ...]:
    if (changes == 1).all():
        return (1.0,) * luma.size
    light = np.concatenate([[0.0], np.cumsum(np.log(changes.astype(np.float64)))])
    light -= np.median(light)
    # Small errors add up along a flickering shot. No frame is held to be darker than its luma says.
    mean = np.log(np.maximum(luma.astype(np.float64), 0.5))
    darkest = np.minimum(mean - np.median(mean) - np.log(_DRIFT), 0.0)
    light = np.clip(light, np.maximum(darkest, np.log(_FAINTEST)), 0.0)
    return tuple(round(gain, 4) for gain in np.exp(light).tolist())
