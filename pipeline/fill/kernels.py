"""The loops of a fill at full size: each reads its planes once and keeps no full-size copy.

Planes that are fetched from have a border and lie in a line; fields are wide (``gather``). Samples
are 8 or 16 bits with ``white`` as the highest code. Every result is rounded to codes where OpenCV
rounds: once after fetching, once after blending.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.fill.gather import (
    LINEAR,
    Samples,
    cubic_pair,
    lay_part,
    lay_row,
    place_part,
    place_row,
    rows_of,
)

Wide = NDArray[np.float32]
_HALF = np.float32(0.5)
_ZERO = np.float32(0)
_CELL = 4
_PLACED = 64
"""Columns of which places are worked out together."""


@compiled
def _code(value: np.float32, white: np.float32) -> np.float32:
    """Round to a code; halves go up."""
    return np.float32(min(max(np.floor(value + _HALF), _ZERO), white))


@compiled
def average_cubic(
    a: Samples,
    b: Samples,
    stride: int,
    motion: tuple[Wide, Wide, Wide, Wide],
    share: Wide,
    table: NDArray[np.float32],
    white: np.float32,
    sums: NDArray[np.int32] | NDArray[np.int64],
    out: Samples,
    variance: NDArray[np.float32],
    apart: NDArray[np.float32],
) -> None:
    """Fetch two lumas bicubically and average them.

    Args:
        a: The plane that ``share`` speaks for.
        b: The other.
        stride: Samples from row to row, borders included, of both.
        motion: Right and down to a, right and down to b.
        share: 0 to 1.
        table: ``CUBIC`` or ``LINEAR``.
        white: The highest code.
        sums: [4, W] of zeros, with room for four times the square of ``white``.
        out: [H, W], the average.
        variance: [H / 4, W / 4] rounded up: that of the average within cells of 4 x 4, in squared
            codes.
        apart: The same of what a and b differ by.
    """
    height, width = out.shape
    from_a, from_b = np.empty((3, width), np.int32), np.empty((3, width), np.int32)
    rows = np.empty((3, width), np.float32)
    ours, theirs, near = rows[0], rows[1], rows[2]
    begun = 0
    for y in range(height):
        place_row(motion[0], motion[1], y, height, stride, from_a)
        place_row(motion[2], motion[3], y, height, stride, from_b)
        for x in range(width):
            ours[x], theirs[x] = cubic_pair(
                a, from_a[0, x], from_a[1, x], from_a[2, x],
                b, from_b[0, x], from_b[1, x], from_b[2, x],
                stride, table,
            )  # fmt: skip
        lay_row(share, y, height, near)
        row = out[y]
        for x in range(width):
            other = _code(theirs[x], white)
            difference = _code(ours[x], white) - other
            mean = np.int32(np.floor(other + difference * near[x] + _HALF))
            row[x] = mean
            sums[0, x] += mean
            sums[1, x] += mean * mean
            sums[2, x] += np.int32(difference)
            sums[3, x] += np.int32(difference) * np.int32(difference)
        if y % _CELL == _CELL - 1 or y == height - 1:
            _close_cells(sums, y + 1 - begun, variance[y // _CELL], apart[y // _CELL])
            begun = y + 1


@compiled
def _close_cells(
    sums: NDArray[np.int32] | NDArray[np.int64],
    rows: int,
    variance: NDArray[np.float32],
    apart: NDArray[np.float32],
) -> None:
    """Turn a row of cells' sums and sums of squares into variances, and begin the next."""
    width = sums.shape[1]
    for cell in range(variance.shape[0]):
        first, last = cell * _CELL, min(width, (cell + 1) * _CELL)
        count = np.float64(rows * (last - first))
        mean = np.float64(sums[0, first:last].sum()) / count
        offset = np.float64(sums[2, first:last].sum()) / count
        variance[cell] = sums[1, first:last].sum() / count - mean * mean
        apart[cell] = sums[3, first:last].sum() / count - offset * offset
    sums[:] = 0


@compiled
def average_linear(
    a: tuple[Samples, Samples],
    b: tuple[Samples, Samples],
    stride: int,
    motion: tuple[Wide, Wide, Wide, Wide],
    share: Wide,
    out: tuple[Samples, Samples],
) -> None:
    """Fetch two planes of two frames bilinearly and average them; else as ``average_cubic``."""
    height, width = out[0].shape
    from_a, from_b = np.empty((3, width), np.int32), np.empty((3, width), np.int32)
    rows = np.empty((3, width), np.float32)
    ours, theirs, near = rows[0], rows[1], rows[2]
    for y in range(height):
        place_row(motion[0], motion[1], y, height, stride, from_a)
        place_row(motion[2], motion[3], y, height, stride, from_b)
        lay_row(share, y, height, near)
        for plane in range(2):
            one, other, row = a[plane], b[plane], out[plane][y]
            for x in range(width):
                ours[x], theirs[x] = cubic_pair(
                    one, from_a[0, x], from_a[1, x], from_a[2, x],
                    other, from_b[0, x], from_b[1, x], from_b[2, x],
                    stride, LINEAR,
                )  # fmt: skip
            for x in range(width):
                mean = np.floor(theirs[x] + _HALF)
                mean += (np.floor(ours[x] + _HALF) - mean) * near[x]
                row[x] = np.int32(np.floor(mean + _HALF))


@compiled
def _weighed(plane: Samples, at: int, right: int, under: int, stride: int) -> np.int32:
    """Fetch bilinearly, in 1/1024 of a code."""
    one = np.uintp(1)  # unsigned, or every place would be asked whether it counts from the end
    first = np.uintp(at + stride) + one
    second = first + np.uintp(stride)
    upper = plane[first] * np.int32(32 - right) + plane[first + one] * right
    lower = plane[second] * np.int32(32 - right) + plane[second + one] * right
    return np.int32(upper * np.int32(32 - under) + lower * under)


@compiled
def carry(
    before: Samples,
    stride: int,
    motion: tuple[Wide, Wide],
    hole: Wide,
    spans: NDArray[np.int32],
    kept: Wide,
    table: NDArray[np.float32],
    white: np.float32,
    fresh: Samples,
    met: Samples,
    out: Samples,
) -> None:
    """Close the holes of a plane: (1 - h) met + h (k W(before) + (1 - k) fresh).

    Args:
        before: The frame before, with its border.
        stride: Samples from row to row of it.
        motion: Right and down to it.
        hole: h, 0 to 1.
        spans: [2, h]: first and past the last column where h is above 0, of each of its rows.
        kept: k, 0 to 1.
        table: ``CUBIC`` or ``LINEAR``.
        white: The highest code.
        fresh: What was painted, or ``met``.
        met: What the keys make of the frame.
        out: [H, W]; written where h is above 0.
    """
    height, width = out.shape
    places = np.empty((3, width), np.int32)
    deep, keep = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(height):
        above, below, _ = rows_of(y, height, hole.shape[0])
        first, last = min(spans[0, above], spans[0, below]), max(spans[1, above], spans[1, below])
        if first >= last:
            continue
        lay_part(hole, y, height, deep, first, last)
        lay_part(kept, y, height, keep, first, last)
        placed, x = 0, first
        while x < last:
            if deep[x] <= _ZERO:
                x += 1
                continue
            if x >= placed:
                placed = min(last, x + _PLACED)
                place_part(motion[0], motion[1], y, height, stride, places, x, placed)
            beside = min(x + 1, placed - 1)
            one, other = cubic_pair(
                before, places[0, x], places[1, x], places[2, x],
                before, places[0, beside], places[1, beside], places[2, beside],
                stride, table,
            )  # fmt: skip
            old, new = met[y, x], fresh[y, x]
            out[y, x] = _closed(old, new, _code(one, white), keep[x], deep[x], white)
            if beside > x and deep[beside] > _ZERO:
                old, new, more = met[y, beside], fresh[y, beside], deep[beside]
                out[y, beside] = _closed(old, new, _code(other, white), keep[beside], more, white)
            x = beside + 1


@compiled
def _closed(
    met: np.uint16,
    fresh: np.uint16,
    carried: np.float32,
    kept: np.float32,
    hole: np.float32,
    white: np.float32,
) -> np.int32:
    """Close a sample's hole; see ``carry``."""
    old, new = np.float32(met), np.float32(fresh)
    known = new + (carried - new) * kept
    return np.int32(_code(old + (known - old) * hole, white))


@compiled
def finish(mean: Samples, smooth: Wide, gain: Wide, white: np.float32, out: Samples) -> None:
    """Add texture: mean + gain x (mean - smooth).

    Args:
        mean: [H, W].
        smooth: Its low band.
        gain: What is added of the rest of it; 0 adds nothing.
        white: The highest code.
        out: [H, W].
    """
    height, width = out.shape
    rows = np.empty((2, width), np.float32)
    band, more = rows[0], rows[1]
    for y in range(height):
        lay_row(smooth, y, height, band)
        lay_row(gain, y, height, more)
        source, row = mean[y], out[y]
        for x in range(width):
            value = np.float32(source[x])
            row[x] = np.int32(_code(value + (value - band[x]) * more[x], white))


@compiled
def squared_errors(
    pictures: tuple[Samples, Samples],
    before: tuple[Samples, Samples],
    stride: int,
    motion: tuple[Wide, Wide],
    judged: NDArray[np.uint8],
    columns: NDArray[np.int32],
) -> tuple[np.int64, np.int64, np.int64]:
    """Compare two pictures with those before them, each fetched bilinearly, where that is judged.

    Args:
        pictures: [H, W] each.
        before: The pictures before them, with their border.
        stride: Samples from row to row of them.
        motion: Right and down to what was before.
        judged: [h, w], 1 where it is.
        columns: [W], which column of ``judged`` speaks for each of the pictures'.

    Returns:
        Each picture's sum of squared differences, in 1/1024 of a code, and the number of pixels.
    """
    height, width = pictures[0].shape
    places = np.empty((3, width), np.int32)
    first, second, count = np.int64(0), np.int64(0), np.int64(0)
    for y in range(height):
        place_row(motion[0], motion[1], y, height, stride, places)
        row = judged[y * judged.shape[0] // height]
        for x in range(width):
            if row[columns[x]]:
                at, right, under = places[0, x], places[1, x], places[2, x]
                one = _weighed(before[0], at, right, under, stride) - (pictures[0][y, x] << 10)
                other = _weighed(before[1], at, right, under, stride) - (pictures[1][y, x] << 10)
                first += np.int64(one) * one
                second += np.int64(other) * other
                count += 1
    return first, second, count
