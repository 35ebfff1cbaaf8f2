"""The log: each line parses, says which film it is about, and what its event promises."""

import json
from pathlib import Path

import pytest

from films import cut, make_film
from jobs.costs import spent_by
from jobs.log import EVENTS, NAME, Log, place, read
from jobs.progress import Silent
from jobs.sidecar import read_sidecar
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.plan import Chunk, Part
from pipeline.recipe import Recipe

PROMISED = {
    "begun": {"backend"},
    "forecast": {"memory", "disk", "cpu_s"},
    "committed": {"chunk", "shots", "start", "stop"},
    "published": {"gpu_s", "cpu_s", "bytes"},
}


def test_a_film_s_log_holds_what_it_promises_and_its_sidecar_what_it_cost(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mkv", cut(70, at=50), codec="ffv1")
    target = tmp_path / "painted.mkv"
    recipe = Recipe(style="x", codec="ffv1")
    result = stylize(
        Job(source, target, recipe, keep_work=True), progress=Silent(), hire=lambda: Washes()
    )
    lines = [json.loads(line) for line in (tmp_path / "painted.mkv.work" / NAME).open()]
    assert [line["event"] for line in lines][:2] == ["begun", "forecast"]
    assert {line["event"] for line in lines} == set(PROMISED)
    for line in lines:
        assert line.keys() == {"time", "event", "film"} | PROMISED[line["event"]] | (
            {"workers"} if line["event"] == "begun" else set()
        )
        assert line["film"] == "film.mkv"
        assert line["event"] in EVENTS
    ranges = [(line["start"], line["stop"], line["shots"]) for line in lines if "start" in line]
    assert ranges == [(0, 50, [0, 0]), (50, 70, [1, 1])]
    said = read_sidecar(target)
    assert said is not None
    assert said.cost["cpu_s"] == pytest.approx(spent_by(result.seconds).cpu_s, abs=0.001)
    assert said.cost["cpu_s"] > 0
    assert said.cost["gpu_s"] == 0
    assert lines[-1]["bytes"] == sum(
        path.stat().st_size for path in (tmp_path / "painted.mkv.work" / "segments").iterdir()
    )


def test_a_batch_s_log_has_all_films_but_not_their_steps(tmp_path: Path) -> None:
    whole = Log(tmp_path)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        own = Log(tmp_path / name, film=name, whole=whole)
        own.say("task", kind="decode", chunk=3, node="abc", attempt=1)
        own.say("lost", kind="fill", chunk=3, attempt=2, why="gone")
    whole.say("node", node="abc", change="gone")
    assert [line["event"] for line in read(tmp_path / "one")] == ["task", "lost"]
    assert [line.get("film") for line in read(tmp_path)] == ["one", "two", None]


def test_what_does_not_apply_is_left_out_and_a_chunk_says_its_shots(tmp_path: Path) -> None:
    parts = tuple(
        Part(shot=i, start=i, stop=i + 1, keys=(i,), opens=True, closes=True, setup=0)
        for i in (4, 5, 6)
    )
    chunk = Chunk(index=2, parts=parts)
    assert place(chunk) == {"chunk": 2, "shots": [4, 6]}
    assert place(None) == {}
    Log(tmp_path).say("lost", chunk=None, why="x\ny")
    assert read(tmp_path)[0].keys() == {"time", "event", "why"}


def test_a_line_in_which_somebody_died_spoils_no_other(tmp_path: Path) -> None:
    Log(tmp_path).say("begun")
    with (tmp_path / NAME).open("a") as file:
        file.write('{"time": 1, "eve')
    Log(tmp_path).say("ended")
    assert [line["event"] for line in read(tmp_path)] == ["begun", "ended"]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    Log(tmp_path / "gone").say("begun")
    assert read(tmp_path / "gone") == []
