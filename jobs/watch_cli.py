"""The commands about batches that were submitted: status, logs, pause, resume, cancel."""

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from jobs.submit_cli import HERE, VARIABLE, Address, Python, look_on, say

if TYPE_CHECKING:
    from jobs.attempts import Attempt
    from jobs.control import Wish
    from jobs.watch import ByHand

Target = Annotated[
    str, typer.Argument(metavar="ID|JOB.yaml", help="The attempt's id, or its job file.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it for programs to read.")]
_AT = "--address http://HEAD:8265"


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    for command, examples in (
        (
            status,
            f"reelbrush status {_AT}; reelbrush status night.yaml; reelbrush status ID --json",
        ),
        (logs, f"reelbrush logs night.yaml {_AT}; reelbrush logs ID --follow"),
        (pause, f"reelbrush pause night.yaml {_AT}; reelbrush resume night.yaml"),
        (resume, f"reelbrush resume night.yaml {_AT}"),
        (cancel, f"reelbrush cancel night.yaml {_AT}; reelbrush cancel ID --grace 0"),
    ):
        app.command(epilog=f"Examples: {examples}")(command)


def status(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[ID|JOB.yaml]", help="A batch; without, all of the cluster."),
    ] = None,
    address: Address = HERE,
    as_json: AsJson = False,
    python: Python = "python3",
) -> None:
    """Say how a batch stands, film by film; or list the batches of a cluster.

    A batch that was begun by hand is found by its job file, without --address. Where the batch's
    folder is not seen from here, a small job on the head looks into it, which takes some seconds.
    """
    from jobs.head import Head, read_address
    from jobs.run_note import look
    from jobs.submit import visit
    from jobs.watch import meant, table, told

    own = None if target is None else _own(target, address)
    if own is not None:
        seen = look(own.folder)
        if as_json:
            _json(seen)
        else:
            say(f"{own.folder}: begun by hand at {own.run.began}{_asked(seen)}")
            _show(seen)
        return
    head = Head(read_address(address))
    if target is None:
        known = head.attempts()
        if as_json:
            _json([told(one) for one in known])
        elif known:
            _print(table(known))
        else:
            say(f"no batch was submitted to {head.address}")
        return
    attempt = meant(head, target)
    begun = attempt.state != "pending"
    seen = visit(head, attempt, "look", python=python) if begun else {}
    if as_json:
        _json(told(attempt, seen))
        return
    _print(table([attempt]))
    if attempt.live and (asked := _asked(seen)):
        say(f"asked{asked}")
    if attempt.state == "failed" and attempt.exit_code is None:
        say(attempt.message.strip().splitlines()[-1] if attempt.message.strip() else "")
    _show(seen)


def logs(
    target: Target,
    address: Address = HERE,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Go on until the batch ends; end with its exit code."),
    ] = False,
) -> None:
    """Show what a submitted batch has said."""
    from jobs.head import Head, read_address
    from jobs.watch import meant

    head = Head(read_address(address))
    attempt = meant(head, target)
    if follow:
        look_on(head, attempt)
        return
    sys.stdout.write(head.logs(attempt.id))


def pause(target: Target, address: Address = HERE, python: Python = "python3") -> None:
    """Have a batch begin nothing new; what is on its way is finished and kept."""
    _ask(target, address, "pause", python=python)
    say("it pauses as soon as what is on its way is committed; reelbrush resume lets it go on")


def resume(target: Target, address: Address = HERE, python: Python = "python3") -> None:
    """Let a batch that was paused go on."""
    _ask(target, address, "run", python=python)
    say("it goes on")


def cancel(
    target: Target,
    address: Address = HERE,
    grace: Annotated[
        float,
        typer.Option(min=0, help="Seconds to end by itself, before it is stopped."),
    ] = 30,
    python: Python = "python3",
) -> None:
    """End a batch. Films that are done stay; the same command goes on with what was committed.

    It is asked to end first, through its folder, and stopped by Ray if it has not after a while.
    """
    from jobs.head import Head, read_address
    from jobs.submit import cancel as end
    from jobs.watch import ask_by_hand, meant

    own = _own(target, address)
    if own is not None:
        ask_by_hand(own, "cancel")
        say(f"{own.folder}: asked to end")
        return
    head = Head(read_address(address))
    attempt = meant(head, target)
    if not attempt.live:
        say(f"{attempt.id} does not run: {attempt.state}")
        return
    ended = end(head, attempt, patience=grace, python=python)
    say(
        f"{attempt.id} {'has ended' if ended.state != 'stopped' else 'is stopped'}; "
        f"reelbrush submit {attempt.job} goes on with what was committed"
    )


def _ask(target: str, address: str, wish: "Wish", *, python: str) -> "Attempt | None":
    from jobs.head import Head, read_address
    from jobs.submit import visit
    from jobs.watch import ask_by_hand, meant
    from pipeline.errors import BadRequest

    own = _own(target, address)
    if own is not None:
        ask_by_hand(own, wish)
        return None
    head = Head(read_address(address))
    attempt = meant(head, target)
    if not attempt.live:
        raise BadRequest(f"{attempt.id} does not run: {attempt.state}")
    visit(head, attempt, wish, python=python)
    return attempt


def _own(target: str, address: str) -> "ByHand | None":
    """A batch that was begun by hand; with an address that is not what is meant."""
    from jobs.watch import by_hand

    named = address != HERE or bool(os.environ.get(VARIABLE))
    return None if named else by_hand(target)


def _asked(seen: Mapping[str, object]) -> str:
    asked = seen.get("asked")
    wish = asked.get("wish") if isinstance(asked, dict) else None
    return {"pause": " to pause", "cancel": " to end"}.get(str(wish), "")


def _show(seen: Mapping[str, object]) -> None:
    """Show how the films stand, or else what became of them."""
    from jobs.overview import films

    shown = films(seen, width=_console().width)
    if shown is not None:
        _print(shown)


def _print(made: object) -> None:
    _console().print(made)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _json(facts: object) -> None:
    sys.stdout.write(json.dumps(facts, indent=1) + "\n")
