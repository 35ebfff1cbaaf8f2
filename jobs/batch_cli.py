"""The command ``reelbrush batch``: the films of a job file, one after the other."""

import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from jobs import options
from jobs.options import Backend
from pipeline.errors import BadRequest, BatchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.batch import How
    from jobs.batch_result import Outcomes
    from jobs.jobfile_read import Batch
    from jobs.orders import Ready

_CANCELLED = 130


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush batch night.yaml --dry-run; reelbrush batch night.yaml; "
        "reelbrush batch night.yaml --only reel1,reel4 --json; "
        "reelbrush batch /srv/films/night.yaml --address auto; "
        "reelbrush batch --schema > reelbrush.schema.json"
    )(batch)


def batch(
    job: Annotated[
        Path | None, typer.Argument(metavar="JOB.yaml", help="The job file; README shows one.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check the file and each film; paint and write nothing."),
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="NAME,..", help="These films of it, by their names.")
    ] = None,
    backend: Annotated[
        Backend, typer.Option(help="Who carries the steps: Ray, or a plain loop in one process.")
    ] = Backend.RAY,
    address: Annotated[
        str | None,
        typer.Option(help="Of a running Ray cluster: auto, or HOST:PORT; instead of the file's."),
    ] = None,
    result: Annotated[
        Path | None,
        typer.Option(help="Where to write what became of each film; by default JOB.result.json."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where it is asked and told of while it runs (reelbrush status, pause, cancel); "
            "by default JOB.batch, in work if the file names one, else beside it."
        ),
    ] = None,
    run: Annotated[
        str, typer.Option(metavar="NAME", help="What submit calls this run.", hidden=True)
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print that at the end instead of a table.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of job files, for editors.")
    ] = False,
) -> None:
    """Paint the films of a job file. The same command again goes on where it stopped.

    All that is wrong with the file is said at once, with lines; exit code 2. Then each film is
    looked at; those that cannot be painted are refused, the others are painted side by side:
    machines are shared out by priority, and a film that may miss its deadline comes first. A film
    that is there, made just so, is not painted again. On a cluster every node first proves that it
    reads the films and writes the folders; exit code 6, a line a node, if not.
    Exit codes: 0 all films are there, 4 some are not, 130 cancelled (reelbrush cancel JOB.yaml).
    """
    from jobs import jobfile
    from jobs.batch import check, chosen, paint_all
    from jobs.batch_result import SUFFIX, Outcomes, now
    from jobs.control import batch_folder
    from jobs.jobfile_read import read_job_file
    from jobs.progress import progress
    from jobs.run_note import begin

    if schema:
        sys.stdout.write(json.dumps(jobfile.schema(), indent=1) + "\n")
        return
    if job is None:
        raise BadRequest("batch needs a job file, or --schema")
    names = options.several(only)
    whole = _at(read_job_file(job), address)
    asked = chosen(whole, names)
    file = None if dry_run else result or job.with_name(job.name + SUFFIX)
    with ExitStack() as stack:
        place = folder or batch_folder(job, whole.work)
        how = _dry(backend) if file is None else _watched(backend, stack, place, job.name)
        if file is not None:
            control = begin(place, run=run, began=now(), result=file)
            how = replace(how, control=control)
        outcomes = Outcomes(whole, names=names, file=file)
        outcomes.save()
        try:
            with progress(job.name) as telling:
                waiting = check(asked, outcomes, how, progress=telling)
            if not dry_run:
                _prove(asked, waiting, how)
                paint_all(asked, waiting, outcomes, how)
        finally:
            outcomes.save(ended=True)
            stack.close()
            _show(outcomes, as_json=as_json, file=file)
    _end(outcomes, file, dry_run=dry_run)


def _end(outcomes: "Outcomes", file: Path | None, *, dry_run: bool) -> None:
    """End with the exit code that says what became of the films."""
    bad = [one for one in outcomes.all if one.bad]
    if any(one.status == "cancelled" for one in bad):
        sys.stderr.write("reelbrush: cancelled; the same command goes on from here\n")
        raise typer.Exit(_CANCELLED)
    if bad:
        names = ", ".join(one.film for one in bad)
        where = f"; see {file}" if file else ""
        raise BatchFailed(
            f"{len(bad)} of {len(outcomes.all)} films are not painted: {names}{where}"
            if not dry_run
            else f"{len(bad)} of {len(outcomes.all)} films cannot be painted: {names}"
        )


def _dry(backend: Backend) -> "How":
    from jobs.batch import How
    from jobs.progress import progress

    return How(backend.value, lambda name, i, n: progress(name, place=(i, n)))


def _watched(backend: Backend, stack: ExitStack, folder: Path, name: str) -> "How":
    """Have a batch watched: by a person, by a file in its folder, and by Ray's gauges."""
    from jobs.log import Log
    from jobs.watchers import watchers_of

    how = _dry(backend)
    if backend is not Backend.RAY:
        return how
    watchers, note = watchers_of(name, folder, stack)
    return replace(how, watchers=watchers, note=note, log=Log(folder))


def _at(batch: "Batch", address: str | None) -> "Batch":
    """Paint a batch on a cluster, whatever its file says."""
    if address is None:
        return batch
    if batch.machines.memory is not None:
        raise BadRequest("machines.memory is for a Ray of our own; nodes have what they have")
    return replace(batch, machines=replace(batch.machines, address=address))


def _prove(batch: "Batch", waiting: "Mapping[str, Ready]", how: "How") -> None:
    """Have every node of a cluster prove that it sees what the batch needs."""
    from jobs.proof import prove

    if how.backend != "ray" or batch.machines.address is None or not waiting:
        return
    jobs = [one.job for one in waiting.values()]
    prove(
        batch.machines,
        sources=[job.source for job in jobs],
        folders=[place for job in jobs for place in (job.folder.parent, job.target.parent)],
    )


def _show(outcomes: "Outcomes", *, as_json: bool, file: Path | None) -> None:
    from jobs.batch_result import counted, table

    if as_json:
        sys.stdout.write(json.dumps(outcomes.facts(ended=True), indent=1) + "\n")
        return
    console = Console()
    wide = console if console.is_terminal else Console(width=200)
    wide.print(table(outcomes.all))
    for one in outcomes.all:
        for note in one.notes:
            wide.print(f"{one.film}: {note}", highlight=False, markup=False)
    where = f"; all about it in {file.name}" if file else ""
    wide.print(counted(outcomes.all) + where, highlight=False, markup=False)
