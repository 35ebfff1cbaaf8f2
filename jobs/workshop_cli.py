"""The commands of those who make painters and judge films: ``reelbrush train`` and ``evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.evaluate_cli import EXAMPLE, evaluate
from pipeline.errors import BadRequest


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    data = "reelbrush train --data DATA --vgg vgg16.safetensors --run runs/one"
    app.command(epilog=f"Example: {data}")(train)
    app.command(epilog=EXAMPLE)(evaluate)


def train(
    data: Annotated[Path, typer.Option(help="Folder of photos.parquet and paintings/.")],
    run: Annotated[Path, typer.Option(help="Folder of the run; begun, or gone on with.")],
    vgg: Annotated[Path | None, typer.Option(help="VGG16 weights; else torchvision's.")] = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 6000,
    batch: Annotated[int, typer.Option(help="Pictures a step.")] = 4,
    half: Annotated[bool, typer.Option(help="bfloat16: 3 times faster where it is native.")] = True,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads on the CPU.")] = 2,
    size: Annotated[str, typer.Option(help="S, or M for GPUs.")] = "S",
    start: Annotated[
        Path | None, typer.Option(help="Weights folder of an earlier painter to begin with.")
    ] = None,
    frugal: Annotated[bool, typer.Option(help="Less memory, a third more time.")] = False,
    minutes: Annotated[float | None, typer.Option(help="Stop with a checkpoint after.")] = None,
    rehearse: Annotated[bool, typer.Option(help="Four tiny steps, to try the command.")] = False,
    install: Annotated[bool, typer.Option(help="Put the result into pipeline/weights.")] = False,
) -> None:
    """Train the painter on the gallery's paintings; the same command resumes."""
    from jobs import train as job
    from jobs.progress import progress
    from pipeline.paint.schedule import Settings

    settings = Settings(size=size, steps=steps, batch=batch, half=half, frugal=frugal)
    settings = settings.quick() if rehearse else settings
    try:
        with progress() as telling:
            done = job.train(
                run,
                data=data,
                vgg=vgg,
                settings=settings,
                device=device,
                threads=threads,
                minutes=minutes,
                progress=telling,
                start=start,
            )
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if install and done:
        job.install(run, size=settings.size)
    typer.echo(f"{run}: {'done' if done else 'stopped; the same command goes on'}")
