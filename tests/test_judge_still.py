"""Stillness: paint that moves with the film is still; paint that is new each frame boils."""

import numpy as np
import pytest

from pipeline.judge.referee import PairMotion
from pipeline.judge.still import Picture, bands, stillness

HEIGHT, WIDTH = 96, 160
DX, DY = 3, -2


def paint(seed: int) -> Picture:
    """Strokes: noise of a few pixels, larger than a frame so that it can be cut from anywhere."""
    noise = np.random.default_rng(seed).uniform(60, 190, (HEIGHT + 40, WIDTH + 40, 1))
    return np.repeat(noise, 3, axis=2).astype(np.uint8)


def cut(canvas: Picture, time: int) -> Picture:
    """A frame in which everything has moved by (DX, DY) a frame."""
    top, left = 20 - DY * time, 20 - DX * time
    return canvas[top : top + HEIGHT, left : left + WIDTH]


def motion(pairs: int) -> list[PairMotion]:
    there = np.full((HEIGHT, WIDTH, 2), (DX, DY), np.float32)
    return [PairMotion(there, -there)] * pairs


def test_strokes_that_move_with_the_film_do_not_boil() -> None:
    found = stillness((cut(paint(1), t) for t in range(3)), motion(2))
    assert found.boil < 1e-3  # the filter sees other neighbours where the frame ends
    assert found.flicker < 0.05
    assert (found.pairs, found.unjudged) == (2, 0)


def test_strokes_that_are_new_in_every_frame_boil_entirely() -> None:
    found = stillness((cut(paint(t), t) for t in range(3)), motion(2))
    assert found.boil == pytest.approx(1, abs=0.05)


def test_strokes_that_stay_on_the_screen_boil_although_no_pixel_changes() -> None:
    found = stillness([cut(paint(1), 0)] * 3, motion(2))
    assert found.boil > 0.8


def test_flicker_is_the_change_of_light_as_a_share_of_the_variance() -> None:
    ramp = np.repeat(np.linspace(40, 200, WIDTH)[None, :, None], HEIGHT, axis=0).repeat(3, axis=2)
    dark, light = ramp.astype(np.uint8), (ramp + 8).astype(np.uint8)
    still = [PairMotion(*[np.zeros((HEIGHT, WIDTH, 2), np.float32)] * 2)]
    found = stillness([dark, light], still)
    assert found.flicker == pytest.approx(8**2 / dark[..., 0].var(), rel=0.02)
    assert found.boil < 0.01


def test_bands_sum_to_the_luma() -> None:
    picture = cut(paint(2), 0)
    assert np.allclose(bands(picture).sum(axis=2) * 255, picture[..., 0], atol=1e-3)


def test_motion_that_cannot_be_followed_is_counted_and_not_judged() -> None:
    there = np.full((HEIGHT, WIDTH, 2), (9, 0), np.float32)
    lost = PairMotion(there, there)
    found = stillness([cut(paint(1), t) for t in range(3)], [motion(1)[0], lost])
    assert (found.pairs, found.unjudged) == (1, 1)


def test_one_frame_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="single frame"):
        stillness([cut(paint(1), 0)], [])
