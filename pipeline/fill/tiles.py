"""The motion of a gap to the parts of its frames that have to be painted after all.

A *hole* is what neither key explains; a *tile* is a painted region of an in-between frame, ordered
where a hole is large and the frame before does not explain it either: what was painted into a hole
once is carried on from there, or the hole would boil.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.fill.warp import bordered, copied, crop, scales
from pipeline.media.color import Plane, Planes, Rect, white
from pipeline.motion.bridge import Bridge
from pipeline.motion.confidence import Mask, hole_weight
from pipeline.motion.flow import Field, parts
from pipeline.terms import ALL, Terms

_GRID = 64
"""Tiles begin and end on this grid, or at the frame's edge: a multiple of the painter's own 4."""
_LEAST_SHARE = 0.01
_LEAST_CELL = 0.1
"""Share of a cell of the grid that has to be unknown for the cell to be painted."""
_DEEP = 0.5
_CARRIED = 0.9
"""How much of the frame before is kept in a hole where it is fully trusted."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A painted region of an in-between frame."""

    rect: Rect
    planes: Planes
    """The region's samples: luma has the size of ``rect``."""


def find_tiles(
    bridges: Sequence[Bridge], size: tuple[int, int], *, apron: int
) -> list[tuple[Rect, ...]]:
    """Say which regions of each in-between frame have to be painted.

    Args:
        bridges: One for each in-between frame of a gap.
        size: (W, H) of the film.
        apron: Pixels of the film that are painted around each region for nothing.
    """
    return [_wanted(bridge, size, apron) for bridge in bridges]


def hole(bridge: Bridge) -> Field:
    """Give the hole of a frame, [h, w], 0 (some key explains it, or both in a dissolve) to 1."""
    return hole_weight(bridge.trust_left, bridge.trust_right) * np.float32(1 - bridge.dissolve)


def hole_share(bridge: Bridge) -> float:
    """Give the share of a frame that no key explains, 0 to 1."""
    return float((hole(bridge) > _DEEP).mean())


def close_holes(
    met: Planes,
    before: Planes,
    bridge: Bridge,
    tiles: Sequence[Tile],
    *,
    terms: Terms = ALL,
    spent: bool = False,
) -> Planes:
    """Lay what was painted for a frame, and what the frame before knows, into its holes.

    P = (1 - h) P + h (k W(O before) + (1 - k) R), with k = .9 trust and R the tiles, or
    P where there is none.

    Args:
        met: P, what the two keys make of frame t.
        before: O of t - 1.
        bridge: The motion of t.
        tiles: What was painted for t.
        terms: What is done to look well.
        spent: Whether ``met`` may be written into.
    """
    weight = hole(bridge)
    if not weight.any():
        return met
    fresh, kept = met, np.float32(_CARRIED * terms.carried) * bridge.trust_previous
    if tiles:
        fresh = copied(met)
        for tile in tiles:
            _paste(fresh, tile.planes, tile.rect)
    out = met if spent else copied(met)
    of_luma, of_chroma = scales(met, bridge.from_previous)
    whole = _Closing(bridge, weight, kept, met.luma.shape[1], of_luma, met.depth)
    small = _Closing(bridge, weight, kept, met.blue.shape[1], of_chroma, met.depth)
    whole.close(before.luma, fresh.luma, met.luma, out.luma, cubic=terms.bicubic)
    small.close(before.blue, fresh.blue, met.blue, out.blue, cubic=False)
    small.close(before.red, fresh.red, met.red, out.red, cubic=False)
    return out


class _Closing:
    """The motion and the weights of a frame, brought to the width of a plane."""

    def __init__(
        self,
        bridge: Bridge,
        hole: Field,
        kept: Field,
        width: int,
        scale: NDArray[np.float32],
        depth: int,
    ) -> None:
        self._white = np.float32(white(depth))
        rows = np.flatnonzero(hole.any(axis=1))
        used = slice(max(0, int(rows[0]) - 1), int(rows[-1]) + 2)  # of no other is anything asked
        across, down = (
            part * own for part, own in zip(parts(bridge.from_previous), scale, strict=True)
        )
        fields = (across, down, hole, kept)
        right, below, self._hole, self._kept = (_widened(f, used, width) for f in fields)
        self._motion, self._spans = (right, below), _spans(hole, width)

    def close(self, before: Plane, fresh: Plane, met: Plane, out: Plane, *, cubic: bool) -> None:
        from pipeline.fill import gather, kernels

        was = bordered(before)
        kernels.carry(
            was.ravel(),
            was.shape[1],
            self._motion,
            self._hole,
            self._spans,
            self._kept,
            gather.CUBIC if cubic else gather.LINEAR,
            self._white,
            fresh,
            met,
            out,
        )


def _spans(hole: Field, width: int) -> NDArray[np.int32]:
    """[2, h]: from where to where a row of a small field, brought to ``width``, is not 0."""
    is_deep, small = hole > 0, hole.shape[1]
    first = is_deep.argmax(axis=1) - 1
    last = small + 1 - is_deep[:, ::-1].argmax(axis=1)
    ends = np.stack((first * width // small - 1, -(-last * width // small) + 1))
    ends[:, ~is_deep.any(axis=1)] = [[width], [0]]
    return np.asarray(np.clip(ends, 0, width), np.int32)


def _widened(field: Field, rows: slice, width: int) -> Field:
    """Bring some rows of a small field to the width of a plane; the others hold anything."""
    whole = np.empty((field.shape[0], width), np.float32)
    part = whole[rows]
    cv2.resize(field[rows], (width, part.shape[0]), dst=part, interpolation=cv2.INTER_LINEAR)
    return whole


def _wanted(bridge: Bridge, size: tuple[int, int], apron: int) -> tuple[Rect, ...]:
    unknown = (hole(bridge) > _DEEP) & (bridge.trust_previous < _DEEP)
    if unknown.mean() <= _LEAST_SHARE:
        return ()
    # A little more than is needed, so that the weight has faded where a tile ends.
    around = cv2.dilate(unknown.astype(np.uint8), np.ones((5, 5), np.uint8))
    grid = (-(-size[0] // _GRID), -(-size[1] // _GRID))
    whole = np.zeros((grid[1] * _GRID, grid[0] * _GRID), np.float32)
    whole[: size[1], : size[0]] = cv2.resize(around, size, interpolation=cv2.INTER_NEAREST)
    share = cv2.resize(whole, grid, interpolation=cv2.INTER_AREA)
    return tuple(_rect(box, size) for box in _cheapest(share > _LEAST_CELL, apron))


def _cheapest(cells: Mask, apron: int) -> list[tuple[int, int, int, int]]:
    """Cover cells by boxes (top, left, bottom, right), joined while that saves painting.

    Each box is painted with an apron, so that two near ones cost more than one around both.
    """
    boxes = []
    for row, line in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.pad(line.astype(np.int8), 1)))
        boxes += [(row, int(a), row + 1, int(b)) for a, b in edges.reshape(-1, 2)]
    while True:
        saved, pair = 0, None
        for one, other in combinations(boxes, 2):
            parts = _cost(one, apron) + _cost(other, apron)
            gain = parts - _cost(_around(one, other), apron)
            if gain > saved:
                saved, pair = gain, (one, other)
        if pair is None:
            return boxes
        boxes = [box for box in boxes if box not in pair] + [_around(*pair)]


def _cost(box: tuple[int, int, int, int], apron: int) -> int:
    top, left, bottom, right = box
    return ((bottom - top) * _GRID + 2 * apron) * ((right - left) * _GRID + 2 * apron)


def _around(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def _rect(box: tuple[int, int, int, int], size: tuple[int, int]) -> Rect:
    """Turn cells (top, left, bottom, right) into pixels, cut off at the frame's edge."""
    top, left, bottom, right = (edge * _GRID for edge in box)
    return Rect(top, left, min(bottom, size[1]) - top, min(right, size[0]) - left)


def _paste(onto: Planes, part: Planes, region: Rect) -> None:
    to = crop(onto, region)
    to.luma[...], to.blue[...], to.red[...] = part.luma, part.blue, part.red
