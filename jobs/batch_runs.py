"""Batches of made films that are run in a process of their own, and what became of them.

A batch is run as a person runs it, but for the painter, which is the light one. What happened is
read from outside: from the logs in the work folders and from the films. *Exact* is a film with the
source's frames at the source's times, *equal* one whose samples are those of an undisturbed run.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self

import numpy as np

from jobs.bench_runs import samples_digest
from jobs.footage import Event, Footage, Place
from jobs.footprint import Tree, marked
from pipeline.errors import ChunkFailed
from pipeline.media.container import read_film

PROGRAM = (sys.executable, "-m", "jobs.light_batch")
_LOOK = 0.02
"""Seconds between two looks at a command."""
_BEAT = 1.0
"""Seconds between two looks at whether anything goes on."""
_APART = frozenset({"introduce", "join", "assemble"})


class Command:
    """A batch in a process of its own; it does not outlive a fault of ours."""

    def __init__(self, place: Place, *, program: Sequence[str] = PROGRAM) -> None:
        self._said = place.folder / "said.txt"
        self.began = time.monotonic()
        mark, environment = marked(os.environ)
        with self._said.open("ab") as words:
            self._process = subprocess.Popen(
                [*program, str(place.job)],
                env={**environment, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        self.tree = Tree(self._process.pid, mark=mark)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.code is None:
            self.kill()

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def gone(self, *, seconds: float) -> bool:
        """Wait until all that it had started has ended too; whether that came true in time."""
        end = time.monotonic() + seconds
        while self.tree.members():
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def finish_off(self) -> None:
        """End whoever is left of what it had started."""
        for pid in self.tree.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    @property
    def last_line(self) -> str:
        """The last thing it said."""
        lines = self._said.read_text("utf-8", errors="replace").strip().splitlines()
        own = [line for line in lines if line.startswith("reelbrush: ")] or lines
        return own[-1][:300] if own else "nothing was said"


@dataclass(frozen=True, slots=True)
class Ran:
    """A batch that has been run until it was done, or as often as it was tried."""

    wall: float
    """seconds"""
    commands: int
    """how often the same command was given"""
    hangs: int
    """how often nothing went on for too long, and it was killed"""
    ends: tuple[str, ...]
    """what the commands said that ended otherwise than well"""
    done: bool


def run(
    place: Place,
    *,
    limit: float,
    tries: int = 5,
    look: Callable[[Command], bool] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Ran:
    """Give the command until it ends well.

    Args:
        place: prepared.
        limit: seconds without anything going on after which it hangs, and is killed.
        tries: how often to give it.
        look: is called again and again while it runs; False ends the run as it is.
        program: the command.
    """
    began, hangs, ends = time.monotonic(), 0, list[str]()
    for number in range(1, tries + 1):
        with Command(place, program=program) as command:
            state, seen, next_beat = place.alive(), time.monotonic(), 0.0
            while command.code is None:
                now = time.monotonic()
                if look is not None and not look(command):
                    return Ran(now - began, number, hangs, tuple(ends), done=False)
                if now >= next_beat:
                    next_beat, current = now + _BEAT, place.alive()
                    seen = now if current != state else seen
                    state = current
                if now - seen > limit:
                    hangs += 1
                    command.kill()
                time.sleep(_LOOK)
        if command.code == 0:
            return Ran(time.monotonic() - began, number, hangs, tuple(ends), done=True)
        ends.append(f"{command.code}: {command.last_line}")
    return Ran(time.monotonic() - began, tries, hangs, tuple(ends), done=False)


@dataclass(frozen=True, slots=True)
class Calm:
    """A batch that nobody disturbed."""

    key: str
    wall: float
    samples: dict[str, str]
    """sha256 of what each film decodes to"""
    steps: dict[str, int]
    """finished, by kind"""
    chunks: int


def calm(
    footage: Footage, machines: Mapping[str, object], *, limit: float, name: str = "calm"
) -> Calm:
    """Run a batch undisturbed; what was found with the same films and sources is kept.

    Raises:
        ChunkFailed: If it does not end well.
    """
    file = footage.folder / f"{name}.json"
    if file.is_file():
        known = Calm(**json.loads(file.read_text("utf-8")))
        if known.key == footage.key:
            return known
    place = Place(footage.folder / name, footage).prepare(machines)
    ran = run(place, limit=limit, tries=1)
    if not ran.done:
        raise ChunkFailed(f"an undisturbed batch ended with {ran.ends or 'nothing going on'}")
    found = Calm(
        key=footage.key,
        wall=round(ran.wall, 2),
        samples={one: samples_digest(read_film(place.target(one))) for one in footage.names},
        steps=dict(steps(place.events())),
        chunks=len(place.committed()),
    )
    file.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    shutil.rmtree(place.folder)
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a batch's films."""

    exact: int
    """films with the source's frames at the source's times"""
    equal: int
    """films whose samples are the undisturbed run's"""
    lost: int
    """frames that are missing"""
    duplicated: int
    """chunks that were committed more than once"""
    steps_lost: dict[str, int]
    """steps that gave no answer, by class"""
    faults: tuple[str, ...] = ()
    """what was said of those that were held to be no machine's fault"""


def judge(place: Place, samples: Mapping[str, str]) -> Verdict:
    """Look at what became of a batch's films."""
    exact = equal = lost = duplicated = 0
    steps_lost: Counter[str] = Counter()
    faults: dict[str, None] = {}
    for name, events in place.events().items():
        source = read_film(place.footage.source(name))
        committed = [event["chunk"] for event in events if event["event"] == "committed"]
        duplicated += len(committed) - len(set(committed))
        steps_lost.update(str(event["class"]) for event in events if event["event"] == "lost")
        for event in events:
            if event["event"] == "lost" and event["class"] not in ("machine", "stuck"):
                faults[f"{event['class']}: {event.get('kind')}: {event.get('why')}"] = None
        if not place.target(name).is_file():
            lost += source.frames
            continue
        made = read_film(place.target(name))
        lost += max(0, source.frames - made.frames)
        if made.frames == source.frames:
            times = [film.pts.astype(float) * float(film.time_base) for film in (source, made)]
            exact += bool(np.abs(times[0] - times[1]).max() <= float(made.time_base))
        equal += samples_digest(made) == samples[name]
    return Verdict(exact, equal, lost, duplicated, dict(steps_lost), tuple(faults))


def steps(events: Mapping[str, Iterable[Event]]) -> Counter[str]:
    """Count the steps that ended well, by kind."""
    return Counter(
        str(event["kind"])
        for known in events.values()
        for event in known
        if event["event"] == "task" and event["kind"] not in _APART
    )
