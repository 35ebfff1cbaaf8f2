"""Who watches a batch: from the first standing on, and without ever stopping it."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.log import EVENTS, Log, read
from jobs.standing import FilmStanding, Standing
from jobs.standing_file import read_standing
from jobs.watchers import Guarded, Logged, watchers_of

STANDS = Standing(films=(FilmStanding(name="one", status="painting", frames=10, done=5.0),))


def test_one_that_fails_is_told_no_more_and_said_once() -> None:
    told: list[int] = []
    notes: list[str] = []

    def breaks(_: Standing) -> None:
        told.append(len(told))
        raise ValueError("no ink")

    watch = Guarded(breaks, "the table", notes.append)
    for _ in range(3):
        watch(STANDS)
    assert told == [0]
    assert notes == ["the table is kept no longer: ValueError: no ink"]


def test_a_batch_without_a_terminal_is_told_in_lines_and_in_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as stack:
        watchers, note = watchers_of("night.yaml", tmp_path, stack)
        assert capsys.readouterr().err == "", "nobody looks on before there is something to see"
        for watch in watchers:
            watch(STANDS)
        note("a machine has gone")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("1 painting; 5/10 frames, 0.0 frames/s; 0:00:00 so far")
    assert said[1:] == ["note: a machine has gone"]
    assert read_standing(tmp_path) == STANDS


def test_the_log_says_when_machines_come_and_go_and_the_end(tmp_path: Path) -> None:
    watch = Logged(Log(tmp_path))
    for nodes, gpus in ((0, 0), (2, 1), (2, 1), (1, 0)):
        watch(replace(STANDS, nodes=nodes, cores=2 * nodes, gpus=gpus))
    over = replace(STANDS, films=(FilmStanding(name="one", status="done"),), seconds=9.5)
    watch(over)
    watch(over)
    lines = [{k: v for k, v in line.items() if k != "time"} for line in read(tmp_path)]
    assert lines == [
        {"event": "machines", "nodes": 2, "cores": 4, "gpus": 1},
        {"event": "machines", "nodes": 1, "cores": 2, "gpus": 0},
        {"event": "machines", "nodes": 0, "cores": 0, "gpus": 0},
        {"event": "ended", "seconds": 9.5, "films": {"done": 1}},
    ]
    assert {str(line["event"]) for line in lines} <= EVENTS.keys()
