"""Steps on their way: to free cores and to stylizers, and what is heard of them.

A stylizer that dies is replaced; a step that takes far longer than its kind has ever taken is given
up, its process killed; one that lags behind its kind can be begun a second time, and the first
answer counts. Whose step is next, and what a failure means, is decided elsewhere.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ray.exceptions import ActorUnavailableError, OutOfMemoryError, RayActorError, RayError

from actors import remote
from actors.remote import Answer
from jobs.board import Kind, Task
from jobs.engine import Engine
from jobs.errands import Sent
from jobs.failures import Failure, read
from jobs.patience import Patience
from jobs.stragglers import Stragglers
from jobs.stylists import Stylists
from jobs.turns import Turn

_REFRESH = 2.0
"""Seconds after which to look again how many cores and GPUs there are."""
_ONCE: frozenset[Kind] = frozenset({"introduce", "assemble"})
"""Kinds that are never begun a second time."""


@dataclass(slots=True)
class Out:
    """A step that somebody works on, or will soon."""

    film: str
    sent: Sent
    turn: Turn | None
    """None where nobody's turn was needed"""
    stylist: int | None
    node: str | None
    """where it was sent, if that was said"""
    since: float | None
    """by the monotonic clock; None as long as it waits for a core"""
    void: bool = False
    """whether nobody wants the answer"""

    @property
    def step(self) -> tuple[str, Task]:
        """What it is."""
        return self.film, self.sent.task


class Crowd:
    """Everybody who works for all films."""

    def __init__(
        self, engine: Engine, *, patience: Patience, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine, self._patience, self._clock = engine, patience, clock
        self.stylists = Stylists(engine, clock=clock)
        self.stragglers = Stragglers()
        self.waiting = 0
        """Steps that may wait for a core, so that machines come."""
        self._out: dict[remote.Ref, Out] = {}
        self._longest: dict[Kind, float] = defaultdict(float)
        self._cores, self._looked = 0, float("-inf")
        self._fewer = 0

    @property
    def cores(self) -> int:
        """Cores that steps may use."""
        now = self._clock()
        if now - self._looked > _REFRESH:
            self._cores, self._looked = self.engine.cores(), now
        return max(1, self._cores - self._fewer) if self._cores else 0

    @property
    def out(self) -> list[Out]:
        """What is on its way."""
        return list(self._out.values())

    def free(self) -> tuple[int, int]:
        """Cores and places with stylizers that are free; steps that may wait are in the first."""
        busy = sum(out.stylist is None for out in self._out.values())
        return self.cores + self.waiting - busy, self.stylists.free(self._calls())

    def put(self, out: Out) -> None:
        """Note that a step was sent."""
        self._out[out.sent.errand.answer] = out
        self._start()

    def hands(self) -> list[tuple[int | None, str | None]]:
        """Who may be asked for a word: each stylizer, or each machine, or each worker of our own.

        A worker that loaded its net later, when it first paints, was seen to hold up the first
        segment. Where there is nobody yet, whoever comes first.

        Returns:
            A stylizer's number, or None and a machine, or None for any worker.
        """
        if stylists := self.stylists.numbers:
            return [(number, None) for number in stylists]
        if self.stylists.wanted:
            return []  # somebody will come who has a GPU
        if self.engine.local:
            return [(None, None)] * self.cores
        return [(None, node) for node in self.engine.nodes()] or [(None, None)]

    def retire(self) -> None:
        """Send stylizers home that are too many."""
        self.stylists.retire(self._calls())

    def least_busy(self) -> int:
        """The stylizer that has the least to do."""
        return self.stylists.least_busy(self._calls())

    def hear(self, seconds: float) -> Iterator[tuple[Out, Answer | Failure]]:
        """Wait so long at most, and give what has come back."""
        if not self._out:
            time.sleep(min(seconds, 0.05))
            return
        for ref in remote.wait(list(self._out), seconds):
            if ref in self._out:  # else it was given up meanwhile
                yield from self._heard(ref, self._out.pop(ref))

    def stuck(self) -> list[tuple[Out, Failure]]:
        """Give up what takes too long; gives what it was."""
        now, given_up = self._clock(), []
        for ref, out in list(self._out.items()):
            most = self._allowed(out.sent.task.kind)
            if out.since is None or now - out.since <= most:
                continue
            del self._out[ref]
            self._kill(out, ref)
            if out.void or self._twins(out):
                continue
            error = TimeoutError(f"no answer for {most:.0f} s")
            given_up.append((out, Failure("stuck", error, lost=False)))
        return given_up

    def late(self) -> list[Out]:
        """Steps that take much longer than others of their kind, and are not yet sent again."""
        now, counts = self._clock(), Counter(out.step for out in self._out.values() if not out.void)
        found = []
        for out in self._out.values():
            kind = out.sent.task.kind
            if out.void or out.since is None or kind in _ONCE or counts[out.step] > 1:
                continue
            limit = self.stragglers.limit(out.film, kind)
            if limit is not None and now - out.since > limit:
                found.append(out)
        return found

    def forget(self, film: str) -> None:
        """Give up all that is on its way for a film."""
        for ref, out in self._out.items():
            if out.film == film:
                self._void(ref, out)

    def dismiss(self) -> None:
        """Give up all that is on its way and send everybody home: Ray may stay for others."""
        for ref, out in self._out.items():
            self._void(ref, out)
        self.stylists.dismiss()
        self._out.clear()

    def _heard(self, ref: remote.Ref, out: Out) -> Iterator[tuple[Out, Answer | Failure]]:
        self._start()
        twins = self._twins(out)
        try:
            answer = remote.answer(ref)
        except RayError as error:
            failure = read(error)
            self._blame(out, failure)
            if not out.void:
                yield out, failure
            return
        kind = out.sent.task.kind
        if out.since is not None:
            self._longest[kind] = max(self._longest[kind], self._clock() - out.since)
            self.stragglers.note(out.film, kind, self._clock() - out.since)
        if out.void:
            return
        for twin in twins:
            self._void(twin, self._out[twin])
        yield out, answer

    def twin(self, out: Out) -> bool:
        """Whether somebody else is at the same step."""
        return bool(self._twins(out))

    def _twins(self, out: Out) -> list[remote.Ref]:
        """Other tries of the same step that are on their way."""
        return [
            ref
            for ref, other in self._out.items()
            if other is not out and other.step == out.step and not other.void
        ]

    def _start(self) -> None:
        """The clock of a step begins when it has a core, or is its stylizer's next."""
        now, cores, at = self._clock(), self.cores, set[int]()
        for out in self._out.values():  # in the order in which they were sent
            if out.stylist is None:
                free = cores > 0
                cores -= 1
            else:
                free = out.stylist not in at
                at.add(out.stylist)
            if out.since is None and free:
                out.since = now

    def _allowed(self, kind: Kind) -> float:
        longest = self._longest.get(kind)
        if longest is None:
            return self._patience.first
        return max(self._patience.least, self._patience.times * longest)

    def _void(self, ref: remote.Ref, out: Out) -> None:
        """Nobody wants its answer any more; a stylizer is not interrupted for that."""
        out.void = True
        if out.stylist is None:
            remote.stop(ref)

    def _kill(self, out: Out, ref: remote.Ref) -> None:
        if out.stylist is not None:
            self.stylists.kill(out.stylist)
        else:
            remote.stop(ref)

    def _blame(self, out: Out, failure: Failure) -> None:
        """Draw conclusions about who worked on it."""
        if isinstance(failure.error, OutOfMemoryError):
            self._fewer += 1  # fewer at a time, then
        dead = isinstance(failure.error, RayActorError)
        away = isinstance(failure.error, ActorUnavailableError)
        if dead and not away and out.stylist is not None:
            self.stylists.lost(out.stylist)

    def _calls(self) -> Counter[int]:
        return Counter(out.stylist for out in self._out.values() if out.stylist is not None)
