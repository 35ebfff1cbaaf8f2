"""The command ``reelbrush doctor``: is this machine, or this cluster, fit for films?"""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs.diagnosis import Verdict
from jobs.doctor import Examination, examine
from pipeline.errors import ClusterFailed

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(
        epilog="Examples: reelbrush doctor; reelbrush doctor --address auto; reelbrush doctor "
        "--address HEAD:6379 --source /srv/films/a.mov --work /srv/films --json"
    )(doctor)


def doctor(
    address: Annotated[
        str | None,
        typer.Option(help="Of a running Ray cluster: auto, or HOST:PORT; without, this machine."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A film that every machine has to be able to read."),
    ] = None,
    work: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="A folder in which all have to write; left as it is."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for the machines' answers.")
    ] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs to read.")] = False,
) -> None:
    """Check this machine, or every machine of a cluster, and say what to do; exit 6 if one fails.

    Versions, sources, memory, shared memory, disk, token, GPUs, threads, clocks, open files and
    encoders. With --source and --work each machine proves that it reads and writes there.
    """
    found = examine(address, source=source, work=work, seconds=timeout)
    if as_json:
        sys.stdout.write(json.dumps(as_dict(found), indent=1) + "\n")
    else:
        _show(found)
    if found.failed:
        raise ClusterFailed(
            f"{found.failed} checks failed" if found.failed > 1 else "a check failed"
        )


def as_dict(found: Examination) -> dict[str, object]:
    """What is printed as JSON."""
    return {
        "ok": not found.failed,
        "address": found.address,
        "checks": [asdict(verdict) for verdict in found.verdicts],
        "machines": [asdict(node) for node in found.nodes],
    }


def rows(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str, str, str]]:
    """Verdicts to lines: check, state, where, what was found, what to do.

    Machines on which a check found the same share a line; where all is well, they do whatever it
    found there.
    """
    lines: dict[tuple[str, str, str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        found = "" if verdict.state == "ok" else verdict.found
        lines[verdict.check, verdict.state, found, verdict.do].append(verdict)
    shown = []
    for (check, state, _, do), same in lines.items():
        whole = sum(verdict.check == check for verdict in verdicts)
        names = [verdict.node for verdict in same]
        where = f"all {whole}" if 1 < whole == len(same) else ", ".join(names)
        found = "; ".join(dict.fromkeys(verdict.found for verdict in same))
        shown.append((check, state, where, found, do))
    return shown


def _show(found: Examination) -> None:
    table = Table("check", "", "where", "found", "what to do", box=None, pad_edge=False)
    for check, state, where, said, do in rows(found.verdicts):
        coloured = f"[{_COLOURS[state]}]{state}[/]"
        table.add_row(check, coloured, escape(where), escape(said), escape(do))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
