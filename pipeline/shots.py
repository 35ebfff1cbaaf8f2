"""A shot's rows to its light, its picture, and the frames that it is measured on.

*Unit light* is the brightest that a shot stands in for a while, so that a fade is one however
short the shot; *gain* is a frame's light as a multiple of it, 1 above it too: a flash stays a
flash. Where more light shows less, it is none, but a fade to white. Each stretch between two dark
ones has its own unit, for what darkness swallows cannot be followed. *Lit* are the frames that a
fade leaves bright enough to tell what is in them. Nothing here knows another shot.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Rect

_MEASURED = 4
_LIT_ENOUGH = 0.5
_FAINTEST = 1 / 16
_UNLIT = 1 / 32
_DRIFT = 1.5
_LEAST_PICTURE = 0.25
_LEVEL = np.log(1.1)
"""Light within this counts as one level."""
_OFTEN = 0.5
"""A level counts as one that the shot stands in from this share of the most frames at any."""
_HELD = 4
"""Frames; one more than the longest flash."""
_FLAT = 1e-7
_HIDDEN = 2.0
"""Contrast below the most by this factor is hidden by white."""
_NOISY = 2.0
"""Below the brightest by this factor, noise passes for contrast."""
_GLIMPSE, _GLIMMER = 24, 0.25
"""Frames, and share of the brightest luma: what has less of both is a rest of what was there."""


def gains(
    changes: NDArray[np.float32],
    luma: NDArray[np.float32],
    gradient: NDArray[np.float32],
    bars: NDArray[np.int32],
) -> tuple[float, ...]:
    """Turn changes from frame to frame into light relative to unit light.

    Args:
        changes: [N - 1], light of each frame but the first as a multiple of the one before.
        luma: [N], mean above black.
        gradient: [N], mean squared gradient of luma.
        bars: [N, 4], -1 where all is dark: over such a frame the painter would lay its mean colour.
    """
    dark = bars[:, 0] < 0
    found = np.full(luma.size, _UNLIT)
    brightest = max(float(luma.max()), 1.0)
    edges = [0, *(1 + np.flatnonzero(np.diff(dark))).tolist(), luma.size]
    for start, stop in pairwise(edges):
        if dark[start]:
            continue
        stretch = slice(start, stop)
        light = _followed(changes[start : stop - 1], luma[stretch], gradient[stretch])
        left = float(luma[start:stop].max()) / brightest
        if stop - start < _GLIMPSE and left < _GLIMMER:
            light = np.maximum(light * left, _FAINTEST)
        found[start:stop] = np.round(light, 4)
    return tuple(found.tolist())


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


def _followed(
    changes: NDArray[np.float32], luma: NDArray[np.float32], gradient: NDArray[np.float32]
) -> NDArray[np.float64]:
    if (changes == 1).all():
        return np.ones(luma.size)
    light = np.concatenate([[0.0], np.cumsum(np.log(changes.astype(np.float64)))])
    light -= np.median(light)
    # Small errors add up along a flickering shot. No frame is held to be darker than its luma says,
    # and no level to be brighter.
    mean = np.log(np.maximum(luma.astype(np.float64), 0.5))
    mean -= np.median(mean)
    unit = _unit(light, mean, shows=_shows(light, gradient))
    darkest = np.minimum(mean - unit - np.log(_DRIFT), 0.0)
    return np.exp(np.clip(light - unit, np.maximum(darkest, np.log(_FAINTEST)), 0.0))


def _shows(light: NDArray[np.float64], gradient: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say which frames show about as much as their light says: contrast grows with light."""
    detail = np.log(np.maximum(gradient.astype(np.float64), _FLAT)) / 2 - light
    bright = light >= light.max() - np.log(_NOISY)
    return np.asarray(detail >= detail[bright].max() - np.log(_HIDDEN))


def _unit(
    light: NDArray[np.float64], mean: NDArray[np.float64], *, shows: NDArray[np.bool_]
) -> float:
    """Give unit light: the brightest level that is held, as far as the luma says so too.

    Args:
        light: [N], logarithm of the light, as a multiple of its median.
        mean: [N], the same of mean luma.
        shows: [N], which frames show as much as their light says.
    """
    level = np.sort(light[shows])
    if level.size == 0:
        return 0.0
    counts = np.arange(1, level.size + 1) - np.searchsorted(level, level - _LEVEL)
    held = counts >= max(_OFTEN * counts.max(), _HELD)
    brightest = level[held if held.any() else counts == counts.max()][-1]
    inside = shows & (light <= brightest) & (light >= brightest - _LEVEL)
    found = min(float(np.median(light[inside])), float(np.median(mean[inside])))
    return max(0.0, found) if shows.all() else found
