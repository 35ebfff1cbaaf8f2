"""Blending: equal frames stay equal, the ends are exact, texture survives the average."""

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.blend import average, linear_blend, variance_blend
from pipeline.fill.warp import warp_planes
from pipeline.judge.detail import detail
from pipeline.media.color import Planes
from pipeline.motion.flow import Field, Flow


def noise(seed: int, *, spread: float = 20, size: tuple[int, int] = (160, 96)) -> Planes:
    random = np.random.default_rng(seed)
    width, height = size
    luma = np.clip(random.normal(128, spread, (height, width)), 0, 255).astype(np.uint8)
    grey = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    return Planes(luma, grey, grey)


def weight(share: float, *, size: tuple[int, int] = (40, 24)) -> Field:
    return np.full((size[1], size[0]), share, np.float32)


def uniform(dx: float, dy: float, *, size: tuple[int, int] = (40, 24)) -> Flow:
    return np.full((size[1], size[0], 2), (dx, dy), np.float32)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_equal_frames_stay_equal(share: float) -> None:
    planes = planes_of(still())
    for blend, on in ((linear_blend, (160, 96)), (variance_blend, (40, 24))):
        mixed = blend(planes, planes_of(still()), weight(share, size=on))
        assert np.array_equal(mixed.luma, planes.luma)
        assert np.array_equal(mixed.blue, planes.blue)


def test_all_of_one_is_that_one() -> None:
    a, b = noise(1), noise(2)
    assert np.array_equal(variance_blend(a, b, weight(1)).luma, a.luma)
    assert np.array_equal(variance_blend(a, b, weight(0)).luma, b.luma)


def test_an_average_loses_texture_and_the_variance_blend_gives_some_back() -> None:
    a, b = noise(1, spread=12), noise(2, spread=12)
    kept = detail(a.luma)
    plain = detail(linear_blend(a, b, weight(0.5, size=(160, 96))).luma)
    assert plain < 0.6 * kept
    assert 1.3 * plain < detail(variance_blend(a, b, weight(0.5)).luma) < kept


def test_flat_frames_stay_flat() -> None:
    flat = [
        Planes(np.full((33, 45), y, np.uint8), *[np.full((17, 23), 90, np.uint8)] * 2)
        for y in (50, 60)
    ]
    mixed = variance_blend(flat[0], flat[1], weight(0.5))
    assert np.unique(mixed.luma).tolist() == [55]
    assert np.unique(mixed.blue).tolist() == [90]


def test_chroma_is_the_plain_average() -> None:
    a, b = planes_of(still(seed=1)), planes_of(still(seed=2))
    mixed = variance_blend(a, b, weight(0.25))
    plain = 0.25 * a.blue.astype(float) + 0.75 * b.blue
    assert np.abs(mixed.blue - plain).max() <= 1


def test_flat_frames_that_meet_noise_are_lifted_no_further_than_their_texture_goes() -> None:
    a, b = noise(1, spread=10), noise(2, spread=10)
    assert not average(a, a, weight(0.5)).lift.any()
    assert 0.3 < average(a, b, weight(0.5)).lift.mean() < 0.5  # sqrt(2) - 1


@pytest.mark.parametrize("size", [(160, 96), (45, 33), (7, 5), (1, 1)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p"])
def test_no_motion_gives_the_very_samples_back(size: tuple[int, int], pixel_format: str) -> None:
    planes = planes_of(still(size), pixel_format=pixel_format)
    on = (max(1, size[0] // 2), max(1, size[1] // 2))
    for none in (None, uniform(0, 0, size=on), uniform(1e-4, -1e-4, size=on)):
        made = average(planes, planes, weight(0.3, size=on), to_a=none, to_b=None).planes
        assert np.array_equal(made.luma, planes.luma)
        assert np.array_equal(made.blue, planes.blue)
        assert np.array_equal(made.red, planes.red)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("by", [(-2, 1), (4, -3), (200, 0), (0, -300)])
def test_whole_pixels_are_an_exact_shift(by: tuple[int, int], pixel_format: str) -> None:
    planes = planes_of(still(), pixel_format=pixel_format)
    flow = uniform(by[0] / 2, by[1] / 2)  # on a quarter's grid: 2 samples of luma for one
    made = average(planes, planes, weight(1), to_a=flow, to_b=flow).planes
    for before, after in ((planes.luma, made.luma), (planes.blue, made.blue)):
        dy, dx = 2 * by[1] * before.shape[0] // 96, 2 * by[0] * before.shape[1] // 160
        rows = np.clip(np.arange(before.shape[0]) + dy, 0, before.shape[0] - 1)
        columns = np.clip(np.arange(before.shape[1]) + dx, 0, before.shape[1] - 1)
        assert np.array_equal(after, before[rows][:, columns])


def test_what_is_fetched_is_what_opencv_fetches_to_a_step_of_position() -> None:
    planes = planes_of(still())
    flow = np.random.default_rng(0).normal(0, 1, (24, 40, 2)).astype(np.float32)
    made = average(planes, planes, weight(1), to_a=flow, to_b=flow).planes
    wanted = warp_planes(planes, flow)
    for ours, theirs in ((made.luma, wanted.luma), (made.blue, wanted.blue)):
        apart = np.abs(ours.astype(int) - theirs)
        assert apart.max() <= 4
        assert (apart > 0).mean() < 0.2


def test_a_flow_that_is_no_number_stays_in_the_frame() -> None:
    planes = planes_of(still())
    lost = uniform(np.nan, np.inf)
    made = average(planes, planes, weight(1), to_a=lost, to_b=lost).planes
    assert np.isin(made.luma, planes.luma).all()


def test_frames_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        variance_blend(noise(1), noise(1, size=(80, 48)), weight(0.5))
