"""A batch of films to painted films, whatever becomes of some of them.

First each film is looked at, and those that cannot be painted are refused, with the reason, before
work begins. The others are painted; one that fails keeps nobody from the next. What a machine did
wrong is tried again, what a film or a person did wrong is not. A batch that was interrupted goes
on: films that are there are recognised, and in a work folder nothing is done twice.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal

from actors.stylizer import Painting
from jobs.batch_result import Outcomes
from jobs.control import Control
from jobs.engine import cores, prepare
from jobs.fate import Fate
from jobs.jobfile import nearest
from jobs.jobfile_read import Batch
from jobs.log import Log
from jobs.order import Order
from jobs.orders import Ready, ready, style_finder
from jobs.progress import Progressing
from jobs.retries import again, in_a_line
from jobs.standing import Watcher
from jobs.stylize import Job, stylize
from pipeline.errors import BadRequest, FilmError, NodeLost
from pipeline.recipe import Recipe

Telling = Callable[[str, int, int], AbstractContextManager[Progressing]]
"""Gives where to say what is done about a film: its name, which one it is, of how many."""


@dataclass(frozen=True, slots=True)
class How:
    """How a batch is carried."""

    backend: Literal["ray", "inline"]
    telling: Telling
    hire: Callable[[], Painting] | None = None
    """makes what stands in for the net, for tests of everything else"""
    pause: float = 5.0
    """seconds before the second try of a film; twice as long before each one after"""
    control: Control | None = None
    """where a person asks for a pause, or for the end; heeded on Ray"""
    watchers: tuple[Watcher, ...] = ()
    """are told every other second how the batch stands; on Ray"""
    note: Callable[[str], None] = lambda _: None
    """says what a person should know; on Ray"""
    log: Log | None = None
    """of the whole batch"""


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
            outcome = replace(outcome, status="refused", reason=in_a_line(error), exit_code=code)
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
    """Paint films: side by side on one Ray, or one after the other in this process.

    An outcome is noted for each film as soon as there is one. No film is kept from its turn by
    another, but where ``batch.stops``.

    Raises:
        NodeLost: If this process will not live on.
        KeyboardInterrupt: If a person ended it; that is noted too.
    """
    if how.backend == "ray":
        prepare(batch.machines)
        from jobs.batch_ray import paint_on_ray  # Ray takes a second to import

        paint_on_ray(batch, waiting, outcomes, how)
        return
    queue = [order for order in by_urgency(batch.orders) if order.name in waiting]
    stopped = batch.stops and any(one.bad for one in outcomes.all)
    for number, order in enumerate(queue, 1):
        fate = Fate(order, outcomes, waiting[order.name].job.folder)
        if stopped:
            fate.skipped()
            continue
        with how.telling(order.name, number, len(queue)) as progress:
            _paint(waiting[order.name].job, order, fate, how, progress)
        stopped = batch.stops and outcomes.of(order.name).bad


def by_urgency(orders: Sequence[Order]) -> list[Order]:
    """Order films: a higher priority first, then the earlier deadline, then as in the file."""
    return sorted(
        orders,
        key=lambda one: (-one.priority, one.deadline.timestamp() if one.deadline else float("inf")),
    )


def _paint(job: Job, order: Order, fate: Fate, how: How, progress: Progressing) -> None:
    """Paint one film, again if machines fail."""
    fate.begun()
    for tries in range(1, 2 + order.retries):
        try:
            job.target.parent.mkdir(parents=True, exist_ok=True)
            result = stylize(job, progress=progress, hire=how.hire)
        except KeyboardInterrupt:
            fate.interrupted(tries)
            raise
        except NodeLost as error:
            fate.failed(error, tries)
            raise
        except Exception as error:  # noqa: BLE001 - no film stops the others
            fate.failed(error, tries)
            pause = again(error, tries=tries, retries=order.retries, pause=how.pause)
            if pause is None:
                return
            progress.note(f"{in_a_line(error)}; tried again in {pause:g} s")
            time.sleep(pause)
        else:
            fate.done(result, tries)
            return
