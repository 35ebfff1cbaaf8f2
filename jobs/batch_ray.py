"""The films of a batch, side by side on one Ray: each a film on the studio's bill."""

from contextlib import AbstractContextManager
from functools import partial

from jobs.batch import How
from jobs.batch_result import Outcomes
from jobs.billed import Billed
from jobs.fate import Fate
from jobs.job import Job
from jobs.jobfile_read import Batch
from jobs.order import Order
from jobs.orders import Ready
from jobs.patience import Patience
from jobs.progress import Silent
from jobs.retries import again, in_a_line
from jobs.shared_ray import SharedRay
from jobs.studio import Studio
from jobs.stylize import Begun, begun

_SECONDS = 0.6 / (1920 * 1080)
"""Of one core, a frame and pixel: what films cost at 1080p and the usual settings, about."""


def paint_on_ray(batch: Batch, waiting: dict[str, Ready], outcomes: Outcomes, how: How) -> None:
    """Paint them; notes what becomes of each.

    Raises:
        NodeLost: If this process will not live on.
        KeyboardInterrupt: If a person ended it; that is noted too.
    """
    films = [
        _billed(order, waiting[order.name], outcomes, how)
        for order in batch.orders
        if order.name in waiting
    ]
    if batch.stops and any(one.bad for one in outcomes.all):
        for film in films:
            film.become("skipped")
        return
    with SharedRay(batch.machines, [one.needs for one in waiting.values()]) as ray:
        Studio(
            films,
            ray=ray,
            patience=Patience(),
            stops=batch.stops,
            control=how.control,
            watchers=(outcomes.watch, *how.watchers),
            whole=how.log,
        ).run()


def _billed(order: Order, film: Ready, outcomes: Outcomes, how: How) -> Billed:
    """One film, with what is noted of it."""
    fate = Fate(order, outcomes, film.job.folder)
    return Billed(
        order.name,
        partial(_begun, film.job, order.name, how),
        weight=order.priority,
        deadline=order.deadline.timestamp() if order.deadline else None,
        frames=film.frames,
        size=film.frames * film.pixels * _SECONDS,
        retries=order.retries,
        pause=how.pause,
        changed=partial(_noted, fate, order, how),
    )


def _begun(job: Job, name: str, how: How) -> AbstractContextManager[Begun]:
    job.target.parent.mkdir(parents=True, exist_ok=True)
    return begun(job, progress=_Notes(name, how), hire=how.hire)


def _noted(fate: Fate, order: Order, how: How, film: Billed) -> None:
    """Something has become of a film."""
    error = film.error
    match film.status:
        case "analysing":
            fate.begun()
        case "done" if film.result is not None:
            fate.done(film.result, film.tries)
        case "interrupted":
            fate.interrupted(film.tries)
        case "cancelled":
            fate.cancelled(film.tries)
        case "skipped":
            fate.skipped()
        case "failed" | "waiting" if error is not None:
            fate.failed(error, film.tries)
            pause = again(error, tries=film.tries, retries=order.retries, pause=how.pause)
            if film.status == "waiting" and pause is not None:
                how.note(f"{order.name}: {in_a_line(error)}; tried again in {pause:g} s")
    if how.log is not None and film.status not in ("painting", "joining"):
        why = in_a_line(error) if error is not None and film.status != "done" else None
        how.log.say("film", film=order.name, status=film.status, attempt=film.tries, why=why)


class _Notes(Silent):
    """Notes about a film; how far it is, watchers are told."""

    def __init__(self, name: str, how: How) -> None:
        self._name, self._how = name, how

    def note(self, text: str) -> None:
        """Say something that a person should know."""
        self._how.note(f"{self._name}: {text}")
