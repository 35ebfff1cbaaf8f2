"""A batch of films to painted films, whatever becomes of some of them.

First each film is looked at, and those that cannot be painted are refused, with the reason, before
work begins. The others are painted; one that fails keeps nobody from the next. What a machine did
wrong is tried again, what a film or a person did wrong is not. A batch that was interrupted goes
on: films that are there are recognised, and in a work folder nothing is done twice.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, cast

from actors.stylizer import Painting
from jobs.batch_result import Outcomes, now
from jobs.commission import Result
from jobs.engine import Engine, Machines, cores, running
from jobs.jobfile import nearest
from jobs.jobfile_read import Batch, Order
from jobs.ledger import WorkFolder
from jobs.orders import Ready, ready, style_finder
from jobs.progress import Progressing
from jobs.stylize import Job, stylize
from pipeline.errors import (
    BadRequest,
    ChunkFailed,
    ClusterFailed,
    FilmError,
    NodeLost,
    OutOfResources,
)
from pipeline.forecast import Needs
from pipeline.recipe import Recipe

Telling = Callable[[str, int, int], AbstractContextManager[Progressing]]
"""Gives where to say what is done about a film: its name, which one it is, of how many."""
_MACHINE = (OutOfResources, ClusterFailed, OSError, MemoryError)
_LONGEST = 300.0
"""Seconds between two tries, at most."""


@dataclass(frozen=True, slots=True)
class How:
    """How a batch is carried."""

    backend: Literal["ray", "inline"]
    telling: Telling
    hire: Callable[[], Painting] | None = None
    """makes what stands in for the net, for tests of everything else"""
    pause: float = 5.0
    """seconds before the second try of a film; twice as long before each one after"""


def chosen(batch: Batch, names: Sequence[str]) -> Batch:
    """Leave those films of a batch that are named; all if none is.

    Raises:
        BadRequest: If there is no film of a name.
    """
    known = [order.name for order in batch.orders]
    for name in names:
        if name not in known:
            raise BadRequest(f"--only: no film is called {name!r}{nearest(name, known)}")
    orders = tuple(order for order in batch.orders if not names or order.name in names)
    return replace(batch, orders=orders)


def check(batch: Batch, outcomes: Outcomes, how: How, *, progress: Progressing) -> dict[str, Ready]:
    """Look at each film; gives those to paint, by name, and notes what is refused or there."""
    styles = style_finder(batch.styles) if how.hire is None else None
    found: dict[str, Ready] = {}
    progress.stage("checking", len(batch.orders))
    for order in batch.orders:
        job = Job(
            order.source,
            order.target,
            Recipe(style=order.style),
            backend=how.backend,
            threads=cores(),
            machines=batch.machines,
        )
        outcome = outcomes.of(order.name)
        try:
            one = ready(order, job, styles=styles)
        except (FilmError, OSError) as error:
            code = error.exit_code if isinstance(error, FilmError) else 6
            outcome = replace(outcome, status="refused", reason=_line(error), exit_code=code)
        else:
            outcome = replace(outcome, frames=one.frames, notes=one.notes, status="ready")
            if one.done:
                outcome = replace(outcome, status="done", before=True, seconds=one.seconds)
                outcome = replace(outcome, reason="was there before")
            else:
                found[order.name] = one
        outcomes.put(outcome)
        progress.advance(1)
    return found


def paint_all(batch: Batch, waiting: dict[str, Ready], outcomes: Outcomes, how: How) -> None:
    """Paint films, the most urgent first, one after the other on one Ray.

    This loop is what a coordinator of many films, which shares machines out between them by weight
    and deadline, will take the place of. It owes the rest of this module: an outcome for each film
    as soon as there is one, and no film kept from its turn by another, but where ``batch.stops``.
    """
    queue = [order for order in by_urgency(batch.orders) if order.name in waiting]
    stopped = batch.stops and any(one.bad for one in outcomes.all)
    with SharedRay(batch.machines, [one.needs for one in waiting.values()]) as shared:
        for number, order in enumerate(queue, 1):
            if stopped:
                why = "another film failed, and on_failure is stop"
                outcomes.put(replace(outcomes.of(order.name), status="skipped", reason=why))
                continue
            with how.telling(order.name, number, len(queue)) as progress:
                film = _Film(order, waiting[order.name], outcomes, how, shared)
                film.paint(progress)
            stopped = batch.stops and outcomes.of(order.name).bad


def by_urgency(orders: Sequence[Order]) -> list[Order]:
    """Order films: a higher priority first, then the earlier deadline, then as in the file."""
    return sorted(
        orders,
        key=lambda one: (-one.priority, one.deadline.timestamp() if one.deadline else float("inf")),
    )


class SharedRay:
    """One Ray for all films of a batch, begun when the first one wants it."""

    def __init__(self, machines: Machines, needs: Sequence[Needs]) -> None:
        self._machines, self._stack = machines, ExitStack()
        self._engine: Engine | None = None
        self._needs = Needs(
            base=max((one.base for one in needs), default=0),
            worker=max((one.worker for one in needs), default=0),
            chunk=max((one.chunk for one in needs), default=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)  # which ends otherwise when a node was lost

    def engine(self) -> Engine:
        """The Ray.

        Raises:
            ClusterFailed: If it does not start, or no cluster answers.
            BadRequest: If the memory does not do for the largest film.
        """
        if self._engine is None:
            context = running(self._machines, self._needs, cores=cores())
            self._engine = self._stack.enter_context(context)
        return self._engine

    def leave(self) -> None:
        """End it, or leave the cluster; who wants it next begins it anew."""
        self._engine = None
        self._stack.close()


class _Film:
    """One film's turn."""

    def __init__(
        self, order: Order, film: Ready, outcomes: Outcomes, how: How, shared: SharedRay
    ) -> None:
        self._order, self._film, self._how, self._shared = order, film, how, shared
        self._outcomes, self._began = outcomes, time.monotonic()

    def paint(self, progress: Progressing) -> None:
        """Paint it, again if machines fail; notes what becomes of it.

        Raises:
            NodeLost: If this process will not live on.
            KeyboardInterrupt: If a person ended it; that is noted too.
        """
        self._note(status="painting", began=now())
        for number in range(1 + self._order.retries):
            try:
                result = self._tried(progress)
            except KeyboardInterrupt:
                self._note(
                    status="interrupted", reason="the same command goes on", tries=number + 1
                )
                raise
            except NodeLost as error:
                self._failed(error, number + 1)
                raise
            except Exception as error:  # noqa: BLE001 - no film stops the others
                self._failed(error, number + 1)
                if not isinstance(error, _MACHINE) or number == self._order.retries:
                    return
                if isinstance(error, ClusterFailed):
                    self._shared.leave()
                pause = min(_LONGEST, self._how.pause * 2**number)
                progress.note(f"{_line(error)}; tried again in {pause:g} s")
                time.sleep(pause)
            else:
                self._done(result, number + 1)
                return

    def _tried(self, progress: Progressing) -> Result:
        job = self._film.job
        job.target.parent.mkdir(parents=True, exist_ok=True)
        engine = self._shared.engine if job.backend == "ray" else None
        return stylize(job, progress=progress, hire=self._how.hire, engine=engine)

    def _done(self, result: Result, tries: int) -> None:
        held = f"{len(result.held)} frames could not be decoded and are held" if result.held else ""
        self._ended(status="done", frames=result.frames, tries=tries, reason=held, exit_code=0)

    def _failed(self, error: BaseException, tries: int) -> None:
        code = error.exit_code if isinstance(error, FilmError) else 6
        if not isinstance(error, (FilmError, *_MACHINE)):  # a bug; whoever mends it wants to see it
            code, folder = ChunkFailed.exit_code, self._film.job.folder
            with suppress(OSError):
                WorkFolder(folder).failed(-1, "".join(traceback.format_exception(error)))
        self._ended(status="failed", reason=_line(error), exit_code=code, tries=tries)

    def _ended(self, **facts: object) -> None:
        deadline = self._order.deadline
        late = deadline is not None and datetime.now().astimezone() > deadline
        seconds = round(time.monotonic() - self._began, 3)
        self._note(seconds=seconds, ended=now(), late=late, **facts)

    def _note(self, **facts: object) -> None:
        known = self._outcomes.of(self._order.name)
        self._outcomes.put(replace(known, **cast("Any", facts)))


def _line(error: BaseException) -> str:
    """What went wrong in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = str(error).strip().splitlines()
    if isinstance(error, FilmError) and text:
        return text[0]
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
