"""Warping error: moved content has none, flicker has its own variance, cuts cannot be judged."""

from pathlib import Path

import numpy as np
import pytest

from films import still
from pipeline.judge.referee import careful_search, motions, referee_size
from pipeline.judge.temporal import (
    Picture,
    content_floor,
    counted,
    e_stab,
    fetch,
    masked_difference,
    stability_error,
    warping_error,
)
from pipeline.motion.flow import Flow


def shift(dx: float, dy: float, *, size: tuple[int, int] = (160, 96)) -> Flow:
    return np.full((size[1], size[0], 2), (dx, dy), np.float32)


def moved() -> tuple[Picture, Picture]:
    return still(), still(offset=(3, -2))


def test_content_that_moves_has_almost_no_error() -> None:
    before, now = moved()
    there, back = shift(3, -2), shift(-3, 2)
    pair = warping_error(before, now, there=there, judged=counted(there, back))
    assert pair.error is not None
    assert pair.error < 1e-5
    assert 0.9 < pair.coverage < 1  # what left the frame is not judged


def test_flicker_has_the_error_that_it_has() -> None:
    now = still()
    there, back = shift(3, -2), shift(-3, 2)
    random = np.random.default_rng(0)
    grey = np.full_like(now, 128)
    restless = np.clip(128 + random.normal(0, 10, now.shape), 0, 255).astype(np.uint8)
    pair = warping_error(grey, restless, there=there, judged=counted(there, back))
    assert pair.error == pytest.approx((10 / 255) ** 2, rel=0.05)


def test_a_flow_on_a_smaller_grid_is_brought_to_the_picture() -> None:
    before, now = moved()
    there, back = shift(1.5, -1, size=(80, 48)), shift(-1.5, 1, size=(80, 48))
    pair = warping_error(before, now, there=there, judged=counted(there, back))
    assert pair.error is not None
    assert pair.error < 1e-5


def test_motion_that_does_not_come_back_is_not_judged() -> None:
    before, now = moved()
    there = shift(3, -2)
    pair = warping_error(before, now, there=there, judged=counted(there, there))
    assert (pair.error, pair.coverage) == (None, 0)


def test_the_floor_grows_with_the_gradients() -> None:
    assert content_floor(0.001, 0.02, 0.01) == pytest.approx(0.002)
    assert content_floor(0.0, 0.02, 0.0) == 0
    assert content_floor(None, 1, 1) is None


def test_what_is_masked_makes_the_published_errors_smaller_and_the_warping_error_not() -> None:
    grey, lit = np.full((96, 160, 3), 100, np.uint8), np.full((96, 160, 3), 110, np.uint8)
    none, half = shift(0, 0), np.zeros((96, 160), bool)
    half[:48] = True
    assert warping_error(grey, lit, there=none, judged=half).error == pytest.approx((10 / 255) ** 2)
    m2 = stability_error(lit, grey, back=none, judged=half)
    assert m2 == pytest.approx((10 / 255) ** 2 / 2)
    assert e_stab([m2, m2]) == pytest.approx(10 / 255 / 2**0.5)
    assert masked_difference(grey, lit, there=none, judged=half) == pytest.approx(10 / 255 / 2)
    assert e_stab([]) is None


def test_the_nearest_pixel_is_fetched_where_that_is_asked_for() -> None:
    now = still()
    assert np.array_equal(fetch(now, shift(0.4, -0.3), interpolation="nearest"), now)
    assert np.array_equal(fetch(now, shift(1, 0), interpolation="nearest")[:, :-1], now[:, 1:])


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        warping_error(still(), still((80, 48)), there=shift(0, 0), judged=np.ones((96, 160), bool))


def test_the_referee_finds_a_known_motion_and_keeps_it(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "motion.npz"
    pictures = [still(offset=(2 * t, t)) for t in range(3)]
    looked = motions(pictures, careful_search, cache=cache)
    kept = motions(pictures, _no_referee, cache=cache)
    assert len(looked) == len(kept) == 2
    assert np.abs(np.median(looked[0].forth, axis=(0, 1)) - (2, 1)).max() < 0.1
    assert all(np.array_equal(a.back, b.back) for a, b in zip(looked, kept, strict=True))
    assert [p.name for p in cache.parent.iterdir()] == ["motion.npz"]


def test_the_referee_looks_nine_frames_on_and_short_films_have_no_such_pair() -> None:
    pictures = [still(offset=(t / 2, 0)) for t in range(11)]
    far = motions(pictures, careful_search, gap=9)
    assert len(far) == len(far[:]) == 2
    assert abs(np.median(far[1].forth[..., 0]) - 4.5) < 0.1
    assert abs(np.median(far[1].back[..., 0]) + 4.5) < 0.1
    assert len(motions(pictures[:9], careful_search, gap=9)) == 0


def test_a_referee_looks_at_360_lines() -> None:
    assert referee_size(1280, 720) == (640, 360)


def _no_referee(_at: Picture, _of: Picture) -> Flow:
    raise AssertionError("the cache was not used")
