"""The commands of those who make painters and judge films: ``reelbrush train`` and ``evaluate``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.errors import BadRequest


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    data = "reelbrush train --data DATA --vgg vgg16.safetensors --run runs/one"
    app.command(epilog=f"Example: {data}")(train)
    app.command(epilog="Example: reelbrush evaluate clip.mp4 wave.mkv --frames 60")(evaluate)


def train(
    data: Annotated[Path, typer.Option(help="Folder of photos.parquet and paintings/.")],
    run: Annotated[Path, typer.Option(help="Folder of the run; begun, or gone on with.")],
    vgg: Annotated[Path | None, typer.Option(help="VGG16 weights; else torchvision's.")] = None,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 5200,
    batch: Annotated[int, typer.Option(help="Pictures a step.")] = 4,
    half: Annotated[bool, typer.Option(help="bfloat16: 3 times faster where it is native.")] = True,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    threads: Annotated[int, typer.Option(help="Threads on the CPU.")] = 2,
    minutes: Annotated[float | None, typer.Option(help="Stop with a checkpoint after.")] = None,
    rehearse: Annotated[bool, typer.Option(help="Four tiny steps, to try the command.")] = False,
    install: Annotated[bool, typer.Option(help="Put the result into pipeline/weights.")] = False,
) -> None:
    """Train the painter on the gallery's paintings; the same command resumes."""
    from jobs import train as job
    from jobs.progress import progress
    from pipeline.paint.training import Settings

    settings = Settings(steps=steps, batch=batch, half=half)
    settings = job.quick(settings) if rehearse else settings
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
            )
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if install and done:
        job.install(run, size=settings.size)
    typer.echo(f"{run}: {'done' if done else 'stopped; the same command goes on'}")


def evaluate(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The film.")],
    painted: Annotated[Path, typer.Argument(metavar="PAINTED", help="The same film painted.")],
    frames: Annotated[int, typer.Option(help="Judge this many from the start.")] = 60,
    raft: Annotated[
        Path | None, typer.Option(help="RAFT-small weights (safetensors); else DIS medium.")
    ] = None,
    table: Annotated[Path | None, typer.Option(help="Write a row a frame as Parquet.")] = None,
) -> None:
    """Judge how still a painted film is, along the source's own motion."""
    from jobs.evaluate import show

    show(source, painted, count=frames, raft_weights=raft, table=table, console=Console())
