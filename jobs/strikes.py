"""A seed to who is killed when, and a cluster on this machine to whom that strikes.

Kills come as they please: the time between two of them is exponential. Whoever is struck is drawn
among those who live at that moment; processes of Ray give themselves titles, by which they are
known: ``ray::fill 3`` is a worker at a step, a stylizer is a worker with a GPU of its own.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol, cast, get_args

import psutil

from jobs.board import PAINTING, Kind

Who = Literal["worker", "actor", "node"]
WHO: tuple[Who, ...] = get_args(Who)
_STEPS = frozenset(get_args(Kind)) - PAINTING - {"introduce"}
_TITLE = re.compile(r"^ray::(?:.*\W)?([a-z]+)((?: \d+)*)$")
_ACTOR = re.compile(r"^ray::_?Stylizer\b")


@dataclass(frozen=True, slots=True)
class Strike:
    """A kill to come."""

    at: float
    """seconds since the beginning"""
    who: Who


@dataclass(frozen=True, slots=True)
class Struck:
    """A kill that came."""

    at: float
    """seconds since the beginning"""
    who: Who
    pid: int
    doing: tuple[str, ...]
    """the steps that died with it"""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of Ray that does, or can do, our steps."""

    pid: int
    step: str
    """as ``fill 3``; empty if it is idle"""
    paints: bool
    """whether it has a GPU of its own"""


class Nodes(Protocol):
    """A cluster whose nodes can be killed."""

    def pids(self) -> list[int]:
        """The raylets that live."""

    def fill_up(self) -> None:
        """Start what is missing."""


def draw(seed: int, *, seconds: float, mean: float, who: Sequence[Who] = WHO) -> list[Strike]:
    """Draw kills.

    Args:
        seed: the same one gives the same kills.
        seconds: within which they come.
        mean: seconds between two.
        who: of these, each as likely.
    """
    chance, at, found = Random(f"strikes {seed}"), 0.0, []
    while (at := at + chance.expovariate(1 / mean)) < seconds:
        found.append(Strike(round(at, 3), chance.choice(who)))
    return found


def read_title(title: str, pid: int) -> Worker | None:
    """Tell what a process of Ray is by its title; None if it does none of our steps.

    >>> read_title("ray::fill 3", 7)
    Worker(pid=7, step='fill 3', paints=False)
    >>> read_title("ray::_Stylizer", 7)
    Worker(pid=7, step='', paints=True)
    """
    if _ACTOR.match(title):
        return Worker(pid, "", paints=True)
    found = _TITLE.match(title)
    if found is None:
        return None
    kind, step = found[1], found[1] + found[2]
    if kind in PAINTING:
        return Worker(pid, step, paints=True)
    return Worker(pid, step, paints=False) if kind in _STEPS else None


def workers(raylet: int) -> list[Worker]:
    """A node's processes that do our steps."""
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(raylet).children():
            with suppress(psutil.Error):
                worker = read_title(" ".join(child.cmdline()).strip(), child.pid)
                if worker is not None:
                    found.append(worker)
    return found


def strike(nodes: Nodes, who: Who, chance: Random) -> tuple[int, tuple[str, ...]] | None:
    """Kill somebody; gives who it was and what was being done there, None if nobody is there.

    A node is struck only as long as another one lives.
    """
    raylets = sorted(nodes.pids())
    there = {pid: workers(pid) for pid in raylets}
    if who == "node":
        if len(raylets) < 2:
            return None
        victim = chance.choice(raylets)
        doing = tuple(one.step for one in there[victim] if one.step)
    else:
        fitting = [w for known in there.values() for w in known if w.paints == (who == "actor")]
        if not fitting:
            return None
        chosen = chance.choice(sorted(fitting, key=lambda one: one.pid))
        victim, doing = chosen.pid, (chosen.step,) if chosen.step else ()
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return victim, doing


class Killer:
    """Strikes when it is time, and has nodes come back some seconds after their death.

    It does so whenever it is asked to look, on the thread of whoever asks: Linux ends the processes
    of a node with the thread that began them.
    """

    def __init__(
        self,
        nodes: Nodes,
        strikes: Sequence[Strike],
        *,
        back: float,
        seed: int,
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin now.

        Args:
            nodes: the cluster.
            strikes: in order.
            back: seconds after which a dead node is replaced.
            seed: of whom it hits.
            patience: seconds that a strike waits for somebody to hit.
            clock: seconds.
        """
        self.struck: list[Struck] = []
        self.missed: list[Strike] = []
        self._nodes, self._waiting = nodes, list(strikes)
        self._back, self._patience, self._clock = back, patience, clock
        self._chance, self._began = Random(f"victims {seed}"), clock()
        self._returns: list[float] = []

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return self._clock() - self._began

    def look(self) -> None:
        """Do what it is time for."""
        now = self.seconds
        if self._returns and self._returns[0] <= now:
            self._returns.pop(0)
            self._nodes.fill_up()
        if not self._waiting or now < self._waiting[0].at:
            return
        hit = strike(self._nodes, self._waiting[0].who, self._chance)
        if hit is not None:
            one = self._waiting.pop(0)
            self.struck.append(Struck(round(now, 3), one.who, *hit))
            if one.who == "node":
                self._returns.append(now + self._back)
        elif now > self._waiting[0].at + self._patience:
            self.missed.append(self._waiting.pop(0))

    def end(self) -> None:
        """Strike no more; whoever is dead comes back."""
        self.missed += self._waiting
        self._waiting.clear()
        if self._returns:
            self._returns.clear()
            self._nodes.fill_up()

    def count(self) -> dict[str, int]:
        """How many of each kind were struck."""
        return {who: sum(one.who == who for one in self.struck) for who in WHO}


def steps_of(titles: Collection[str]) -> list[tuple[Kind, int]]:
    """Steps as (kind, chunk)."""
    return [
        (cast("Kind", kind), int(place))
        for kind, _, place in (one.partition(" ") for one in titles)
    ]
