"""A job file to a batch that runs on a cluster: once, however often it is submitted.

The head runs ``reelbrush batch`` on it, with this checkout's code. What the head has no share in is
settled here: that paths mean the same there, and which attempt this is. Nothing is printed.
"""

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from shlex import join

from jobs.attempts import (
    Attempt,
    Begin,
    Over,
    attempt_id,
    batch_of,
    labels,
    next_step,
)
from jobs.batch import chosen
from jobs.batch_result import SUFFIX
from jobs.control import Control, batch_folder
from jobs.folder_job import Errand, send
from jobs.head import Head
from jobs.jobfile_read import Batch, read_job_file
from jobs.luggage import ENVIRONMENT
from jobs.parcel import Parcel, pack
from jobs.run_note import look, read_run
from pipeline.errors import BadRequest, ClusterFailed, FilmError

PYTHON = "python3"
_TRIES = 3
"""Somebody else may submit the same batch at the same moment."""
_TICK = 0.5
_TERM = 15.0
"""Seconds that Ray may take to end a job."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch that somebody wants to run."""

    path: Path
    """of the job file"""
    names: tuple[str, ...]
    """of the films that are wanted; none is all"""
    films: int
    batch: str
    folder: str
    """the batch's, on the cluster"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of it."""

    attempt: Attempt
    fresh: bool
    """whether it was begun now"""
    over: bool
    """whether it was done before"""
    last: Attempt | None = None
    """the attempt before, if it was begun now"""


def asked(path: Path, *, names: Sequence[str] = (), folder: Path | None = None) -> Asked:
    """Read a job file for a cluster.

    Args:
        path: of the job file, here.
        names: of the films that are wanted; none is all.
        folder: the batch's, on the cluster; by default by ``folder_of``.

    Raises:
        BadRequest: If it is not as it should be, or names files by their way from its folder.
    """
    whole = read_job_file(path, elsewhere=True)
    if whole.machines.memory is not None:
        raise BadRequest(
            f"{path}: machines.memory is for a Ray of our own; nodes have what they have"
        )
    films = len(chosen(whole, names).orders)
    if folder is not None and not folder.is_absolute():
        raise BadRequest(f"--folder: {folder} is on the cluster: write it from the root, /srv/...")
    where = str(folder or folder_of(whole))
    return Asked(path, tuple(names), films, batch_of(path.read_bytes(), names), where)


def folder_of(batch: Batch) -> Path:
    """Name a submitted batch's folder: in ``work``, or where the first film goes.

    Raises:
        BadRequest: If that is in an object store.
    """
    home = batch.work or batch.orders[0].target.parent
    folder = batch_folder(batch.path, home)
    if str(folder).startswith("s3:"):
        raise BadRequest(
            "what is asked and known of a batch lies in a folder that the head sees; work and "
            "results are objects, so name one: --folder /home/films/batches"
        )
    return folder


def submit(
    head: Head,
    wanted: Asked,
    *,
    again: bool = False,
    replaced: bool = False,
    python: str = PYTHON,
    tell: Callable[[str], None],
) -> Submitted:
    """Attach to a batch's live attempt, see that it is done, or begin the next attempt.

    Args:
        head: of the cluster.
        wanted: the batch.
        again: whether one that is done is looked at once more.
        replaced: whether another version of it that runs is cancelled.
        python: on the head.
        tell: is told what travels.

    Raises:
        BadRequest: If another version runs.
        ClusterFailed: If the cluster does not take it.
    """
    for _ in range(_TRIES):
        known = head.attempts()
        if replaced:
            for one in known:
                if one.live and one.folder == wanted.folder and one.batch != wanted.batch:
                    cancel(head, one, patience=60, python=python)
            known = head.attempts()
        step = next_step(known, batch=wanted.batch, folder=wanted.folder, again=again)
        if not isinstance(step, Begin):
            return Submitted(step.attempt, fresh=False, over=isinstance(step, Over))
        attempt = _begun(head, wanted, step.number, python=python, tell=tell)
        if attempt is not None:
            return Submitted(attempt, fresh=True, over=False, last=step.last)
    raise ClusterFailed(f"{head.address}: others submit this batch at the same time; try again")


def _begun(
    head: Head, wanted: Asked, number: int, *, python: str, tell: Callable[[str], None]
) -> Attempt | None:
    attempt = Attempt(
        id=attempt_id(wanted.path.name, wanted.batch, number),
        batch=wanted.batch,
        number=number,
        run=secrets.token_hex(8),
        job=wanted.path.name,
        folder=wanted.folder,
        result=str(Path(wanted.folder) / (wanted.path.name + SUFFIX)),
        films=wanted.films,
        state="pending",
    )
    with tempfile.TemporaryDirectory() as place:
        parcel = pack(wanted.path, Path(place))
        tell(f"code and weights: {parcel}; films do not travel")
        taken = head.submit(
            attempt.id,
            entrypoint(attempt, parcel, wanted.names, python=python),
            parcel=parcel.path,
            variables=ENVIRONMENT,
            metadata=labels(attempt, version("reelbrush")),
        )
    return attempt if taken else None


def entrypoint(attempt: Attempt, parcel: Parcel, names: Sequence[str], *, python: str) -> str:
    """Write the command that the head runs, for a shell."""
    words = [python, "-m", "jobs.cli", "batch", parcel.job, "--address", "auto"]
    words += ["--folder", attempt.folder, "--result", attempt.result, "--run", attempt.run]
    return join(words + (["--only", ",".join(names)] if names else []))


def folder_seen(attempt: Attempt) -> Path | None:
    """Give the folder of an attempt if it is seen here: the attempt's own note lies in it."""
    folder = Path(attempt.folder)
    run = read_run(folder)
    return folder if run is not None and run.run == attempt.run else None


def visit(head: Head, attempt: Attempt, errand: Errand, *, python: str) -> dict[str, object]:
    """Ask something of an attempt, or only look at its folder; gives what lies there.

    Where the folder is seen and can be written here, that is all; else a small job on the head
    does it.

    Raises:
        ClusterFailed: If neither way goes.
    """
    folder = folder_seen(attempt)
    if folder is not None:
        with suppress(BadRequest):
            if errand != "look":
                Control(folder, attempt=attempt.run).ask(errand)
            return look(folder)
    seen = dict(send(head, attempt, errand, python=python))
    run = seen.get("run")
    mine = isinstance(run, dict) and run.get("run") == attempt.run
    return seen if mine or errand != "look" else {}  # a later attempt works there now


def cancel(head: Head, attempt: Attempt, *, patience: float, python: str) -> Attempt:
    """End an attempt: it is asked to, and is stopped if it has not ended when patience has.

    Args:
        head: of the cluster.
        attempt: that is live.
        patience: seconds.
        python: on the head.

    Raises:
        ClusterFailed: If it does not end.
    """
    if attempt.state == "running":
        with suppress(FilmError):  # who cannot be asked is stopped
            visit(head, attempt, "cancel", python=python)
            attempt = _ended(head, attempt, seconds=patience)
    if attempt.live:
        head.stop(attempt.id)
        attempt = _ended(head, attempt, seconds=_TERM)
    if attempt.live:
        raise ClusterFailed(f"{attempt.id} does not end; `ray job stop {attempt.id}` on the head")
    return attempt


def _ended(head: Head, attempt: Attempt, *, seconds: float) -> Attempt:
    until = time.monotonic() + seconds
    while attempt.live and time.monotonic() < until:
        time.sleep(_TICK)
        attempt = head.attempt(attempt.id)
    return attempt
