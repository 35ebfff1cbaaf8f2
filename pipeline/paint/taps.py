"""One axis of samples to another of a different length: weights, fixed for the whole axis.

*Taps* say from which samples of the source each sample of the target is made, and by how much. They
follow from whole lengths in exact arithmetic, and sums run tap by tap in a fixed order; so a region
gets bit for bit the samples that it has in the whole picture, wherever it was cut out. (OpenCV's
resizing starts its grid at whatever it is given, and running sums depend on where they began.)
Beyond its ends an axis goes on with its last sample.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane

_BLOCK = 64  # rows at a time, which stay in the cache


@dataclass(frozen=True, slots=True)
class Kernel:
    """A weight for each distance, in samples of the coarser of the two axes."""

    weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    support: int
    """Distance from which on weights are 0."""


@dataclass(frozen=True, slots=True)
class Taps:
    """How each sample of the target axis is made."""

    first: NDArray[np.int64]
    """[N]: the first of its samples; may lie before the source's first."""
    weights: NDArray[np.float32]
    """[N, K]: of ``first`` and the samples after it; they add up to 1."""
    length: int
    """of the source"""

    def needs(self, start: int, stop: int) -> tuple[int, int]:
        """Give the samples [a, b) of the source that targets [start, stop) are made of."""
        last = int(self.first[stop - 1]) + self.weights.shape[1]
        return max(0, min(int(self.first[start]), self.length - 1)), min(last, self.length)


def tent(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 falling to 0 at 1: linear interpolation, or a smooth reduction."""
    return np.asarray(np.maximum(0.0, 1 - np.abs(distance)), np.float64)


def cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cubic convolution with a = -1/2 (Keys 1981, eq. 15)."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


TENT, CUBIC = Kernel(tent, 1), Kernel(cubic, 2)


def taps(source: int, target: int, *, step: Fraction, kernel: Kernel) -> Taps:
    """Make the taps of an axis; the centre of target i lies at (i + 1/2) step - 1/2.

    Args:
        source: samples of the source.
        target: samples of the target.
        step: samples of the source for one of the target, which need not be their quotient.
        kernel: widened by ``step`` where that is over 1, so that nothing folds.

    >>> taps(4, 2, step=Fraction(2), kernel=TENT).weights[0].tolist()
    [0.125, 0.375, 0.375, 0.125]
    """
    numerator, whole = step.numerator, 2 * step.denominator
    at = (2 * np.arange(target, dtype=np.int64) + 1) * numerator - step.denominator
    base, share = at // whole, (at % whole) / whole
    wide = max(1.0, float(step))
    half = int(np.ceil(kernel.support * wide))
    offsets = np.arange(1 - half, half + 1)
    weights = kernel.weigh((offsets - share[:, None]) / wide)
    used = np.flatnonzero(weights.any(axis=0))
    weights = weights[:, used[0] : used[-1] + 1]
    weights /= weights.sum(axis=1, keepdims=True)
    return Taps(base + offsets[used[0]], weights.astype(np.float32), source)


def along_rows(
    held: Plane | NDArray[np.float32],
    made: Taps,
    start: int,
    stop: int,
    *,
    origin: int,
) -> NDArray[np.float32]:
    """Make rows [start, stop) of the target from rows of the source.

    Args:
        held: [n, L]: rows ``origin`` to ``origin + n`` of the source.
        made: how.
        start: of the target.
        stop: of the target.
        origin: of ``held`` in the source.

    Raises:
        ValueError: If a row that is needed is not held.
    """
    first, after = made.needs(start, stop)
    if first < origin or after > origin + len(held):
        raise ValueError(f"rows {first}-{after} needed, {origin}-{origin + len(held)} held")
    count = made.weights.shape[1]
    rows = made.first[start:stop, None] + np.arange(count)
    rows = np.clip(rows, 0, made.length - 1) - origin
    weights = made.weights[start:stop, :, None]
    out = np.empty((stop - start, held.shape[1]), np.float32)
    part = np.empty((_BLOCK, held.shape[1]), np.float32)
    for top in range(0, len(out), _BLOCK):
        block = slice(top, top + _BLOCK)
        total = out[block]
        np.multiply(held[rows[block, 0]], weights[block, 0], out=total)
        for k in range(1, count):
            product = part[: len(total)]
            np.multiply(held[rows[block, k]], weights[block, k], out=product)
            total += product
    return out


def along_columns(
    held: NDArray[np.float32], made: Taps, start: int, stop: int, *, origin: int
) -> NDArray[np.float32]:
    """Do for columns what ``along_rows`` does for rows."""
    turned = np.asarray(cv2.transpose(held), np.float32)
    return np.asarray(
        cv2.transpose(along_rows(turned, made, start, stop, origin=origin)), np.float32
    )
