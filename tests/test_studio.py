"""Many films on stand-in hands: each ends in one way, and none for another's sake."""

import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hands import Hands, StandInRay, billed, studio
from ray.exceptions import WorkerCrashedError

import jobs.stragglers
from films import make_film, numbered, scribble, texture
from jobs.bench_runs import receipts
from jobs.billed import Billed
from jobs.control import Control
from jobs.progress import Silent
from jobs.standing import Standing
from jobs.stylize import Begun, Job, stylize
from painters import Washes
from pipeline.errors import BadRequest, ClusterFailed, CorruptFilm, OutOfResources
from pipeline.recipe import Recipe

RECIPE = Recipe(style="made", codec="ffv1", flicker_budget=6.0)


def film(folder: Path, name: str, *, frames: int = 24, seed: int = 0) -> Path:
    return make_film(
        folder / f"{name}.mkv", numbered(texture(frames, (64, 48), seed=seed)), codec="ffv1"
    )


def pixels(source: Path, kind: str = "painted") -> list[str]:
    folder = source.with_name(f"{source.stem}.{kind}.mkv.work")
    return [receipt.pixels for receipt in receipts(folder)]


def plain(source: Path) -> list[str]:
    """What the plain loop makes of a film."""
    job = Job(source, source.with_name(f"{source.stem}.plain.mkv"), RECIPE, keep_work=True)
    stylize(job, progress=Silent(), hire=Washes)
    return pixels(source, "plain")


def test_films_side_by_side_have_the_pixels_of_the_plain_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i) for i, name in enumerate(("one", "two", "three"))]
    bill = [billed(source, hire=Washes, recipe=RECIPE) for source in sources]
    hands = Hands(cores=3).patch(monkeypatch)
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["done"] * 3, [one.error for one in bill]
    for source in sources:
        assert pixels(source) == plain(source)
        assert source.with_name(f"{source.stem}.painted.mkv").is_file()


def test_a_film_that_fails_keeps_nobody_from_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i) for i, name in enumerate(("one", "bad", "two"))]
    scribble(sources[1], at=sources[1].stat().st_size // 2, size=400)
    bill = [billed(source, hire=Washes) for source in sources]
    studio(bill, Hands().patch(monkeypatch)).run()
    assert [one.status for one in bill] == ["done", "failed", "done"]
    assert isinstance(bill[1].error, CorruptFilm)
    assert not (tmp_path / ".bad.painted.mkv").exists()


def test_what_machines_did_wrong_is_tried_again_after_a_pause_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i) for i, name in enumerate(("one", "two"))]
    hands, seen = Hands().patch(monkeypatch), list[tuple[str, str, float]]()

    def noted(one: Billed) -> None:
        seen.append((one.name, one.status, hands.now))

    def opened() -> AbstractContextManager[Begun]:
        if first.tries == 1:
            raise OutOfResources("the disk is full")
        return whole()

    first = billed(sources[0], hire=Washes, retries=2, pause=250.0, changed=noted)
    whole, first.open = first.open, opened
    bill = [first, billed(sources[1], hire=Washes, changed=noted)]
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["done", "done"]
    assert (first.tries, bill[1].tries) == (2, 1)
    waited = next(now for name, status, now in seen if (name, status) == ("one", "waiting"))
    again = [now for name, status, now in seen if (name, status) == ("one", "analysing")]
    assert again[1] >= waited + 250
    assert next(now for name, status, now in seen if (name, status) == ("two", "done")) < again[1]


def test_after_too_many_tries_a_film_has_failed_and_ray_is_begun_anew_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = film(tmp_path, "one")
    hands = Hands(falls=lambda name: WorkerCrashedError() if "fill" in name else None)
    (only,) = bill = [billed(source, hire=Washes, retries=1, pause=0.0)]
    ray = StandInRay(hands.patch(monkeypatch))
    studio(bill, hands, ray=ray).run()
    assert isinstance(only.error, ClusterFailed)
    assert "failed 10 times on Ray's machines" in str(only.error)
    assert (only.status, only.tries, ray.begun, ray.left) == ("failed", 2, 2, 1)


def test_on_failure_stop_begins_no_other_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = film(tmp_path, "bad")
    scribble(bad, at=bad.stat().st_size // 2, size=400)
    late = billed(film(tmp_path, "late"), hire=Washes, after=1e9)
    bill = [billed(bad, hire=Washes), late]
    studio(bill, Hands().patch(monkeypatch), stops=True).run()
    assert [one.status for one in bill] == ["failed", "skipped"]


def test_a_pause_sends_nothing_more_and_what_runs_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = film(tmp_path, "one", frames=150), tmp_path / "batch"
    hands = Hands(cores=1).patch(monkeypatch)
    control, told = Control(folder, clock=hands.clock), list[tuple[bool, int]]()
    asked = list[str]()

    def between(name: str) -> None:
        if not asked and pixels(source):
            asked.append(name)
            Control(folder).ask("pause")

    def watch(standing: Standing) -> None:
        told.append((standing.paused, standing.films[0].chunks_done))
        if sum(paused for paused, _ in told) >= 3:
            Control(folder).ask("run")

    hands.between = between
    (only,) = bill = [billed(source, hire=Washes)]
    studio(bill, hands, control=control, watchers=[watch]).run()
    assert only.status == "done"
    paused = [done for is_paused, done in told if is_paused]
    assert len(paused) >= 3
    assert len(set(paused)) == 1, "chunks went on while it was paused"
    assert paused[0] >= 1, "what ran was not committed"


def test_a_cancelled_batch_gives_up_what_runs_and_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i, frames=100) for i, name in enumerate(("one", "two"))]
    hands = Hands(cores=1).patch(monkeypatch)
    control = Control(tmp_path / "batch", clock=hands.clock)

    def between(name: str) -> None:
        if name and any(pixels(source) for source in sources):
            Control(tmp_path / "batch").ask("cancel")

    hands.between = between
    bill = [billed(source, hire=Washes) for source in sources]
    studio(bill, hands, control=control).run()
    assert [one.status for one in bill] == ["cancelled"] * 2
    assert not list(tmp_path.glob("*.painted.mkv"))
    assert any(pixels(source) for source in sources), "what was done is gone"
    hands.between = lambda _: None
    bill = [billed(source, hire=Washes) for source in sources]
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["done"] * 2
    assert sum(one.result.reused for one in bill if one.result) >= 1


def test_an_urgent_film_that_comes_later_has_the_next_free_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = billed(film(tmp_path, "calm", frames=150), hire=Washes, weight=100.0)
    urgent = billed(film(tmp_path, "urgent"), hire=Washes, deadline=time.time() - 1)
    hands = Hands(cores=2).patch(monkeypatch)
    whole = studio([calm], hands)

    def between(name: str) -> None:
        if name == "fill 0" and urgent not in whole.films:
            whole.add(urgent)

    hands.between = between
    ends = list[str]()
    calm.changed = urgent.changed = lambda one: ends.append(f"{one.name} {one.status}")
    whole.run()
    assert (calm.status, urgent.status) == ("done", "done")
    assert ends.index("urgent done") < ends.index("calm done")


def test_a_step_that_lags_is_begun_a_second_time_and_the_first_answer_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.stragglers, "_FEW", 1)
    source = film(tmp_path, "one", frames=150)
    hands = Hands(cores=2, hangs=lambda name, before: name == "fill 1" and before == 0)
    (only,) = bill = [billed(source, hire=Washes)]
    studio(bill, hands.patch(monkeypatch)).run()
    assert only.status == "done", only.error
    assert hands.begun["fill 1"] >= 2
    assert hands.stopped == ["fill 1"], "the one that lags was not given up"
    assert hands.now < 600, "it was waited for until it was held to be stuck"


def test_stylizers_paint_and_one_that_dies_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [
        film(tmp_path, name, seed=i) for i, name in enumerate(("one", "two", "three", "four"))
    ]
    hands = Hands(cores=2, gpus=2).patch(monkeypatch)

    def between(name: str) -> None:
        if name == "paint 0" and len(hands.actors) == 2:
            hands.actors[0].alive = False

    hands.between = between
    bill = [billed(source, hire=Washes, recipe=RECIPE) for source in sources]
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["done"] * 4, [one.error for one in bill]
    assert len(hands.actors) == 3
    assert pixels(sources[0]) == plain(sources[0])


def test_keys_of_several_chunks_that_wait_are_painted_in_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i, frames=100) for i, name in enumerate(("one", "two"))]
    hands = Hands(cores=6, gpus=1, seconds=lambda name: 9.0 if "paint" in name else 1.0)
    bill = [billed(source, hire=Washes) for source in sources]
    studio(bill, hands.patch(monkeypatch)).run()
    assert [one.status for one in bill] == ["done"] * 2, [one.error for one in bill]
    assert any(name.startswith("paint ") and name.count(" ") > 1 for name in hands.done)


def test_who_is_taken_over_stops_and_commits_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i, frames=100) for i, name in enumerate(("one", "two"))]
    hands = Hands(cores=1).patch(monkeypatch)
    bill = [billed(source, hire=Washes) for source in sources]
    kept = list[list[str]]()

    def between(name: str) -> None:
        production = bill[0].production
        if name == "fill 0" and production is not None and not kept:
            kept.append(pixels(sources[0]))
            monkeypatch.setattr(production.work, "check", _taken_over)

    hands.between = between
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["failed", "done"]
    assert "was taken over" in str(bill[0].error)
    assert pixels(sources[0]) == kept[0]


def _taken_over() -> None:
    raise BadRequest("the folder was taken over by another machine")
