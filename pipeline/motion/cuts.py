"""Two frames to how sure it is that a cut lies between them.

A *cut* needs three things at once: motion explains next to nothing, what it leaves is as large as
the picture's own contrast, and the colours are others. Fast motion fails the third, a fade the
first two. A *flash* passes all three and is no cut: the film goes on behind it, so there is no cut
between a frame before it and a frame after it. A *dissolve* is no cut (``dissolve``).
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane, Planes
from pipeline.motion.confidence import confidence, consistency
from pipeline.motion.flow import Field, Flow, Luma, estimate, warp
from pipeline.motion.light import lit, pair_gain

Histograms: TypeAlias = NDArray[np.float32]
"""[3, 32]: luma, blue, red difference; each sums to 1."""

CUT = 0.5
"""From this score on it is a cut."""

_BINS = 32
_LEAST_CONTRAST = 8.0


@dataclass(frozen=True, slots=True)
class Pair:
    """What motion says about a frame and one before it."""

    back: Flow
    """flow(t, u), u the earlier one"""
    forth: Flow
    """flow(u, t)"""
    gain: float
    """Light of t as a multiple of that of u."""
    fetched: Luma
    """Frame u warped onto t, in the light of t."""
    trust: Field
    residual: float
    """Mean difference of frame t and ``fetched``, in codes."""


def small_chroma(planes: Planes, luma: Luma) -> tuple[Plane, Plane]:
    """Bring a frame's colour differences to half the size of its luma at analysis size."""
    size = (max(1, luma.shape[1] // 2), max(1, luma.shape[0] // 2))
    blue, red = (
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (planes.blue, planes.red)
    )
    return np.asarray(blue, np.uint8), np.asarray(red, np.uint8)


def histograms(planes: Planes, luma: Luma) -> Histograms:
    """Count the colours of a frame, smoothed so that a small change of light stays small.

    Args:
        planes: The frame at full size, for its colour differences.
        luma: The same frame at analysis size.
    """
    shown = (luma, *small_chroma(planes, luma))
    counts = [cv2.calcHist([p], [0], None, [_BINS], [0, 256]).ravel() for p in shown]
    smooth = np.stack([np.convolve(c / c.sum(), (0.25, 0.5, 0.25), "same") for c in counts])
    return np.asarray(smooth, np.float32)


def distance(one: Histograms, other: Histograms) -> float:
    """Give the share of pixels, 0 to 1, that one frame has and the other has not, by colour."""
    return float(1 - np.minimum(one, other).sum(axis=1).min())


def pair(now: Luma, before: Luma, *, black: int) -> Pair:
    """Measure the motion and the change of light between two lumas [h, w]."""
    back, forth = estimate(now, before), estimate(before, now)
    gain = pair_gain(now, warp(before, back), consistency(back, forth), black=black)
    earlier = lit(before, gain, black=black)
    fetched = warp(earlier, back)
    trust = confidence(back, forth, now, earlier)
    residual = float(cv2.absdiff(now, fetched).mean())
    return Pair(back, forth, gain, fetched, trust, residual)


def cut_score(found: Pair, *, distance: float, contrast: float) -> float:
    """Give 0 to 1, a cut from ``CUT`` on.

    On real footage the two sides lie far apart: at cuts trust is below .01, residual above .85 of
    the contrast and distance above .17; in the fastest pan between cuts .2, .1 and .13.

    Args:
        found: What motion says about the pair.
        distance: Of the two frames' histograms.
        contrast: The greater standard deviation of the two lumas, in codes.
    """
    unexplained = _ramp(1 - float(found.trust.mean()), 0.85, 0.97)
    strange = _ramp(found.residual / max(contrast, _LEAST_CONTRAST), 0.15, 0.6)
    recoloured = _ramp(distance, 0.04, 0.16)
    return min(unexplained, strange) * (0.4 + 0.6 * recoloured)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
