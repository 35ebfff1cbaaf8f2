"""Two paintings, each fetched along its motion, to one that is nearly as crisp as they are.

Where two textures that do not quite agree are averaged, their fine detail cancels: of what q a +
(1 - q) b should have, q Var(a) + (1 - q) Var(b), it lacks q (1 - q) Var(a - b). Part of that is
given back, by raising what the average has beyond its low band. *Variance* is taken within cells of
4 x 4 pixels, so that slopes do not count as texture, and pooled over 8 x 8. Chroma is averaged
plainly: the eye does not see what is lost there.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pipeline.fill.warp import Bordered, scales, surrounded, widened, widened_motion
from pipeline.media.color import Plane, Planes, white
from pipeline.motion.flow import Field, Flow
from pipeline.terms import ALL, Terms

_Wide = tuple[Field, Field, Field, Field]
_CELL = 4
_EPSILON = 1.0
"""Squared codes of 8 bits; what is under it is rounding, not texture."""
_MOST_GAIN = 1.6
_RESTORED = 0.7
"""Share of what is lacking that is given back between keys: all of it brings back flicker along
with the texture."""
_MOST_BITS_OF_INT32 = 14
"""Of a sample whose square, four times, still fits."""


@dataclass(frozen=True, slots=True)
class Average:
    """Two frames averaged, and how much texture that took."""

    planes: Planes
    lift: Field
    """[H / 8, W / 8] rounded up: what luma's fine detail lacks, as a share of it, 0 to 0.6."""


def average(
    a: Planes | Bordered,
    b: Planes | Bordered,
    weight: Field,
    *,
    to_a: Flow | None = None,
    to_b: Flow | None = None,
    terms: Terms = ALL,
) -> Average:
    """Fetch two frames, bicubically in luma, and average them.

    No motion fetches the very samples, whole pixels shift exactly, and beyond the edge the edge
    goes on. Where the two are equal the result is equal to them.

    Args:
        a: A frame; with its borders, if it is used more than once.
        b: Another, of the same shape.
        weight: [h, w] on any grid over the frame, 0 to 1: the share of ``a``.
        to_a: [h, w, 2], where to fetch a from; None is where it stands.
        to_b: The same for b.
        terms: What is done to look well.
    """
    from pipeline.fill import gather, kernels

    ours = a if isinstance(a, Bordered) else surrounded(a)
    theirs = b if isinstance(b, Bordered) else surrounded(b)
    a, b = ours.planes, theirs.planes
    if _kind(a) != _kind(b):
        raise ValueError(f"two frames of one shape are needed, got {_kind(a)}, {_kind(b)}")
    height, width = a.luma.shape
    cells = (-(-height // _CELL), -(-width // _CELL))
    luma = np.empty_like(a.luma, order="C")
    variance, apart = np.empty(cells, np.float32), np.empty(cells, np.float32)
    sums = np.zeros((4, width), np.int32 if a.depth <= _MOST_BITS_OF_INT32 else np.int64)
    motion, chroma = _motion(a, to_a, to_b)
    share = widened(weight, width)
    sides = ours.luma.ravel(), theirs.luma.ravel(), ours.luma.shape[1]
    table = gather.CUBIC if terms.bicubic else gather.LINEAR
    kernels.average_cubic(
        *sides, motion, share, table, np.float32(white(a.depth)), sums, luma, variance, apart
    )
    share = widened(weight, a.blue.shape[1])
    blue, red = np.empty_like(a.blue, order="C"), np.empty_like(a.red, order="C")
    one, other = ((side.blue.ravel(), side.red.ravel()) for side in (ours, theirs))
    kernels.average_linear(one, other, ours.blue.shape[1], chroma, share, (blue, red))
    lift = _lift(weight, variance, apart, depth=a.depth)
    averaged = Planes(luma, blue, red, depth=a.depth)
    return Average(averaged, lift if terms.variance else 0 * lift)


def finished(averaged: Average, *, restored: float = _RESTORED) -> Planes:
    """Give an average its texture back.

    Args:
        averaged: The average.
        restored: Share of the texture that it lacks, 0 to 1.
    """
    from pipeline.fill import kernels

    mean, lift = averaged.planes.luma, np.float32(restored) * averaged.lift
    if not (lift > 0.001).any():
        return averaged.planes
    height, width = mean.shape
    size = (-(-width // _CELL), -(-height // _CELL))
    band = cv2.resize(mean, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth, more = widened(band, width), widened(lift, width)
    out = np.empty_like(mean)
    kernels.finish(mean, smooth, more, np.float32(white(averaged.planes.depth)), out)
    return replace(averaged.planes, luma=out)


def variance_blend(a: Planes, b: Planes, weight: Field) -> Planes:
    """Average two frames as they stand and give luma back all the texture that it cost."""
    return finished(average(a, b, weight), restored=1)


def linear_blend(a: Planes, b: Planes, weight: Field) -> Planes:
    """Average two frames, plainly.

    Args:
        a: A frame.
        b: Another.
        weight: [H, W], 0 to 1: the share of ``a``.
    """
    height, width = a.blue.shape
    small = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    return Planes(
        luma=_mixed(a.luma, b.luma, weight),
        blue=_mixed(a.blue, b.blue, small),
        red=_mixed(a.red, b.red, small),
        depth=a.depth,
    )


def _kind(planes: Planes) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    return planes.depth, planes.luma.shape, planes.blue.shape


def _motion(like: Planes, to_a: Flow | None, to_b: Flow | None) -> tuple[_Wide, _Wide]:
    """Give the motion to both frames in samples of luma and of chroma, widened."""
    luma: list[Field] = []
    chroma: list[Field] = []
    for flow in (to_a, to_b):
        scale = (None, None) if flow is None else scales(like, flow)
        luma += widened_motion(flow, like.luma.shape[1], scale[0])
        chroma += widened_motion(flow, like.blue.shape[1], scale[1])
    return (luma[0], luma[1], luma[2], luma[3]), (chroma[0], chroma[1], chroma[2], chroma[3])


def _lift(weight: Field, variance: Field, apart: Field, *, depth: int) -> Field:
    height, width = (-(-side // 2) for side in variance.shape)
    has, differs, share = (
        cv2.resize(field, (width, height), interpolation=cv2.INTER_AREA)
        for field in (variance, apart, weight)
    )
    wanted = has + share * (1 - share) * differs
    least = np.float32(_EPSILON * (1 << (depth - 8)) ** 2)
    gain = np.sqrt((wanted + least) / (has + least))
    return np.asarray(np.clip(gain, 1, _MOST_GAIN) - 1, np.float32)


def _mixed(a: Plane, b: Plane, share: Field) -> Plane:
    if a.dtype == np.uint8:
        return np.asarray(cv2.blendLinear(a, b, share, 1 - share), np.uint8)
    one, other = a.astype(np.float32), b.astype(np.float32)
    return np.rint(other + (one - other) * share).astype(a.dtype)
