"""Colour: planes come back from RGB exactly, by the film's own matrix and range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.color import (
    MATRICES,
    ColorTags,
    Planes,
    coded,
    resolved,
    to_planes,
    to_rgb,
    upright,
)

HD = ColorTags(1, 1, 1, full_range=False)


def flat(luma: int, blue: int, red: int) -> Planes:
    return Planes(*(np.full((2, 2), code, np.uint8) for code in (luma, blue, red)))


def gentle(height: int, width: int, down: tuple[int, int], *, seed: int) -> Planes:
    """Random planes whose every pixel is inside the gamut."""
    random = np.random.default_rng(seed)
    chroma = (-(-height // down[1]), -(-width // down[0]))
    return Planes(
        random.integers(100, 150, (height, width), np.uint8),
        random.integers(108, 148, chroma, np.uint8),
        random.integers(108, 148, chroma, np.uint8),
    )


@pytest.mark.parametrize(
    ("planes", "tags", "rgb"),
    [
        (flat(16, 128, 128), HD, (0, 0, 0)),
        (flat(235, 128, 128), HD, (1, 1, 1)),
        (flat(255, 128, 128), ColorTags(1, 1, 1, full_range=True), (1, 1, 1)),
        (flat(63, 102, 240), HD, (1, 0, 0)),
        (flat(81, 90, 240), ColorTags(6, 6, 6, full_range=False), (1, 0, 0)),
        (flat(173, 42, 26), HD, (0, 1, 0)),
    ],
)
def test_known_colours_have_known_codes(
    planes: Planes, tags: ColorTags, rgb: tuple[int, int, int]
) -> None:
    np.testing.assert_allclose(to_rgb(planes, tags)[0, 0], rgb, atol=0.006)


def test_untagged_films_are_709_in_high_definition_and_601_below() -> None:
    untagged = ColorTags(2, 2, 2, full_range=False)
    assert resolved(untagged, 720) == ColorTags(1, 1, 1, full_range=False)
    assert resolved(untagged, 576).matrix == 6
    assert resolved(ColorTags(2, 2, 5, full_range=True), 1080) == ColorTags(1, 1, 5, True)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(2, 17),
    width=st.integers(2, 17),
    down=st.sampled_from([(1, 1), (2, 1), (2, 2)]),
    matrix=st.sampled_from(sorted(MATRICES)),
    full=st.booleans(),
    seed=st.integers(0, 999),
)
def test_planes_come_back_from_rgb_exactly(
    height: int, width: int, down: tuple[int, int], matrix: int, full: bool, seed: int
) -> None:
    planes = gentle(height, width, down, seed=seed)
    tags = ColorTags(2, 2, matrix, full_range=full)
    back = to_planes(to_rgb(planes, tags), like=planes, tags=tags)
    for name in ("luma", "blue", "red"):
        np.testing.assert_array_equal(getattr(back, name), getattr(planes, name))
        assert getattr(back, name).dtype == np.uint8


def test_a_matrix_that_is_no_simple_one_is_refused() -> None:
    with pytest.raises(ValueError, match="matrix must be one of"):
        to_rgb(flat(0, 0, 0), ColorTags(9, 16, 10, full_range=False))


def test_rgb_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected RGB of"):
        to_planes(np.zeros((3, 2, 3), np.float32), like=flat(0, 0, 0), tags=HD)


def test_a_picture_turned_by_90_degrees_turns_counter_clockwise() -> None:
    picture = np.array([[1, 2], [3, 4]], np.uint8)
    assert upright(picture, 90).tolist() == [[2, 4], [1, 3]]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_coded_is_the_inverse_of_upright(rotation: int) -> None:
    picture = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    turned = upright(picture, rotation)
    assert turned.flags.c_contiguous
    np.testing.assert_array_equal(coded(turned, rotation), picture)


def test_other_angles_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 90"):
        upright(np.zeros((2, 2), np.uint8), 45)
