"""Warping: no motion changes nothing, whole pixels shift, every subsampling follows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from films import planes_of, still
from pipeline.fill.warp import warp_planes
from pipeline.motion.flow import Flow

FORMATS = ("yuv420p", "yuv422p", "yuv444p")


def uniform(dx: float, dy: float, *, size: tuple[int, int] = (40, 24)) -> Flow:
    return np.full((size[1], size[0], 2), (dx, dy), np.float32)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_no_motion_gives_the_very_frame(pixel_format: str) -> None:
    planes = planes_of(still(), pixel_format=pixel_format)
    assert warp_planes(planes, uniform(0, 0)) is planes


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_motion_too_small_to_see_changes_nothing(pixel_format: str) -> None:
    planes = planes_of(still(), pixel_format=pixel_format)
    warped = warp_planes(planes, uniform(1e-4, -1e-4))
    assert np.array_equal(warped.luma, planes.luma)
    assert np.array_equal(warped.red, planes.red)


@settings(max_examples=20, deadline=None)
@given(dx=st.integers(-2, 2), dy=st.integers(-2, 2), pixel_format=st.sampled_from(FORMATS))
def test_whole_pixels_are_an_exact_shift_in_every_plane(
    dx: int, dy: int, pixel_format: str
) -> None:
    planes = planes_of(still(), pixel_format=pixel_format)
    warped = warp_planes(planes, uniform(dx / 2, dy / 2))  # on a quarter's grid: 2 dx, 2 dy
    inner = (slice(9, -9), slice(9, -9))
    for before, after in ((planes.luma, warped.luma), (planes.blue, warped.blue)):
        by = (-2 * dy * before.shape[0] // 96, -2 * dx * before.shape[1] // 160)
        assert np.array_equal(after[inner], np.roll(before, by, (0, 1))[inner])


def test_a_known_motion_brings_the_texture_back() -> None:
    before, now = planes_of(still()), planes_of(still(offset=(2.5, -1.25)))
    warped = warp_planes(before, uniform(-2.5 / 4, 1.25 / 4))
    inner = (slice(8, -8), slice(8, -8))
    error = warped.luma[inner].astype(float) - now.luma[inner]
    assert np.sqrt(np.square(error).mean()) < 1.5


def test_beyond_the_edge_the_edge_goes_on() -> None:
    planes = planes_of(still())
    warped = warp_planes(planes, uniform(-100, 0))
    assert np.array_equal(warped.luma, np.repeat(planes.luma[:, :1], 160, axis=1))


def test_odd_sizes_keep_their_planes() -> None:
    planes = planes_of(still((45, 33)))
    warped = warp_planes(planes, uniform(0.3, 0.2, size=(45, 33)))
    assert warped.luma.shape == (33, 45)
    assert warped.blue.shape == planes.blue.shape == (17, 23)
