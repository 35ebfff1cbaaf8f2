"""How soon work goes on after a death: from the kill to the beginning of the step that makes good.

One film after the other on three nodes. A worker is killed at a step, or a node on which there is
one; then the log is watched for the step that begins again: after a worker's death the same one,
after a node's the first of its chunk, for what lay on the node is gone. Of several chunks that a
node takes with it the last to begin again counts. Ray looks for the dead as cluster.yaml has it.
"""

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from random import Random
from statistics import median
from typing import Literal

from jobs.batch_runs import Command, run
from jobs.engine import Machines, prepare
from jobs.footage import Event, Footage, Place
from jobs.progress import Progressing
from jobs.raylets import AS_SHIPPED, Raylets
from jobs.soak import NODES
from jobs.strikes import Nodes, Worker, steps_of, workers

Victim = Literal["worker", "node"]
GOALS: dict[Victim, float] = {"worker": 2.0, "node": 8.0}
"""Seconds, for the median."""
_CHUNKS = frozenset({"decode", "harmonise", "fill", "fetch", "promote"})
_GIVEN_UP = 90.0
"""Seconds after which a step is held not to come again."""
_LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Recovered:
    """One death and what followed."""

    who: Victim
    doing: tuple[str, ...]
    """steps that died, as ``fill 3``"""
    killed: float
    """seconds since 1970"""
    seconds: float | None
    """until the last of them began again; None if it did not within a minute and a half"""


@dataclass(slots=True)
class _Hit:
    """A death of which it is not yet known how it is made good."""

    killed: float
    pid: int
    died: tuple[Worker, ...]


@dataclass(slots=True)
class _Watch:
    """Kills now and then, while films are painted."""

    who: Victim
    nodes: Nodes
    repeats: int
    chance: Random
    progress: Progressing
    found: list[Recovered] = field(default_factory=list)
    hit: _Hit | None = None
    next: float = 0.0
    """when to strike again, by the monotonic clock"""

    def look(self, place: Place) -> bool:
        """Do what it is time for; whether there is more to do."""
        if self.hit is None:
            self._strike()
        elif time.time() - self.hit.killed > 1:
            self._heard([event for known in place.events().values() for event in known])
        return len(self.found) < self.repeats

    def _strike(self) -> None:
        if time.monotonic() < self.next:
            return
        raylets = sorted(self.nodes.pids())
        there = {pid: [w for w in workers(pid) if _in_a_chunk(w)] for pid in raylets}
        if self.who == "node":
            fitting = [pid for pid, known in there.items() if known]
            if len(raylets) < NODES or not fitting:
                return
            pid = self.chance.choice(fitting)
            died = tuple(there[pid])
        else:
            busy = [one for known in there.values() for one in known]
            if not busy:
                return
            one = self.chance.choice(busy)
            pid, died = one.pid, (one,)
        os.kill(pid, signal.SIGKILL)
        self.hit = _Hit(time.time(), pid, died)

    def _heard(self, events: Sequence[Event]) -> None:
        if self.hit is None:
            return
        hit = self.hit
        seconds = again(events, killed=hit.killed, died=hit.died)
        waited = time.time() - hit.killed
        if seconds is None and waited < _GIVEN_UP:
            return
        if seconds is None or seconds > 0:
            doing = tuple(one.step for one in hit.died)
            self.found.append(Recovered(self.who, doing, round(hit.killed, 3), seconds))
            self.progress.advance(1)
        self.hit = None
        if self.who == "node":
            self.nodes.fill_up()
        self.next = time.monotonic() + self.chance.uniform(1.0, 4.0)


def recover(
    footage: Footage, *, who: Victim, repeats: int, seed: int, progress: Progressing
) -> list[Recovered]:
    """Kill so often, and measure how soon work goes on.

    Raises:
        FilmError: If films cannot be painted.
    """
    prepare(Machines())
    footage.make(progress)
    with Raylets(NODES, gpus=1, health=AS_SHIPPED) as nodes:
        progress.stage("deaths", repeats)
        watch = _Watch(who, nodes, repeats, Random(f"{who} {seed}"), progress)
        number = 0
        while len(watch.found) < repeats:
            place = Place(footage.folder / f"recover-{who}-{number % 2}", footage)
            place.prepare({"address": nodes.address})

            def look(_command: Command, place: Place = place) -> bool:
                return watch.look(place)

            run(place, limit=_LIMIT, look=look, tries=1)
            watch.hit, number = None, number + 1  # with the film, what was hit has ended
            nodes.fill_up()
    return watch.found


def again(events: Iterable[Event], *, killed: float, died: Iterable[Worker]) -> float | None:
    """Seconds from a death to when the last of the steps that died began again.

    Args:
        events: of the log.
        killed: when, in seconds since 1970.
        died: who, and what they were doing.

    Returns:
        None as long as one of them has not ended since; 0 if all of them had ended before.
    """
    tasks = [event for event in events if event["event"] == "task" and "chunk" in event]
    latest = 0.0
    for one in died:
        ((kind, chunk),) = steps_of([one.step])
        here = [event for event in tasks if event["chunk"] == chunk]
        if any(event["pid"] == one.pid and event["kind"] == kind for event in here):
            continue  # it had ended: its title was still there
        begun = [
            _number(event["began"]) - killed for event in here if event["kind"] in (kind, "decode")
        ]
        after = [seconds for seconds in begun if seconds > 0]
        if not after:
            return None
        latest = max(latest, min(after))
    return round(latest, 3)


def facts(found: Sequence[Recovered], *, who: Victim) -> dict[str, object]:
    """What is stored."""
    known = [one.seconds for one in found if one.seconds is not None]
    middle = median(known) if known else None
    never = len(found) - len(known)
    met = middle is not None and middle <= GOALS[who] and never == 0
    return {
        "median": middle,
        "longest": max(known, default=None),
        "count": len(found),
        "never": never,
        "goal": GOALS[who],
        "met": met,
        "deaths": [asdict(one) for one in found],
    }


def _in_a_chunk(worker: Worker) -> bool:
    return worker.step.partition(" ")[0] in _CHUNKS


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
