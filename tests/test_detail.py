"""Detail: blur loses it, a grid is found and chance is not."""

import cv2
import numpy as np

from films import planes_of, still
from pipeline.judge.detail import detail, gradient, lattice


def noise(spread: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    random = np.random.default_rng(0)
    return np.clip(random.normal(128, spread, (192, 256)), 0, 255).astype(np.uint8)


def test_a_flat_frame_has_neither_detail_nor_gradient() -> None:
    flat = np.full((40, 40), 77, np.uint8)
    assert gradient(flat) == 0
    assert detail(flat) < 1e-12


def test_blur_loses_detail() -> None:
    luma = planes_of(still()).luma
    blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), 3), np.uint8)
    assert detail(blurred) < 0.7 * detail(luma)
    assert gradient(blurred) < gradient(luma)


def test_the_gradient_of_a_ramp_is_its_slope() -> None:
    ramp = np.tile(np.arange(100, dtype=np.uint8), (10, 1))
    assert abs(gradient(ramp) - (1 / 255) ** 2) < 1e-9


def test_a_grid_of_4_pixels_is_found() -> None:
    luma = noise(6).astype(float)
    luma[::4, ::4] += 24
    assert lattice(luma.astype(np.uint8)) > 4


def test_noise_is_no_grid() -> None:
    assert lattice(noise(20)) < 0.8


def test_a_frame_smaller_than_a_block_has_no_lattice() -> None:
    assert lattice(np.zeros((32, 32), np.uint8)) == 0
