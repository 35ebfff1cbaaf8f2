"""The ``reelbrush`` command.

Exit codes: 0 done; 2 bad arguments; 3 source missing, unreadable or not supported; 4 some chunk
failed, or some film of a batch; 5 verification failed; 6 out of disk or memory, or Ray failed; 130
interrupted. What the world does wrong is one line on standard error, never a traceback; ``replay``
is there to show one.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import cv2
import typer
from rich.console import Console

from actors.heap import keep_freed
from actors.objects import located
from jobs import (
    batch_cli,
    doctor_cli,
    options,
    plan_cli,
    probe_cli,
    replay_cli,
    report_cli,
    submit_cli,
    verify_cli,
    watch_cli,
    workshop_cli,
)
from jobs.bench_cli import bench_app
from jobs.options import (
    Backend,
    Codec,
    Frames,
    KeepBars,
    KeepColor,
    Keys,
    NetSize,
    Overwrite,
    Size,
    Source,
    Statistics,
    StatisticsOf,
    Strength,
    Structure,
    Style,
    Styles,
    StyleScale,
)
from jobs.styles_cli import styles_app
from pipeline.errors import FilmError, NodeLost

app = typer.Typer(
    name="reelbrush",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Paints films: the same film back, frame for frame and sound for sound, painted.",
)


app.add_typer(bench_app, name="bench")
app.add_typer(styles_app, name="styles")

_INTERRUPTED = 130


@app.command(
    epilog="Examples: reelbrush stylize clip.mp4 --style great-wave -o wave.mp4; reelbrush stylize "
    "clip.mp4 --style painting.jpg --strength 0s:0,2s:1,smooth --keep-color 0.5 -o mine.mp4"
)
def stylize(
    film: Source,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            parser=located,
            help="The painted film, here or on s3://; by default FILM.painted.mp4 here.",
        ),
    ] = None,
    style: Style = "starry-night",
    style_at: options.StyleAt = None,
    strength: Strength = "1",
    keep_color: KeepColor = 0.0,
    style_scale: StyleScale = "540",
    structure: Structure = 0.0,
    statistics: StatisticsOf = Statistics.SHOT,
    size: NetSize = Size.AUTO,
    keys: Keys = "auto",
    max_keys: options.MaxKeys = None,
    key: options.Given = None,
    keys_from: options.GivenFrom = None,
    frames: Frames = None,
    codec: options.CodecOf = Codec.H264,
    crf: options.Crf = None,
    pixel_format: options.PixelFormat = None,
    keep_bars: KeepBars = True,
    on_error: options.OnErrorOf = options.OnError.FAIL,
    interlaced: options.InterlacedOf = options.Interlaced.DEINTERLACE,
    stream: options.Stream = None,
    flicker_budget: Annotated[
        float, typer.Option(help="Loss a frame may have, in multiples of its content's own.")
    ] = 3.0,
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            parser=located,
            help="Work folder, here or on s3://; by default OUTPUT.work beside the output.",
        ),
    ] = None,
    keep_work: Annotated[bool, typer.Option(help="Keep the work folder after success.")] = False,
    overwrite: Overwrite = False,
    backend: Annotated[
        Backend, typer.Option(help="Who carries the steps: Ray, or a plain loop in one process.")
    ] = Backend.RAY,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cores to use; by default all, as memory allows.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="Of all processes together: 6G, 800M; by default 80 % of free."),
    ] = None,
    gpus: Annotated[
        int | None, typer.Option(min=0, help="GPUs to use; by default all that there are.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster: auto, or HOST:PORT.")
    ] = None,
    threads: Annotated[
        int, typer.Option(help="Of the painter, with the plain loop; 0 takes all cores.", min=0)
    ] = 0,
) -> None:
    """Paint a film. The same command again goes on where an interrupted one stopped."""
    from jobs.engine import Machines, cores, parse_bytes
    from jobs.given import read_offers
    from jobs.progress import progress
    from jobs.style_at import read_style_at
    from jobs.stylize import Job
    from jobs.stylize import stylize as run
    from pipeline.media.codecs import usual_suffix

    recipe = options.recipe(
        style=style,
        strength=strength,
        keep_color=keep_color,
        style_scale=options.number(style_scale),
        structure=structure,
        statistics=statistics.value,
        size=size.value,
        keys=options.number(keys),
        max_keys=max_keys,
        keep_bars=keep_bars,
        on_error=on_error.value,
        interlaced=interlaced.value,
        stream=stream,
        codec=codec.value,
        crf=crf,
        pixel_format=pixel_format,
        flicker_budget=flicker_budget,
        frames=options.frames(frames),
    )
    output = output or Path(f"{film.stem}.painted{usual_suffix(recipe.codec)}")
    job = Job(
        film,
        output,
        recipe,
        given=read_offers(key or [], keys_from),
        style_at=read_style_at(style_at or []),
        work=work,
        overwrite=overwrite,
        keep_work=keep_work,
        threads=threads or cores(),
        backend=backend.value,
        machines=Machines(workers, None if memory is None else parse_bytes(memory), gpus, address),
    )
    with progress(film.name) as telling:
        result = run(job, progress=telling)
    kept = f", {result.reused} of them from before" if result.reused else ""
    held = f", {len(result.held)} frames held" if result.held else ""
    _say(
        f"{output}: {result.frames} frames, {result.keys} keys "
        f"({result.promoted} promoted), {result.chunks} chunks{kept}{held}; "
        f"per frame in {job.table.name}, all about it in {job.sidecar.name}"
    )


@app.command(
    epilog="Examples: reelbrush still clip.mp4 --at 12s --style great-wave,adele -o look.png; "
    "reelbrush still clip.mp4 --sheet --at 12s,40s --style great-wave,adele --scales 360,540"
)
def still(
    film: Source,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .png or .jpg file; by default FILM.still.png here."),
    ] = None,
    at: options.Times = None,
    style: Styles = None,
    style_scale: options.Scales = "540",
    structure: Structure = 0.0,
    size: NetSize = Size.AUTO,
    sheet: options.Sheet = False,
    height: Annotated[
        int | None,
        typer.Option(min=16, help="Reduce each picture to so many lines; on a sheet to 360."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Paint one frame in one or more styles, or a sheet: your own film before you paint it all.

    Tones are settled on each frame by itself; in the film, on frames of its shot.
    """
    from actors.files import film_at
    from jobs import still as pictures
    from pipeline.paint.choice import choose_all

    choices = choose_all(style or "starry-night") if style or not sheet else []
    for note in [note for choice in choices for note in choice.notes]:
        _say(note)
    output = output or Path(f"{film.stem}.{'sheet' if sheet else 'still'}.png")
    wanted = pictures.Wanted(
        output,
        codes=[choice.code for choice in choices],
        scales=options.scales(style_scale),
        times=options.several(at),
        height=height,
        size=size.value,
        structure=options.recipe(style="any", structure=structure).structure,
        overwrite=overwrite,
    )
    with film_at(film) as path:
        _say((pictures.sheet if sheet else pictures.still)(path, wanted))


batch_cli.add_to(app)
submit_cli.add_to(app)
watch_cli.add_to(app)
probe_cli.add_to(app)
report_cli.add_to(app)
plan_cli.add_to(app)
verify_cli.add_to(app)
replay_cli.add_to(app)
doctor_cli.add_to(app)
workshop_cli.add_to(app)


def _say(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


def _terminated(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command and turn what went wrong into a line and an exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    cv2.setNumThreads(1)  # the steps are what runs side by side
    keep_freed()
    try:
        app(standalone_mode=True)
    except FilmError as error:
        sys.stderr.write(f"reelbrush: {error}\n")
        if isinstance(error, NodeLost):  # what is left of Ray in this process ends it with a crash
            sys.stderr.flush()
            os._exit(error.exit_code)
        sys.exit(error.exit_code)
    except (MemoryError, OSError) as error:
        what = "out of memory" if isinstance(error, MemoryError) else str(error)
        sys.stderr.write(f"reelbrush: {what}\n")
        sys.exit(6)
    except (KeyboardInterrupt, SystemExit) as ended:
        # typer makes an exit of an interrupt before it gets here, without a word
        if isinstance(ended, SystemExit) and ended.code != _INTERRUPTED:
            raise
        sys.stderr.write("reelbrush: interrupted; the same command goes on from here\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
