"""What a cluster knows of a batch's attempts, and what is to be done when it is submitted again.

A *batch* is a job file's content and the films of it that are wanted; an *attempt* is one run of it
on a cluster, named by both: ``night-3f9a2c1b7e-2``. Ray lets a name be used once, whatever became
of it, so two people who submit a batch at one moment cannot both begin it. Nothing is asked here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, TypeAlias

from pipeline.errors import BadRequest

State: TypeAlias = Literal["pending", "running", "done", "failed", "stopped"]
LIVE: frozenset[State] = frozenset({"pending", "running"})
PREFIX = "reelbrush."
_STATES: Mapping[str, State] = {
    "PENDING": "pending",
    "RUNNING": "running",
    "SUCCEEDED": "done",
    "FAILED": "failed",
    "STOPPED": "stopped",
}
_UNNAMED = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run of a batch, as the cluster tells of it."""

    id: str
    """Ray's submission id"""
    batch: str
    number: int
    """from 1"""
    run: str
    """drawn for this attempt: no other cluster's has the same"""
    job: str
    """name of the job file"""
    folder: str
    """the batch's, on the cluster"""
    result: str
    """the result file, on the cluster"""
    films: int
    state: State
    began: float | None = None
    """seconds since 1970, as ``ended``"""
    ended: float | None = None
    exit_code: int | None = None
    """of the command; None as long as there is none, or if Ray could not begin it"""
    message: str = ""
    """Ray's own"""
    parcel: str = ""
    """where the cluster keeps its code"""

    @property
    def live(self) -> bool:
        """Whether it runs or soon will."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Attach:
    """It runs: look on."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Over:
    """It is done: say so."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin the attempt of this number."""

    number: int
    last: Attempt | None
    """the one before"""


Step: TypeAlias = Attach | Over | Begin


def batch_of(job: bytes, names: Sequence[str] = ()) -> str:
    """Name a batch by its job file's content and by the films that are wanted; none is all.

    >>> batch_of(b"films") == batch_of(b"films"), batch_of(b"films") == batch_of(b"films", ["one"])
    (True, False)
    """
    found = sha256(job)
    for name in sorted(set(names)):
        found.update(f"\0{name}".encode())
    return found.hexdigest()[:10]


def attempt_id(job: str, batch: str, number: int) -> str:
    """Name an attempt.

    >>> attempt_id("Night of 22nd.yaml", "3f9a2c1b7e", 2)
    'Night-of-22nd-3f9a2c1b7e-2'
    """
    stem = _UNNAMED.sub("-", job.rpartition(".")[0] or job).strip("-")[:40]
    return f"{stem or 'batch'}-{batch}-{number}"


def labels(attempt: Attempt, version: str) -> dict[str, str]:
    """Write what an attempt is into what Ray keeps with a job; nothing of it is secret."""
    kept = ("batch", "number", "run", "job", "folder", "result", "films")
    return {f"{PREFIX}{name}": str(getattr(attempt, name)) for name in kept} | {
        f"{PREFIX}version": version
    }


def attempt_of(job_id: str, status: str, metadata: Mapping[str, str]) -> Attempt | None:
    """Read an attempt from what Ray keeps; None of a job that is none.

    >>> attempt_of("raysubmit_1", "RUNNING", {}) is None
    True
    """
    said = {key.removeprefix(PREFIX): text for key, text in metadata.items()}
    try:
        return Attempt(
            id=job_id,
            batch=said["batch"],
            number=int(said["number"]),
            run=said["run"],
            job=said["job"],
            folder=said["folder"],
            result=said["result"],
            films=int(said["films"]),
            state=_STATES[status],
        )
    except (KeyError, ValueError):
        return None


def of_batch(known: Sequence[Attempt], batch: str) -> list[Attempt]:
    """Those of one batch, by number."""
    return sorted((one for one in known if one.batch == batch), key=lambda one: one.number)


def next_step(known: Sequence[Attempt], *, batch: str, folder: str, again: bool = False) -> Step:
    """Decide what submitting a batch means now.

    Args:
        known: all attempts that the cluster knows of.
        batch: the one that is submitted.
        folder: the batch's, on the cluster.
        again: whether a batch that is done is to be looked at once more.

    Raises:
        BadRequest: If another batch works in the same folder.
    """
    mine = of_batch(known, batch)
    last = mine[-1] if mine else None
    if last is not None and last.live:
        return Attach(last)
    for one in known:
        if one.live and one.folder == folder and one.batch != batch:
            raise BadRequest(
                f"{one.id} works on another version of {one.job} in {folder}; "
                f"reelbrush cancel {one.id} ends it, --replace does that and goes on"
            )
    if last is not None and last.state == "done" and not again:
        return Over(last)
    return Begin(last.number + 1 if last else 1, last)
