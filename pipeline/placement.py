"""A number of keys to where they stand: those places that leave the least loss.

Only the holes of the loss that ``outlook`` expects depend on where keys stand, so they are what is
made small. Within a part of a shot that is a shortest way from its first key to its last, found for
every number of keys at once by dynamic programming (Bellman 1957; the k-segment problem). Between
parts keys go where they gain most: each part's gain a key is taken along the lower convex hull of
its curve, as a Lagrange multiplier on the number of keys would (Everett 1963), highest first; what
hull steps are too long for goes to the best moves that still fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.motion.rows import Analysis
from pipeline.outlook import holes, uncovered
from pipeline.recipe import LONGEST, Recipe

Curve = NDArray[np.float64]
"""[K]: what is left of a part's holes, summed over its frames, with 0, 1, 2... more keys."""


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The best keys of a part for every number of them."""

    places: NDArray[np.int64]
    """Frames that may be keys, ascending; the first and the last are."""
    left: Curve
    """inf where so few keys leave a gap longer than ``LONGEST``."""
    back: NDArray[np.int16]
    """[places, K]: the place before each, where so many keys have been set up to it."""
    free: NDArray[np.bool_]
    """Which places are a matter of choice."""

    def keys(self, more: int) -> tuple[int, ...]:
        """Give the part's keys, ``more`` of them chosen."""
        place, found = self.places.size - 1, []
        while place > 0:
            found.append(int(self.places[place]))
            more, place = more - int(self.free[place]), int(self.back[place, more])
        return (int(self.places[0]), *reversed(found))


def place(
    required: Sequence[Sequence[int]], shared: Sequence[bool], analysis: Analysis, recipe: Recipe
) -> list[tuple[int, ...]]:
    """Choose the keys of a film's parts under the recipe's cap.

    Args:
        required: Of each part, the keys that stand already, its first and last among them.
        shared: Of each part, whether its last key is the first of the part after it.
        analysis: Of the whole film.
        recipe: Its cap.

    Raises:
        BadRequest: If the cap is below what there has to be.
    """
    standing = sum(len(keys) - also for keys, also in zip(required, shared, strict=True))
    allowed = recipe.most_keys(len(analysis)) or standing
    rest = allowed - standing
    found = [ways(keys, analysis, most=max(0, rest)) for keys in required]
    shares = allot([one.left for one in found], rest)
    if shares is None:
        moved = np.cumsum(~analysis.still)
        gaps = [int(moved[b] - moved[a]) for keys in required for a, b in pairwise(keys)]
        needed = standing + sum(max(0, -(-gap // LONGEST) - 1) for gap in gaps)
        raise BadRequest(
            f"--max-keys {recipe.max_keys} is {allowed} of {len(analysis)} frames, and this film "
            f"needs {needed}: where shots and chunks end, and every {LONGEST} frames"
        )
    return [one.keys(share) for one, share in zip(found, shares, strict=True)]


def ways(required: Sequence[int], analysis: Analysis, *, most: int) -> Ways:
    """Find a part's best keys for every number up to ``most`` besides those that are required.

    Args:
        required: The keys that stand already, the part's first and last among them.
        analysis: Of the whole film.
        most: Keys to choose, at most.
    """
    start, end = required[0], required[-1]
    moves = np.flatnonzero(~analysis.still[start : end + 1]) + start
    places = np.union1d(moves, np.asarray(required, np.int64))
    free = ~np.isin(places, required)
    count = min(most, int(free.sum())) + 1
    cost = _costs(places, free, analysis)
    best = np.full((places.size, count), np.inf)
    back = np.zeros((places.size, count), np.int16)
    best[0, 0] = 0.0
    for place in range(1, places.size):
        reached = best[:place] + cost[:place, place, None]
        came = reached.argmin(axis=0)
        least = reached[came, np.arange(count)]
        step = int(free[place])
        best[place, step:] = least[: count - step]
        back[place, step:] = came[: count - step]
    return Ways(places, best[-1], back, free)


def allot(curves: Sequence[Curve], total: int) -> list[int] | None:
    """Share keys out among parts so that little is left; None if there are too few.

    Args:
        curves: A part each.
        total: Keys to give, at most.

    >>> allot([np.array([9.0, 3.0, 2.0]), np.array([9.0, 8.0, 1.0])], 3)
    [1, 2]
    """
    taken = [int(np.isfinite(curve).argmax()) for curve in curves]
    rest = total - sum(taken)
    if rest < 0 or not all(np.isfinite(curve[-1]) for curve in curves):
        return None
    steps = [(gain, part, upto) for part, c in enumerate(curves) for gain, upto in _hull(c)]
    for _, part, upto in sorted(steps, key=lambda step: (-step[0], step[1], step[2])):
        more = upto - taken[part]
        if more > rest:
            break
        taken[part], rest = upto, rest - more
    while rest > 0:
        moves = [_best_move(c, k, rest) for c, k in zip(curves, taken, strict=True)]
        part = max(range(len(moves)), key=lambda p: moves[p][0])
        gain, more = moves[part]
        if gain <= 0:
            break
        taken[part], rest = taken[part] + more, rest - more
    return taken


def _costs(
    places: NDArray[np.int64], free: NDArray[np.bool_], analysis: Analysis
) -> NDArray[np.float64]:
    """[P, P]: the holes of the frames between each two places; inf where no gap may be."""
    adds = uncovered(analysis)[places[0] : places[-1] + 1]
    passed, moving = np.cumsum(adds), ~analysis.still[places[0] : places[-1] + 1]
    at, count = places - places[0], np.cumsum(moving)
    fixed = np.cumsum(~free)
    cost = np.full((places.size, places.size), np.inf)
    for left in range(places.size - 1):
        begin = at[left]
        right = np.arange(left + 1, places.size)
        # up to the next required key, and no further than the longest gap
        near = (fixed[right] - ~free[right] == fixed[left]) & (
            (count[at[right]] - count[begin] <= LONGEST) | (right == left + 1)
        )
        ends = at[right[near]]
        inner = np.arange(begin + 1, ends[-1] + 1)
        gone = passed[inner] - passed[begin]
        each = holes(gone[None], (passed[ends] - passed[begin])[:, None])
        seen = (inner[None] < ends[:, None]) & moving[inner][None]
        cost[left, right[near]] = np.where(seen, each, 0.0).sum(axis=1)
    return cost


def _hull(curve: Curve) -> list[tuple[float, int]]:
    """Give the corners of a curve's lower convex hull, each with the gain a key up to it."""
    corner, found = int(np.isfinite(curve).argmax()), []
    while corner < curve.size - 1:
        ahead = np.arange(corner + 1, curve.size)
        gains = (curve[corner] - curve[ahead]) / (ahead - corner)
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        found.append((float(gains[best]), int(ahead[best])))
        corner = int(ahead[best])
    return found


def _best_move(curve: Curve, taken: int, rest: int) -> tuple[float, int]:
    """Give the highest gain a key of 1 to ``rest`` more keys, and how many they are."""
    ahead = curve[taken + 1 : taken + 1 + rest]
    if not ahead.size:
        return 0.0, 0
    gains = (curve[taken] - ahead) / np.arange(1, ahead.size + 1)
    best = int(gains.argmax())
    return float(gains[best]), best + 1
