"""The command ``reelbrush report``: a page about a painted film, for people to look at."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.options import Overwrite


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush report wave.mp4; "
        "reelbrush report wave.mp4 --source clip.mp4 -o wave.html"
    )(report)


def report(
    film: Annotated[
        Path, typer.Argument(metavar="PAINTED", help="A painted film, its table beside it.")
    ],
    source: Annotated[
        Path | None,
        typer.Option(help="The film it was painted from; by default where its table says."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .html file; by default PAINTED.html here."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write one HTML file about a painted film: before and after, its shots, where it flickers.

    The page holds all it shows, at most about 15 MB, and asks no network for anything.
    """
    from jobs.progress import progress
    from jobs.report import report as run

    with progress(film.name) as telling:
        made = run(
            film,
            target=output or Path(f"{film.stem}.html"),
            source=source,
            overwrite=overwrite,
            progress=telling,
        )
    over = f"{made.over} over budget" if made.over else "none over budget"
    Console().print(
        f"{made.target}: {made.frames} frames, {over}, {made.bytes / 1e6:.1f} MB",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
