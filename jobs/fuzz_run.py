"""Cases to outcomes by processes that live on from case to case, and die without harm.

A process that crashes or hangs is replaced; its case is counted as what it did.
"""

import multiprocessing
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.fuzz import Case, End, Outcome, serve
from jobs.progress import Progressing
from jobs.specimens import SPECIMENS, Specimen, make

_START = 60.0
"""Seconds that a process may take to come up."""


@dataclass(slots=True)
class _Worker:
    """A process and what it is at."""

    process: SpawnProcess
    connection: Connection
    case: Case | None = None
    due: float = 0.0


def fuzz(
    cases: int,
    *,
    seed: int,
    workers: int,
    limit: float,
    progress: Progressing,
    specimens: Sequence[Specimen] = SPECIMENS,
) -> list[Outcome]:
    """Try so many cases, evenly over the specimens, ``limit`` seconds each at most.

    ``seed`` is that of the first case; the others count up from it.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        films = [make(one, place / f"{i}{one.suffix}") for i, one in enumerate(specimens)]
        todo = [
            Case(specimens[k % len(films)].name, films[k % len(films)], seed + k // len(films))
            for k in range(cases)
        ]
        progress.stage("fuzz", cases)
        return _all(todo, place, workers=workers, limit=limit, progress=progress)


def _all(
    todo: list[Case], place: Path, *, workers: int, limit: float, progress: Progressing
) -> list[Outcome]:
    context = multiprocessing.get_context("spawn")
    crew = [_hired(context, place, number) for number in range(min(workers, len(todo)))]
    hired, found, left = len(crew), [], todo[::-1]
    try:
        while left or any(one.case for one in crew):
            for one in crew:
                if one.case is None and left:
                    one.case = left.pop()
                    one.connection.send(one.case)
                    one.due = time.monotonic() + limit + (0 if one.due else _START)
            busy = [one for one in crew if one.case]
            soonest = max(0.0, min(one.due for one in busy) - time.monotonic())
            ready = wait([one.connection for one in busy], timeout=soonest)
            for one in busy:
                outcome = _heard(one, one.connection in ready)
                if outcome is None:
                    continue
                found.append(outcome)
                one.case = None
                progress.advance(1)
                if outcome.end in ("crash", "hang"):
                    crew[crew.index(one)] = _hired(context, place, hired)
                    hired += 1
    finally:
        for one in crew:
            one.process.kill()
            one.process.join()
    return found


def _hired(context: SpawnContext, place: Path, number: int) -> _Worker:
    ours, theirs = context.Pipe()
    folder = place / f"worker-{number}"
    folder.mkdir()
    process = context.Process(target=serve, args=(theirs, folder), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _heard(worker: _Worker, ready: bool) -> Outcome | None:
    """What a worker has to say; None if it is still at it and in time."""
    if ready:
        try:
            outcome = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode or 0
            name = signal.Signals(-code).name if code < 0 else f"exit {code}"
            return _ended(worker, "crash", name)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"a worker gave {type(outcome).__name__}")
        return outcome
    if time.monotonic() < worker.due:
        return None
    worker.process.kill()
    worker.process.join()
    return _ended(worker, "hang", "no end within its time")


def _ended(worker: _Worker, end: End, line: str) -> Outcome:
    case = worker.case
    if case is None:
        raise ValueError("a worker without a case has nothing to end")
    return Outcome(case.specimen, case.seed, "", end, line, 0.0, 0)
