"""The painter's layers, written once for every library that can compute them.

*Ops* are what a library does to one picture at one layer; ``painted`` is the order in which they
come. An op may compute at once (torch) or add a node to a graph (OpenVINO, ONNX). The training net
(``networks``) has the same layers again, with gradients; a test holds the two together. In use,
code and moments are folded into one *affine* per modulation: y = x * scale + shift.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.paint.sizes import LATE, Size

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
"""A painter's weights by the names of ``networks.Painter``'s parameters."""
T = TypeVar("T")

EPS_SHARE = 0.01
"""sigma = sqrt(variance + this share of the channel's typical variance in training)."""


class Ops(Protocol[T]):
    """What a library does to pictures [N, C, h, w]; no op pads."""

    def unshuffled(self, x: T) -> T:
        """[N, C, h, w] to [N, 4 C, h / 2, w / 2]."""

    def convolved(self, x: T, name: str, *, stride: int = 1) -> T:
        """Convolve with the kernel of that name, and its bias if it has one."""

    def modulated(self, x: T, index: int) -> T:
        """Scale and shift the channels as the modulation ``index`` says."""

    def rectified(self, x: T) -> T:
        """max(x, 0)."""

    def smoothed(self, x: T) -> T:
        """Convolve each channel with [1 2 1] / 4 along both axes."""

    def cropped(self, x: T, margin: int) -> T:
        """Take ``margin`` off each side."""

    def added(self, x: T, y: T) -> T:
        """Sum of both."""

    def doubled_convolved(self, x: T, name: str) -> T:
        """Make four of each pixel, [N, C, 2 h, 2 w], then ``convolved``."""

    def shuffled(self, x: T) -> T:
        """[N, 4 C, h, w] to [N, C, 2 h, 2 w], the inverse of ``unshuffled``."""

    def squashed(self, x: T) -> T:
        """0.5 + 0.5 tanh(x)."""


def modulate_all(x: T, ops: Ops[T], size: Size) -> T:
    """Run the layers that normalise: [N, 3, h, w] to [N, body, ...]."""
    y = ops.convolved(ops.unshuffled(x), "stem")
    y = ops.rectified(ops.modulated(y, 0))
    y = ops.cropped(ops.smoothed(y), 1)
    y = ops.convolved(y, "down", stride=2)
    y = ops.rectified(ops.modulated(y, 1))
    for block in range(size.blocks):
        z = ops.convolved(y, f"body.{block}.first")
        z = ops.rectified(ops.modulated(z, 2 + 2 * block))
        z = ops.convolved(z, f"body.{block}.second")
        z = ops.modulated(z, 3 + 2 * block)
        y = ops.added(z, ops.cropped(y, 2))
    return y


def painted(x: T, ops: Ops[T], size: Size) -> T:
    """Run all layers: [N, 3, H + 2 apron, W + 2 apron] to [N, 3, H, W], 0 to 1."""
    y = modulate_all(x, ops, size)
    up, detail = (size.modulations.index(name) for name in LATE)
    y = ops.rectified(ops.modulated(ops.doubled_convolved(y, "up"), up))
    y = ops.rectified(ops.modulated(ops.convolved(y, "detail"), detail))
    y = ops.cropped(ops.shuffled(ops.convolved(y, "last")), 2)
    return ops.squashed(y)


def heads(weights: Weights, codes: Array, size: Size) -> Array:
    """Gains and biases of every modulation from style codes.

    Args:
        weights: of the painter.
        codes: [L, 256], a row for each modulation.
        size: of the painter.

    Returns:
        [2, C]: gamma and beta, float32, summed in float64.
    """
    if codes.shape[0] != len(size.modulations):
        raise ValueError(f"{len(size.modulations)} rows of codes are needed, got {codes.shape}")
    rows = []
    for name, code in zip(size.modulations, codes.astype(np.float64), strict=True):
        affine = weights[f"{name}_modulation.affine.weight"].astype(np.float64)
        both = affine @ code + weights[f"{name}_modulation.affine.bias"]
        rows.append(both.reshape(2, -1))
    return np.concatenate(rows, axis=1).astype(np.float32)


def typical(weights: Weights, size: Size) -> Array:
    """Variance of each channel in training, over all places that normalise: [C - 2 stem]."""
    return np.concatenate([weights[f"{name}_modulation.typical"] for name in size.normalised])


def phase_kernels(kernel: Array) -> Array:
    """Fold nearest neighbours, twice as many each way, into the 3x3 kernel that follows.

    Args:
        kernel: [out, in, 3, 3].

    Returns:
        [4 out, in, 2, 2]: four phases of each channel, as ``shuffled`` takes them.
    """
    wide, deep = kernel.shape[:2]
    phases = np.zeros((wide, 2, 2, deep, 2, 2), np.float32)
    for row, column in np.ndindex(2, 2):
        for y, x in np.ndindex(3, 3):
            phases[:, row, column, :, (row + y) // 2, (column + x) // 2] += kernel[:, :, y, x]
    return phases.reshape(4 * wide, deep, 2, 2)
