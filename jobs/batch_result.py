"""What became of each film of a batch, as a file that is always whole, and as a table.

``night.yaml.result.json`` is written when a batch begins, and anew whenever something becomes of a
film. Files are named by their way from its folder. Deadlines are in local time.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.markup import escape
from rich.table import Table

from jobs.command import beside
from jobs.costs import Cost, hours
from jobs.jobfile_read import Batch
from jobs.ledger import synced
from jobs.order import Order
from jobs.standing import FilmStanding, Standing
from pipeline.errors import BadRequest

Status = Literal[
    "waiting", "ready", "painting", "done", "failed", "refused", "skipped", "interrupted",
    "cancelled",
]  # fmt: skip
KIND = "reelbrush batch result 1"
SUFFIX = ".result.json"
_ENDED: tuple[Status, ...] = ("failed", "refused", "skipped", "interrupted", "cancelled")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one film."""

    film: str
    source: str
    result: str
    style: str
    status: Status
    reason: str = ""
    """in one line, if it is not painted"""
    exit_code: int = 0
    """that painting it alone would have ended with"""
    frames: int | None = None
    """that were, or will be, painted"""
    seconds: float = 0.0
    """of wall clock, over all tries; of a film that was there before, of the run that made it"""
    tries: int = 0
    before: bool = False
    """whether it was there before this run"""
    priority: float = 1.0
    deadline: str | None = None
    late: bool = False
    began: str | None = None
    """ISO time, as ``ended``"""
    ended: str | None = None
    notes: tuple[str, ...] = ()
    forecast: Mapping[str, float] | None = None
    """what it was to take, as ``jobs.costs.Cost``; None as long as it is not planned"""
    cost: Mapping[str, float] | None = None
    """what it took, those of earlier runs among it"""

    @property
    def bad(self) -> bool:
        """Whether it is not painted and will not be in this run."""
        return self.status in _ENDED


def expected(order: Order, folder: Path) -> Outcome:
    """An order of which nothing is known yet."""
    return Outcome(
        film=order.name,
        source=beside(order.source, folder),
        result=beside(order.target, folder),
        style=order.style,
        status="waiting",
        priority=order.priority,
        deadline=order.deadline.isoformat(timespec="seconds") if order.deadline else None,
    )


def now() -> str:
    """This moment as it is written down."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


class Outcomes:
    """What is known of all films, in the order of the job file."""

    def __init__(self, batch: Batch, *, names: Sequence[str] = (), file: Path | None) -> None:
        """Begin.

        Args:
            batch: the whole of it.
            names: the films that this run is about; none is all. What an earlier run wrote down
                of the others is kept.
            file: where to write it down, None is nowhere.
        """
        self._batch, self._file, self._began = batch, file, now()
        folder = (file or batch.path).absolute().parent
        every = [expected(order, folder) for order in batch.orders]
        self._known = {one.film: one for one in every if not names or one.film in names}
        self._others = {one.film: asdict(one) for one in every} | _earlier(file)
        self._digest = sha256(batch.path.read_bytes()).hexdigest()

    @property
    def all(self) -> tuple[Outcome, ...]:
        """Each film's."""
        return tuple(self._known.values())

    def of(self, name: str) -> Outcome:
        """One film's."""
        return self._known[name]

    def put(self, outcome: Outcome) -> None:
        """Note what became of a film.

        Raises:
            BadRequest: If it cannot be written down.
        """
        self._known[outcome.film] = outcome
        self.save()

    def watch(self, standing: Standing) -> None:
        """Note what films take, as a watcher of the batch; it is written with what comes next."""
        for film in standing.films:
            known = self._known.get(film.name)
            if known is not None:
                told = costs(film, known.cost or {})
                forecast = foreseen(film) or known.forecast
                self._known[film.name] = replace(known, cost=told, forecast=forecast)

    def save(self, *, ended: bool = False) -> None:
        """Write the file, whole or not at all."""
        if self._file is None:
            return
        part = self._file.with_name(f".{self._file.name}.part")
        try:
            part.write_text(json.dumps(self.facts(ended=ended), indent=1) + "\n", encoding="utf-8")
            synced(part)
            part.replace(self._file)
        except OSError as error:
            raise BadRequest(f"cannot write {self._file}: {error.strerror}") from None

    def facts(self, *, ended: bool) -> dict[str, object]:
        """All of it."""
        return {
            "kind": KIND,
            "job": self._batch.path.name,
            "sha256": self._digest,
            "reelbrush": version("reelbrush"),
            "began": self._began,
            "updated": now(),
            "status": _status(self.all) if ended else "running",
            "films": [self._facts(order.name) for order in self._batch.orders],
        }

    def _facts(self, name: str) -> dict[str, object]:
        return asdict(self._known[name]) if name in self._known else self._others[name]


def table(outcomes: Sequence[Outcome]) -> Table:
    """Lay outcomes out for people, a film a line."""
    machines = _taken(outcomes)
    heads = ("film", "frames", "seconds", *machines, "status", "reason")
    made = Table(*heads, box=None, pad_edge=False)
    for one in outcomes:
        late = "late" if one.late else ""
        made.add_row(
            escape(one.film),
            "" if one.frames is None else str(one.frames),
            f"{one.seconds:.1f}" if one.seconds else "",
            *(_hours(one, name) for name in machines.values()),
            one.status,
            escape("; ".join(word for word in (one.reason, late) if word)),
        )
    return made


def _taken(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Which costs are worth a column: heads, and the names of costs."""
    known = {"core hours": "cpu_s", "GPU hours": "gpu_s"}
    return {
        head: name
        for head, name in known.items()
        if any((one.cost or {}).get(name) for one in outcomes)
    }


def _hours(one: Outcome, name: str) -> str:
    """What a film took, and what it was to take."""
    took, forecast = (one.cost or {}).get(name), (one.forecast or {}).get(name)
    if not took:
        return ""
    return hours(took) + (f" of {hours(forecast)}" if forecast else "")


def costs(film: FilmStanding, before: Mapping[str, float]) -> dict[str, float]:
    """What a film took so far; of bytes on their way the most that there were."""
    now_ = Cost(gpu_s=film.gpu_s, cpu_s=film.cpu_s, bytes=film.bytes, in_flight=film.in_flight)
    return most(before, now_)


def most(before: Mapping[str, float], cost: Cost) -> dict[str, float]:
    """The higher of what was noted before and what is known now, which may know of one run less."""
    return {name: max(value, before.get(name, 0)) for name, value in cost.facts().items()}


def foreseen(film: FilmStanding) -> dict[str, float] | None:
    """What a film is to take; None as long as it is not planned."""
    if film.forecast_cpu_s is None:
        return None
    cost = Cost(
        gpu_s=film.forecast_gpu_s or 0.0,
        cpu_s=film.forecast_cpu_s,
        bytes=film.forecast_bytes or 0,
        in_flight=film.forecast_in_flight or 0,
    )
    return cost.facts()


def counted(outcomes: Sequence[Outcome]) -> str:
    """Count films by what became of them.

    >>> counted([])
    '0 films'
    """
    counts = Counter(one.status for one in outcomes)
    words = [f"{count} {status}" for status, count in counts.items()]
    films = f"{len(outcomes)} film" + ("" if len(outcomes) == 1 else "s")
    return f"{films}: {', '.join(words)}" if words else films


def _earlier(file: Path | None) -> dict[str, dict[str, object]]:
    """What an earlier run wrote down, by film."""
    try:
        films = json.loads(file.read_bytes())["films"] if file else []
        return {str(one["film"]): dict(one) for one in films}
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def _status(outcomes: Sequence[Outcome]) -> str:
    """What became of all of them together."""
    known = {one.status for one in outcomes}
    if known & {"waiting", "painting", "interrupted"}:
        return "interrupted"
    if "cancelled" in known:
        return "cancelled"
    if any(one.bad for one in outcomes):
        return "failed"
    return "ready" if "ready" in known else "done"
