"""What was asked for: one film, one recipe, and where to work; and what can be refused at once."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from actors.objects import ObjectPath
from actors.s3 import check_bucket
from jobs.engine import Machines
from jobs.given import Offer
from jobs.ledger import Asked
from jobs.patience import Patience
from jobs.sidecar import sidecar_of
from jobs.style_at import StyleAt
from pipeline.errors import BadRequest
from pipeline.media.container import Film
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for, with paths."""

    source: Path
    target: Path
    recipe: Recipe
    given: tuple[Offer, ...] = ()
    """pictures that take the place of the painter's"""
    style_at: tuple[StyleAt, ...] = ()
    """ranges in other styles, for the film to be looked at; the recipe may have some already"""
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

    @property
    def unnamed(self) -> Path:
        """A hidden name beside the final one, the same for each try of this job."""
        mark = sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]
        return self.target.with_name(f".{mark}.{self.target.name}")

    def asked(self, film: Film) -> Asked:
        """What to leave in the work folder."""
        source, target = self.source.absolute(), self.target.absolute()
        return Asked(source, target, film.fingerprint, self.recipe)


def check_target(job: Job) -> None:
    """Make sure that a film's name is free, and its folder there.

    Raises:
        BadRequest: If not.
    """
    try:
        _check_target(job)
    except OSError as error:
        raise BadRequest(f"cannot write to {job.target.parent}: {error.strerror}") from None


def _check_target(job: Job) -> None:
    if isinstance(job.target, ObjectPath):
        check_bucket(job.target.spot.bucket)
    else:
        _check_folder(job.target)
    if job.folder.resolve() == job.target.resolve():
        raise BadRequest(f"{job.target} cannot be the work folder too; name another")
    for beside in (job.table, job.sidecar):
        if beside.exists() and not job.overwrite and not job.target.exists():
            raise BadRequest(f"{beside} exists; --overwrite replaces it")
    if there(job.target):
        if job.source.exists() and job.target.exists() and same(job.target, job.source):
            raise BadRequest("the result would replace its own source; name another file")
        if not job.overwrite:
            raise BadRequest(f"{job.target} exists; --overwrite replaces it")


def there(path: Path) -> bool:
    """Whether something has this name, be it a link to nothing."""
    return path.exists() if isinstance(path, ObjectPath) else os.path.lexists(path)


def same(one: Path, other: Path) -> bool:
    """Whether two names of what is there are names of one thing."""
    if isinstance(one, ObjectPath) or isinstance(other, ObjectPath):
        return one == other
    return one.samefile(other)


def _check_folder(target: Path) -> None:
    if not target.parent.is_dir():
        raise BadRequest(f"there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise BadRequest(f"cannot write to {target.parent}")
    if target.is_dir():
        raise BadRequest(f"{target} is a folder; name a file")


def check_range(film: Film, recipe: Recipe) -> None:
    """Make sure that the film has the frames that are wanted.

    Raises:
        BadRequest: If not.
    """
    for one in recipe.style_at:
        if one.stop > film.frames:
            raise BadRequest(
                f"style_at: frames {one.start}-{one.stop - 1} are not all in the film: it has "
                f"0-{film.frames - 1}"
            )
    if recipe.frames is not None and recipe.frames[1] > film.frames:
        first, last = recipe.frames[0], recipe.frames[1] - 1
        raise BadRequest(
            f"frames {first}-{last} are not all in the film: it has 0-{film.frames - 1}"
        )
