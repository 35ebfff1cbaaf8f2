"""Who paints a batch, written down in the batch's folder; and all that lies there, at a look.

Whoever sees a run's note in a folder knows that it is the folder of that run, and not one of the
same name on another machine.
"""

import json
import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import psutil

from jobs.control import Control
from jobs.ledger import synced
from jobs.standing_file import STANDING
from pipeline.errors import BadRequest

RUN = "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a batch."""

    run: str
    """its name: drawn by who submitted it; empty of one that was begun by hand"""
    began: str
    """ISO time"""
    result: str
    """path of the result file"""
    host: str = ""
    pid: int = 0

    @property
    def here(self) -> bool | None:
        """Whether it still runs; None if it is another machine that could tell."""
        if self.host != platform.node():
            return None
        return bool(psutil.pid_exists(self.pid))


def begin(folder: Path, *, run: str, began: str, result: Path) -> Control:
    """Write down that a run begins; gives what it is to be asked by.

    Raises:
        BadRequest: If the folder cannot be written.
    """
    note = Run(run, began, str(result.absolute()), platform.node(), os.getpid())
    part = folder / f".{RUN}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(asdict(note)) + "\n", encoding="utf-8")
        synced(part)
        part.replace(folder / RUN)
    except OSError as error:
        raise BadRequest(f"cannot write {folder}: {error.strerror or error}") from None
    control = Control(folder, attempt=run)
    control.begin()
    return control


def read_run(folder: Path) -> Run | None:
    """Read who paints, or painted last; None if that cannot be known."""
    found = _json(folder / RUN) or {}
    with suppress(LookupError, ValueError, TypeError):
        texts = {name: str(found[name]) for name in ("run", "began", "result", "host")}
        return Run(**texts, pid=int(cast("int", found["pid"])))
    return None


def look(folder: Path) -> dict[str, object]:
    """All that lies in a batch's folder; what does not is None."""
    run = read_run(folder)
    return {
        "run": None if run is None else asdict(run),
        "asked": asdict(Control(folder).asked()),
        "standing": _json(folder / STANDING),
        "result": None if run is None else _json(Path(run.result)),
    }


def _json(path: Path) -> dict[str, object] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
