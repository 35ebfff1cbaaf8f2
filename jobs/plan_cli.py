"""The command ``reelbrush plan``: what a film will take, before anything is painted."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actors.objects import located
from jobs import options
from jobs.options import Codec, KeepBars, Keys, MaxKeys, Source, Style, StyleScale


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush plan clip.mp4; reelbrush plan clip.mp4 --max-keys 15% --json"
    )(plan)


def plan(
    film: Source,
    style: Style = "starry-night",
    style_at: options.StyleAt = None,
    style_scale: StyleScale = "540",
    keys: Keys = "auto",
    max_keys: MaxKeys = None,
    key: options.Given = None,
    keys_from: options.GivenFrom = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            parser=located,
            help="What the painted film is to be called; not written.",
        ),
    ] = None,
    codec: options.CodecOf = Codec.H264,
    crf: options.Crf = None,
    pixel_format: options.PixelFormat = None,
    keep_bars: KeepBars = True,
    interlaced: options.InterlacedOf = options.Interlaced.DEINTERLACE,
    stream: options.Stream = None,
    json: Annotated[bool, typer.Option("--json", help="Print it for programs to read.")] = False,
) -> None:
    """Analyse a film and forecast its keys, its flicker and what it takes; paints nothing.

    The expected loss is what the table of a painted film has as its loss; the time is that of CPU
    cores by stored measurements, scaled by the film's size.
    """
    from jobs.given import read_offers
    from jobs.plan import as_json, foresee, show
    from jobs.progress import progress
    from jobs.style_at import read_style_at

    recipe = options.recipe(
        style=style,
        style_scale=options.number(style_scale),
        keys=options.number(keys),
        max_keys=max_keys,
        codec=codec.value,
        crf=crf,
        pixel_format=pixel_format,
        keep_bars=keep_bars,
        interlaced=interlaced.value,
        stream=stream,
    )
    offers, others = read_offers(key or [], keys_from), read_style_at(style_at or [])
    with progress(film.name) as telling:
        found = foresee(
            film, recipe, target=output, given=offers, style_at=others, progress=telling
        )
    if json:
        typer.echo(as_json(found))
    else:
        show(found, Console())
