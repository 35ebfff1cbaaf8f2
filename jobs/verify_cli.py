"""The command ``reelbrush verify``: a painted film, held to its source."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actors.objects import located
from jobs import options
from pipeline.errors import VerificationFailed


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush verify clip.mp4 wave.mp4; "
        "reelbrush verify clip.mp4 wave.mp4 --pixels --json; "
        "reelbrush verify reel.mov part.mov --frames 100-250"
    )(verify)


def verify(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", parser=located, help="The film that was painted.")
    ],
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", parser=located, help="What came of it.")
    ],
    frames: Annotated[
        str | None,
        typer.Option(
            help="The source's frames that were painted, inclusive: 100-250; by default what "
            "RESULT.json says, or all."
        ),
    ] = None,
    stream: options.Stream = None,
    pixels: Annotated[
        bool,
        typer.Option(
            "--pixels", help="Decode all of RESULT and compare its samples with RESULT.json."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Hold a painted film to its source: frames, times, tracks, tags; exit code 5 if one differs.

    This is what stylize does before a film gets its name. It needs nothing but the two films; with
    RESULT.json beside the result it also checks that neither file has changed.
    """
    from jobs import verify as job
    from jobs.progress import Silent, progress

    asked = options.frames(frames)
    if as_json:
        telling = Silent()
        found = job.verify(
            source, result, asked=asked, stream=stream, pixels=pixels, progress=telling
        )
        sys.stdout.write(json.dumps(job.as_json(found), indent=1) + "\n")
    else:
        with progress(result.name) as told:
            found = job.verify(
                source, result, asked=asked, stream=stream, pixels=pixels, progress=told
            )
        table = Table("check", "", "found")
        for check in found.checks:
            table.add_row(check.name, "ok" if check.ok else "FAILED", escape(check.found))
        console = Console()
        (console if console.is_terminal else Console(width=160)).print(table)
    if not found.ok:
        raise VerificationFailed(found.line)
    if not as_json:
        Console().print(found.line, highlight=False, markup=False, soft_wrap=True)
