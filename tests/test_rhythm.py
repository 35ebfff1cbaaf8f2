"""Rhythm and light: keys that show are told, what comes and goes in the film itself is not."""

import numpy as np
import pytest

from pipeline.judge.light import jitter, jitter_limit, lightness
from pipeline.judge.rhythm import detail_ratio, hole_share, pop, pulse, seam

KEYS = [t % 4 == 0 for t in range(9)]
EVERY = [True] * 9


def test_detail_is_that_of_the_frames_between_and_the_middle_one_counts() -> None:
    details = [9.0, 0.5, 0.8, 0.7, 9.0, 0.6, 0.9, 0.8, 9.0]
    assert detail_ratio(details, [1.0] * 9, KEYS) == pytest.approx(0.75)
    assert detail_ratio(details, details, KEYS) == 1
    assert detail_ratio(details, details, EVERY) is None


def test_a_film_that_loses_its_own_detail_does_not_pulse() -> None:
    each = [4.0, 3.0, 2.0, 3.0, 4.0, 3.0, 2.0, 3.0, 4.0]
    assert pulse(each, each, KEYS) == 1
    assert pulse(each, [4.0] * 9, KEYS) == 0.5
    assert pulse(each, each, EVERY) is None


def test_a_gap_with_two_frames_has_both_in_its_middle() -> None:
    keys = [True, False, False, True]
    assert pulse([1.0, 0.4, 0.6, 1.0], [1.0] * 4, keys) == pytest.approx(0.5)


def test_a_frame_without_detail_is_left_out() -> None:
    assert detail_ratio([0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [True, False, False]) == 0.5
    assert pulse([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [True, False, True]) is None


def test_a_jump_at_a_key_pops_and_one_in_between_does_not() -> None:
    at_key = [None, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 2.0]
    assert pop(at_key, KEYS) == 5
    between = [None, 1.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert pop(between, KEYS) == 1
    assert pop(at_key, EVERY) is None


def test_holes_are_those_of_the_frames_between() -> None:
    assert hole_share([None, 0.2, 0.4, 0.9], [True, False, False, True]) == pytest.approx(0.3)
    assert hole_share([None, 0.5], [True, True]) is None


def test_a_seam_is_what_the_encoder_adds_at_segments_beyond_what_it_adds_inside() -> None:
    uncoded = [None, 1.0, 1.0, 4.0, 1.0, None]
    assert seam([None, 1.1, 1.1, 4.4, 1.1, 9.0], uncoded, [3]) == pytest.approx(1)
    assert seam([None, 1.1, 1.1, 8.8, 1.1, 9.0], uncoded, [0, 3]) == pytest.approx(2)
    assert seam([None, 1.1, 1.1, 4.4, 1.1, 9.0], uncoded, [0]) is None


def test_a_fade_is_no_jitter_but_pumping_is() -> None:
    assert jitter(np.linspace(20, 90, 10)) < 1e-9
    assert jitter(np.array([50.0, 52.0] * 5)) == pytest.approx(4)
    assert jitter(np.array([1.0, 2.0])) == 0


def test_a_painting_of_twice_the_contrast_may_have_twice_the_jitter() -> None:
    assert jitter_limit(0, contrast=20, source_contrast=0) == pytest.approx(0.05)
    once = jitter_limit(1, contrast=20, source_contrast=20) - 0.05
    twice = jitter_limit(1, contrast=40, source_contrast=20) - 0.05
    assert once == pytest.approx(1.1)
    assert twice == pytest.approx(2.2)


@pytest.mark.parametrize(
    ("rgb", "expected"), [((0, 0, 0), 0.0), ((255, 255, 255), 100.0), ((119, 119, 119), 50.0)]
)
def test_lightness_is_that_of_the_cie(rgb: tuple[int, int, int], expected: float) -> None:
    shown = np.full((2, 3, 3), rgb, np.uint8)
    assert np.abs(lightness(shown) - expected).max() < 0.2
