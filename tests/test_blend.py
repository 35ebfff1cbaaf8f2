"""Blending: equal frames stay equal, the ends are exact, texture survives the average."""

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.blend import linear_blend, texture, variance_blend
from pipeline.judge.detail import detail
from pipeline.media.color import Planes


def noise(seed: int, *, spread: float = 20, size: tuple[int, int] = (160, 96)) -> Planes:
    random = np.random.default_rng(seed)
    width, height = size
    luma = np.clip(random.normal(128, spread, (height, width)), 0, 255).astype(np.uint8)
    grey = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    return Planes(luma, grey, grey)


def weight(share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((24, 40), share, np.float32)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_equal_frames_stay_equal(share: float) -> None:
    planes = planes_of(still())
    for blend in (linear_blend, variance_blend):
        mixed = blend(planes, planes_of(still()), weight(share))
        assert np.array_equal(mixed.luma, planes.luma)
        assert np.array_equal(mixed.blue, planes.blue)


def test_all_of_one_is_that_one() -> None:
    a, b = noise(1), noise(2)
    assert np.array_equal(variance_blend(a, b, weight(1)).luma, a.luma)
    assert np.array_equal(variance_blend(a, b, weight(0)).luma, b.luma)


def test_an_average_loses_texture_and_the_variance_blend_gives_some_back() -> None:
    a, b = noise(1, spread=12), noise(2, spread=12)
    kept = detail(a.luma)
    plain = detail(linear_blend(a, b, weight(0.5)).luma)
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


def test_texture_is_the_variance_of_noise() -> None:
    cells = texture(noise(3, spread=10).luma)
    assert cells.shape == (12, 20)
    assert 80 < cells.mean() < 105


def test_frames_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        variance_blend(noise(1), noise(1, size=(80, 48)), weight(0.5))
