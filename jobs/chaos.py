"""Films and seeds to what kills cost: workers, stylizers, nodes, the command itself, in mid-chunk.

Victim and moment are drawn from the seed: a moment is so many finished steps. A film is *exact* if
it has the source's frames at the source's times, *equal* if all its samples are the plain loop's.
The painter is the real one, on the CPU also where Ray believes in GPUs.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from jobs.bench_runs import excerpt, read_log, receipts, samples_digest
from jobs.engine import Machines, prepare
from jobs.progress import Progressing, Silent
from jobs.raylets import Raylets, hire_cpu
from jobs.stylize import Job, stylize
from pipeline.errors import ChunkFailed
from pipeline.media.container import Film, read_film
from pipeline.recipe import Recipe

_COMMAND = (sys.executable, "-m", "jobs.cli", "stylize")
_STEPS = 4
"""At least so many of each chunk: decode, paint, harmonise, fill."""
_NEVER = sys.maxsize
"""Finished steps before a kill that does not come."""


@dataclass(frozen=True, slots=True)
class Killed:
    """One run in which somebody was killed."""

    film: str
    who: str
    seed: int
    after: int
    """finished steps before the kill"""
    struck: int
    """processes killed: 0 if none was found in time"""
    exact: bool
    equal: bool
    twice: int
    """chunks that were committed more than once"""
    lost: int
    """steps that gave no answer"""
    wall: float
    """seconds of all that it took, the second command too"""
    calm: float
    """seconds of a run in which nobody was killed"""


@dataclass(frozen=True, slots=True)
class _Case:
    """One film, where to paint it, and what it has to be."""

    name: str
    film: Film
    place: Path
    style: str
    samples: str
    chunks: int

    @property
    def target(self) -> Path:
        return self.place / "painted.mkv"

    @property
    def work(self) -> Path:
        return self.place / "painted.mkv.work"

    def job(self, machines: Machines | None) -> Job:
        """The job, on Ray if machines are given."""
        return Job(
            self.film.path,
            self.target,
            Recipe(style=self.style, codec="ffv1"),
            overwrite=True,
            keep_work=True,
            backend="inline" if machines is None else "ray",
            machines=machines or Machines(),
        )

    def steps(self) -> list[Mapping[str, object]]:
        """Steps that workers have finished."""
        return [e for e in read_log(self.work) if e["event"] == "task" and e["node"] != "driver"]


_Run = Callable[[_Case, random.Random, int], tuple[int, float]]
"""A case, chance, and after how many steps: who was struck, and the seconds of it all."""


def kills(
    sources: Sequence[Path], *, seeds: int, seconds: float, style: str, progress: Progressing
) -> list[Killed]:
    """Paint each film's beginning again and again, with somebody killed each time.

    Raises:
        FilmError: If a film is refused, or a run fails that should not have.
    """
    prepare(Machines())
    found: list[Killed] = []
    progress.stage("runs", 4 * seeds * len(sources))
    with tempfile.TemporaryDirectory() as folder:
        cases = [_case(source, Path(folder), i, seconds, style) for i, source in enumerate(sources)]

        def each(who: str, run: _Run, calm: Mapping[str, float]) -> None:
            for case in cases:
                for seed in range(seeds):
                    chance = random.Random(f"{who} {seed}")
                    after = chance.randrange(_STEPS // 2, _STEPS * case.chunks)
                    _clear(case)
                    struck, wall = run(case, chance, after)
                    spent = calm[case.name]
                    found.append(_judged(case, who, seed, after, struck, wall, spent))
                    progress.advance(1)

        calm = _calm(cases, _worker)
        each("worker", _worker, calm)
        each("command", _command, calm)
        with Raylets(2, gpus=1) as nodes:
            stylizer, node = partial(_stylizer, nodes=nodes), partial(_node, nodes=nodes)
            calm = _calm(cases, stylizer)
            each("stylizer", stylizer, calm)
            each("node", node, calm)
    return found


def as_json(found: Sequence[Killed]) -> dict[str, object]:
    """What was found as it is stored."""
    return {"well": well(found), "runs": [asdict(one) for one in found]}


def well(found: Sequence[Killed]) -> bool:
    """Whether no kill cost a pixel, a frame or a committed chunk."""
    return all(one.exact and one.equal and one.twice == 0 for one in found)


def _case(source: Path, folder: Path, number: int, seconds: float, style: str) -> _Case:
    place = folder / str(number)
    place.mkdir()
    film = excerpt(read_film(source), place / "film", seconds=seconds)
    plain = _Case(source.name, film, place, style, "", 0)
    job = plain.job(None)
    stylize(job, progress=Silent(), hire=hire_cpu(film, job.recipe))
    made = receipts(plain.work)
    return _Case(
        source.name, film, place, style, samples_digest(read_film(plain.target)), len(made)
    )


def _calm(cases: Sequence[_Case], run: _Run) -> dict[str, float]:
    """Seconds that each film takes if nobody is killed."""
    found = {}
    for case in cases:
        _clear(case)
        found[case.name] = run(case, random.Random(0), _NEVER)[1]
    return found


def _clear(case: _Case) -> None:
    shutil.rmtree(case.work, ignore_errors=True)
    case.target.unlink(missing_ok=True)


def _judged(
    case: _Case, who: str, seed: int, after: int, struck: int, wall: float, calm: float
) -> Killed:
    made, source = read_film(case.target), case.film
    log = read_log(case.work)
    committed = [e["chunk"] for e in log if e["event"] == "committed"]
    times = [film.pts.astype(float) * float(film.time_base) for film in (source, made)]
    return Killed(
        film=case.name,
        who=who,
        seed=seed,
        after=after,
        struck=struck,
        exact=made.frames == source.frames
        and bool(np.abs(times[0] - times[1]).max() <= float(made.time_base)),
        equal=samples_digest(made) == case.samples,
        twice=len(committed) - len(set(committed)),
        lost=sum(e["event"] == "lost" for e in log),
        wall=round(wall, 2),
        calm=round(calm, 2),
    )


def _worker(case: _Case, chance: random.Random, after: int) -> tuple[int, float]:
    """Kill a worker of the command's own Ray."""
    began = time.perf_counter()
    with _started(case) as command:
        struck = _strike(case, after, lambda: _kill(chance, {e["pid"] for e in case.steps()}))
        _ended(command)
    return struck, time.perf_counter() - began


def _command(case: _Case, chance: random.Random, after: int) -> tuple[int, float]:
    """Kill the command, and give it again."""
    began = time.perf_counter()
    with _started(case) as command:
        struck = _strike(case, after, lambda: _kill(chance, {command.pid}))
        command.wait()
    with _started(case) as command:
        _ended(command)
    return struck, time.perf_counter() - began


def _stylizer(case: _Case, chance: random.Random, after: int, nodes: Raylets) -> tuple[int, float]:
    """Kill a stylizer, which is an actor on a GPU."""

    def strike() -> int:
        painting = ("introduce", "measure", "paint", "repaint")
        return _kill(chance, {e["pid"] for e in case.steps() if e["kind"] in painting})

    return _on(case, after, nodes, strike)


def _node(case: _Case, chance: random.Random, after: int, nodes: Raylets) -> tuple[int, float]:
    """Kill a node: its raylet, with which its workers and its object store go."""
    struck = _on(case, after, nodes, lambda: _kill(chance, set(nodes.strangers())))
    nodes.fill_up()
    return struck


def _on(case: _Case, after: int, nodes: Raylets, strike: Callable[[], int]) -> tuple[int, float]:
    """Paint on a cluster, in this process, with a killer beside it."""
    struck: list[int] = []
    killer = threading.Thread(
        target=lambda: struck.append(_strike(case, after, strike)), daemon=True
    )
    began = time.perf_counter()
    killer.start()
    job = case.job(Machines(address=nodes.address))
    stylize(job, progress=Silent(), hire=hire_cpu(case.film, job.recipe))
    wall = time.perf_counter() - began
    killer.join()
    return struck[0], wall


def _strike(case: _Case, after: int, strike: Callable[[], int]) -> int:
    """Wait until so many steps are done, then strike, unless the film is there before."""
    while len(case.steps()) < after:
        if case.target.exists():
            return 0
        time.sleep(0.05)
    return strike()


def _kill(chance: random.Random, pids: set[object]) -> int:
    alive = sorted(pid for pid in pids if isinstance(pid, int) and psutil.pid_exists(pid))
    if not alive:
        return 0
    os.kill(chance.choice(alive), signal.SIGKILL)
    return 1


def _started(case: _Case) -> "subprocess.Popen[bytes]":
    words = ["--style", case.style, "--codec", "ffv1", "--keep-work", "--overwrite"]
    ray = ["--backend", "ray", "--workers", "2", "--gpus", "0"]
    return subprocess.Popen(
        [*_COMMAND, str(case.film.path), "-o", str(case.target), *words, *ray],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ended(command: "subprocess.Popen[bytes]") -> None:
    if command.wait() != 0:
        raise ChunkFailed(f"the command ended with {command.returncode} though only a part was hit")
