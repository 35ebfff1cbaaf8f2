"""The commands ``reelbrush bench fuzz``, ``matrix`` and ``long``: films in, films out, exactly."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

FUZZ = "Example: reelbrush bench fuzz --cases 500 -o bench/results/fuzz.json"
MATRIX = "Example: reelbrush bench matrix -o bench/results/matrix.json --page README.md"
LONG = "Example: reelbrush bench long -o bench/results/long.json"
Results = Annotated[Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")]


def fuzz(
    cases: Annotated[int, typer.Option(help="Damaged films.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Of the first one.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    limit: Annotated[float, typer.Option(help="Seconds for each.", min=0.1)] = 10.0,
    output: Results = None,
) -> None:
    """Damage films of every kind: each is refused in one line or read as what it says."""
    from jobs import fuzz as job
    from jobs.fuzz_run import fuzz as run
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    began, spent = time.monotonic(), _cpu()
    with progress() as telling:
        found = run(cases, seed=seed, workers=workers, limit=limit, progress=telling)
    counted = job.as_json(found)
    counted |= {"wall": round(time.monotonic() - began, 1), "cpu": round(_cpu() - spent, 1)}
    _say(
        f"{counted['cases']} cases in {counted['wall']} s ({counted['cpu']} s of CPU): "
        f"{counted['ends']}, slowest {counted['slowest']} s"
    )
    bad = [one for one in found if one.end in job.BAD]
    for one in bad:
        _say(f"{one.end}: {one.specimen}, seed {one.seed}, {one.damage}: {one.line}")
    if output is not None:
        store(output, counted)
    if bad:
        raise VerificationFailed(f"{len(bad)} of {cases} damaged films did what none may do")


def matrix(
    frames: Annotated[int, typer.Option(help="Of each made film.", min=2)] = 24,
    output: Results = None,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown page to lay the table in, between its markers.")
    ] = None,
) -> None:
    """Paint a tiny film of every kind into every codec, by a stand-in, and verify it."""
    from jobs import matrix as job
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        cells = job.matrix(frames=frames, progress=telling)
    rows = job.as_json(cells)
    _say(job.table(rows))
    if output is not None:
        store(output, {"frames": frames, "cells": rows})
    if page is not None:
        page.write_text(job.laid_in(page.read_text("utf-8"), job.table(rows)), encoding="utf-8")
    failed = [f"{cell.kind} into {cell.codec}" for cell in cells if cell.end == "failed"]
    if failed:
        raise VerificationFailed(f"neither exact nor refused: {'; '.join(failed)}")


def long(
    frames: Annotated[
        int | None, typer.Option(help="By default 172627: two hours at 24000/1001.", min=100)
    ] = None,
    output: Results = None,
) -> None:
    """Take a tiny film of two hours all the way: times to the last, memory from first to last."""
    from jobs import bench_long as job
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        found = job.long(frames or job.TWO_HOURS, progress=telling)
    _say(
        f"{found.frames} frames, last after {found.last} s, "
        f"{'every PTS exact' if found.exact else 'PTS WRONG'}; "
        f"memory at the end of painting {found.growth:.3f} of that at its beginning"
    )
    if output is not None:
        store(output, job.as_json(found))
    if not (found.exact and found.verified):
        raise VerificationFailed("the long film is not exact")


def _cpu() -> float:
    """Seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _say(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
