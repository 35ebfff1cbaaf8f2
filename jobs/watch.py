"""A batch that is meant, by its submission id or its job file, to how it is.

A batch that was begun by hand (``reelbrush batch``) is found by its job file, in its folder.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from jobs.attempts import Attempt, batch_of
from jobs.control import Control, Wish, batch_folder
from jobs.head import Head
from jobs.jobfile_read import read_job_file
from jobs.run_note import Run, read_run
from pipeline.errors import BadRequest

_DAY = 86400.0
_CANCELLED = 130


@dataclass(frozen=True, slots=True)
class ByHand:
    """A batch that somebody began without submitting it."""

    folder: Path
    run: Run


def by_hand(target: str) -> ByHand | None:
    """Find the batch of a job file that was begun by hand; None if there is none."""
    path = Path(target)
    if not path.is_file():
        return None
    places = [batch_folder(path)]
    with suppress(BadRequest):  # what is wrong with the file now is nothing to who looks on
        places.insert(0, batch_folder(path, read_job_file(path).work))
    for folder in places:
        run = read_run(folder)
        if run is not None and not run.run:
            return ByHand(folder, run)
    return None


def meant(head: Head, target: str) -> Attempt:
    """Find the attempt that is meant: of a job file the latest.

    Raises:
        BadRequest: If there is none.
    """
    path = Path(target)
    if not path.is_file():
        if path.suffix in (".yaml", ".yml"):
            raise BadRequest(f"{target}: no such file; an attempt's id does, too")
        return head.attempt(target)
    known = head.attempts()
    same = [one for one in known if one.batch == batch_of(path.read_bytes())]
    found = same or [one for one in known if one.job == path.name]
    if not found:
        raise BadRequest(f"{target} was not submitted to {head.address}")
    return max(found, key=lambda one: (one.live, one.began or 0.0))


def ask_by_hand(batch: ByHand, wish: Wish) -> None:
    """Ask something of a batch that was begun by hand.

    Raises:
        BadRequest: If it does not run, or the folder cannot be written.
    """
    if batch.run.here is False:
        raise BadRequest(f"nobody paints in {batch.folder}: the batch there has ended")
    Control(batch.folder).ask(wish)


def told(attempt: Attempt, seen: Mapping[str, object] | None = None) -> dict[str, object]:
    """Tell of an attempt, for programs; ``seen`` is what lies in its folder."""
    facts = asdict(attempt)
    for name in ("began", "ended"):
        facts[name] = _iso(facts[name])
    return facts if seen is None else {**facts, **seen}


def table(attempts: Sequence[Attempt]) -> Table:
    """Lay attempts out for people, the latest first."""
    made = Table("id", "job", "films", "began", "took", "", box=None, pad_edge=False)
    for one in sorted(attempts, key=lambda one: one.began or 0.0, reverse=True):
        ended = "cancelled" if one.exit_code == _CANCELLED else one.state
        code = f", exit code {one.exit_code}" if ended == "failed" and one.exit_code else ""
        made.add_row(
            escape(one.id),
            escape(one.job),
            str(one.films),
            (_iso(one.began) or "").replace("T", " ")[:16],
            _took(one),
            ended + code,
        )
    return made


def _took(attempt: Attempt) -> str:
    if attempt.began is None:
        return ""
    until = attempt.ended or datetime.now().timestamp()
    seconds = max(0.0, until - attempt.began)
    days = f"{seconds // _DAY:.0f} d " if seconds >= _DAY else ""
    minutes, rest = divmod(int(seconds % _DAY), 60)
    return f"{days}{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _iso(seconds: object) -> str | None:
    if not isinstance(seconds, float):
        return None
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")
