"""The command ``reelbrush replay``: a chunk that failed, once more and in full view."""

import sys
from pathlib import Path
from traceback import format_exception
from typing import Annotated

import typer
from rich.console import Console

from actors.objects import located
from pipeline.errors import ChunkFailed


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(epilog="Example: reelbrush replay wave.mp4.work 3")(replay)


def replay(
    work: Annotated[
        Path, typer.Argument(metavar="WORK", parser=located, help="Work folder of the job.")
    ],
    chunk: Annotated[int, typer.Argument(metavar="CHUNK", help="Its number in the message.")],
    gpu: Annotated[
        bool | None, typer.Option(help="Paint on a GPU; by default if there is one.")
    ] = None,
) -> None:
    """Make a chunk that failed once more, alone, and show in full what goes wrong."""
    from jobs.commission import named
    from jobs.progress import progress
    from jobs.replay import replay as run

    try:
        with progress() as telling:
            done = run(work, chunk, progress=telling, gpu=gpu)
    except ChunkFailed as failed:
        sys.stderr.writelines(format_exception(failed.__cause__ or failed))
        raise
    went = "was painted before" if done.before else "went through this time"
    text = f"{work}: {named(done.chunk)} {went}; the command that began the job goes on from there"
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
