"""Strength and gain: nothing, everything and what lies between; bars stay; light comes back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from films import planes_of, still
from pipeline.fill.gain import apply_gain
from pipeline.fill.strength import lay
from pipeline.fill.warp import crop
from pipeline.media.color import Planes, Rect


def pair() -> tuple[Planes, Planes]:
    return planes_of(still(seed=1)), planes_of(still(seed=2))


def test_strength_0_is_the_source_and_1_the_painting() -> None:
    source, painted = pair()
    assert lay(source, painted, 0) is source
    assert lay(source, painted, 1) is painted


@settings(max_examples=10, deadline=None)
@given(strength=st.floats(0, 1))
def test_between_the_two_it_is_the_straight_line(strength: float) -> None:
    source, painted = pair()
    mixed = lay(source, painted, strength)
    line = source.luma + strength * (painted.luma.astype(float) - source.luma)
    assert np.abs(mixed.luma - line).max() <= 0.51


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_bars_stay_the_films(strength: float) -> None:
    source, painted = pair()
    bare = Rect(16, 0, 64, 160)
    laid = lay(source, crop(painted, bare), strength, picture=bare)
    assert np.array_equal(laid.luma[:16], source.luma[:16])
    assert np.array_equal(laid.blue[40:], source.blue[40:])
    assert not np.array_equal(laid.luma[16:80], source.luma[16:80])
    assert np.array_equal(source.luma, pair()[0].luma)


@pytest.mark.parametrize("bare", [None, Rect(16, 0, 64, 160)])
def test_kept_colour_is_the_sources_and_luma_the_paintings(bare: Rect | None) -> None:
    source, painted = pair()
    laid = lay(source, crop(painted, bare) if bare else painted, 1, keep_color=1, picture=bare)
    assert np.array_equal(laid.blue, source.blue)
    assert np.array_equal(laid.red, source.red)
    assert np.array_equal(laid.luma[16:80], painted.luma[16:80])


def test_kept_colour_changes_nothing_at_strength_0_and_stays_at_any_other() -> None:
    source, painted = pair()
    assert lay(source, painted, 0, keep_color=0.5) is source
    half = lay(source, painted, 0.3, keep_color=1)
    assert np.array_equal(half.blue, source.blue)
    assert np.array_equal(half.luma, lay(source, painted, 0.3).luma)


@settings(max_examples=10, deadline=None)
@given(kept=st.floats(0, 1))
def test_kept_colour_is_a_share(kept: float) -> None:
    source, painted = pair()
    laid = lay(source, painted, 1, keep_color=kept)
    line = painted.red + kept * (source.red.astype(float) - painted.red)
    assert np.abs(laid.red - line).max() <= 0.51
    assert laid.luma is painted.luma


@pytest.mark.parametrize("wrong", [(1.5, 0), (1, -0.5)])
def test_a_share_outside_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        lay(*pair(), wrong[0], keep_color=wrong[1])


def test_a_gain_of_1_is_the_very_frame() -> None:
    planes = pair()[0]
    assert apply_gain(planes, 1.0) is planes


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(1 / 16, 1))
def test_light_that_was_taken_off_comes_back(gain: float) -> None:
    source = pair()[0]
    dark = apply_gain(source, gain)
    again = apply_gain(apply_gain(dark, 1 / gain), gain)
    assert np.abs(again.luma.astype(int) - dark.luma).max() <= 1
    assert np.abs(again.blue.astype(int) - dark.blue).max() <= 1


def test_black_and_grey_stay_where_they_are() -> None:
    flat = Planes(np.full((4, 4), 16, np.uint8), *[np.full((2, 2), 128, np.uint8)] * 2)
    dark = apply_gain(flat, 0.25)
    assert np.array_equal(dark.luma, flat.luma)
    assert np.array_equal(dark.red, flat.red)


def test_a_gain_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        apply_gain(pair()[0], 0)
