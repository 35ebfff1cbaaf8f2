"""Terms: each changes what is filled, none moves what stands, and work is named by them."""

from dataclasses import fields, replace

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.between import equal, fill_gap
from pipeline.media.color import Planes
from pipeline.recipe import Recipe, digest
from pipeline.terms import ALL, Terms

NAMES = [field.name for field in fields(Terms)]
ELSEWHERE = ("holes", "dissolve")
"""Terms that do nothing for a film like this; `test_between` and `test_dissolve` have them."""
SIZE = (96, 64)


def frame(t: int) -> Planes:
    """A texture that moves before another that stands: there are edges, holes and light."""
    planes = planes_of(still(SIZE, seed=1))
    moving = planes_of(still(SIZE, offset=(5 * t, 2 * t), seed=2))
    luma = planes.luma.copy()
    luma[16:48, 8 + 9 * t : 40 + 9 * t] = moving.luma[16:48, 8 + 9 * t : 40 + 9 * t]
    return Planes(luma, planes.blue, planes.red)


def painted(t: int) -> Planes:
    planes, random = frame(t), np.random.default_rng(t)
    luma = np.clip(planes.luma + random.normal(10 * t, 12, planes.luma.shape), 0, 255)
    return replace(planes, luma=luma.astype(np.uint8))


def filled(sources: list[Planes], terms: Terms) -> list[Planes]:
    lumas = [planes.luma for planes in sources]
    gap = fill_gap(sources, lumas=lumas, left=painted(0), right=painted(4), terms=terms)
    return [one.planes for one in gap]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_a_term_that_is_off_is_missed(name: str) -> None:
    sources = [frame(t) for t in range(5)]
    whole, without = filled(sources, ALL), filled(sources, replace(ALL, **{name: False}))
    assert not all(equal(a, b) for a, b in zip(whole, without, strict=True))


def test_without_any_term_a_freeze_stands_still() -> None:
    none = Terms(**dict.fromkeys(NAMES, False))
    again = Planes(*(plane.copy() for plane in (frame(1).luma, frame(1).blue, frame(1).red)))
    frames = filled([frame(0), frame(1), again, frame(2), frame(3)], none)
    assert frames[0] is frames[1]


def test_what_was_filled_without_a_term_serves_no_other_recipe() -> None:
    made = {
        digest(Recipe(style="any", terms=terms), part)
        for part in ("paint", "fill")
        for terms in (ALL, *(replace(ALL, **{name: False}) for name in NAMES))
    }
    assert len(made) == 2 * (1 + len(NAMES))
