"""Forecasts: keys are counted once, and figures grow with what makes them grow."""

from fractions import Fraction
from pathlib import Path

from films import make_film, texture
from pipeline.forecast import Forecast, predict
from pipeline.media.container import read_film
from pipeline.motion.analysis import analyse
from pipeline.plan import plan
from pipeline.recipe import Recipe


def forecast(folder: Path, recipe: Recipe, *, n: int = 130) -> Forecast:
    pictures = texture(n, (48, 32), (1, 0))
    film = read_film(make_film(folder / f"{n}.mp4", pictures, rate=Fraction(25), keyint=40))
    rows = analyse(film, 0, film.frames)
    return predict(plan(rows, recipe, size=(film.width, film.height)), film, recipe)


def test_a_key_that_two_chunks_read_counts_once(tmp_path: Path) -> None:
    every = forecast(tmp_path, Recipe(style="x", keys=1))
    assert (every.keys, every.painted) == (130, 1.0)


def test_fewer_keys_and_a_lesser_codec_ask_for_less(tmp_path: Path) -> None:
    some = forecast(tmp_path, Recipe(style="x"))
    every = forecast(tmp_path, Recipe(style="x", keys=1))
    exact = forecast(tmp_path, Recipe(style="x", codec="ffv1"))
    coarse = forecast(tmp_path, Recipe(style="x", crf=30))
    assert some.keys < every.keys
    assert coarse.disk_bytes < some.disk_bytes < exact.disk_bytes


def test_memory_does_not_grow_with_length_but_disk_does(tmp_path: Path) -> None:
    recipe = Recipe(style="x", keys=10)
    short, long = (forecast(tmp_path, recipe, n=n) for n in (120, 360))
    assert short.peak_bytes == long.peak_bytes
    assert long.disk_bytes > 2.9 * short.disk_bytes
