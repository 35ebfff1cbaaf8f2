"""The command ``reelbrush submit``: a job file to a batch on a cluster."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from jobs import options

if TYPE_CHECKING:
    from jobs.attempts import Attempt
    from jobs.head import Head

VARIABLE = "RAY_API_SERVER_ADDRESS"
Address = Annotated[
    str,
    typer.Option(
        envvar=VARIABLE,
        metavar="http://HEAD:8265",
        help="The dashboard of the cluster's head. Its token is taken from RAY_AUTH_TOKEN, from "
        "the file that RAY_AUTH_TOKEN_PATH names, or from ~/.ray/auth_token.",
    ),
]
Python = Annotated[
    str, typer.Option(metavar="COMMAND", help="Python on the head, with the libraries.")
]
HERE = "http://127.0.0.1:8265"


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush submit night.yaml --address http://HEAD:8265; "
        "reelbrush submit night.yaml --no-wait; reelbrush submit night.yaml --only reel1,reel4; "
        "then reelbrush status night.yaml; reelbrush logs night.yaml --follow"
    )(submit)


def submit(
    job: Annotated[Path, typer.Argument(metavar="JOB.yaml", help="The job file; it travels.")],
    address: Address = HERE,
    only: Annotated[
        str | None, typer.Option(metavar="NAME,..", help="These films of it, by their names.")
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-wait",
            help="Show the log until the batch ends, and end with its exit code; or say that it is "
            "begun and go. The batch goes on, whoever looks on or does not.",
        ),
    ] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Look at a batch that is done once more.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Cancel another version of it that runs, then begin.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the cluster keeps what is asked and known of the batch: a folder that the "
            "head sees. By default JOB.yaml.batch in work, or where the first film goes.",
        ),
    ] = None,
    python: Python = "python3",
) -> None:
    """Paint the films of a job file on a cluster, without staying for it.

    The head runs [b]reelbrush batch[/b] with this checkout's code and weights; films stay where
    they are, so the job file names them as the machines see them: from the root, or s3://. The
    same batch submitted again shows the attempt that runs, says that it is done, or begins the
    next attempt, which goes on with all that was committed. Exit codes: as batch's; 6 if the
    cluster does not answer or lets nobody in without its token; 130 if it was cancelled, or if you
    stopped looking (Ctrl-C), which ends nothing.
    """
    from jobs.head import Head, read_address
    from jobs.submit import asked
    from jobs.submit import submit as begin

    wanted = asked(job, names=options.several(only), folder=folder)
    head = Head(read_address(address))
    done = begin(head, wanted, again=again, replaced=replace, python=python, tell=say)
    attempt = done.attempt
    if done.over:
        say(f"{attempt.id} is done: {attempt.films} films, told of in {attempt.result}")
        say("--again looks at all of them once more")
        return
    if done.last is not None:
        say(f"attempt {done.last.number} {done.last.state}; this goes on where it stopped")
    say(f"{attempt.id} {'begins' if done.fresh else 'runs already'} at {head.address}")
    if not follow:
        say(f"reelbrush status {attempt.id} says how it stands, reelbrush cancel ends it")
        return
    look_on(head, attempt)


def look_on(head: "Head", attempt: "Attempt") -> None:
    """Show a log until its batch ends, and end as it does."""
    from jobs.follow import follow, raise_if_bad

    try:
        ended = follow(head, attempt, _write)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"reelbrush: {attempt.id} goes on; reelbrush logs {attempt.id} --follow shows it "
            f"again, reelbrush cancel {attempt.id} ends it\n"
        )
        raise typer.Exit(130) from None
    code = raise_if_bad(ended)
    say(f"{attempt.id} {ended.state}; all about it in {attempt.result} on the cluster")
    if code:
        raise typer.Exit(code)


def say(text: str) -> None:
    """Say something to a person."""
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
