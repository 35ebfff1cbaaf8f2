"""``reelbrush bench ablation``: what each part of the training recipe is for."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

EXAMPLE = "Example: reelbrush bench ablation --data DATA --vgg vgg16.safetensors --run runs/parts"


def ablation(
    data: Annotated[Path, typer.Option(help="Folder as reelbrush train takes it.")],
    run: Annotated[Path, typer.Option(help="Folder of the runs.")],
    vgg: Annotated[Path | None, typer.Option(help="VGG16 weights; else torchvision's.")] = None,
    steps: Annotated[int, typer.Option(help="Of each run.")] = 400,
    start: Annotated[
        Path | None, typer.Option(help="Weights folder of a painter to begin with.")
    ] = None,
    codes_of: Annotated[Path | None, typer.Option(help="Run whose targets to share.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")
    ] = None,
) -> None:
    """Train with one part of the recipe left out, in turn, and judge what it was for."""
    from jobs import bench_ablation as job
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.paint.schedule import Settings
    from pipeline.paint.workshop import Run

    settings = Settings(steps=steps, half=True, crop=96, wide_crop=96)
    asked = Run(run, data, vgg, settings, start=start, codes_of=codes_of)
    with progress() as telling:
        rows = [asdict(row) for row in job.ablate(asked, progress=telling)]
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    if output is not None:
        store(output, {"settings": asdict(settings), "rows": rows})
