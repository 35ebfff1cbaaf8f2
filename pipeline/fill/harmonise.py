"""A freshly painted key and the keys around it to a key that agrees with them.

Keys are painted each on its own and do not quite agree. Along a shot each takes part of the key
before it, fetched along the motion; where the film *stands* (samples unchanged) it takes all of it,
so that a freeze stays a freeze. A key that is promoted later takes part of both its neighbours,
which stay as they are.
"""

import cv2
import numpy as np

from pipeline.fill.between import equal, meet
from pipeline.fill.blend import linear_blend, variance_blend
from pipeline.fill.warp import warp_planes
from pipeline.media.color import Plane, Planes
from pipeline.motion.bridge import Bridge
from pipeline.motion.confidence import Mask
from pipeline.motion.flow import Field, Flow

_AROUND = 17
"""Pixels; what stands has to stand this far around, so that chance agreements do not count."""


def unchanged(source: Planes, before: Planes) -> bool | Mask:
    """Say where two frames of the film have the same samples: True for everywhere, or [H, W].

    Args:
        source: The film's frame b.
        before: The film's frame a.
    """
    if equal(source, before):
        return True
    height, width = source.luma.shape
    chroma = cv2.compare(source.blue, before.blue, cv2.CMP_EQ)
    chroma = cv2.bitwise_and(chroma, cv2.compare(source.red, before.red, cv2.CMP_EQ))
    chroma = cv2.resize(chroma, (width, height), interpolation=cv2.INTER_NEAREST)
    both = cv2.bitwise_and(chroma, cv2.compare(source.luma, before.luma, cv2.CMP_EQ))
    return np.asarray(both > 0)


def harmonise(
    fresh: Planes,
    previous: Planes,
    motion: Flow,
    trust: Field,
    *,
    rho: float,
    same: bool | Mask = False,
) -> Planes:
    """Let a key take part of the key before it.

    Args:
        fresh: Key b as it was painted.
        previous: Key a, harmonised.
        motion: flow(b, a), as ``key_motion`` gives it.
        trust: [h, w], the trust in it.
        rho: 0 to 1: the share taken where the motion is fully trusted.
        same: What ``unchanged`` says of the two source frames. Where it holds, a is kept exactly.
    """
    if same is True:
        return previous
    carried = warp_planes(previous, motion)
    mixed = variance_blend(carried, fresh, np.asarray(np.float32(rho) * trust, np.float32))
    if same is False:
        return mixed
    standing = _standing(np.asarray(same))
    return mixed if standing is None else linear_blend(previous, mixed, standing)


def harmonise_between(
    fresh: Planes, left: Planes, right: Planes, span: Bridge, *, phase: float, rho: float
) -> Planes:
    """Let a key that was promoted between two others take part of both.

    Args:
        fresh: The promoted key as it was painted.
        left: The harmonised key before it.
        right: The harmonised key after it.
        span: The motion of the promoted frame, as ``bridges`` gives it.
        phase: Where it lies between them, 0 to 1.
        rho: As in ``harmonise``.
    """
    trust = np.maximum(span.trust_left, span.trust_right)
    return variance_blend(
        meet(left, right, span, phase), fresh, np.asarray(np.float32(rho) * trust, np.float32)
    )


def _standing(same: Mask) -> Field | None:
    """Give the share to keep, [H, W]: 1 well inside of what stands, 0 outside; None if nothing."""
    box = np.ones((_AROUND, _AROUND), np.uint8)
    inside: Plane = np.asarray(cv2.erode(same.astype(np.uint8), box), np.uint8)
    if not inside.any():
        return None
    return np.asarray(cv2.blur(inside.astype(np.float32), (_AROUND, _AROUND)), np.float32)
