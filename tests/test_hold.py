"""Holding: the plain scheme is what it says, goals are counted, what is there is not made again."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.stylizer import Painting
from commands import command
from films import make_film, planes_of, still, texture
from jobs.compare import DIS, Held
from jobs.goals import AVERAGE, costs, goals
from jobs.hold_runs import CODED, EACH, OURS, PLAIN, WITHOUT, opened, without_terms
from jobs.plain_scheme import keys_of, plain_scheme, shot_starts
from painters import Washes
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe
from pipeline.terms import Terms

ROW = Held(
    clip="a",
    style="b",
    run=OURS,
    referee=DIS,
    frames=60,
    keys=0.1,
    hole=0.0,
    error=3.0,
    error9=5.0,
    worst=10.0,
    worst_frames=(7, 8, 9),
    content=1.0,
    floor=2.0,
    floor9=4.0,
    stability=0.1,
    difference=0.1,
    difference9=0.1,
    unjudged=0,
    detail=0.95,
    pulse=0.95,
    pop=1.0,
    jitter=0.1,
    jitter_source=0.1,
    jitter_limit=0.2,
    seam=None,
)
EVERY = replace(ROW, run=EACH, error=10.0, error9=10.0, worst=10.0, keys=1.0, detail=None)
ROWS = [
    EVERY,
    ROW,
    replace(ROW, run=PLAIN, error=4.0, error9=6.0, worst=30.0, detail=0.8),
    replace(ROW, run=CODED, seam=1.1),
]


def painted(path: Path) -> list[Planes]:
    film = read_film(path)
    return [frame.planes for frame in frames(film, 0, film.frames)]


def missed(rows: list[Held]) -> set[tuple[str, str]]:
    return {(goal.clip, goal.what.partition(" ")[0]) for goal in goals(rows) if not goal.met}


def test_the_plain_scheme_moves_its_keys_and_keeps_them_as_they_are(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mkv", texture(14, shift=(2, 1)), codec="ffv1")
    moved = [still(offset=(2 * t, t)) for t in range(14)]
    each = make_film(
        tmp_path / "each.mkv",
        [Planes(255 - p.luma, p.blue, p.red) for p in map(planes_of, moved)],
        codec="ffv1",
    )
    film, target = read_film(source), tmp_path / "plain.mkv"
    keys = keys_of(shot_starts(film, 14), 14)
    assert [t for t, key in enumerate(keys) if key] == [0, 10]
    plain_scheme(film, each, target, keys=keys)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["each.mkv", "film.mkv", "plain.mkv"]
    inner = (slice(24, -24), slice(40, -40))
    for t, (made, wanted) in enumerate(zip(painted(target), painted(each), strict=True)):
        if keys[t]:
            assert np.array_equal(made.luma, wanted.luma)
        assert np.abs(made.luma[inner].astype(int) - wanted.luma[inner]).mean() < 3
    # fetched from the key, not painted anew: its bilinear blur is there
    assert not np.array_equal(painted(target)[5].luma[inner], painted(each)[5].luma[inner])


def test_each_term_is_left_out_by_itself() -> None:
    recipe = Recipe(style="made")
    found = without_terms(recipe)
    assert len(found) >= 2
    assert len({one.model_dump_json() for one in [recipe, *found.values()]}) == len(found) + 1


def test_the_terms_of_the_fill_are_turned_off_one_at_a_time() -> None:
    found = without_terms(Recipe(style="made", terms=Terms(holes=False)))
    names = [field.name for field in fields(Terms) if field.name != "holes"]
    assert list(found) == ["harmonise", "gate", *names]
    assert found["refine"].terms == Terms(holes=False, refine=False)
    assert found["gate"].terms == Terms(holes=False)


def test_all_goals_can_be_met() -> None:
    assert missed(ROWS) == set()
    assert {goal.clip for goal in goals(ROWS)} == {"a", AVERAGE}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"error": 3.6}, {(AVERAGE, "E1")}),
        ({"error": 3.6, "floor": 3.7}, set()),
        ({"error": 6.1, "floor": 2.0}, {("a", "E1"), (AVERAGE, "E1")}),
        ({"error9": 6.5}, {("a", "E9"), (AVERAGE, "E9")}),
        ({"worst": 11.5}, {("a", "worst")}),
        ({"detail": 0.91}, {("a", "detail"), (AVERAGE, "detail")}),
        ({"pulse": 0.8}, {("a", "pulse"), (AVERAGE, "pulse")}),
        ({"jitter": 0.3}, {("a", "luma")}),
        ({"keys": 0.3}, {(AVERAGE, "keys")}),
    ],
)
def test_a_goal_that_is_missed_is_said(
    change: dict[str, float], what: set[tuple[str, str]]
) -> None:
    rows: list[Held] = [replace(row, **change) if row.run == OURS else row for row in ROWS]  # type: ignore[arg-type]
    assert missed(rows) == what


def test_what_could_not_be_judged_is_neither_met_nor_missed() -> None:
    rows = [replace(row, detail=None, pulse=None) for row in ROWS]
    assert {g.what for g in goals(rows) if g.met is None} >= {"detail", "pulse"}


def test_a_term_costs_what_is_lost_without_it() -> None:
    without = replace(ROW, run=WITHOUT + "harmonise", error9=10.0, detail=0.9, keys=0.1)
    (cost,) = costs([*ROWS, without])
    assert (cost.term, cost.clips, cost.error, cost.error9) == ("harmonise", 1, 1, 2)
    assert cost.detail == pytest.approx(0.05)


def test_a_clip_is_cut_to_what_is_judged_and_a_foreign_container_is_copied(tmp_path: Path) -> None:
    clip = make_film(tmp_path / "clip.avi", texture(40, (96, 64)), pixel_format="yuv420p")
    folder = tmp_path / "folder"
    folder.mkdir()
    film = opened(clip, folder, 12)
    assert 12 <= film.frames <= 20
    kept = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert opened(clip, folder, 12).fingerprint == film.fingerprint
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == kept


@pytest.fixture
def hired(monkeypatch: pytest.MonkeyPatch) -> list[Washes]:
    painters: list[Washes] = []

    def hire(*_: Any, **__: Any) -> type[Painting]:
        class Hired(Washes):
            def __init__(self) -> None:
                super().__init__()
                painters.append(self)

        return Hired

    monkeypatch.setattr("jobs.stylize.hire_for", hire)
    return painters


def test_the_command_compares_stores_and_goes_on(
    tmp_path: Path,
    hired: list[Washes],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    clip = make_film(tmp_path / "clip.mkv", texture(12, (96, 64)), codec="ffv1")
    words = ("bench", "hold", clip, "--folder", tmp_path / "kept", "--frames", 12, "--terms-off")
    first = command(*words, patch=monkeypatch, capfd=capfd)
    assert first.code == 0, first.err
    for said in ("every frame", "plain scheme", "coded", "without ", "coding seam", "of 15 met"):
        assert said in first.out
    painting = len(hired)
    assert painting >= 4
    result = tmp_path / "hold.json"
    again = command(*words, "-o", result, patch=monkeypatch, capfd=capfd)
    assert again.out == first.out
    assert len(hired) == painting, "a film was painted twice"
    assert '"circumstances"' in result.read_text()
