"""Steps on their way: to free cores and to stylizers, and what is heard of them.

A stylizer that dies is replaced; a step that takes far longer than its kind has ever taken is given
up, its process killed. Which step is next, and what a failure means, is decided elsewhere.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import ray

from actors import remote
from actors.remote import Answer, Errand, Stylist
from jobs.board import Board, Kind, Task
from jobs.engine import Engine
from jobs.errands import Errands, Sent
from jobs.failures import Failure, Tries, read
from jobs.patience import Patience
from pipeline.errors import ClusterFailed

_REFRESH = 2.0
"""Seconds after which to look again how many cores and GPUs there are."""
_WITHOUT_GPU = 60.0
_IN_FLIGHT = 2
"""Calls that a stylizer has at a time: one to work on, one to fetch for."""


@dataclass(slots=True)
class _Out:
    """A step that somebody works on."""

    sent: Sent
    stylist: int | None
    since: float


class Crowd:
    """Everybody who works for one job."""

    def __init__(self, engine: Engine, board: Board, *, patience: Patience) -> None:
        self._engine, self._board, self._patience = engine, board, patience
        self._out: dict[remote.Ref, _Out] = {}
        self._stylists: dict[int, Stylist] = {}
        self._hired, self._manned = 0, time.monotonic()
        self._longest: dict[Kind, float] = defaultdict(float)
        self._cores, self._looked = 0, 0.0
        self._fewer = 0
        self.hire()

    def hire(self) -> list[Stylist]:
        """Have a stylizer for each GPU that there is; gives them.

        Raises:
            ClusterFailed: If there were GPUs, and the last of them has been gone for a minute.
        """
        if not self._board.gpus:
            return []
        for _ in range(self._engine.gpus() - len(self._stylists)):
            self._stylists[self._hired] = remote.stylizer()
            self._hired += 1
        now = time.monotonic()
        self._manned = now if self._stylists else self._manned
        if now - self._manned > _WITHOUT_GPU:
            raise ClusterFailed("no GPU is left; the same command goes on when there is one")
        return list(self._stylists.values())

    @property
    def cores(self) -> int:
        """Cores that steps may use."""
        now = time.monotonic()
        if now - self._looked > _REFRESH:
            self._cores, self._looked = self._engine.cores(), now
            self.hire()
        return max(1, self._cores - self._fewer) if self._cores else 0

    def send(self, errands: Errands, tries: Tries) -> None:
        """Hand out as much as there are hands free."""
        busy = sum(out.stylist is None for out in self._out.values())
        painters = sum(_IN_FLIGHT - self._calls(number) for number in self._stylists)
        for task in self._board.take(cores=self.cores - busy, painters=painters):
            number = self._least_busy() if self._board.paints(task) else None
            stylist = None if number is None else self._stylists[number]
            node = self._elsewhere(task, tries.number(task))
            sent = errands.send(task, stylist=stylist, node=node)
            self._out[sent.errand.answer] = _Out(sent, number, time.monotonic())

    def hear(self, seconds: float) -> Iterator[tuple[Sent, Answer | Failure]]:
        """Wait so long at most, and give what has come back."""
        if not self._out:
            time.sleep(min(seconds, 0.05))
            return
        refs = list(self._out)
        ready, _ = ray.wait(refs, num_returns=1, timeout=seconds, fetch_local=False)
        if ready:
            ready, _ = ray.wait(refs, num_returns=len(refs), timeout=0, fetch_local=False)
        for ref in ready:
            out = self._out.pop(ref)
            self._board.running.discard(out.sent.task)
            try:
                answer = ray.get(ref)
            except ray.exceptions.RayError as error:
                failure = read(error)
                self._blame(out, failure)
                yield out.sent, failure
            else:
                kind = out.sent.task.kind
                self._longest[kind] = max(self._longest[kind], time.monotonic() - out.since)
                yield out.sent, answer

    def stuck(self) -> list[tuple[Sent, Failure]]:
        """Give up what takes too long; gives what it was."""
        now, given_up = time.monotonic(), []
        for ref, out in list(self._out.items()):
            most = self._allowed(out.sent.task.kind)
            if now - out.since <= most or out.sent.task not in self._board.running:
                continue
            del self._out[ref]
            self._board.running.discard(out.sent.task)
            self._kill(out, ref)
            error = TimeoutError(f"no answer for {most:.0f} s")
            given_up.append((out.sent, Failure("stuck", error, lost=False)))
        return given_up

    def dismiss(self) -> None:
        """Give up what is on its way and send the stylizers home: Ray may stay for others."""
        for ref, out in self._out.items():
            if out.stylist is None:
                with contextlib.suppress(ray.exceptions.RayError, ValueError):
                    ray.cancel(ref, force=True)
        for stylist in self._stylists.values():
            with contextlib.suppress(ray.exceptions.RayError, ValueError):
                ray.kill(stylist)
        self._out.clear()
        self._stylists.clear()

    def _allowed(self, kind: Kind) -> float:
        longest = self._longest.get(kind)
        if longest is None:
            return self._patience.first
        return max(self._patience.least, self._patience.times * longest)

    def _kill(self, out: _Out, ref: remote.Ref) -> None:
        with contextlib.suppress(ray.exceptions.RayError, ValueError):
            if out.stylist is None:
                ray.cancel(ref, force=True)
            else:
                ray.kill(self._stylists[out.stylist])
                self._replace(out.stylist)

    def _blame(self, out: _Out, failure: Failure) -> None:
        """Draw conclusions about who worked on it."""
        if isinstance(failure.error, ray.exceptions.OutOfMemoryError):
            self._fewer += 1  # fewer at a time, then
        dead = isinstance(failure.error, ray.exceptions.RayActorError)
        if dead and not isinstance(failure.error, ray.exceptions.ActorUnavailableError):
            self._replace(out.stylist)

    def _replace(self, number: int | None) -> None:
        if number is not None and self._stylists.pop(number, None) is not None:
            self.hire()

    def _calls(self, number: int) -> int:
        return sum(out.stylist == number for out in self._out.values())

    def _least_busy(self) -> int:
        return min(self._stylists, key=self._calls)

    def _elsewhere(self, task: Task, number: int) -> str | None:
        """Choose another machine for another try, where there is one."""
        if number == 1 or self._engine.local:
            return None
        nodes = self._engine.nodes()
        return nodes[(task.place + number) % len(nodes)] if len(nodes) > 1 else None


def introduce(engine: Engine, crowd: Crowd, step: remote.Step, *args: object) -> list[Errand]:
    """Ask for a word: each stylizer, or each machine of a cluster, or each worker here.

    A worker that loaded its net later, when it first paints, was seen to hold up the first segment.
    """
    if stylists := crowd.hire():
        return [remote.ask(one, step, *args, name="introduce") for one in stylists]
    if engine.local:
        return [remote.errand(step, *args, name="introduce") for _ in range(crowd.cores)]
    return [
        remote.errand(step, *args, name="introduce", node=node, hard=True)
        for node in engine.nodes()
    ]
