"""A film on the bill: what is asked of it, and what has become of it so far."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

from jobs.aside import Aside
from jobs.commission import Result
from jobs.log import Log
from jobs.production import Production
from jobs.retries import again
from jobs.standing import Status
from jobs.stylize import Begun, ended


@dataclass(slots=True, eq=False)
class Billed:
    """One film of those that share the machines."""

    name: str
    open: Callable[[], AbstractContextManager[Begun]]
    """opens it, and holds its work folder"""
    weight: float = 1.0
    """its share of the machines, beside others'"""
    deadline: float | None = None
    """seconds since 1970"""
    frames: int = 0
    """that are wanted, as far as it is known"""
    size: float = 0.0
    """a guess at the core seconds that it takes, for as long as nothing better is known"""
    retries: int = 0
    pause: float = 5.0
    """seconds before the second try; twice as long before each one after"""
    changed: Callable[["Billed"], None] = lambda _: None
    """is told whenever something becomes of it"""

    status: Status = "waiting"
    error: BaseException | None = None
    """why it failed, or why it is tried again"""
    result: Result | None = None
    tries: int = 0
    after: float = 0.0
    """by the monotonic clock: not to be tried again before"""
    production: Production | None = None
    aside: Aside[None] | None = None
    """its opening, or its naming"""
    _held: ExitStack = field(default_factory=ExitStack)

    @property
    def active(self) -> bool:
        """Whether it is open, or being opened."""
        return self.aside is not None or self.production is not None

    def begin(self, whole: Log | None) -> None:
        """Open it, on a thread."""
        self.tries += 1
        self.become("analysing")

        def opening() -> None:
            made = self._held.enter_context(self.open())
            self.production = Production(self.name, made, whole=whole)

        self.aside = Aside(opening)

    def end(self, result: Result) -> None:
        """Give it its name, on a thread."""
        self.result = result

        def naming() -> None:
            if self.production is not None:
                self.production.leave()
                ended(self.production.made, result, log=self.production.log)
            self._held.close()

        self.aside = Aside(naming)

    def become(self, status: Status) -> None:
        """Say what has become of it."""
        if status != self.status:
            self.status = status
            self.changed(self)

    def fail(self, error: BaseException, *, now: float, final: Status = "failed") -> None:
        """Give it up, or for a while: what machines did wrong is tried again."""
        self.error = error = self._closed(error)
        pause = again(error, tries=self.tries, retries=self.retries, pause=self.pause)
        if final == "failed" and pause is not None:
            self.after = now + pause
            self.become("waiting")
        else:
            self.become(final)

    def _closed(self, error: BaseException) -> BaseException:
        """Let go of all that it holds; gives the error as a person should read it."""
        if self.aside is not None:
            self.aside.end()
        try:
            if self.production is not None:
                self.production.leave()
            held, self._held = self._held, ExitStack()
            held.__exit__(type(error), error, error.__traceback__)
        except Exception as told:  # noqa: BLE001 - what holds it says it better
            error = told
        self.aside = self.production = self.result = None
        return error
