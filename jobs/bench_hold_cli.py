"""``reelbrush bench hold``: filling beside painting every frame and beside a plain scheme."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from jobs.compare import Held
    from jobs.goals import Cost, Goal

EXAMPLE = (
    "Example: reelbrush bench hold dog.mp4 cars.mp4 --folder out/hold --terms-off "
    "--raft raft_small.safetensors -o hold.json"
)


def hold(
    clips: Annotated[list[Path], typer.Argument(help="Films, painted in several ways.")],
    folder: Annotated[Path, typer.Option(help="Keeps films, motion and scores; goes on there.")],
    style: Annotated[str, typer.Option(help="Names, separated by commas.")] = "starry-night",
    frames: Annotated[int, typer.Option(help="This many from the start.", min=10)] = 60,
    raft: Annotated[Path | None, typer.Option(help="RAFT-small weights (safetensors).")] = None,
    terms_off: Annotated[
        bool, typer.Option("--terms-off", help="The first style without each term of the fill.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")
    ] = None,
) -> None:
    """Compare filling with painting every frame and with a plain scheme; hold it to its goals."""
    from jobs import compare as job
    from jobs.goals import as_json, costs, goals
    from jobs.hold_runs import Bench
    from jobs.progress import progress
    from jobs.results import store

    cv2.setNumThreads(1)
    bench = Bench(clips, style.split(","), folder, frames, raft, terms_off)
    with progress() as telling:
        rows = job.compare(bench, progress=telling)
    held, spent = goals(rows), costs(rows)
    console = Console()
    wide = console if console.is_terminal else Console(width=160)
    for table in (_runs(rows), _goals(held), *([_costs(spent)] if spent else [])):
        wide.print(table)
    if output is not None:
        found = {"rows": job.as_json(rows), "goals": as_json(held), "terms": as_json(spent)}
        store(output, {"unit": "errors: [0, 1]^2; jitter: L*", **found})


def _runs(rows: "Sequence[Held]") -> Table:
    table = Table(*("clip", "style", "run", "referee", "keys", "E1", "F1", "E9", "F9"))
    for title in ("worst (frame)", "detail", "pulse", "pop", "jitter", "up to", "seam"):
        table.add_column(title)
    for row in rows:
        errors = (_thousandths(v) for v in (row.error, row.floor, row.error9, row.floor9))
        worst = f"{_thousandths(row.worst)} ({', '.join(map(str, row.worst_frames[:1]))})"
        rest = (row.detail, row.pulse, row.pop, row.jitter, row.jitter_limit, row.seam)
        names = (row.clip, row.style, row.run, row.referee, f"{row.keys:.0%}")
        table.add_row(*names, *errors, worst, *map(_hundredths, rest))
    table.caption = "E1, F1, E9, F9, worst: x 1e-3"
    return table


def _goals(rows: "Sequence[Goal]") -> Table:
    table = Table("clip", "style", "referee", "goal", "", "limit", "met")
    for row in rows:
        limit = f"{'at least' if row.at_least else 'at most'} {row.limit:.2f}"
        met = {True: "yes", False: "NO", None: "-"}[row.met]
        names = (row.clip, row.style, row.referee, row.what)
        table.add_row(*names, _hundredths(row.value), limit, met)
    judged = [row.met for row in rows if row.met is not None]
    table.caption = f"{sum(judged)} of {len(judged)} met"
    return table


def _costs(rows: "Sequence[Cost]") -> Table:
    table = Table("without", "referee", "clips", "E1", "E9", "worst", "jitter")
    for title in ("detail", "pulse", "keys"):
        table.add_column(title)
    for row in rows:
        ratios = (f"{v:.3f}" for v in (row.error, row.error9, row.worst, row.jitter))
        gains = (f"{v:+.3f}" for v in (row.detail, row.pulse, row.keys))
        table.add_row(row.term, row.referee, str(row.clips), *ratios, *gains)
    table.caption = (
        "errors without the term over those with it; detail, pulse, keys: with less without"
    )
    return table


def _thousandths(value: float | None) -> str:
    return "-" if value is None else f"{1e3 * value:.3f}"


def _hundredths(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
