"""Where samples are fetched from, and fetching them: the inner part of the fill's loops.

A plane is fetched from with a *border* around it, in which its edge goes on, so that no fetch has
to ask where the edge is. A *wide* field has the plane's width and the small field's height: what is
left to do for a row is one interpolation between two rows, which a processor does 8 samples at a
time. Positions are rounded to 1/32 of a sample, as OpenCV's are.

Two bicubic fetches, one from each key, are done in the eight lanes of one register: compilers do
not find that by themselves, so ``cubic_pair`` is written in LLVM's own terms. It is the bicubic
convolution of Keys (1981) with a = -0.75.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from pipeline.compiled import compiled
from pipeline.fill.warp import BORDER
from pipeline.media.color import Plane

if TYPE_CHECKING:
    from llvmlite.ir import Instruction

_STEPS = 32
_HALF = np.float32(0.5)
_FINE = np.float32(_STEPS)
_NOTHING = np.float32(0)

Samples = Plane


def _weights() -> NDArray[np.float32]:
    """[32, 4]: what each of four neighbours weighs, by where between the middle two one stands."""
    x, a = np.arange(_STEPS) / _STEPS, -0.75
    outer = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    after = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1
    return np.stack([outer, inner, after, 1 - outer - inner - after], 1).astype(np.float32)


CUBIC = _weights()
_BETWEEN = np.arange(_STEPS, dtype=np.float32) / _STEPS
LINEAR = np.stack([0 * _BETWEEN, 1 - _BETWEEN, _BETWEEN, 0 * _BETWEEN], 1).astype(np.float32)
"""The same of a bilinear fetch."""


@compiled
def rows_of(y: int, height: int, small: int) -> tuple[int, int, np.float32]:
    """Say between which two rows of a field of ``small`` rows lies row y of ``height``, and how."""
    at = (np.float32(y) + _HALF) * np.float32(small / height) - _HALF
    above = max(int(np.floor(at)), 0)
    share = max(at - np.float32(above), _NOTHING)
    return min(above, small - 1), min(above + 1, small - 1), np.float32(share)


@compiled
def lay_row(field: NDArray[np.float32], y: int, height: int, out: NDArray[np.float32]) -> None:
    """Bring row y of ``height`` out of a wide field."""
    lay_part(field, y, height, out, 0, out.shape[0])


@compiled
def lay_part(
    field: NDArray[np.float32],
    y: int,
    height: int,
    out: NDArray[np.float32],
    first: int,
    last: int,
) -> None:
    """Bring columns [first, last) of row y of ``height`` out of a wide field."""
    above, below, share = rows_of(y, height, field.shape[0])
    upper, lower = field[above], field[below]
    for x in range(first, last):
        out[x] = upper[x] + (lower[x] - upper[x]) * share


@compiled
def place_row(
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    y: int,
    height: int,
    stride: int,
    places: NDArray[np.int32],
) -> None:
    """Say where a row is fetched from; see ``place_part``."""
    place_part(across, down, y, height, stride, places, 0, places.shape[1])


@compiled
def place_part(
    across: NDArray[np.float32],
    down: NDArray[np.float32],
    y: int,
    height: int,
    stride: int,
    places: NDArray[np.int32],
    first: int,
    last: int,
) -> None:
    """Say where columns [first, last) of a row are fetched from.

    Args:
        across: Wide field of motion to the right, in samples.
        down: The same, downwards.
        y: Which row.
        height: Of the plane, without its border.
        stride: Samples from row to row of the plane with its border.
        places: [3, W]: the place above and left of the sample's own in the plane with its border,
            laid out in a line; and the fractions, right and down, in 1/32.
        first: Column to begin with.
        last: Column to end before.
    """
    above, below, share = rows_of(y, height, across.shape[0])
    upper, lower, upper_down, lower_down = across[above], across[below], down[above], down[below]
    width = places.shape[1]
    origin, right, under = places[0], places[1], places[2]
    least, most = np.float32(-2 * _STEPS), np.float32((width + 1) * _STEPS)
    lowest = np.float32((height + 1) * _STEPS)
    for x in range(first, last):
        dx = upper[x] + (lower[x] - upper[x]) * share
        dy = upper_down[x] + (lower_down[x] - upper_down[x]) * share
        at_x = np.float32(x * _STEPS) + np.floor(dx * _FINE + _HALF)
        at_y = np.float32(y * _STEPS) + np.floor(dy * _FINE + _HALF)
        at_x = at_x if at_x > least else least
        at_y = at_y if at_y > least else least
        column = np.int32(at_x if at_x < most else most)
        row = np.int32(at_y if at_y < lowest else lowest)
        origin[x] = ((row >> 5) + (BORDER - 1)) * stride + (column >> 5) + (BORDER - 1)
        right[x] = column & (_STEPS - 1)
        under[x] = row & (_STEPS - 1)


def _lanes(*numbers: int) -> "ir.Constant":
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), list(numbers))


def _cubic_pair_of(
    _: object,
    a: types.Type,
    at_a: types.Type,
    right_a: types.Type,
    under_a: types.Type,
    b: types.Type,
    at_b: types.Type,
    right_b: types.Type,
    under_b: types.Type,
    stride: types.Type,
    table: types.Type,
) -> tuple[object, Callable[..., object]]:
    places = (a, at_a, right_a, under_a, b, at_b, right_b, under_b)
    return types.UniTuple(types.float32, 2)(*places, stride, table), _cubic_pair  # type: ignore[no-untyped-call]


def _cubic_pair(
    context: object, build: "ir.IRBuilder", signature: object, given: Sequence["Instruction"]
) -> object:
    four = ir.VectorType(ir.FloatType(), 4)
    eight = ir.VectorType(ir.FloatType(), 8)

    def data(place: int) -> "Instruction":
        return context.make_array(signature.args[place])(context, build, given[place]).data  # type: ignore[attr-defined]

    def whole(place: int) -> "Instruction":
        number = given[place]
        return number if number.type.width == 64 else build.sext(number, ir.IntType(64))

    def weights(fraction: "Instruction") -> "Instruction":
        first = build.gep(data(9), [build.mul(fraction, ir.Constant(ir.IntType(64), 4))])
        return build.load(build.bitcast(first, four.as_pointer()), align=4)

    def taps(plane: "Instruction", at: "Instruction") -> "Instruction":
        first = build.gep(plane, [at])
        kind = ir.VectorType(first.type.pointee, 4)
        return build.load(build.bitcast(first, kind.as_pointer()), align=1)

    def joined(one: "Instruction", other: "Instruction", *lanes: int) -> "Instruction":
        return build.shuffle_vector(one, other, _lanes(*lanes))

    plane_a, at_a, plane_b, at_b = data(0), whole(1), data(4), whole(5)
    across = joined(weights(whole(2)), weights(whole(6)), *range(8))
    down_a, down_b = weights(whole(3)), weights(whole(7))
    summed = ir.Constant(eight, [0.0] * 8)
    for row in range(4):
        found = joined(taps(plane_a, at_a), taps(plane_b, at_b), *range(8))
        found = build.uitofp(build.zext(found, ir.VectorType(ir.IntType(32), 8)), eight)
        down = joined(down_a, down_b, *[row] * 4, *[4 + row] * 4)
        summed = build.fadd(summed, build.fmul(found, down))
        at_a, at_b = build.add(at_a, whole(8)), build.add(at_b, whole(8))
    summed = build.fmul(summed, across)
    summed = build.fadd(joined(summed, summed, 0, 1, 4, 5), joined(summed, summed, 2, 3, 6, 7))
    summed = build.fadd(joined(summed, summed, 0, 2), joined(summed, summed, 1, 3))
    each = [build.extract_element(summed, ir.Constant(ir.IntType(32), n)) for n in (0, 1)]
    return context.make_tuple(build, signature.return_type, each)  # type: ignore[attr-defined]


cubic_pair = cast("Callable[..., tuple[np.float32, np.float32]]", intrinsic(_cubic_pair_of))
"""Fetch one sample from each of two bordered planes of one size, bicubically, unrounded.

Called from loops with: a plane laid out in a line, its place and its fractions right and down as
``place_row`` gives them; the same four of the other plane; samples from row to row, of both;
``CUBIC`` or ``LINEAR``.
"""
