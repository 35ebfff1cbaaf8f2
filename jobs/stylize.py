"""A film's path and a recipe to a painted film under its final name.

Everything that can be refused is refused before work starts. The film gets its name last, when it
has been joined and verified under another one beside it.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from actors.stylizer import Painting, Stylizer
from jobs.commission import Result
from jobs.inline import Inline
from jobs.ledger import WorkFolder, named, synced
from jobs.progress import Progressing
from pipeline.errors import BadRequest, OutOfResources
from pipeline.judge.tables import write_rows
from pipeline.media.container import Film, read_film
from pipeline.media.encode import choose_encoding
from pipeline.paint.styles import load_code
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for, with paths."""

    source: Path
    target: Path
    recipe: Recipe
    work: Path | None = None
    """work folder; None is ``<target>.work`` beside the target"""
    overwrite: bool = False
    keep_work: bool = False
    threads: int | None = None
    """of the painter; None leaves torch's own number"""

    @property
    def folder(self) -> Path:
        """The work folder."""
        return self.work or self.target.with_name(self.target.name + ".work")

    @property
    def table(self) -> Path:
        """Where the per-frame table goes."""
        return self.target.with_name(self.target.name + ".frames.parquet")


def stylize(job: Job, *, progress: Progressing, painter: Painting | None = None) -> Result:
    """Paint a film.

    Args:
        job: what was asked for.
        progress: is told of stages and frames.
        painter: stands in for the net, for tests of everything else.

    Raises:
        FilmError: In one line; nothing is left under the final name, the work folder is kept.
    """
    _check_target(job)
    film = read_film(job.source)
    _check_range(film, job.recipe)
    encoding, notes = choose_encoding(film, codec=job.recipe.codec, target=job.target)
    for note in notes:
        progress.note(note)
    painter = painter or Stylizer(load_code(job.recipe.style), threads=job.threads)
    work = WorkFolder(job.folder)
    try:
        work.create()
        with work.leased():
            work.clear_attempts()
            work.note(job.recipe)
            coordinator = Inline(
                film, job.recipe, encoding=encoding, work=work, painter=painter, progress=progress
            )
            result = _run(job, coordinator)
            if not job.keep_work:
                work.remove()
    except MemoryError:
        raise OutOfResources("out of memory") from None
    except OSError as error:
        raise OutOfResources(f"{job.folder}: {error.strerror or error}") from None
    for note in result.notes:
        progress.note(note)
    return result


def _run(job: Job, coordinator: Inline) -> Result:
    """Paint under a hidden name beside the final one, the same for each try of this job."""
    mark = sha256(str(job.folder.resolve()).encode()).hexdigest()[:8]
    unnamed = job.target.with_name(f".{mark}.{job.target.name}")
    table = unnamed.with_suffix(".parquet")
    try:
        result = coordinator.run(unnamed)
        _publish(job, unnamed, table, result)
    finally:
        unnamed.unlink(missing_ok=True)
        table.unlink(missing_ok=True)
    return result


def _check_target(job: Job) -> None:
    if not job.target.parent.is_dir():
        raise BadRequest(f"there is no folder {job.target.parent}")
    if not os.access(job.target.parent, os.W_OK):
        raise BadRequest(f"cannot write to {job.target.parent}")
    if job.target.is_dir():
        raise BadRequest(f"{job.target} is a folder; name a file")
    if job.folder.resolve() == job.target.resolve():
        raise BadRequest(f"{job.target} cannot be the work folder too; name another")
    if job.table.exists() and not job.overwrite and not job.target.exists():
        raise BadRequest(f"{job.table} exists; --overwrite replaces it")
    if os.path.lexists(job.target):
        if job.source.exists() and job.target.exists() and job.target.samefile(job.source):
            raise BadRequest("the result would replace its own source; name another file")
        if not job.overwrite:
            raise BadRequest(f"{job.target} exists; --overwrite replaces it")


def _check_range(film: Film, recipe: Recipe) -> None:
    if recipe.frames is not None and recipe.frames[1] > film.frames:
        first, last = recipe.frames[0], recipe.frames[1] - 1
        raise BadRequest(
            f"frames {first}-{last} are not all in the film: it has 0-{film.frames - 1}"
        )


def _publish(job: Job, unnamed: Path, table: Path, result: Result) -> None:
    """Give the film its name, then its table; both are on the disk before they have one."""
    try:
        write_rows(result.rows, table)
        if job.overwrite:
            synced(unnamed)
            unnamed.replace(job.target)
            synced(job.target.parent)
        elif not named(unnamed, job.target):
            raise BadRequest(f"{job.target} appeared meanwhile; --overwrite replaces it")
        synced(table)
        table.replace(job.table)
    except OSError as error:
        raise OutOfResources(f"{job.target}: {error.strerror or error}") from None
