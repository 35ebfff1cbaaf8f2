"""What is known of a batch at one moment, as values: films, machines, speed, time left, duty.

Whoever runs the batch makes a ``Standing`` every other second and hands it to each watcher, a plain
function: a table, a file, gauges. Nothing here reads a clock; times are given, in seconds of one
clock that does not jump (``time.monotonic``), where nothing else is said.

Speed, time left and duty are reckoned by ``jobs.pace``: ``Outlook`` fills in each film's speed and
time left, ``Duty`` says how busy cores or GPUs were.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias, cast, get_args

Status = Literal[
    "waiting", "analysing", "painting", "joining", "done", "failed", "refused", "skipped",
    "interrupted", "cancelled",
]  # fmt: skip
STATUSES: tuple[Status, ...] = get_args(Status)
RUNNING: frozenset[Status] = frozenset({"analysing", "painting", "joining"})
OPEN: frozenset[Status] = RUNNING | {"waiting"}
"""Of these something is left to do in this run."""
KIND = "reelbrush standing 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmStanding:
    """How far one film is. A forecast is None as long as its film is not planned."""

    name: str
    status: Status
    frames: int = 0
    """that are wanted; 0 as long as it is not known"""
    done: float = 0.0
    """frames and parts of frames that are painted or on their way, 0 to ``frames``; those of
    earlier runs among them"""
    chunks: int = 0
    """as far as they are known"""
    chunks_done: int = 0
    shots: int = 0
    shots_done: int = 0
    speed_fps: float = 0.0
    """frames a second of the recent window"""
    left_s: float | None = None
    """seconds; None where it cannot be said"""
    attempts: int = 0
    """tries of the whole film in this run; 0 before the first"""
    lost: int = 0
    """steps whose answer was lost and that were sent again, in this run"""
    gpu_s: float = 0.0
    """seconds of GPUs that it took, those of earlier runs among them"""
    cpu_s: float = 0.0
    """seconds of cores, likewise"""
    forecast_gpu_s: float | None = None
    forecast_cpu_s: float | None = None
    bytes: int = 0
    """of committed segments"""
    forecast_bytes: int | None = None
    """most room that work folder and film need together"""
    in_flight: int = 0
    """bytes that its pieces on their way take in the object store, at most"""
    forecast_in_flight: int | None = None
    """the most that they will take on these machines"""

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.status == "done":
            return 1.0
        return min(1.0, self.done / self.frames) if self.frames else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a batch is."""

    films: tuple[FilmStanding, ...]
    """in the order of the job file"""
    running: int = 0
    """steps that somebody works on"""
    queued: int = 0
    """steps that wait for hands"""
    nodes: int = 0
    """machines that are alive"""
    cores: int = 0
    gpus: int = 0
    cpu_duty: float = 0.0
    """busy share of the cores in the recent window, 0 to 1"""
    gpu_duty: float = 0.0
    seconds: float = 0.0
    """since the run began"""
    left_s: float | None = None
    """seconds for all films; None where it cannot be said"""
    paused: bool = False
    in_flight: int = 0
    """bytes that pieces on their way take in the object store, at most"""
    budget: int = 0
    """bytes that they may take"""
    time: float = 0.0
    """seconds since 1970"""

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return all(film.status not in OPEN for film in self.films)

    def count(self) -> dict[Status, int]:
        """Films by status; a status that no film has is not in it."""
        found = [film.status for film in self.films]
        return {status: found.count(status) for status in STATUSES if status in found}


Watcher: TypeAlias = Callable[[Standing], None]
"""Is told every other second, and once more at the end. It must be quick and raise nothing."""


def facts(standing: Standing) -> dict[str, object]:
    """Lay a standing out for JSON."""
    return {"kind": KIND, **asdict(standing)}


def from_facts(found: object) -> Standing:
    """Read what ``facts`` gave; what a later reelbrush added is ignored.

    Raises:
        ValueError: If it is no standing.
    """
    if not isinstance(found, Mapping) or found.get("kind") != KIND:
        raise ValueError(f"no {KIND}")
    try:
        films = [FilmStanding(**_known(FilmStanding, one)) for one in found["films"]]
        whole = Standing(**{**_known(Standing, found), "films": tuple(films)})
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no {KIND}: {error}") from None
    wrong = [film.status for film in films if film.status not in STATUSES]
    if wrong:
        raise ValueError(f"no {KIND}: a film is {wrong[0]!r}")
    return whole


def _known(kind: type, found: Mapping[str, object]) -> dict[str, Any]:
    names = {field.name for field in fields(cast("Any", kind))}
    return {name: value for name, value in found.items() if name in names}
