"""Dissolves: told from all else that changes a picture, and faded through from key to key."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from films import SMALL, planes_of, still
from pipeline.fill.between import meet
from pipeline.fill.tiles import hole_share
from pipeline.media.color import Planes
from pipeline.motion.bridge import bridges, dissolves, steps
from pipeline.motion.cuts import pair
from pipeline.motion.dissolve import going_on, left_over
from pipeline.motion.flow import Luma
from pipeline.terms import Terms


def luma(seed: int, *, at: float = 0.0, grain: float = 0.0, frame: int = 0) -> NDArray[np.float64]:
    """Luma of a picture, moved to the right by ``at``, under grain of its own."""
    shown = planes_of(still(SMALL, offset=(at, 0), seed=seed)).luma
    noise = np.random.default_rng(frame).normal(0, grain, shown.shape)
    return np.asarray(shown + noise, np.float64)


def codes(picture: NDArray[np.float64]) -> Luma:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def mixed(frames: int, length: int, *, speed: float = 0.0, grain: float = 0.0) -> list[Luma]:
    """One picture turns into another over ``length`` frames."""
    shares = [min(1.0, t / length) for t in range(frames)]
    return [
        codes(
            (1 - s) * luma(1, at=speed * t, grain=grain, frame=2 * t)
            + s * luma(2, at=-speed * t, grain=grain, frame=2 * t + 1)
        )
        for t, s in enumerate(shares)
    ]


def speeds(lumas: Sequence[Luma]) -> list[float]:
    """Codes a frame for each frame that has two neighbours."""
    pairs = [pair(b, a, black=16) for a, b in pairwise(lumas)]
    left = [left_over(now, one.fetched) for now, one in zip(lumas[1:], pairs, strict=True)]
    return [
        going_on(a, b, then.back) for (a, b), then in zip(pairwise(left), pairs[1:], strict=True)
    ]


@pytest.mark.parametrize("grain", [0.0, 1.5])
@pytest.mark.parametrize(("length", "speed"), [(6, 0.0), (12, 0.0), (24, 0.0), (12, 1.0)])
def test_a_dissolve_is_found_but_where_it_begins_to_look_like_light(
    length: int, speed: float, grain: float
) -> None:
    found = speeds(mixed(length + 1, length, speed=speed, grain=grain))
    changes = np.abs(luma(1) - luma(2)).mean() / length
    assert sorted(found)[1] > 0.3 * changes
    assert max(found) < 1.1 * changes


def test_a_film_that_moves_does_not_dissolve() -> None:
    assert max(speeds([codes(luma(1, at=2.5 * t)) for t in range(6)])) < 0.1


def test_grain_is_no_dissolve() -> None:
    assert max(speeds([codes(luma(1, grain=6.0, frame=t)) for t in range(6)])) == 0


def test_a_flash_a_step_of_light_and_a_cut_are_no_dissolves() -> None:
    for light in ([0.6, 0.6, 1.2, 0.6, 0.6], [0.6, 0.6, 1.1, 1.1, 1.1]):
        assert max(speeds([codes(g * luma(1)) for g in light])) < 0.1
    assert max(speeds([codes(luma(1 if t < 3 else 2)) for t in range(6)])) == 0


def test_a_fade_is_light_and_no_dissolve() -> None:
    assert max(speeds([codes(16 + g * (luma(1) - 16)) for g in np.linspace(1, 0.3, 9)])) < 0.3


def test_a_gap_says_at_which_of_its_frames_it_dissolves() -> None:
    lumas = [*[codes(luma(1))] * 3, *mixed(9, 8), codes(luma(2))]
    found = dissolves(lumas, steps(lumas))
    assert found[:3] == [0, 0, 0]
    assert min(found[3:11]) == 1
    assert found[11:] == [0]


def test_a_dissolve_on_twos_is_one() -> None:
    lumas = [one for one in mixed(7, 6) for _ in range(2)]
    found = dissolves(lumas, steps(lumas))
    assert found == [0.0, 1.0] * 6 + [0.0]


def test_a_gap_without_frames_in_between_does_not_dissolve() -> None:
    lumas = mixed(2, 4)
    assert dissolves(lumas, steps(lumas)) == [0.0]


def test_a_film_that_moves_has_the_same_bridges_with_and_without() -> None:
    lumas = [codes(luma(1, at=2.5 * t)) for t in range(4)]
    for one in bridges(lumas):
        assert one.dissolve == 0


def test_in_a_dissolve_one_key_fades_into_the_other_and_nothing_is_a_hole() -> None:
    lumas = mixed(9, 8)
    flat = np.full((SMALL[1] // 2, SMALL[0] // 2), 128, np.uint8)
    left, right = (Planes(np.full_like(lumas[0], code), flat, flat) for code in (60, 220))
    for t, span in enumerate(bridges(lumas), start=1):
        assert hole_share(span) == 0
        assert meet(left, right, span, t / 8).luma.mean() == pytest.approx(60 + 20 * t, abs=1)
    without = [
        meet(left, right, span, t / 8).luma.mean()
        for t, span in enumerate(bridges(lumas, terms=Terms(dissolve=False)), start=1)
    ]
    assert max(abs(level - 60 - 20 * t) for t, level in enumerate(without, start=1)) > 10
