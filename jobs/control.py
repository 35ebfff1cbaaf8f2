"""What a person wants of a batch that runs: to run, to pause or to be cancelled, by way of a file.

The *batch's folder* is ``night.yaml.batch`` in the job file's ``work`` folder, or beside the job
file if it names none. ``control.json`` lies in it, and so does what is known of the batch while it
runs (``standing.json``). Who asks writes the file, whole or not at all; who paints looks at it now
and then. Nothing here stops anything. What became of the films is elsewhere, in the result file.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from jobs.ledger import synced
from pipeline.errors import BadRequest

Wish: TypeAlias = Literal["run", "pause", "cancel"]
WISHES: tuple[Wish, ...] = ("run", "pause", "cancel")
CONTROL = "control.json"
_EVERY = 1.0
"""Seconds between two looks at the file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked last."""

    wish: Wish
    of: str = ""
    """the attempt that is meant; empty is whoever paints"""
    at: str = ""
    """ISO time"""


def batch_folder(job: Path, work: Path | None = None) -> Path:
    """Name the folder of a batch.

    Args:
        job: the job file.
        work: the folder that it names for work folders.

    >>> batch_folder(Path("/srv/night.yaml"), Path("/srv/scratch")).as_posix()
    '/srv/scratch/night.yaml.batch'
    """
    return (work or job.absolute().parent) / f"{job.name}.batch"


class Control:
    """The file through which a batch is paused, resumed and cancelled."""

    def __init__(
        self, folder: Path, *, attempt: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            folder: the batch's; made when something is asked.
            attempt: which run of the batch this is, or which one is meant; empty if it has no name.
            clock: seconds, never going back.
        """
        self._file, self._attempt, self._clock = folder / CONTROL, attempt, clock
        self._next = float("-inf")
        self._wish: Wish = "run"

    def begin(self) -> None:
        """Forget what an earlier run was asked; what was asked of this attempt stays."""
        asked = self.asked()
        if not asked.of or asked.of != self._attempt:
            with suppress(OSError):
                self._file.unlink()
        self._next = float("-inf")

    def wanted(self) -> Wish:
        """Say what is wanted now, by a look at the file that is at most a second old.

        A file that is not there, is broken, or is about another attempt wants nothing.
        """
        now = self._clock()
        if now >= self._next:
            asked = self.asked()
            mine = not asked.of or asked.of == self._attempt
            self._wish, self._next = asked.wish if mine else "run", now + _EVERY
        return self._wish

    def asked(self) -> Asked:
        """Read what was asked last, of whomever; "run" if that cannot be known."""
        try:
            said = json.loads(self._file.read_bytes())
            (wish,) = (one for one in WISHES if one == said["wish"])
            return Asked(wish, str(said.get("of", "")), str(said.get("at", "")))
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return Asked("run")

    def ask(self, wish: Wish) -> None:
        """Write down what is wanted.

        Raises:
            BadRequest: If the folder cannot be written.
        """
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        part = self._file.with_name(f".{CONTROL}.{os.getpid()}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps({"wish": wish, "of": self._attempt, "at": at}) + "\n")
            synced(part)
            part.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise BadRequest(f"cannot write {self._file}: {error.strerror or error}") from None
        self._wish, self._next = wish, float("-inf")
