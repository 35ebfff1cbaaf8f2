"""``reelbrush train``: the painter, its style encoder, or the painter for one painting alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.options import Backend, Size
from pipeline.errors import BadRequest

if TYPE_CHECKING:
    from jobs.engine import Machines
    from pipeline.paint.workshop import Run

_STEPS = {"painter": 6000, "encoder": 2400, "only": 400}


def train(
    data: Annotated[Path, typer.Option(help="Folder of photos.parquet and paintings/.")],
    run: Annotated[
        Path | None, typer.Option(help="Folder of the run; begun, or gone on with.")
    ] = None,
    vgg: Annotated[Path | None, typer.Option(help="VGG16 weights; else torchvision's.")] = None,
    size: Annotated[
        Size, typer.Option(help="S, or M for GPUs; auto is M on a GPU, else S.")
    ] = Size.AUTO,
    steps: Annotated[
        int | None,
        typer.Option(help="Optimiser steps; by default 6000, 2400 for the encoder, 400."),
    ] = None,
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
        bool,
        typer.Option(help="Train the style encoder of a run, on its code space, in this process."),
    ] = False,
    lessons: Annotated[int, typer.Option(help="Crops that the encoder learns from.")] = 5000,
    only: Annotated[
        Path | None,
        typer.Option(
            help="Fine-tune the shipped painter for this painting alone, in this process, into -o."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With --only: the .style file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="With --only: replace what exists.")] = False,
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
    """Train the painter on many styles, its style encoder, or both for one painting alone.

    Ray Train carries the painter: one worker on CPUs, one a GPU where there are more. The same
    command goes on with a run that was stopped.
    """
    from jobs.engine import Machines
    from jobs.train import best_device
    from pipeline.paint.schedule import Settings, with_words
    from pipeline.paint.workshop import Run

    on = device or best_device()
    kind = ("M" if on == "cuda" else "S") if size is Size.AUTO else size.value
    what = "only" if only else "encoder" if encoder else "painter"
    count = steps or _STEPS[what]
    settings = Settings(size=kind, steps=count, batch=batch, half=half, frugal=frugal)
    settings = with_words(settings, setting or [])
    settings = settings.quick() if rehearse else settings
    if run is None and only is None:
        raise BadRequest("--run names the folder of the run")
    asked = Run(
        folder=(run or Path()).absolute(),  # a worker of Ray is at home elsewhere
        data=data.absolute(),
        vgg=vgg and vgg.absolute(),
        settings=settings,
        device=on,
        threads=threads,
        minutes=minutes,
        start=start and start.absolute(),
        codes_of=codes_of and codes_of.absolute(),
    )
    if only is not None:
        _only(only, asked, output, overwrite=overwrite)
    elif encoder:
        _encoder(asked, lessons, install=install)
    else:
        machines = Machines(gpus=None if on == "cuda" else 0) if backend is Backend.RAY else None
        _painter(asked, machines, install=install)


def _painter(run: "Run", machines: "Machines | None", *, install: bool) -> None:
    from jobs import train as job
    from jobs.progress import progress

    with progress() as telling:
        done = job.train(run, machines=machines, progress=telling)
    if install and done:
        job.install(run.folder, size=run.settings.size)
    typer.echo(f"{run.folder}: {'done' if done else 'stopped; the same command goes on'}")


def _encoder(run: "Run", lessons: int, *, install: bool) -> None:
    from jobs import train as job
    from jobs.progress import progress

    with progress() as telling:
        share = job.teach(run, lessons=lessons, progress=telling)
    if install:
        job.install(run.folder, size=run.settings.size)
    typer.echo(f"{run.folder}: explains {share:.2f} of how held-out paintings differ")


def _only(painting: Path, run: "Run", target: Path | None, *, overwrite: bool) -> None:
    from jobs.progress import progress
    from jobs.train_only import only

    with progress() as telling:
        made, notes = only(painting, run, target=target, overwrite=overwrite, progress=telling)
    for line in (*notes, f"{made}: a style for reelbrush stylize --style {made}"):
        typer.echo(line)
