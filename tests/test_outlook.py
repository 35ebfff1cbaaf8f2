"""Forecasts of loss and time: known answers, and what the command says before it paints."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from commands import Ended, command
from films import cut, make_film, texture
from jobs.bench_outlook import Seen, fitted
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Boils
from pipeline import forecast
from pipeline.forecast import predict_times
from pipeline.judge.tables import read_rows
from pipeline.media.container import read_film
from pipeline.motion.rows import Analysis
from pipeline.outlook import CONTENT, HOLE, causes, expected_loss
from pipeline.plan import plan
from pipeline.recipe import Recipe

STEPS = Path(__file__).parent.parent / "bench" / "results" / "steps.json"


def rows(
    n: int, *, hole: float = 0.12, content: float = 0.0, still: tuple[int, ...] = ()
) -> Analysis:
    """Rows of an even film."""
    stands = np.isin(np.arange(n), still)
    return Analysis(
        start=0,
        cut=np.zeros(n, np.float32),
        hole=np.where(stands, 0, hole).astype(np.float32),
        residual=np.ones(n, np.float32),
        gain=np.ones(n, np.float32),
        luma=np.full(n, 100, np.float32),
        content=np.full(n, content, np.float32),
        gradient=np.ones(n, np.float32),
        still=stands,
        bars=np.zeros((n, 4), np.int32),
        colors=np.full((n, 32), 100, np.uint8),
    )


# -- loss ------------------------------------------------------------------------------------------


def test_a_sixth_of_the_holes_of_an_even_gap_are_left_in_its_frames() -> None:
    loss = expected_loss(rows(13), (0, 12))
    assert loss.shape == (12,)
    assert loss[-1] == 0, "a key has no hole"
    assert np.allclose(loss[:-1], loss[:-1][::-1])
    assert float(loss.sum()) / 12 == pytest.approx(HOLE * 12 * 0.12 / 6 * (1 - 1 / 144))


def test_more_keys_leave_less_and_content_is_always_there() -> None:
    analysis = rows(25, content=1e-4)
    means = [float(expected_loss(analysis, keys).mean()) for keys in ((0, 24), (0, 12, 24))]
    assert means[0] > means[1] > CONTENT * 1e-4
    every = expected_loss(analysis, tuple(range(25)))
    assert np.allclose(every, CONTENT * 1e-4)
    alone = expected_loss(analysis, tuple(range(25)), alone=True)
    assert np.allclose(alone, CONTENT * 1e-4 + HOLE)


def test_a_freeze_has_no_loss_and_a_hole_is_never_more_than_the_frame() -> None:
    loss = expected_loss(rows(40, hole=0.9, content=1e-4, still=(7, 8)), (0, 39))
    assert loss[6] == loss[7] == 0
    assert float(loss.max()) == pytest.approx(CONTENT * 1e-4 + HOLE)


def test_what_cannot_be_judged_counts_for_nothing() -> None:
    analysis = rows(5, hole=0.0)
    analysis.content[2] = np.nan
    assert np.isfinite(expected_loss(analysis, (0, 4))).all()


def test_loss_is_what_its_causes_are_times_their_factors() -> None:
    analysis = rows(25, content=1e-4, still=(7,))
    content, hole = causes(analysis, (0, 12, 24))
    assert np.allclose(CONTENT * content + HOLE * hole, expected_loss(analysis, (0, 12, 24)))
    assert content[6] == hole[6] == 0
    assert causes(analysis, (0, 12, 24), alone=True)[1].sum() == 23


def test_factors_are_found_again_and_weigh_too_much_like_too_little() -> None:
    random = np.random.default_rng(0)
    content, hole = random.uniform(1e-5, 1e-3, 300), random.uniform(0.01, 1, 300)
    exact = Seen("film", "style", "auto", content, hole, 3 * content + 1e-4 * hole)
    assert fitted([exact]) == pytest.approx((3, 1e-4), rel=1e-4)
    double, half = (replace(exact, loss=exact.loss * factor) for factor in (2, 0.5))
    assert fitted([double, half]) == pytest.approx((3, 1e-4), rel=1e-4)


def test_a_painted_film_is_held_against_its_forecast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    film = make_film(tmp_path / "film.mkv", cut(16, (64, 48), at=9), codec="ffv1")
    job = Job(film, tmp_path / "painted.mkv", Recipe(style="made", codec="ffv1"))
    stylize(job, progress=Silent(), hire=Boils)
    result = tmp_path / "outlook.json"
    words = ("bench", "outlook", job.target, "-o", result)
    assert command(*words, patch=monkeypatch, capfd=capfd).code == 0
    found = json.loads(result.read_text())
    (one,) = found["films"]
    losses = [row.loss for row in read_rows([job.table]) if row.loss]
    assert one["frames"] == len(losses) == found["best"]["frames"] == 14
    assert one["measured"] == pytest.approx(np.mean(losses))
    ratio = one["expected"] / one["measured"]
    assert found["used"]["lowest"] == found["used"]["highest"] == pytest.approx(ratio)
    assert found["best"]["apart"] <= found["used"]["apart"]


# -- time ------------------------------------------------------------------------------------------


def test_time_goes_with_keys_and_size(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(2)))
    few, many, every = (
        predict_times(plan(rows(96), recipe, size=film.size), film, recipe)
        for recipe in (Recipe(style="x", keys=k) for k in (12, 4, 1))
    )
    assert few.analysis == many.analysis == every.analysis > 0
    assert few.painting < many.painting
    assert few.filling > many.filling > every.filling
    assert few.whole == few.analysis + few.painting + few.filling
    recipe = Recipe(style="x", keys=12)
    wide = read_film(make_film(tmp_path / "wide.mp4", texture(2, (320, 192))))
    large = predict_times(plan(rows(96), recipe, size=wide.size), wide, recipe)
    assert 3.5 < large.filling / few.filling < 4.5


def test_given_keys_cost_no_painting(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(2)))
    free, taken = (
        predict_times(plan(rows(40), recipe, size=film.size), film, recipe).painting
        for recipe in (
            Recipe(style="x", keys=12),
            Recipe(style="x", keys=12, given=((0, "a"), (12, "b"))),
        )
    )
    assert taken < free


def test_the_figures_are_those_that_are_stored() -> None:
    stored = {
        c["step"]: c["milliseconds"]["median"] for c in json.loads(STEPS.read_text())["costs"]
    }
    names = {"motion": "keys: motion and holes", "tiles": "paint: tiles"}
    names |= {codec: f"encode and verify {codec}" for codec in ("h264", "ffv1")}
    for figures in (
        forecast._PER_FILM_PIXEL,
        forecast._PER_SMALL_PIXEL,
        forecast._PER_WORKING_PIXEL,
    ):
        for step, figure in figures.items():
            assert 0.5 < figure / stored[names.get(step, step)] < 2, step


# -- the command -----------------------------------------------------------------------------------


class Run(Protocol):
    """What the fixture ``run`` is."""

    def __call__(self, *words: object) -> Ended:
        """Run ``reelbrush plan`` on a film with some words."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command on a film of two shots, 30 and 10 frames."""
    source = make_film(tmp_path / "film.mp4", cut(40, (64, 48), at=30))

    def planned(*words: object) -> Ended:
        with monkeypatch.context() as patch:
            return command("plan", source, *words, patch=patch, capfd=capfd)

    return planned


def test_the_forecast_is_printed_and_nothing_is_left(run: Run, tmp_path: Path) -> None:
    ended = run()
    assert ended.code == 0, ended.err
    for words in ("40 frames, 2 shots", "expected loss 0.", "in the worst shot (", "of one core"):
        assert words in ended.out
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_programs_read_it_as_json(run: Run) -> None:
    free, capped = (json.loads(run(*words, "--json").out) for words in ((), ("--max-keys", "5")))
    assert capped["keys"] <= 5 < free["keys"]
    assert capped["keys_share"] == capped["keys"] / 40
    assert [(s["start"], s["stop"]) for s in free["shots"]] == [(0, 30), (30, 40)]
    assert sum(len(s["keys"]) for s in capped["shots"]) == capped["keys"]
    assert capped["loss"]["mean"] > free["loss"]["mean"] > 0
    assert free["loss"]["worst"] == max(s["loss"] for s in free["shots"])
    seconds = capped["seconds"]
    parts = seconds["analysis"] + seconds["painting"] + seconds["filling"]
    assert seconds["all"] == pytest.approx(parts)


def test_a_cap_that_is_too_low_is_one_line(run: Run) -> None:
    ended = run("--max-keys", "5%")
    assert ended.code == 2
    (line,) = ended.said
    assert line.startswith("reelbrush: --max-keys 5% is 2 of 40 frames, and this film needs 4")
