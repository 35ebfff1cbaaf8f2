"""Forecasts: keys are counted once, and figures grow with what makes them grow."""

from dataclasses import replace

import numpy as np
import pytest

from films import make_film, texture
from pipeline.forecast import Forecast, needs, predict
from pipeline.media.container import Film, read_film
from pipeline.motion.rows import Analysis
from pipeline.plan import plan
from pipeline.recipe import Recipe

RECIPE = Recipe(style="x")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return read_film(make_film(tmp_path_factory.mktemp("forecast") / "film.mp4", texture(3)))


def forecast(film: Film, n: int = 130, **settings: object) -> Forecast:
    """Forecast a quiet film of n frames with the size and format of ``film``."""
    none, one = np.zeros(n, np.float32), np.ones(n, np.float32)
    rows = Analysis(
        start=0,
        cut=none,
        hole=none,
        residual=none,
        gain=one,
        luma=one,
        content=none,
        gradient=one,
        still=np.zeros(n, bool),
        bars=np.zeros((n, 4), np.int32),
        colors=np.full((n, 32), 100, np.uint8),
    )
    recipe = Recipe.model_validate({"style": "x"} | settings)
    return predict(plan(rows, recipe, size=(film.width, film.height)), film, recipe)


def test_a_key_that_two_chunks_read_counts_once(film: Film) -> None:
    every = forecast(film, keys=1)
    assert (every.keys, every.painted) == (130, 1.0)


def test_fewer_keys_and_a_lesser_codec_ask_for_less(film: Film) -> None:
    assert forecast(film).keys < forecast(film, keys=1).keys
    coarse, fine, exact = (
        forecast(film, **chosen).disk_bytes
        for chosen in ({"crf": 30}, {"crf": 16}, {"codec": "ffv1"})
    )
    assert coarse < fine < exact


def test_memory_does_not_grow_with_length_but_disk_does(film: Film) -> None:
    short, long = (forecast(film, n, keys=10) for n in (144, 432))
    assert short.peak_bytes == long.peak_bytes
    assert long.disk_bytes > 2.9 * short.disk_bytes


def test_the_larger_net_asks_for_more_memory_which_auto_does_not_take_on_cpus(film: Film) -> None:
    auto, small, large = (forecast(film, size=size).peak_bytes for size in ("auto", "S", "M"))
    assert auto == small
    across, down = film.size
    wider = 730 * (across + 128) * (down + 128) - 600 * (across + 96) * (down + 96)
    assert large - small == wider > 0


def test_a_smaller_working_size_asks_for_less_memory(film: Film) -> None:
    native, broad = (forecast(film, style_scale=s).peak_bytes for s in ("film", 64))
    assert broad < native
    assert forecast(film, style_scale=540).peak_bytes == native


def test_more_bits_and_alpha_ask_for_more_memory_and_room(film: Film) -> None:
    plain, deep, clear = (
        forecast(replace(film, pixel_format=name), keys=10, codec="ffv1")
        for name in ("yuv444p", "yuv444p10le", "yuva444p10le")
    )
    assert needs(replace(film, pixel_format="yuv420p12le"), RECIPE).chunk == pytest.approx(
        2 * needs(film, RECIPE).chunk, abs=1
    )
    assert plain.peak_bytes < deep.peak_bytes < clear.peak_bytes
    assert 1.9 * plain.disk_bytes < deep.disk_bytes < clear.disk_bytes
