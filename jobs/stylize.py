"""A film's path and a recipe to a painted film under its final name.

Everything that can be refused is refused before work starts. The film gets its name last, when it
has been joined and verified under another one beside it.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Literal

from actors.stylizer import Painting, hire_for
from jobs.chosen import chosen, keep
from jobs.commission import Result
from jobs.engine import Engine, Machines, cores, prepare, running
from jobs.given import Offer, accept, with_given
from jobs.given import keep as keep_given
from jobs.inline import Inline
from jobs.ledger import Asked, WorkFolder, named, synced
from jobs.log import Log
from jobs.patience import Patience
from jobs.progress import Progressing
from jobs.provenance import provenance
from jobs.sidecar import Sidecar, sidecar, sidecar_of, written
from jobs.source import opened, warning
from jobs.target import foretold
from pipeline.errors import BadRequest, OutOfResources
from pipeline.forecast import needs
from pipeline.media.container import Film
from pipeline.media.encode import Encoding
from pipeline.paint.styles import StyleCode
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for, with paths."""

    source: Path
    target: Path
    recipe: Recipe
    given: tuple[Offer, ...] = ()
    """pictures that take the place of the painter's"""
    work: Path | None = None
    """work folder; None is ``<target>.work`` beside the target"""
    overwrite: bool = False
    keep_work: bool = False
    threads: int | None = None
    """of the painter when it is carried inline; None leaves torch's own number"""
    backend: Literal["ray", "inline"] = "inline"
    machines: Machines = field(default_factory=Machines)
    """for Ray"""
    patience: Patience = field(default_factory=Patience)
    """with steps on Ray that do not end"""

    @property
    def folder(self) -> Path:
        """The work folder."""
        return self.work or self.target.with_name(self.target.name + ".work")

    @property
    def table(self) -> Path:
        """Where the per-frame table goes."""
        return self.target.with_name(self.target.name + ".frames.parquet")

    @property
    def sidecar(self) -> Path:
        """Where all that is to be said about the film goes."""
        return sidecar_of(self.target)

    def asked(self, film: Film) -> Asked:
        """What to leave in the work folder."""
        source, target = self.source.absolute(), self.target.absolute()
        return Asked(source, target, film.fingerprint, self.recipe)


def stylize(
    job: Job,
    *,
    progress: Progressing,
    hire: Callable[[], Painting] | None = None,
    engine: Callable[[], Engine] | None = None,
) -> Result:
    """Paint a film.

    Args:
        job: what was asked for.
        progress: is told of stages and frames.
        hire: makes what stands in for the net, for tests of everything else.
        engine: gives a Ray that stays; by default one is started, or joined, for this film alone.

    Raises:
        FilmError: In one line; nothing is left under the final name, the work folder is kept.
    """
    began = time.monotonic()
    check_target(job)
    film = opened(job.source, job.recipe, progress=progress)
    check_range(film, job.recipe)
    accepted = accept(job.given, film)
    job = replace(job, recipe=with_given(job.recipe, accepted))
    encoding, notes = foretold(film, job.recipe, job.target)
    work = WorkFolder(job.folder)
    choice = chosen(job.recipe.style, work) if hire is None else None
    code = choice.code if choice else None
    for note in (*notes, *(choice.notes if choice else ())):
        progress.note(note)
    try:
        work.create()
        with work.leased():
            work.clear_attempts()
            work.note(job.asked(film))
            if code is not None:
                keep(code, work)
            keep_given(accepted, film, work)
            made = _Made(film, job.recipe, encoding, work, progress, hire, code, notes, began)
            with ExitStack() as published:  # what carries the steps ends after that
                if job.backend == "ray":
                    ready = engine or _own_engine(job, film, published)
                    result = _run(job, made, lambda target: _on_ray(job, made, target, ready))
                else:
                    result = _run(job, made, lambda target: _inline(job, made, target))
                Log(work.path).say("published")
            if not job.keep_work:
                work.remove()
    except MemoryError:
        raise OutOfResources("out of memory") from None
    except OSError as error:
        raise OutOfResources(f"{job.folder}: {error.strerror or error}") from None
    for note in result.notes:
        if note not in notes:
            progress.note(note)
    if result.held:
        progress.note(warning(result.held))
    return result


@dataclass(frozen=True, slots=True)
class _Made:
    """What both backends begin with."""

    film: Film
    recipe: Recipe
    encoding: Encoding
    work: WorkFolder
    progress: Progressing
    hire: Callable[[], Painting] | None
    code: StyleCode | None
    notes: list[str]
    """of the encoding"""
    began: float

    def maker(self, *, device: str, threads: int | None) -> Callable[[], Painting]:
        """What makes the painter."""
        if self.hire is not None:
            return self.hire
        if self.code is None:
            raise ValueError("a painter needs a style")
        return hire_for(self.recipe, self.code, self.film.size, device=device, threads=threads)


def _inline(job: Job, made: _Made, target: Path) -> Result:
    """Carry the steps in a plain loop."""
    painter = made.maker(device="cpu", threads=job.threads)()
    loop = Inline(
        made.film,
        job.recipe,
        encoding=made.encoding,
        work=made.work,
        painter=painter,
        progress=made.progress,
    )
    return loop.run(target)


def _own_engine(job: Job, film: Film, published: ExitStack) -> Callable[[], Engine]:
    """What starts or joins Ray for one film; it stays until that is published."""
    engine = running(job.machines, needs(film, job.recipe), cores=cores())
    return lambda: published.enter_context(engine)


def _on_ray(job: Job, made: _Made, target: Path, engine: Callable[[], Engine]) -> Result:
    """Have Ray carry the steps."""
    prepare(job.machines)
    from jobs.coordinator import Coordinator  # Ray takes a second to import

    coordinator = Coordinator(
        made.film,
        job.recipe,
        encoding=made.encoding,
        work=made.work,
        progress=made.progress,
        patience=job.patience,
    )
    return coordinator.run(
        target,
        engine=engine,
        hire=lambda gpu: made.maker(device="cuda" if gpu else "cpu", threads=1),
    )


def _run(job: Job, made: _Made, carried: Callable[[Path], Result]) -> Result:
    """Paint under a hidden name beside the final one, the same for each try of this job."""
    mark = sha256(str(job.folder.resolve()).encode()).hexdigest()[:8]
    unnamed = job.target.with_name(f".{mark}.{job.target.name}")
    table = unnamed.with_suffix(".parquet")
    try:
        result = carried(unnamed)
        folder = job.table.parent
        about = provenance(made.film, job.recipe, result, code=made.code, folder=folder)
        said = _sidecar(job, made, result, unnamed)
        write = partial(result.write_table, about=about.model_dump_json())
        _publish(job, unnamed, table, said, write)
    finally:
        unnamed.unlink(missing_ok=True)
        table.unlink(missing_ok=True)
    return result


def _sidecar(job: Job, made: _Made, result: Result, unnamed: Path) -> Sidecar:
    return sidecar(
        made.film,
        job.recipe,
        result,
        encoding=made.encoding,
        target=job.target,
        unnamed=unnamed,
        given=job.given,
        code=made.code,
        notes=made.notes,
        wall=time.monotonic() - made.began,
    )


def check_target(job: Job) -> None:
    """Make sure that a film's name is free, and its folder there.

    Raises:
        BadRequest: If not.
    """
    if not job.target.parent.is_dir():
        raise BadRequest(f"there is no folder {job.target.parent}")
    if not os.access(job.target.parent, os.W_OK):
        raise BadRequest(f"cannot write to {job.target.parent}")
    if job.target.is_dir():
        raise BadRequest(f"{job.target} is a folder; name a file")
    if job.folder.resolve() == job.target.resolve():
        raise BadRequest(f"{job.target} cannot be the work folder too; name another")
    for beside in (job.table, job.sidecar):
        if beside.exists() and not job.overwrite and not job.target.exists():
            raise BadRequest(f"{beside} exists; --overwrite replaces it")
    if os.path.lexists(job.target):
        if job.source.exists() and job.target.exists() and job.target.samefile(job.source):
            raise BadRequest("the result would replace its own source; name another file")
        if not job.overwrite:
            raise BadRequest(f"{job.target} exists; --overwrite replaces it")


def check_range(film: Film, recipe: Recipe) -> None:
    """Make sure that the film has the frames that are wanted.

    Raises:
        BadRequest: If not.
    """
    if recipe.frames is not None and recipe.frames[1] > film.frames:
        first, last = recipe.frames[0], recipe.frames[1] - 1
        raise BadRequest(
            f"frames {first}-{last} are not all in the film: it has 0-{film.frames - 1}"
        )


def _publish(
    job: Job, unnamed: Path, table: Path, said: Sidecar, write: Callable[[Path], None]
) -> None:
    """Give the film its name, then its table and sidecar; all are on the disk before."""
    words = unnamed.with_suffix(".json")
    try:
        words.write_text(written(said), encoding="utf-8")
        write(table)
        if job.overwrite:
            synced(unnamed)
            unnamed.replace(job.target)
            synced(job.target.parent)
        elif not named(unnamed, job.target):
            raise BadRequest(f"{job.target} appeared meanwhile; --overwrite replaces it")
        synced(table)
        table.replace(job.table)
        synced(words)
        words.replace(job.sidecar)
    except OSError as error:
        raise OutOfResources(f"{job.target}: {error.strerror or error}") from None
    finally:
        words.unlink(missing_ok=True)
