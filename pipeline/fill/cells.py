"""Loops over the cells of a frame: where two frames are the same, and laying a frame there.

A *cell* is a square of 8 luma samples and the chroma that lies there.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.fill.gather import Samples, lay_row

_HALF = np.float32(0.5)


@compiled
def keep_equal(
    one: Samples, other: Samples, down: int, across: int, kept: NDArray[np.uint8]
) -> None:
    """Put out the cells in which two planes differ.

    Args:
        one: [H, W].
        other: [H, W].
        down: Rows of the plane in a cell.
        across: Columns.
        kept: [H / down, W / across] rounded up; becomes 0 where they differ.
    """
    height, width = one.shape
    apart = np.empty(width, one.dtype)
    for row in range(kept.shape[0]):
        apart[:] = 0
        for y in range(row * down, min(height, (row + 1) * down)):
            for x in range(width):
                apart[x] |= one[y, x] ^ other[y, x]
        for column in range(kept.shape[1]):
            if apart[column * across : (column + 1) * across].any():
                kept[row, column] = 0


@compiled
def lay_between(
    left: Samples, right: Samples, phase: np.float32, share: NDArray[np.float32], out: Samples
) -> None:
    """Lay (1 - phase) left + phase right over a plane.

    Args:
        left: [H, W].
        right: [H, W].
        phase: 0 to 1.
        share: Wide, 0 to 1: how much of it is laid; 1 leaves nothing of what was there.
        out: [H, W].
    """
    height, width = out.shape
    laid = np.empty(width, np.float32)
    for y in range(height):
        lay_row(share, y, height, laid)
        if not laid.any():
            continue
        row, a, b = out[y], left[y], right[y]
        for x in range(width):
            first, was = np.float32(a[x]), np.float32(row[x])
            held = first + (np.float32(b[x]) - first) * phase
            row[x] = np.int32(np.floor(was + (held - was) * laid[x] + _HALF))
