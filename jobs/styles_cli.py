"""``reelbrush styles``: what there is to paint like, as a list or a sheet, and one's own."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.options import Overwrite
from pipeline.paint.code_file import SUFFIX

styles_app = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode="rich",
    epilog="Examples: reelbrush styles --sheet look.png --on holiday.mp4 --at 12s; "
    "reelbrush styles add painting.jpg --title 'The Sea' -o sea.style",
)


@styles_app.callback()
def styles(
    context: typer.Context,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Draw every style on one picture, into this file."),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(help="The picture, or a film; by default the clip of make demo."),
    ] = None,
    at: Annotated[str, typer.Option(help="Of a film: 12s, 1:30 or 00:01:12.5")] = "0s",
    overwrite: Overwrite = False,
) -> None:
    """List the gallery: name first, then title, painter, year; or draw it, or add to your own."""
    from jobs.progress import progress
    from jobs.styles import sheet as draw
    from pipeline.paint.styles import gallery

    if context.invoked_subcommand is not None:
        return
    if sheet is not None:
        with progress() as telling:
            count = draw(sheet, on=on, at=at, progress=telling, overwrite=overwrite)
        typer.echo(f"{sheet}: {count} styles")
        return
    width = max(len(caption.name) for caption in gallery())
    for caption in gallery():
        text = f"{caption.title}, {caption.painter}, {caption.year}"
        typer.echo(f"{caption.name:{width}}  {text}")


@styles_app.command(epilog="Example: reelbrush styles add painting.jpg -o sea.style")
def add(
    painting: Annotated[Path, typer.Argument(metavar="PAINTING", help="An image file.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"By default NAME{SUFFIX} in this folder."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="By default made of the file's own name.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the painting.")] = None,
    painter: Annotated[str, typer.Option(help="Who painted it.")] = "",
    year: Annotated[str, typer.Option(help="When.")] = "",
    overwrite: Overwrite = False,
) -> None:
    """Make a style code of a painting: a file of about 1 KB that --style takes everywhere."""
    from jobs.styles import add as make

    made, notes = make(
        painting,
        name=name,
        title=title,
        painter=painter,
        year=year,
        target=output,
        overwrite=overwrite,
    )
    for note in notes:
        typer.echo(note)
    typer.echo(f"{made}: paint with --style {made}")
