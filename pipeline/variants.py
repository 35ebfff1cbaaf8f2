"""A recipe with passages to plain recipes, and each frame to the one that it is painted by.

A *passage* is a range of frames in a style of its own; where it begins or ends is a hard cut,
whatever the film shows there. A *variant* is a recipe without passages: number 0 is that of the
rest of the film, the others are those of the passages, and equal ones are one. Whoever works on a
chunk is given its variant and need not know that there are others.
"""

from bisect import bisect_right
from functools import lru_cache

from pipeline.recipe import Passage, Recipe

_OWN = ("style", "style_scale", "structure", "keep_color", "strength")


@lru_cache(maxsize=64)
def variants(recipe: Recipe) -> tuple[Recipe, ...]:
    """Give the film's variants; the recipe itself if it has no passages.

    >>> calm = Passage(start=8, stop=16, style="b", strength=0.5)
    >>> [(r.style, r.strength) for r in variants(Recipe(style="a", style_at=(calm,)))]
    [('a', 1.0), ('b', 0.5)]
    """
    if not recipe.style_at:
        return (recipe,)
    plain = recipe.model_copy(update={"style_at": ()})
    return tuple(dict.fromkeys((plain, *(_within(plain, one) for one in recipe.style_at))))


def variant_at(recipe: Recipe, frame: int) -> int:
    """Say by which variant a frame is painted."""
    place = bisect_right(recipe.style_at, frame, key=lambda one: one.start) - 1
    if place < 0 or frame >= recipe.style_at[place].stop:
        return 0
    every = variants(recipe)
    return every.index(_within(every[0], recipe.style_at[place]))


def edges(recipe: Recipe, frames: int) -> tuple[int, ...]:
    """Give the frames, ascending, at which the style changes in a film of so many frames."""
    ends = {end for one in recipe.style_at for end in (one.start, one.stop)}
    return tuple(sorted(end for end in ends if 0 < end < frames))


def _within(plain: Recipe, passage: Passage) -> Recipe:
    own = {name: value for name in _OWN if (value := getattr(passage, name)) is not None}
    return plain.model_copy(update=own)
