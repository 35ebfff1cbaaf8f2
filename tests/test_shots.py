"""Light of a shot: a fade is one however short its shot, and nothing else is taken for a fade."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.shots import gains

Numbers = NDArray[np.float64]

MEAN, DETAIL = 110.0, 0.002


def measured(light: Sequence[float], *, dark: float = 0.06) -> tuple[float, ...]:
    """Gains of a shot whose light is known, as the analysis would see it.

    What is darker than ``dark`` is black, and changes under 1.5 % or above twofold are not seen.
    """
    level = np.array(light, np.float64)
    luma = level * MEAN
    seen = np.maximum(level, 1e-6)
    ratio = seen[1:] / seen[:-1]
    log = np.abs(np.log(ratio))
    changes = np.where((log < 0.015) | (log > np.log(2.0) + 1e-9), 1.0, ratio)
    bars = np.where((level < dark)[:, None], -1, 0) * np.ones((1, 4), np.int32)
    return gained(changes, luma, level**2 * DETAIL, bars)


def gained(changes: Numbers, luma: Numbers, gradient: Numbers, bars: Numbers) -> tuple[float, ...]:
    seen, mean, detail = (numbers.astype(np.float32) for numbers in (changes, luma, gradient))
    return gains(seen, mean, detail, bars.astype(np.int32))


def down(frames: int) -> list[float]:
    """Light of a fade to black, without its first frame of full light."""
    return [1 - t / frames for t in range(1, frames + 1)]


def up(frames: int) -> list[float]:
    return down(frames)[::-1]


@pytest.mark.parametrize("lit", [1, 2, 5, 40, 400])
@pytest.mark.parametrize("frames", [8, 12, 30])
def test_a_fade_out_and_in_is_followed_however_long_the_shot(lit: int, frames: int) -> None:
    light = [*[1.0] * lit, *down(frames), 0, 0, *up(frames), *[1.0] * lit]
    found = np.array(measured(light))
    bright = np.array(light) > 0.13
    assert np.allclose(found[bright], np.array(light)[bright], rtol=0.1, atol=0.01)
    assert (found[np.array(light) < 0.06] == 1 / 32).all()


@pytest.mark.parametrize("light", [down(25), up(25)])
def test_a_shot_that_is_nothing_but_a_fade_has_its_brightest_as_unit(light: list[float]) -> None:
    found = np.array(measured(light))
    bright = np.array(light) > 0.13
    assert found.max() == 1.0
    assert np.allclose(found[bright], np.array(light)[bright], rtol=0.1)


def test_long_black_does_not_darken_what_is_lit() -> None:
    found = measured([*[1.0] * 20, *down(10), *[0.0] * 300])
    assert found[:20] == (1.0,) * 20


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("frames", [8, 60])
def test_a_flash_is_not_unit_light(frames: int, length: int) -> None:
    at = frames // 2
    light = [1.6 if at <= t < at + length else 1.0 for t in range(frames)]
    assert measured(light) == (1.0,) * frames


def test_a_flash_at_the_end_of_a_fade_is_not_unit_light() -> None:
    found = measured([*up(12), *[1.0] * 6, 1.7, 1.4, 1.0, 1.0])
    assert found[12:] == (1.0,) * 10


def test_a_flickering_light_that_stays_the_same_is_unit_light() -> None:
    random = np.random.default_rng(0)
    found = measured(np.exp(random.normal(0, 0.02, 200)).tolist())
    assert min(found) > 0.88


def test_errors_that_add_up_are_not_taken_for_light() -> None:
    steady = np.ones(100)
    found = gained(1.03 * steady[1:], MEAN * steady, DETAIL * steady, np.zeros((100, 4)))
    assert min(found) >= round(1 / 1.5, 4)
    assert found[50:] == (1.0,) * 50


def test_a_door_that_opens_does_not_make_the_dark_room_a_fade() -> None:
    light = [*[0.4] * 200, *np.geomspace(0.4, 1, 8).tolist(), *[1.0] * 20]
    assert measured(light) == (1.0,) * 228


def test_an_exposure_that_drifts_is_followed_and_never_above_unit() -> None:
    light = np.geomspace(0.5, 1, 40)
    found = np.array(measured(light.tolist()))
    assert np.allclose(found, light, rtol=0.11)
    assert found.max() == 1.0


@pytest.mark.parametrize("lit", [2, 9, 60])
@pytest.mark.parametrize("white", [1, 9, 60])
@pytest.mark.parametrize("mean", [50, MEAN])
def test_a_fade_to_white_is_not_light(lit: int, white: int, mean: float) -> None:
    share = np.array([*[0.0] * lit, *np.linspace(0, 1, 11)[1:-1], *[1.0] * white])
    luma = (1 - share) * mean + share * 219
    changes = luma[1:] / luma[:-1]
    found = gained(changes, luma, (1 - share) ** 2 * DETAIL, np.zeros((share.size, 4)))
    assert min(found[: lit + 4]) > 0.8


def test_a_dim_scene_behind_black_is_painted_as_it_is() -> None:
    night = [*[1.0] * 30, *down(10), 0, 0, *(0.2 * np.array(up(10))).tolist(), *[0.2] * 40]
    assert measured(night, dark=0.01)[-40:] == (1.0,) * 40


def test_a_glimmer_between_two_blacks_is_what_is_left_of_the_light() -> None:
    light = [*[1.0] * 30, *down(10)[:-1], 0, 0.08, 0.08, 0, 0]
    found = measured(light, dark=0.07)
    assert found[40:42] == pytest.approx((0.08, 0.08), abs=0.01)


def test_a_shot_of_one_frame_and_a_black_shot_have_gains() -> None:
    assert measured([1.0]) == (1.0,)
    assert measured([0.0, 0.0]) == (1 / 32, 1 / 32)
