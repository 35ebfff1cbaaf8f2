"""Flow: known motion is found, warps are exact where they can be, and the bits repeat."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.motion.flow import (
    Flow,
    Luma,
    analysis_size,
    compose,
    estimate,
    no_motion,
    small_luma,
    warp,
)

SIZE = (160, 120)


def view(dx: float, dy: float, *, size: tuple[int, int] = SIZE, seed: int = 1) -> Luma:
    """Look at a smooth texture; what lies at p with no shift is at p - (dx, dy) here."""
    noise = np.random.default_rng(seed).normal(size=(300, 400)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 3)
    texture = np.clip(126 + 45 * blurred / blurred.std(), 16, 235)
    move = np.array([[1, 0, -60 - dx], [0, 1, -60 - dy]], np.float32)
    return cv2.warpAffine(texture, move, size, flags=cv2.INTER_CUBIC).astype(np.uint8)


def constant(dx: float, dy: float, *, size: tuple[int, int] = SIZE) -> Flow:
    flow = no_motion((size[1], size[0]))
    flow[:] = dx, dy
    return flow


def middle(flow: Flow) -> Flow:
    return flow[16:-16, 16:-16]


@pytest.mark.parametrize(("dx", "dy"), [(3, -2), (0.5, 0.25), (-9, 5)])
def test_a_known_shift_is_found_to_a_small_part_of_a_pixel(dx: float, dy: float) -> None:
    flow = estimate(view(0, 0), view(dx, dy))
    assert np.abs(middle(flow) - (-dx, -dy)).mean() < 0.15


def test_equal_pictures_have_no_motion_exactly() -> None:
    assert not estimate(view(0, 0), view(0, 0), start=constant(4, 4)).any()


def test_the_same_estimate_has_the_same_bits_whatever_ran_before() -> None:
    first = estimate(view(0, 0), view(3, 1))
    estimate(view(7, 7), view(0, 0), start=constant(1, 1), preset="medium")
    cv2.setNumThreads(2)
    assert np.array_equal(first, estimate(view(0, 0), view(3, 1)))


def test_a_start_reaches_motion_that_is_too_large_alone_and_is_left_as_it_is() -> None:
    start = constant(-45, 0)
    flow = estimate(view(0, 0), view(45, 0), start=start)
    seen = flow[16:-16, 61:-16]
    assert np.abs(seen - (-45, 0)).mean() < 0.2
    assert np.array_equal(start, constant(-45, 0))


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (300, 12), (16, 400), (33, 31)])
def test_tiny_and_thin_pictures_have_a_flow(size: tuple[int, int]) -> None:
    flow = estimate(view(0, 0, size=size), view(1, 0, size=size))
    assert flow.shape == (size[1], size[0], 2)
    assert np.isfinite(flow).all()


def test_pictures_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        estimate(view(0, 0), view(0, 0, size=(80, 60)))


def test_warping_by_no_motion_is_the_identity() -> None:
    picture = view(0, 0)
    assert np.array_equal(warp(picture, constant(0, 0)), picture)
    assert np.array_equal(warp(picture, constant(0, 0), interpolation="cubic"), picture)


@given(st.integers(-20, 20), st.integers(-20, 20))
def test_warping_by_whole_pixels_is_a_shift_with_the_edge_going_on(dx: int, dy: int) -> None:
    picture = view(0, 0)
    rows = np.clip(np.arange(SIZE[1]) + dy, 0, SIZE[1] - 1)
    columns = np.clip(np.arange(SIZE[0]) + dx, 0, SIZE[0] - 1)
    assert np.array_equal(warp(picture, constant(dx, dy)), picture[np.ix_(rows, columns)])


def test_chained_shifts_add_up() -> None:
    assert np.array_equal(compose(constant(3, -1), constant(0.5, 2)), constant(3.5, 1))


def test_no_motion_is_neutral_in_a_chain() -> None:
    flow = estimate(view(0, 0), view(3, 1))
    assert np.array_equal(compose(constant(0, 0), flow), flow)
    assert np.array_equal(compose(flow, constant(0, 0)), flow)


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_analysis_grid_never_enlarges_a_film(width: int, height: int) -> None:
    small_width, small_height = analysis_size(width, height)
    assert 1 <= small_width <= width
    assert 1 <= small_height <= height
    assert min(small_width, small_height) == min(270, width, height)


def test_divided_light_gives_the_lit_picture_back() -> None:
    lit = view(0, 0, size=(320, 240))
    dim = np.rint((lit.astype(np.float32) - 16) * 0.25 + 16).astype(np.uint8)
    back = small_luma(dim, SIZE, gain=0.25)
    assert np.abs(back.astype(int) - small_luma(lit, SIZE)).max() <= 2


def test_black_stays_black_at_any_gain() -> None:
    assert (small_luma(np.full((40, 40), 16, np.uint8), (20, 20), gain=1 / 16) == 16).all()
