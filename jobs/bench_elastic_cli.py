"""The command ``reelbrush bench elastic``: machines come for work, and go when there is none."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

ELASTIC = "Example: reelbrush bench elastic -o bench/results/elastic.json"


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(epilog=ELASTIC)(elastic)


def elastic(
    seconds: Annotated[float, typer.Option(help="For which each chunk is painted.", min=0.1)] = 8.0,
    worth: Annotated[
        float, typer.Option(help="Seconds of work for which a machine is asked for.", min=0.1)
    ] = 10.0,
    machines: Annotated[int, typer.Option(help="With GPUs, that may come.", min=3)] = 4,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")
    ] = None,
) -> None:
    """Paint films on a fake cloud with Ray's autoscaler, by a painter that takes its time.

    As many machines with GPUs must come as there is use for, stylizers that are too many must be
    sent home before the end, and all machines must go afterwards, also when the command was killed;
    else the exit code is 5.
    """
    from jobs import bench_elastic as job
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        found = job.elastic(seconds=seconds, worth=worth, machines=machines, progress=telling)
    heads = ("run", "chunks", "GPUs allowed", "came", "first s", "took s", "sent home", "gone s")
    table = Table(*heads, box=None, pad_edge=False)
    for one in found.runs:
        first = "" if one.first is None else f"{one.first:.0f}"
        table.add_row(
            one.name,
            str(one.chunks),
            str(one.allowed),
            str(one.most),
            first,
            f"{one.ended:.0f}",
            str(one.home),
            f"{one.gone:.0f}",
        )
    Console().print(table)
    if output is not None:
        store(output, job.as_json(found))
    bad = [one.name for one in found.runs if not one.well]
    if bad:
        raise VerificationFailed(f"machines did not come or go as they should: {', '.join(bad)}")
