"""Holes and freezes to the frames that are painted.

A *key* is a frame that the net paints; the frames of a *gap* between two keys are filled from both.
Gaps are as long as ``max_gap`` allows, counted in frames that differ, and shorter where motion
uncovers much. Cuts and chunks are not known here: they are the ends that the caller gives.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.recipe import Recipe

_HOLES = 0.48
"""Sum of the hole shares of neighbours that a gap may hold. On nine stretches of real footage an
in-between frame has a sixth of that sum unexplained by both keys: this is the 8 % aimed at."""


def keys(
    start: int,
    end: int,
    *,
    hole: NDArray[np.float32],
    still: NDArray[np.bool_],
    recipe: Recipe,
    forced: Sequence[int] = (),
) -> tuple[int, ...]:
    """Choose the keys of frames ``start`` to ``end``, both of them keys.

    A frame that equals the one before it is a key only at an end, and then the first of its equals
    is a key too: painted once, it stands still.

    Args:
        start: First key.
        end: Last key.
        hole: [N] of the film; share of a frame that the frame before does not explain.
        still: [N] of the film; whether a frame equals the one before.
        recipe: ``keys`` and ``max_gap``.
        forced: Frames from start to end that are keys in any case. Where keys are chosen, gaps are
            laid from each of them to the next; where they are counted, they come in between.

    >>> flat, moving = np.zeros(30, np.float32), np.zeros(30, bool)
    >>> keys(0, 20, hole=flat, still=moving, recipe=Recipe(style="x", max_gap=8))
    (0, 7, 14, 20)
    """
    if not 0 <= start <= end < len(still):
        raise ValueError(f"keys from {start} to {end} of {len(still)} frames")
    if recipe.every_frame:
        return tuple(range(start, end + 1))
    ends = required(start, end, still=still, forced=forced)
    if recipe.keys == "auto":
        cost = np.maximum(1 / recipe.max_gap, hole.astype(np.float64) / _HOLES)
        cost[still] = 0.0
        inner = [key for a, b in pairwise(ends) for key in _walk(a, b, cost)]
    else:
        cost = np.full(len(still), 1 / recipe.keys)
        cost[still] = 0.0
        inner = _stride(start, head_of(end, start, still), cost, 1.0)
    return tuple(sorted({*ends, *inner}))


def required(
    start: int, end: int, *, still: NDArray[np.bool_], forced: Sequence[int] = ()
) -> tuple[int, ...]:
    """Give the frames from ``start`` to ``end`` that are keys wherever the others are."""
    inside = [frame for frame in forced if start <= frame <= end]
    return tuple(sorted({start, head_of(end, start, still), end, *inside}))


def head_of(frame: int, start: int, still: NDArray[np.bool_]) -> int:
    """Give the first of the frames that equal ``frame``, not before ``start``."""
    while frame > start and still[frame]:
        frame -= 1
    return frame


def _walk(start: int, end: int, cost: NDArray[np.float64]) -> list[int]:
    """Go from start to end in the fewest gaps, and those as even as they can be."""
    greedy = _stride(start, end, cost, 1.0)
    fewest = len(greedy)
    mean = min(1.0, float(cost[start + 1 : end + 1].sum()) / (fewest + 1))
    for most in np.linspace(mean, 1.0, 9).tolist():
        walk = _stride(start, end, cost, most)
        if len(walk) <= fewest:
            return walk
    return greedy


def _stride(start: int, end: int, cost: NDArray[np.float64], most: float) -> list[int]:
    """List the frames strictly between start and end where gaps end.

    A gap goes as far as its cost stays within ``most``, and one frame in any case. Frames without
    cost are equal to the one before, and no gap ends there.
    """
    found: list[int] = []
    last, spent = start, 0.0
    for t in range(start + 1, end + 1):
        if cost[t] == 0.0:
            continue
        if spent > 0 and spent + cost[t] > most + 1e-9:
            found.append(last)
            spent = 0.0
        spent += float(cost[t])
        last = t
    return found
