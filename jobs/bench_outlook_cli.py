"""``reelbrush bench outlook``: what was forecast of painted films, and what they became."""

from dataclasses import asdict
from math import exp
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

EXAMPLE = "Example: reelbrush bench outlook out/hold/*.ours.*[0-9a-f].mkv -o outlook.json"


def outlook(
    painted: Annotated[
        list[Path], typer.Argument(help="Painted films, with their tables and sources.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")
    ] = None,
) -> None:
    """Compare the loss that plan forecasts with that of painted films, and fit its factors anew."""
    from jobs import bench_outlook as job
    from jobs.progress import progress
    from jobs.results import store

    with progress() as telling:
        found = job.outlook(painted, progress=telling)
    table = Table("film", "style", "keys", "frames", "measured", "expected", "ratio", "refitted")
    table.add_column("unseen")
    for one in found.films:
        means = (one.measured, one.expected)
        ratios = (one.expected / one.measured, one.fitted / one.measured, one.unseen / one.measured)
        table.add_row(
            *(one.film, one.style, one.keys, str(one.frames)),
            *(f"{1e3 * mean:.3f}" for mean in means),
            *(f"{ratio:.2f}" for ratio in ratios),
        )
    table.caption = "mean losses x 1e-3; ratio, refitted, unseen: expected over measured"
    console = Console()
    (console if console.is_terminal else Console(width=120)).print(table)
    for name, fit in (("now", found.used), ("best", found.best)):
        typer.echo(
            f"{name}: {fit.content:.3g} content + {fit.hole:.3g} holes; films {fit.lowest:.2f} to "
            f"{fit.highest:.2f} of what was measured, frames a factor of {exp(fit.apart):.2f}"
        )
    if output is not None:
        store(output, {"unit": "[0, 1]^2", **asdict(found)})
