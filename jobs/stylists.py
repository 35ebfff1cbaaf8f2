"""Stylizers, one a GPU: begun as they are wanted, replaced when they die, sent home when idle.

One that waits for a GPU is how a cluster that grows learns that it is wanted. How many there should
be is decided elsewhere.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from actors import remote
from actors.remote import Ref, Stylist
from jobs.engine import Engine
from pipeline.errors import ClusterFailed

_WITHOUT_GPU = 60.0
_UNTIL_ONE_COMES = 900.0
IN_FLIGHT = 2
"""Calls that a stylizer has at a time: one to work on, one to fetch for."""
_SURPLUS = 15.0
"""Seconds for which a stylizer has to be one too many before it is sent home."""


@dataclass(slots=True)
class _One:
    actor: Stylist
    up: Ref
    """there once it has a GPU"""
    ready: bool = False


class Stylists:
    """All stylizers."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._known: dict[int, _One] = {}
        self.wanted = self._hired = 0
        self._manned = self._fitting = clock()

    @property
    def numbers(self) -> list[int]:
        """Those that have a GPU; for as long as none has, those for which there is one."""
        return list(self._able())

    def __getitem__(self, number: int) -> Stylist:
        return self._known[number].actor

    def want(self, count: int) -> None:
        """Begin stylizers until there are so many."""
        self.wanted = count
        for _ in range(count - len(self._known)):
            actor = remote.stylizer()
            self._known[self._hired] = _One(actor, remote.up(actor))
            self._hired += 1

    def check(self, *, grows: bool) -> None:
        """Make sure that somebody can paint.

        Args:
            grows: whether machines with GPUs may come, which takes minutes.

        Raises:
            ClusterFailed: If the last GPU has been gone for too long.
        """
        now = self._clock()
        if self._engine.gpus() or not self.wanted:
            self._manned = now
        if now - self._manned > (_UNTIL_ONE_COMES if grows else _WITHOUT_GPU):
            raise ClusterFailed("no GPU is left; the same command goes on when there is one")

    def retire(self, calls: Mapping[int, int]) -> None:
        """Send home who has been one too many for a while and has nothing to do."""
        surplus = len(self._known) - self.wanted
        now = self._clock()
        if surplus <= 0:
            self._fitting = now
        if surplus <= 0 or now - self._fitting < _SURPLUS:
            return
        idle = [number for number in self._known if not calls.get(number)]
        idle.sort(key=lambda number: (self._known[number].ready, -number))
        for number in idle[:surplus]:
            self._end(number)

    def free(self, calls: Counter[int]) -> int:
        """Places that are free."""
        return sum(max(0, IN_FLIGHT - calls[number]) for number in self._able())

    def least_busy(self, calls: Counter[int]) -> int:
        """Who has the least to do."""
        return min(self._able(), key=lambda number: calls[number])

    def kill(self, number: int) -> None:
        """End one that does not answer; another takes its place."""
        if number in self._known:
            self._end(number)
            self.want(self.wanted)

    def lost(self, number: int) -> None:
        """One has died; another takes its place."""
        if self._known.pop(number, None) is not None:
            self.want(self.wanted)

    def dismiss(self) -> None:
        """Send all home."""
        for number in list(self._known):
            self._end(number)

    def _able(self) -> dict[int, _One]:
        """Those that have a GPU; if none has yet, as many as there are GPUs for."""
        for one in self._known.values():
            if not one.ready:
                one.ready = bool(remote.wait([one.up], 0.0))
        ready = {number: one for number, one in self._known.items() if one.ready}
        if ready:
            return ready
        return dict(list(self._known.items())[: self._engine.gpus()])

    def _end(self, number: int) -> None:
        remote.end(self._known.pop(number).actor)
