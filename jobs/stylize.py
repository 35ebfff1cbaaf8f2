"""A film's path and a recipe to a painted film under its final name.

Everything that can be refused is refused before work starts. The film gets its name last, when it
has been joined and verified under another one beside it. What *begins* a film and what *ends* it
are the same whoever carries the steps between.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from actors.files import near
from actors.stylizer import Painting, hire_for
from jobs.chosen import chosen, keep
from jobs.commission import Result
from jobs.costs import spent_by
from jobs.engine import prepare
from jobs.given import accept, with_given
from jobs.given import keep as keep_given
from jobs.inline import Inline
from jobs.job import Job, check_range, check_target
from jobs.ledger import WorkFolder
from jobs.log import Log
from jobs.progress import Progressing
from jobs.publish import clear, publish
from jobs.source import opened, warning
from jobs.style_at import with_styles
from jobs.target import foretold
from pipeline.errors import OutOfResources
from pipeline.media.container import Film
from pipeline.media.encode import Encoding
from pipeline.paint.styles import StyleCode
from pipeline.variants import variants

__all__ = ["Begun", "Job", "begun", "ended", "stylize"]


@runtime_checkable
class ByStyle(Protocol):
    """Makes what stands in for the net, another one for each style."""

    def __call__(self) -> Painting:
        """Make the one of the film's own style."""

    def of_style(self, style: str) -> Callable[[], Painting]:
        """What makes the one of a style."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A film that is being made: its work folder is ours as long as it is."""

    job: Job
    """with the keys that were given in its recipe"""
    film: Film
    encoding: Encoding
    work: WorkFolder
    progress: Progressing
    hire: Callable[[], Painting] | None
    """makes what stands in for the net"""
    codes: tuple[StyleCode, ...]
    """of the recipe's variants; empty if something stands in for the net"""
    notes: list[str]
    """of the encoding, and of where the style changes"""
    began: float
    """by the monotonic clock"""

    def makers(self, *, device: str, threads: int | None) -> tuple[Callable[[], Painting], ...]:
        """What makes the painter of each of the recipe's variants."""
        every, hire, size = variants(self.job.recipe), self.hire, self.film.size
        if hire is not None:
            return tuple(
                hire.of_style(one.style) if isinstance(hire, ByStyle) else hire for one in every
            )
        return tuple(
            hire_for(one, code, size, device=device, threads=threads)
            for one, code in zip(every, self.codes, strict=True)
        )

    def say(self, notes: Sequence[str]) -> None:
        """Tell a person, and the sidecar, what is known by now."""
        for note in notes:
            self.notes.append(note)
            self.progress.note(note)


def stylize(
    job: Job, *, progress: Progressing, hire: Callable[[], Painting] | None = None
) -> Result:
    """Paint a film.

    Args:
        job: what was asked for.
        progress: is told of stages and frames.
        hire: makes what stands in for the net, for tests of everything else.

    Raises:
        FilmError: In one line; nothing is left under the final name, the work folder is kept.
    """
    with begun(job, progress=progress, hire=hire) as made:
        if job.backend == "ray":
            return _on_ray(made)
        result = _inline(made)
        ended(made, result)
    return result


@contextmanager
def begun(
    job: Job, *, progress: Progressing, hire: Callable[[], Painting] | None = None
) -> Iterator[Begun]:
    """Open a film, refuse what can be refused, and hold its work folder.

    Raises:
        FilmError: In one line, also for what goes wrong with disk or memory meanwhile.
    """
    began = time.monotonic()
    check_target(job)
    film = opened(job.source, job.recipe, progress=progress)
    job = replace(job, recipe=with_styles(job.recipe, job.style_at, film))
    check_range(film, job.recipe)
    with near(film) as here, _begun(job, here, progress, hire, began) as made:
        yield made


@contextmanager
def _begun(
    job: Job,
    film: Film,
    progress: Progressing,
    hire: Callable[[], Painting] | None,
    began: float,
) -> Iterator[Begun]:
    """``begun``, with the film's file on this machine."""
    accepted = accept(job.given, film)
    job = replace(job, recipe=with_given(job.recipe, accepted))
    encoding, notes = foretold(film, job.recipe, job.target)
    work = WorkFolder(job.folder)
    every = variants(job.recipe)
    choices = [chosen(one.style, work) for one in every] if hire is None else []
    codes = tuple(choice.code for choice in choices)
    for note in (*notes, *dict.fromkeys(note for choice in choices for note in choice.notes)):
        progress.note(note)
    made = Begun(job, film, encoding, work, progress, hire, codes, notes, began)
    try:
        work.create()
        with work.leased():
            work.clear_attempts()
            work.note(job.asked(film))
            for number, code in enumerate(codes):
                keep(code, work, number)
            keep_given(accepted, film, work)
            try:
                yield made
            finally:
                clear(made)
    except MemoryError:
        raise OutOfResources("out of memory") from None
    except OSError as error:
        raise OutOfResources(f"{job.folder}: {error.strerror or error}") from None


def ended(made: Begun, result: Result, *, log: Log | None = None) -> None:
    """Publish a film that has been joined and verified, and say what a person should know.

    Args:
        made: the film.
        result: what has become of it.
        log: where to say so; None is the work folder's.

    Raises:
        BadRequest: If its name has been taken meanwhile.
        OutOfResources: If the disk is full.
    """
    publish(made, result)
    cost = spent_by(result.seconds, bytes_=result.bytes)
    took = {"gpu_s": round(cost.gpu_s, 1), "cpu_s": round(cost.cpu_s, 1), "bytes": cost.bytes}
    (log or Log(made.work.path, film=made.film.path.name)).say("published", **took)
    if not made.job.keep_work:
        made.work.remove()
    for note in result.notes:
        if note not in made.notes:
            made.progress.note(note)
    if result.held:
        made.progress.note(warning(result.held))


def _inline(made: Begun) -> Result:
    """Carry the steps in a plain loop."""
    loop = Inline(
        made.film,
        made.job.recipe,
        encoding=made.encoding,
        work=made.work,
        painters=[make() for make in made.makers(device="cpu", threads=made.job.threads)],
        progress=made.progress,
    )
    result = loop.run(made.job.unnamed)
    made.notes.extend(loop.notes)
    return result


def _on_ray(made: Begun) -> Result:
    """Have Ray carry the steps, and publish the film: a batch of one."""
    prepare(made.job.machines)
    from jobs.solo import paint_one  # Ray takes a second to import

    return paint_one(made)
