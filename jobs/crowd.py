"""Steps on their way: to free cores and to stylizers, and what is heard of them.

A stylizer that dies is replaced; a step that takes far longer than its kind has ever taken is given
up, its process killed; one that lags behind its kind can be begun a second time, and the first
answer counts. Whose step is next, and what a failure means, is decided elsewhere.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

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


@dataclass(slots=True, eq=False)
class Call:
    """What somebody was asked, or will soon be: one step, or several that are painted together."""

    stylist: int | None
    node: str | None = None
    """where it was sent, if that was said"""
    since: float | None = None
    """by the monotonic clock; None as long as it waits for a core"""


@dataclass(slots=True, eq=False)
class Out:
    """A step that is on its way."""

    film: str
    sent: Sent
    turn: Turn | None
    """None where nobody's turn was needed"""
    call: Call
    void: bool = False
    """whether nobody wants the answer"""
    company: bool = False
    """whether other steps are in the same call"""

    @property
    def step(self) -> tuple[str, Task]:
        """What it is."""
        return self.film, self.sent.task

    @property
    def paints(self) -> bool:
        """Whether a stylizer is at it."""
        return self.call.stylist is not None

    @property
    def since(self) -> float | None:
        """Since when, by the monotonic clock; None as long as it waits for a core."""
        return self.call.since


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
        self._out: dict[remote.Ref, list[Out]] = {}
        """By answer: several steps may have one."""
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
        return [out for several in self._out.values() for out in several]

    def free(self) -> tuple[int, int]:
        """Cores and places with stylizers that are free; steps that may wait are in the first."""
        busy = sum(call.stylist is None for call in self._calls())
        return self.cores + self.waiting - busy, self.stylists.free(self._busy())

    def put(self, *several: Out) -> None:
        """Note that a step was sent, or several in one call."""
        self._out[several[0].sent.errand.answer] = list(several)
        for out in several:
            out.company = len(several) > 1
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
        self.stylists.retire(self._busy())

    def least_busy(self) -> int:
        """The stylizer that has the least to do."""
        return self.stylists.least_busy(self._busy())

    def hear(self, seconds: float) -> Iterator[tuple[Out, Answer | Failure]]:
        """Wait so long at most, and give what has come back."""
        for ref in remote.wait(list(self._out), seconds):
            if ref in self._out:  # else it was given up meanwhile
                yield from self._heard(ref, self._out.pop(ref))

    def stuck(self) -> list[tuple[Out, Failure]]:
        """Give up what takes too long; gives what it was."""
        now, given_up = self._clock(), []
        for ref, several in list(self._out.items()):
            call, most = several[0].call, self._allowed(several[0].sent.task.kind)
            if call.since is None or now - call.since <= most:
                continue
            del self._out[ref]
            if call.stylist is not None:
                self.stylists.kill(call.stylist)
            else:
                remote.stop(ref)
            error = TimeoutError(f"no answer for {most:.0f} s")
            failure = Failure("stuck", error, lost=False)
            given_up += [(o, failure) for o in several if not (o.void or self.twins(o))]
        return given_up

    def late(self) -> list[Out]:
        """Steps that take much longer than others of their kind, and are not yet sent again."""
        now, found = self._clock(), []
        for several in self._out.values():
            out, kind = several[0], several[0].sent.task.kind
            if len(several) > 1 or out.void or out.since is None or kind in _ONCE:
                continue
            limit = self.stragglers.limit(out.film, kind)
            if limit is not None and now - out.since > limit and not self.twins(out):
                found.append(out)
        return found

    def forget(self, film: str) -> None:
        """Give up all that is on its way for a film."""
        for out in self.out:
            if out.film == film:
                self._void(out)

    def dismiss(self) -> None:
        """Give up all that is on its way and send everybody home: Ray may stay for others."""
        for out in self.out:
            self._void(out)
        self.stylists.dismiss()
        self._out.clear()

    def twins(self, out: Out) -> list[Out]:
        """Other tries of the same step that are on their way."""
        return [
            other
            for other in self.out
            if other is not out and other.step == out.step and not other.void
        ]

    def _heard(self, ref: remote.Ref, several: list[Out]) -> Iterator[tuple[Out, Answer | Failure]]:
        self._start()
        wanted = [out for out in several if not out.void]
        try:
            answer = remote.answer(ref)
        except RayError as error:
            failure = read(error)
            self._blame(several[0].call, failure)
            yield from ((out, failure) for out in wanted)
            return
        out, kind = several[0], several[0].sent.task.kind
        if out.since is not None:
            took = self._clock() - out.since
            self._longest[kind] = max(self._longest[kind], took)
            if len(several) == 1:
                self.stragglers.note(out.film, kind, took)
        each = (answer.ended - answer.began) / len(several)
        for out in wanted:
            for twin in self.twins(out):
                self._void(twin)
            yield out, replace(answer, ended=answer.began + each)

    def _start(self) -> None:
        """The clock of a call begins when it has a core, or is its stylizer's next."""
        now, cores, at = self._clock(), self.cores, set[int]()
        for call in self._calls():  # in the order in which they were sent
            if call.stylist is None:
                free = cores > 0
                cores -= 1
            else:
                free = call.stylist not in at
                at.add(call.stylist)
            if call.since is None and free:
                call.since = now

    def _allowed(self, kind: Kind) -> float:
        longest = self._longest.get(kind)
        if longest is None:
            return self._patience.first
        return max(self._patience.least, self._patience.times * longest)

    def _void(self, out: Out) -> None:
        """Nobody wants its answer any more; a stylizer is not interrupted for that."""
        out.void = True
        if not out.paints:
            remote.stop(out.sent.errand.answer)

    def _blame(self, call: Call, failure: Failure) -> None:
        """Draw conclusions about who worked on it."""
        if isinstance(failure.error, OutOfMemoryError):
            self._fewer += 1  # fewer at a time, then
        dead = isinstance(failure.error, RayActorError)
        away = isinstance(failure.error, ActorUnavailableError)
        if dead and not away and call.stylist is not None:
            self.stylists.lost(call.stylist)

    def _calls(self) -> list[Call]:
        return [several[0].call for several in self._out.values()]

    def _busy(self) -> Counter[int]:
        """How many calls each stylizer has."""
        return Counter(call.stylist for call in self._calls() if call.stylist is not None)
