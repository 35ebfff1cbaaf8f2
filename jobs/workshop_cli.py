"""The commands of those who make painters and judge films: ``reelbrush train`` and ``evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.evaluate_cli import EXAMPLE, evaluate
from jobs.options import Backend, Size


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    data = "reelbrush train --data DATA --vgg vgg16.safetensors --run runs/one"
    app.command(epilog=f"Example: {data}")(train)
    app.command(epilog=EXAMPLE)(evaluate)


def train(
    data: Annotated[Path, typer.Option(help="Folder of photos.parquet and paintings/.")],
    run: Annotated[Path, typer.Option(help="Folder of the run; begun, or gone on with.")],
    vgg: Annotated[Path | None, typer.Option(help="VGG16 weights; else torchvision's.")] = None,
    size: Annotated[
        Size, typer.Option(help="S, or M for GPUs; auto is M on a GPU, else S.")
    ] = Size.AUTO,
    steps: Annotated[int, typer.Option(help="Optimiser steps.")] = 6000,
    batch: Annotated[int, typer.Option(help="Pictures a step, of each worker.")] = 4,
    half: Annotated[bool, typer.Option(help="bfloat16: 3 times faster where it is native.")] = True,
    frugal: Annotated[bool, typer.Option(help="Less memory, a third more time.")] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option("--with", help="Any other setting: [b]crop=256[/b], [b]consistency=0[/b]."),
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="Weights folder of an earlier painter to begin with.")
    ] = None,
    codes_of: Annotated[
        Path | None, typer.Option(help="Run whose code space to share: another size of it.")
    ] = None,
    encoder: Annotated[
        bool, typer.Option(help="Train the style encoder of a run, on that run's code space.")
    ] = False,
    lessons: Annotated[int, typer.Option(help="Crops that the encoder learns from.")] = 5000,
    device: Annotated[
        str | None, typer.Option(help="cpu or cuda; by default cuda if there is one.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads on the CPU.")] = 2,
    backend: Annotated[
        Backend, typer.Option(help="Ray Train, or this process alone.")
    ] = Backend.RAY,
    minutes: Annotated[float | None, typer.Option(help="Stop with a checkpoint after.")] = None,
    rehearse: Annotated[bool, typer.Option(help="Four tiny steps, to try the command.")] = False,
    install: Annotated[bool, typer.Option(help="Put the result into pipeline/weights.")] = False,
) -> None:
    """Train the painter on many styles, or the style encoder; the same command resumes.

    Ray Train carries it: one worker on CPUs, one a GPU where there are more.
    """
    from jobs import train as job
    from jobs.engine import Machines
    from jobs.progress import progress
    from pipeline.paint.schedule import Settings, with_words
    from pipeline.paint.workshop import Run

    on = device or job.best_device()
    kind = ("M" if on == "cuda" else "S") if size is Size.AUTO else size.value
    settings = Settings(size=kind, steps=steps, batch=batch, half=half, frugal=frugal)
    settings = with_words(settings, setting or [])
    settings = settings.quick() if rehearse else settings
    asked = Run(run, data, vgg, settings, on, threads, minutes, start, codes_of)
    machines = Machines(gpus=None if on == "cuda" else 0) if backend is Backend.RAY else None
    with progress() as telling:
        if encoder:
            share = job.teach(asked, lessons=lessons, steps=steps, progress=telling)
            done, said = True, f"; explains {share:.2f} of what held-out paintings' codes vary"
        else:
            done, said = job.train(asked, machines=machines, progress=telling), ""
    if install and done:
        job.install(run, size=settings.size)
    typer.echo(f"{run}: {'done' if done else 'stopped; the same command goes on'}{said}")
