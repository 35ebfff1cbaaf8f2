"""Benchmarks of batches: kills are drawn, the dead are known by their titles, doubles counted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import engine, raylets, strikes
from jobs.batch_runs import Command, Ran, Verdict, judge, run, steps
from jobs.footage import Event, Footage, Place
from jobs.jobfile_read import read_job_file
from jobs.light import HireLight
from jobs.made_films import cuts, make_film
from jobs.parts import add_part, read_parts
from jobs.progress import Silent
from jobs.recover import again, facts
from jobs.resume import under_way
from jobs.scan import planned, scan
from jobs.soak import Batch, Plan, Soaked, well
from jobs.strikes import Killer, Strike, Worker, draw, read_title, strike
from jobs.stylize import Job, stylize
from pipeline.errors import BadRequest
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe

TINY = (64, 36)

# -- films and their painter -----------------------------------------------------------------------


def test_a_made_film_is_the_same_each_time_and_moves(tmp_path: Path) -> None:
    one, two = (make_film(tmp_path / f"{n}.mp4", 60, size=TINY, seed=3) for n in "ab")
    assert one.read_bytes() == two.read_bytes()
    film = read_film(one)
    assert (film.frames, film.size) == (60, TINY)
    lumas = [frame.planes.luma.astype(int) for frame in frames(film, 0, 60)]
    assert all(np.abs(a - b).mean() > 0.1 for a, b in pairwise(lumas))
    other = make_film(tmp_path / "c.mp4", 60, size=TINY, seed=4)
    assert other.read_bytes() != one.read_bytes()
    before = one.stat().st_mtime_ns
    make_film(one, 99)
    assert one.stat().st_mtime_ns == before, "a film that is there is left"


def test_a_job_file_finds_its_films_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    footage = Footage(Path("made"), count=1, frames=60, size=TINY)
    footage.make(Silent())
    place = Place(Path("made/batch"), footage).prepare({})
    assert read_job_file(place.job).orders[0].source.is_file()


@given(st.integers(20, 5000), st.integers(0, 99))
def test_shots_are_never_too_short_or_too_long(count: int, seed: int) -> None:
    found = [*cuts(count, seed=seed), count]
    lengths = np.diff(found)
    assert found[0] == 0
    assert lengths.min() >= 20
    assert lengths.max() < 300 + 2 * 20 + 300


def test_the_light_painter_paints_a_film_and_its_tiles_fit(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mp4", 30, size=TINY)
    target = tmp_path / "painted.mkv"
    recipe = Recipe(style="none", codec="ffv1")
    result = stylize(Job(source, target, recipe), progress=Silent(), hire=HireLight())
    assert result.verified.ok
    pictures = (next(iter(frames(read_film(p), 0, 1))).planes.luma for p in (source, target))
    before, after = (picture.astype(int) for picture in pictures)
    assert np.abs(before - after).mean() > 5


# -- kills -----------------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_kills_are_drawn_in_order_and_the_same_each_time(seed: int) -> None:
    found = draw(seed, seconds=300, mean=20)
    assert found == draw(seed, seconds=300, mean=20)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert all(0 <= one.at < 300 for one in found)


def test_kills_come_as_often_and_hit_as_evenly_as_was_asked() -> None:
    found = draw(1, seconds=100_000, mean=20)
    assert len(found) == pytest.approx(5000, rel=0.05)
    shares = [sum(one.who == who for one in found) / len(found) for who in strikes.WHO]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)
    gaps = np.diff([one.at for one in found])
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.1), "exponential"


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("ray::decode 12", Worker(7, "decode 12", paints=False)),
        ("ray::reel1: fill 3", Worker(7, "fill 3", paints=False)),
        ("ray::paint 0", Worker(7, "paint 0", paints=True)),
        ("ray::paint 3 5", Worker(7, "paint 3 5", paints=True)),
        ("ray::assemble", Worker(7, "assemble", paints=False)),
        ("ray::introduce", None),
        ("ray::_Stylizer", Worker(7, "", paints=True)),
        ("ray::IDLE", None),
        ("ray::DashboardAgent", None),
        ("ray::other 3", None),
        ("python decode 3", None),
    ],
)
def test_who_does_a_step_is_told_by_the_title(title: str, found: Worker | None) -> None:
    assert read_title(title, 7) == found


class Town:
    """Processes that can be killed: so many nodes, each with a worker and a stylizer."""

    def __init__(self, count: int) -> None:
        self.processes = [self._start() for _ in range(count)]
        self.back = 0

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    def pids(self) -> list[int]:
        """Those that live."""
        return [one.pid for one in self.processes if one.poll() is None]

    def fill_up(self) -> None:
        """Start one."""
        self.back += 1
        self.processes.append(self._start())


@contextmanager
def town(count: int) -> Iterator[Town]:
    """A cluster of plain processes."""
    found = Town(count)
    try:
        yield found
    finally:
        for one in found.processes:
            one.kill()
            one.wait()


def test_a_node_is_killed_as_long_as_another_one_lives() -> None:
    with town(2) as nodes:
        hit = strike(nodes, "node", Random(1))
        assert hit is not None
        victim = next(one for one in nodes.processes if one.pid == hit[0])
        assert victim.wait(10) == -signal.SIGKILL
        assert strike(nodes, "node", Random(1)) is None
        assert strike(nodes, "worker", Random(1)) is None, "nobody is there"


def test_kills_come_when_it_is_time_and_nodes_come_back() -> None:
    now = [100.0]
    plan = [Strike(5.0, "node"), Strike(6.0, "worker"), Strike(50.0, "node")]
    with town(2) as nodes:
        killer = Killer(nodes, plan, back=3, seed=1, patience=4, clock=lambda: now[0])
        told = []
        for second in (4, 5, 6, 9, 11, 20):
            now[0] = 100.0 + second
            killer.look()
            end = time.monotonic() + 10
            while len(killer.struck) and len(nodes.pids()) > 1 + nodes.back:
                assert time.monotonic() < end
            told.append((len(killer.struck), nodes.back, len(killer.missed)))
        assert told == [(0, 0, 0), (1, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 1, 1)]
        killer.end()
    assert [one.at for one in killer.missed] == [6.0, 50.0]
    assert killer.count() == {"worker": 0, "actor": 0, "node": 1}
    assert killer.struck[0].at == 5.0


def test_the_dead_are_looked_for_as_in_the_product() -> None:
    assert raylets.AS_SHIPPED == engine._SYSTEM
    told = (Path(__file__).parent.parent / "cluster.yaml").read_text("utf-8")
    assert all(f"RAY_{name}={value}" in told for name, value in raylets.AS_SHIPPED.items())


# -- batches ---------------------------------------------------------------------------------------

PAINTS = """
import json, pathlib, shutil, sys
job = json.loads(pathlib.Path(sys.argv[1]).read_text())
folder = pathlib.Path(sys.argv[1]).parent
tries = folder / "tries"
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
if len(tries.read_text()) < 2:
    print("reelbrush: a machine was lost")
    sys.exit(6)
for film in job["films"]:
    target = folder / film["output"]
    shutil.copy(film["source"], target)
    work = folder / (film["output"] + ".work")
    work.mkdir()
    lines = [dict(event="task", kind="fill", chunk=0), dict(event="committed", chunk=0),
             {"event": "lost", "class": "machine"},
             {"event": "lost", "class": "bug", "kind": "fill", "why": "spilt"},
             dict(event="committed", chunk=0)]
    (work / "log.jsonl").write_text("".join(json.dumps(line) + "\\n" for line in lines))
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A batch of two films."""
    settings = {"film1": {"priority": 2}}
    footage = Footage(tmp_path / "films", count=2, frames=50, size=TINY, settings=settings)
    footage.make(Silent())
    return Place(tmp_path / "batch", footage).prepare({"workers": 1, "gpus": 0})


def program(place: Place, code: str) -> list[str]:
    """A command that does as it is told."""
    path = place.folder / "program.py"
    path.write_text(code)
    return [sys.executable, str(path)]


def test_a_batch_has_a_job_file_that_is_one(place: Place) -> None:
    batch = read_job_file(place.job)
    assert [order.name for order in batch.orders] == ["film0", "film1"]
    assert [order.priority for order in batch.orders] == [1, 2]
    assert [order.target for order in batch.orders] == [place.target(n) for n in ("film0", "film1")]
    assert batch.machines == engine.Machines(workers=1, gpus=0)


def test_a_command_that_fails_is_given_again_and_its_films_are_judged(place: Place) -> None:
    ran = run(place, limit=30, program=program(place, PAINTS))
    assert (ran.done, ran.commands, ran.hangs) == (True, 2, 0)
    assert ran.ends == ("6: reelbrush: a machine was lost",)
    found = judge(place, {"film0": "other", "film1": "other"})
    assert found == Verdict(
        exact=2,
        equal=0,
        lost=0,
        duplicated=2,
        steps_lost={"machine": 2, "bug": 2},
        faults=("bug: fill: spilt",),
    )
    assert steps(place.events()) == {"fill": 2}
    place.target("film1").unlink()
    assert judge(place, {"film0": "", "film1": ""}).lost == 50


def test_a_command_that_does_nothing_hangs_and_is_killed(place: Place) -> None:
    code = "import time; time.sleep(60)"
    ran = run(place, limit=1.5, tries=1, program=program(place, code))
    assert (ran.done, ran.hangs) == (False, 1)
    assert ran.ends[0].startswith("-9: ")


def test_a_look_can_end_a_run(place: Place) -> None:
    code = "import time; time.sleep(60)"
    pids: list[int] = []

    def look(command: Command) -> bool:
        pids.append(command.pid)
        return False

    ran = run(place, limit=60, look=look, program=program(place, code))
    assert (ran.done, ran.ends) == (False, ())
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def soaked(verdict: Verdict, ran: Ran) -> Soaked:
    batch = Batch(ran, verdict)
    kills = {"worker": 1, "actor": 0, "node": 2}
    return Soaked(1, Plan(), 3, 50, 7, kills, [], 0, (batch,), 9.0)


@pytest.mark.parametrize(
    ("verdict", "ran", "fine"),
    [
        (Verdict(3, 3, 0, 0, {"machine": 5}), Ran(1.0, 1, 0, (), done=True), True),
        (Verdict(3, 3, 0, 0, {}), Ran(1.0, 2, 0, ("6: gone",), done=True), False),
        (Verdict(2, 3, 0, 0, {}), Ran(1.0, 1, 0, (), done=True), False),
        (Verdict(3, 2, 0, 0, {}), Ran(1.0, 1, 0, (), done=True), False),
        (Verdict(3, 3, 0, 1, {}), Ran(1.0, 1, 0, (), done=True), False),
        (Verdict(3, 3, 0, 0, {}), Ran(1.0, 1, 1, (), done=True), False),
        (Verdict(3, 3, 0, 0, {}), Ran(1.0, 5, 0, (), done=False), False),
    ],
)
def test_a_soak_is_well_if_nothing_is_lost_doubled_or_hung(
    verdict: Verdict, ran: Ran, fine: bool
) -> None:
    found = soaked(verdict, ran)
    assert well(found) is fine
    stored = json.loads(json.dumps(found.facts()))
    assert stored["well"] is fine
    assert stored["kills"]["node"] == 2
    assert stored["films_painted"] == 3


# -- deaths ----------------------------------------------------------------------------------------


def task(kind: str, chunk: int | None, pid: int, began: float) -> Event:
    facts = {"event": "task", "kind": kind, "pid": pid, "began": began, "ended": began + 1}
    return facts if chunk is None else {**facts, "chunk": chunk}


def test_a_step_is_made_good_when_it_begins_again() -> None:
    died = [Worker(7, "fill 3", paints=False)]
    before = [task("fill", 2, 8, 99.0), task("decode", 3, 7, 90.0), task("analyse", None, 8, 101.0)]
    assert again(before, killed=100.0, died=died) is None
    assert again([*before, task("fill", 3, 9, 101.5)], killed=100.0, died=died) == 1.5
    first = [task("fill", 3, 9, 107.0), task("decode", 3, 9, 104.0)]
    assert again([*before, *first], killed=100.0, died=died) == 4.0


def test_the_last_step_that_begins_again_counts_and_who_had_ended_does_not() -> None:
    died = [Worker(7, "fill 3", paints=False), Worker(8, "decode 5", paints=False)]
    events = [task("fill", 3, 9, 102.0)]
    assert again(events, killed=100.0, died=died) is None
    assert again([*events, task("decode", 5, 9, 106.0)], killed=100.0, died=died) == 6.0
    ended = [task("fill", 3, 7, 99.0), task("decode", 5, 8, 99.5)]
    assert again(ended, killed=100.0, died=died) == 0


def test_a_median_that_is_late_or_a_step_that_never_comes_again_misses_the_goal() -> None:
    from jobs.recover import Recovered

    def found(*seconds: float | None) -> list[Recovered]:
        return [Recovered("worker", ("fill 1",), 0.0, one) for one in seconds]

    assert facts(found(1.0, 1.5, 9.0), who="worker")["met"] is True
    assert facts(found(1.0, 2.5, 2.5), who="worker")["met"] is False
    assert facts(found(1.0, 1.0, None), who="worker")["met"] is False
    assert facts(found(7.0), who="node")["met"] is True


def test_what_was_in_flight_is_what_had_ended_of_chunks_that_were_not_committed() -> None:
    events = {
        "a": [
            task("analyse", None, 1, 0),
            task("sample", None, 1, 0),
            task("measure", None, 1, 0),
            task("sample", None, 1, 0),
            *(task(kind, 0, 1, 0) for kind in ("decode", "paint", "fill")),
            *(task(kind, 1, 1, 0) for kind in ("decode", "paint")),
        ],
        "b": [task("decode", 0, 1, 0)],
    }
    assert under_way(events, committed={"a": {0}, "b": set()}) == (2, 4)


# -- receipts --------------------------------------------------------------------------------------


@given(st.integers(2, 40))
def test_a_made_plan_is_one(count: int) -> None:
    plan = planned(count)
    assert [chunk.index for chunk in plan.chunks] == list(range(count))
    ends = [0, *(chunk.stop for chunk in plan.chunks)]
    assert [chunk.start for chunk in plan.chunks] == ends[:-1]
    assert plan.shots[-1].stop == ends[-1]


def test_receipts_are_scanned_as_a_command_that_goes_on_does(tmp_path: Path) -> None:
    found = scan(tmp_path / "scan", receipts=5, size=1000, repeats=1, progress=Silent())
    assert (found.receipts, found.warm.count, found.cold.count) == (5, 1, 1)
    assert 0 < found.identities < found.warm.median + found.cold.median
    assert list((tmp_path / "scan").iterdir()) == []


# -- what is stored --------------------------------------------------------------------------------


def test_parts_are_added_and_replaced_and_say_when_they_were_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "it.json"
    for name, value in (("seed 10", 1), ("seed 9", 2), ("seed 10", 3)):
        add_part(path, name, {"value": value})
    found = read_parts(path)
    assert {name: part["value"] for name, part in found.items()} == {"seed 9": 2, "seed 10": 3}
    assert list(found) == ["seed 9", "seed 10"]
    assert all(part["circumstances"]["commit"] for part in found.values())
    path.write_text("{}")
    with pytest.raises(BadRequest, match="no result of parts"):
        read_parts(path)
