"""A painted film that has been verified to one that has its name, with its table and sidecar."""

import errno
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from actors.files import writing
from actors.objects import ObjectPath
from actors.s3 import copy
from jobs.commission import Result
from jobs.job import Job
from jobs.ledger import named, synced
from jobs.provenance import provenance
from jobs.sidecar import Sidecar, sidecar, written
from pipeline.errors import BadRequest, OutOfResources

if TYPE_CHECKING:
    from jobs.stylize import Begun


def publish(made: "Begun", result: Result) -> None:
    """Give the film its name, then its table and sidecar; nothing that has a name is half made.

    Raises:
        BadRequest: If the name has been taken meanwhile.
        OutOfResources: If the disk is full.
    """
    job = made.job
    said = _sidecar(made, result)
    folder = job.table.parent
    about = provenance(made.film, job.recipe, result, codes=made.codes, folder=folder)
    write = partial(result.write_table, about=about.model_dump_json())
    words = written(said)
    try:
        if isinstance(job.target, ObjectPath):
            _uploaded(job, job.target, write, words)
        else:
            _renamed(job, write, words)
    except OSError as error:
        raise OutOfResources(f"{job.target}: {error.strerror or error}") from None
    finally:
        clear(made)


def _renamed(job: Job, write: Callable[[Path], None], words: str) -> None:
    """Give files their names; all are on the disk before."""
    unnamed = job.unnamed
    table, said = unnamed.with_suffix(".parquet"), unnamed.with_suffix(".json")
    said.write_text(words, encoding="utf-8")
    write(table)
    if job.overwrite:
        synced(unnamed)
        unnamed.replace(job.target)
        synced(job.target.parent)
    elif not named(unnamed, job.target):
        raise _taken(job)
    synced(table)
    table.replace(job.table)
    synced(said)
    said.replace(job.sidecar)


def _uploaded(job: Job, target: ObjectPath, write: Callable[[Path], None], words: str) -> None:
    """Have the service give the film its name, and put table and sidecar beside it."""
    unnamed = ObjectPath(job.unnamed)
    version = unnamed.version()
    if version is None:
        raise FileNotFoundError(errno.ENOENT, "the joined film is gone")
    with writing(job.table) as table:
        write(table)
        if not copy(unnamed.spot, target.spot, version, new=not job.overwrite):
            raise _taken(job)
    job.sidecar.write_text(words, encoding="utf-8")


def _taken(job: Job) -> BadRequest:
    return BadRequest(f"{job.target} appeared meanwhile; --overwrite replaces it")


def clear(made: "Begun") -> None:
    """Delete what lies under names that are not final."""
    for suffix in (made.job.unnamed.suffix, ".parquet", ".json"):
        made.job.unnamed.with_suffix(suffix).unlink(missing_ok=True)


def _sidecar(made: "Begun", result: Result) -> Sidecar:
    return sidecar(
        made.film,
        made.job.recipe,
        result,
        encoding=made.encoding,
        target=made.job.target,
        unnamed=made.job.unnamed,
        given=made.job.given,
        codes=made.codes,
        notes=made.notes,
        wall=time.monotonic() - made.began,
    )
