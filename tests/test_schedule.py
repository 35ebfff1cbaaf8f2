"""Many hands by a virtual clock: bounds hold, steps wait for one another, shares are by weight."""

import json
from collections import Counter
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs.bench_cli import bench_app
from jobs.board import Task
from jobs.fair import shared, simulated, spans_of, urgent
from jobs.fair_run import begun_late
from jobs.footage import Event
from jobs.parts import add_part
from jobs.recorded import KINDS, Recorded, load, recorded_of
from jobs.schedule import facts, jobs_of, longest_chain, lpt, schedule
from jobs.simulation import Done, Reel, play, reel, uneven
from pipeline.errors import BadRequest, ChunkFailed

RECORDED = Recorded(
    {
        "analyse": [(0, 2.0), (0, 2.4)],
        "sample": [(0, 0.1)],
        "measure": [(0, 0.8)],
        "decode": [(60, 0.8), (72, 1.0), (100, 1.5)],
        "paint": [(60, 1.0), (72, 1.2)],
        "harmonise": [(72, 0.2)],
        "fill": [(60, 2.0), (72, 2.5), (110, 4.0)],
    },
    about="made up",
)


@cache
def film(name: str = "film", *, seed: int = 1, frames: int = 1500, begins: float = 0.0) -> Reel:
    """A film of uneven shots."""
    shots = uneven(frames, seed=seed, longest=600)
    return reel(name, shots, RECORDED, seed=seed, begins=begins)


# -- bounds ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=7), st.integers(1, 3))
def test_longest_first_is_near_the_best_and_never_better(costs: list[float], hands: int) -> None:
    found = lpt(costs, hands=hands)
    best = min(
        max(sum(c for c, at in zip(costs, who, strict=True) if at == hand) for hand in range(hands))
        for who in product(range(hands), repeat=len(costs))
    )
    assert best <= found + 1e-9
    assert found <= (4 / 3 - 1 / (3 * hands)) * best + 1e-9, "Graham's bound"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 50), st.integers(1, 20), st.integers(100, 2500))
def test_no_schedule_beats_the_ideal(seed: int, hands: int, frames: int) -> None:
    one = film(seed=seed, frames=frames)
    took = max(step.ended for step in play([one], hands=hands, room=3 * hands))
    assert took >= max(one.work / hands, longest_chain(one)) - 1e-6
    assert sum(jobs_of(one)) == pytest.approx(one.work)


def test_one_hand_takes_as_long_as_the_work_and_endless_hands_as_the_chain() -> None:
    one = film()
    alone = play([one], hands=1, room=3)
    assert max(step.ended for step in alone) == pytest.approx(one.work)
    crowd = play([one], hands=10_000, room=10_000)
    first_looks = 2.4 * len(one.spans)  # what the chain leaves out: that all looks end first
    assert max(step.ended for step in crowd) <= longest_chain(one) + first_looks


def test_shots_of_a_long_film_are_scheduled_near_its_bound() -> None:
    found = schedule(RECORDED, seeds=[0, 1], hands=16, films=1, frames=12_000)
    assert all(one.lpt_score >= 0.95 for one in found)
    stored = json.loads(json.dumps(facts(found, RECORDED)))
    assert stored["met"] is True
    assert stored["runs"][0]["lpt_score"] == found[0].lpt_score
    assert stored["recorded"]["about"] == "made up"


# -- the play --------------------------------------------------------------------------------------


def ended(done: list[Done]) -> dict[Task, Done]:
    return {step.task: step for step in done}


def test_each_step_is_done_once_and_after_what_it_waits_for() -> None:
    one = film()
    done = play([one], hands=5, room=15)
    assert Counter(step.task for step in done) == Counter(list(one.costs))
    by = ended(done)
    for chunk, batches in zip(one.plan.chunks, one.batches, strict=True):
        place = chunk.index
        keyed = by[Task("harmonise", place)]
        assert by[Task("fill", place)].began >= keyed.ended
        for item in range(batches):
            painted = by[Task("paint", place, item)]
            assert by[Task("decode", place)].ended <= painted.began
            assert painted.ended <= keyed.began
            measured = [by[Task("measure", part.setup)].ended for part in chunk.parts]
            assert max(measured) <= painted.began
        if not chunk.parts[0].opens:
            assert by[Task("harmonise", place - 1)].ended <= keyed.began


@pytest.mark.parametrize("hands", [1, 3, 16])
def test_no_hand_does_two_steps_at_a_time(hands: int) -> None:
    done = play([film(), film("other", seed=2, begins=7.0)], hands=hands, room=3 * hands)
    moments = sorted([(s.began, 1) for s in done] + [(s.ended, -1) for s in done])
    busy = most = 0
    for _, change in moments:
        busy += change
        most = max(most, busy)
    assert most == hands
    assert min(step.began for step in done if step.film == "other") >= 7.0


def test_the_same_seed_is_the_same_film() -> None:
    one, two = (reel("a", uneven(800, seed=4), RECORDED, seed=4) for _ in range(2))
    assert one == two
    assert one != reel("a", uneven(800, seed=5), RECORDED, seed=4)


@given(st.integers(1, 9000), st.integers(0, 99))
def test_shots_add_up_to_the_film(frames: int, seed: int) -> None:
    found = uneven(frames, seed=seed)
    assert sum(found) == frames
    assert min(found) > 0


# -- what was recorded -----------------------------------------------------------------------------


def task(kind: str, cpu: float, chunk: int | None = None) -> Event:
    facts = {"event": "task", "kind": kind, "cpu": cpu, "node": "a"}
    return facts if chunk is None else {**facts, "chunk": chunk}


def test_steps_are_recorded_by_kind_and_frames() -> None:
    events = [
        task("analyse", 2.0),
        task("decode", 1.0, 0),
        *(task("paint", 0.5, 0) for _ in range(3)),
        task("fill", 2.0, 0),
        task("fetch", 0.25, 0),
        task("fill", 1.0, 0),
        task("fill", 9.0, 7),
        task("introduce", 5.0),
        {"event": "committed", "chunk": 0},
    ]
    assert recorded_of(events, {0: 72}) == {
        "analyse": [(0, 2.0)],
        "decode": [(72, 1.0)],
        "paint": [(72, 1.5)],
        "fill": [(72, 3.25)],
    }


def test_a_step_is_replayed_by_what_is_nearest_in_length() -> None:
    from random import Random

    known = Recorded({"fill": [(40, 4.0)] * 5 + [(100, 50.0)] * 5})
    assert known.seconds("fill", 50, Random(1)) == 5.0
    assert known.seconds("fill", 120, Random(1)) == 60.0
    with pytest.raises(BadRequest, match="'paint'"):
        known.seconds("paint", 50, Random(1))


def test_what_was_recorded_is_read_from_a_result_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "schedule.json"
    add_part(path, "films 1", {"recorded": {"about": "made up", "steps": RECORDED.steps}})
    assert load(path) == RECORDED
    add_part(tmp_path / "other.json", "films 1", {})
    with pytest.raises(BadRequest, match="holds no recorded steps"):
        load(tmp_path / "other.json")
    with pytest.raises(BadRequest, match=f"kinds {', '.join(KINDS)}"):
        load(tmp_path)


# -- fairness --------------------------------------------------------------------------------------


def test_shares_are_of_the_time_in_which_all_are_active() -> None:
    spans = [("a", 0.0, 10.0), ("b", 2.0, 4.0), ("b", 4.0, 7.0), ("c", 0.0, 99.0)]
    found = shared(spans, {"a": 1.0, "b": 1.0})
    assert (found.seconds, found.shares) == (5.0, {"a": 0.5, "b": 0.5})
    assert found.error == 0
    off = shared([("a", 0.0, 6.0), ("b", 0.0, 2.0), ("b", 4.0, 6.0)], {"a": 1.0, "b": 1.0})
    assert off.shares == {"a": 0.6, "b": 0.4}
    assert off.error == pytest.approx(0.2)
    with pytest.raises(ValueError, match="never active"):
        shared([("a", 0.0, 1.0), ("b", 2.0, 3.0)], {"a": 1.0, "b": 1.0})


@pytest.mark.parametrize("hands", [2, 16])
def test_films_get_what_their_weights_promise(hands: int) -> None:
    for one in simulated(RECORDED, seeds=[0], hands=hands, frames=6000):
        assert one.error <= 0.1
        assert one.shares["film2"] == pytest.approx(0.5, abs=0.05)


def test_an_urgent_film_begins_within_a_chunk_and_ends_nearly_as_if_alone() -> None:
    for one in urgent(RECORDED, seeds=[0, 1], hands=16, frames=6000):
        assert one.met
        assert one.ended < 1.5 * one.alone


def test_what_came_of_an_urgent_film_is_read_from_the_logs() -> None:
    def step(began: float, ended: float, **facts: object) -> Event:
        return {"event": "task", "kind": "fill", "node": "a", "chunk": 0, "began": began,
                "ended": ended, **facts}  # fmt: skip

    events: dict[str, list[Event]] = {
        "film": [step(0, 3), step(3, 9), {"event": "committed", "chunk": 0}],
        "other": [step(30, 31), {"event": "committed", "chunk": 0}],
        "late": [{"event": "begun", "time": 5.0}, step(5, 6, kind="introduce"), step(7.5, 9)],
    }
    found = begun_late(events, "late")
    assert (found.waited, found.chunk, found.others) == (2.5, 5.0, 1)
    assert found.met
    assert spans_of(events)[-1] == ("late", 7.5, 9.0)
    with pytest.raises(ChunkFailed, match="choose --after"):
        begun_late({"film": events["film"], "late": [{"event": "begun", "time": 10.0}, step(11, 12)]}, "late")  # fmt: skip  # noqa: E501


# -- the commands ----------------------------------------------------------------------------------


def test_the_commands_say_how_it_went_and_add_to_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    add_part(path, "films 9", {"recorded": {"about": "made up", "steps": RECORDED.steps}})
    words = [str(path), "--seeds", "1", "--hands", "4", "-o", str(path)]
    done = CliRunner().invoke(bench_app, ["schedule", *words, "--frames", "2000"])
    assert done.exit_code == 0, done.output
    assert "on 4: 0.9" in done.output
    done = CliRunner().invoke(bench_app, ["fair", *words, "--frames", "2000"])
    assert done.exit_code == 0, done.output
    stored = json.loads(path.read_text("utf-8"))["parts"]
    assert list(stored) == ["films 1", "films 9", "hands 4"]
    assert stored["hands 4"]["met"] is True
    assert stored["films 1"]["circumstances"]["commit"]
    refused = CliRunner().invoke(bench_app, ["fair"])
    assert isinstance(refused.exception, BadRequest)
    assert asdict(RECORDED)["about"] == "made up"
