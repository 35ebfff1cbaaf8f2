"""Cleanness: grids, shifts, edges and colour have the size that they were made with."""

import numpy as np
import pytest

from pipeline.judge.clean import RGB, chroma, edge_differences, periods, shift_error


def noise(height: int = 128, width: int = 192) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).normal(128, 12, (height, width)).clip(0, 255).astype(np.uint8)


def colours(seed: int = 0, height: int = 200, width: int = 220) -> RGB:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def test_noise_has_no_period_of_its_own() -> None:
    for ratio in periods([noise(512, 512)]).values():
        assert ratio == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("period", [4, 2])
def test_a_grid_is_found_in_its_own_direction_and_period(period: int) -> None:
    printed = noise()
    printed[:, ::period] += 12
    found = periods([printed])
    assert found[f"columns/{period}"] > 3
    assert found["rows/4"] < 1.3
    assert found["rows/2"] < 1.3
    turned = periods([np.ascontiguousarray(printed.T)])
    assert turned[f"rows/{period}"] == pytest.approx(found[f"columns/{period}"], rel=1e-6)


def test_a_period_of_8_is_none_of_4_or_2() -> None:
    wave = np.sin(np.arange(192) * 2 * np.pi / 8) * 30
    found = periods([(noise() + wave).clip(0, 255).astype(np.uint8)])
    assert all(ratio < 1.3 for ratio in found.values())


def test_pictures_smaller_than_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match="64 px"):
        periods([noise(40, 200)])


def test_paint_that_moves_with_the_picture_has_no_shift_error() -> None:
    painted = colours()
    assert shift_error(painted, painted[:, 3:], by=3) == 0
    moved = painted[:, 2:] + np.float32(10 / 255)
    assert shift_error(painted, moved, by=2) == pytest.approx(10, rel=1e-3)


def test_the_edge_is_told_from_the_interior() -> None:
    whole = colours(height=400, width=420)
    alone = whole[65:-64, 65:-64] + np.float32(2 / 255)
    alone[:8] += np.float32(6 / 255)
    alone[-8:] += np.float32(6 / 255)
    alone[8:-8, :8] += np.float32(6 / 255)
    alone[8:-8, -8:] += np.float32(6 / 255)
    outer, inner = edge_differences(whole, alone, at=65)
    assert outer == pytest.approx(8, rel=1e-3)
    assert inner == pytest.approx(2, rel=1e-3)


def test_grey_has_no_chroma_and_colour_has_its_own() -> None:
    grey = np.repeat(colours()[..., :1], 3, axis=2)
    assert chroma(grey) < 1e-4
    blue = np.zeros((4, 4, 3), np.float32)
    blue[..., 2] = 1
    cb, cr = (1 - 0.114) / 1.772, -0.114 / 1.402
    assert chroma(blue) == pytest.approx(255 * float(np.hypot(cb, cr)), rel=1e-5)
