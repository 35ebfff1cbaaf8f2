"""Flows both ways to how far each can be believed.

*Trust* (confidence) is high where the way there and back ends where it began and where both ends
look alike; a *hole* is what no key explains. ``occluded`` and ``motion_boundary`` are the masks of
the published warping error (Lai 2018), kept to the letter so that our numbers can be compared.

Distances are pixels at analysis size, luma differences 8-bit codes.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.motion.flow import Field, Flow, Luma, fetch, parts, positions, warp

Mask = NDArray[np.bool_]
"""[h, w]"""

_HOLE_TRUST = 0.25
_LOOKS_ALIKE = np.exp(-((np.arange(256) / 12.0) ** 2)).astype(np.float32)


def inside(flow: Flow) -> Mask:
    """Say which pixels are found within the other picture, its outermost half pixel included."""
    return _inside(positions(flow))


def consistency(there: Flow, back: Flow) -> Field:
    """Give 1 where the way there and back closes, less where it does not.

    Args:
        there: flow(t, a).
        back: flow(a, t).
    """
    return _consistency(there, back, positions(there))


def photometric(luma: Luma, fetched: Luma) -> Field:
    """Give 1 where a frame and what was fetched for it look alike, 0.37 at 12 codes apart."""
    return np.asarray(cv2.LUT(cv2.absdiff(luma, fetched), _LOOKS_ALIKE), np.float32)


def confidence(there: Flow, back: Flow, luma: Luma, other: Luma, *, looks: bool = True) -> Field:
    """Give the trust in flow(t, a), 0 to 1.

    Args:
        there: flow(t, a).
        back: flow(a, t).
        luma: Frame t.
        other: Frame a.
        looks: Whether both ends have to look alike.
    """
    at = positions(there)
    trust = _consistency(there, back, at)
    if looks:
        trust *= photometric(luma, fetch(other, at))
    trust *= _inside(at)
    # Eroded, because flow is smeared over the rim of what it does not explain; blurred, because a
    # weight with edges would draw them.
    trust = cv2.erode(trust, np.ones((3, 3), np.uint8)).astype(np.float32, copy=False)
    return np.asarray(np.clip(cv2.blur(trust, (5, 5)), 0, 1), np.float32)


def hole_weight(left: Field, right: Field) -> Field:
    """Give 1 where neither key is trusted, 0 where the better one has a trust of 0.25 or more."""
    best = np.maximum(left, right)
    return np.clip((_HOLE_TRUST - best) / _HOLE_TRUST, 0, 1).astype(np.float32)


def occluded(there: Flow, back: Flow) -> Mask:
    """Say which pixels of t have no counterpart in u (Lai 2018, after Sundaram 2010)."""
    returned = warp(back, there)
    gap = squared_length(returned + there)
    longest = squared_length(returned) + squared_length(there)
    return np.asarray(gap > 0.01 * longest + 0.5)


def motion_boundary(flow: Flow) -> Mask:
    """Say where a flow changes too fast to be followed (Lai 2018), by forward differences."""
    change = np.zeros(flow.shape[:2], np.float32)
    change[:, :-1] += squared_length(flow[:, 1:] - flow[:, :-1])
    change[:-1, :] += squared_length(flow[1:] - flow[:-1])
    return np.asarray(change > 0.01 * squared_length(flow) + 0.002)


def squared_length(flow: Flow) -> Field:
    """Give dx^2 + dy^2, [h, w]."""
    return _squares(*parts(flow))


def _squares(dx: Field, dy: Field) -> Field:
    return np.asarray(cv2.add(cv2.multiply(dx, dx), cv2.multiply(dy, dy)), np.float32)


def _inside(at: Flow) -> Mask:
    (x, y), (height, width) = parts(at), at.shape[:2]
    return np.asarray((x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5))


def _consistency(there: Flow, back: Flow, at: Flow) -> Field:
    (dx, dy), (back_x, back_y) = parts(there), parts(back)
    gap = _squares(dx + fetch(back_x, at), dy + fetch(back_y, at))
    allowed = _squares(dx, dy)
    allowed *= 0.02
    allowed += 0.5
    gap /= -allowed
    return np.asarray(cv2.exp(gap), np.float32)
