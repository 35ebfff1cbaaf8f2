"""Heat maps: what moves with the film is cold, what does not is hot where it is."""

import cv2
import numpy as np
import pytest

from films import planes_of, still, texture
from pipeline.judge.heat import Heat, colored, heat, scale_colors
from pipeline.judge.temporal import PairError
from pipeline.media.color import Plane
from pipeline.motion.flow import Luma

SIZE = (160, 96)


def lumas(n: int, shift: tuple[float, float]) -> list[Luma]:
    """Lumas of a texture that moves."""
    return [planes_of(picture).luma for picture in texture(n, SIZE, shift)]


def test_a_painting_that_moves_with_its_film_is_cold() -> None:
    before, now = lumas(2, (2, 1))
    found = heat(now, before, now, before)
    assert found.pair.error is not None
    assert found.pair.error < 1e-4
    assert np.median(found.difference[found.judged]) < 1


def test_what_changes_by_itself_is_hot_where_it_is() -> None:
    before, now = lumas(2, (0, 0))
    painted = now.astype(int)
    painted[20:40, 50:90] += 25
    found = heat(painted.clip(0, 255).astype(np.uint8), before, now, before)
    assert found.judged.all()
    hot = found.difference > 10
    assert hot[20:40, 50:90].mean() > 0.9
    hot[20:40, 50:90] = False
    assert not hot.any()


def test_a_fade_is_no_flicker() -> None:
    before = lumas(1, (0, 0))[0]
    now = np.clip(np.rint((before.astype(float) - 16) * 0.8 + 16), 0, 255).astype(np.uint8)
    found = heat(now, before, now, before)
    assert found.pair.error is not None
    assert found.pair.error < 1e-5


def test_a_painting_may_be_larger_than_the_motion_is_measured_at() -> None:
    before, now = lumas(2, (2, 1))
    large: list[Plane] = [
        np.asarray(cv2.resize(x, (320, 192), interpolation=cv2.INTER_CUBIC), np.uint8)
        for x in (now, before)
    ]
    found = heat(large[0], large[1], now, before)
    assert found.difference.shape == found.judged.shape == (192, 320)
    assert np.median(found.difference[found.judged]) < 1.5


def test_what_cannot_be_judged_is_hatched_in_grey_and_nothing_else_is() -> None:
    difference = np.zeros((40, 40), np.float32)
    judged = np.ones((40, 40), np.bool_)
    judged[:20] = False
    picture = colored(Heat(difference, judged, PairError(0.0, 0.5)), full=20)
    assert len(np.unique(picture[:20].reshape(-1, 3), axis=0)) == 2
    assert np.all(picture[:20].min(axis=2) > 90)
    assert picture[20:].max() < 20


def test_the_scale_goes_from_dark_to_light_and_stays_at_its_end() -> None:
    across = np.linspace(0, 2, 41, dtype=np.float32)[None]
    light = scale_colors(across).astype(int).sum(axis=2)[0]
    assert np.all(np.diff(light[:21]) > 0)
    assert np.all(light[20:] == light[20])


def test_pictures_of_two_shapes_are_refused() -> None:
    luma = planes_of(still(SIZE)).luma
    with pytest.raises(ValueError, match="one"):
        heat(luma, luma, luma, luma[:-2])
