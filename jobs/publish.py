"""A painted film that has been verified to one that has its name, with its table and sidecar."""

import time
from functools import partial
from typing import TYPE_CHECKING

from jobs.commission import Result
from jobs.ledger import named, synced
from jobs.provenance import provenance
from jobs.sidecar import Sidecar, sidecar, written
from pipeline.errors import BadRequest, OutOfResources

if TYPE_CHECKING:
    from jobs.stylize import Begun


def publish(made: "Begun", result: Result) -> None:
    """Give the film its name, then its table and sidecar; all are on the disk before.

    Raises:
        BadRequest: If the name has been taken meanwhile.
        OutOfResources: If the disk is full.
    """
    job = made.job
    unnamed, said = job.unnamed, _sidecar(made, result)
    folder = job.table.parent
    about = provenance(made.film, job.recipe, result, code=made.code, folder=folder)
    write = partial(result.write_table, about=about.model_dump_json())
    table, words = unnamed.with_suffix(".parquet"), unnamed.with_suffix(".json")
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
        clear(made)


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
        code=made.code,
        notes=made.notes,
        wall=time.monotonic() - made.began,
    )
