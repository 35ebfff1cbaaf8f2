"""What becomes of one film of a batch to what is written down of it."""

import time
import traceback
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from jobs.batch_result import Outcomes, most, now
from jobs.commission import Result
from jobs.costs import spent_by
from jobs.ledger import WorkFolder
from jobs.order import Order
from jobs.retries import MACHINE, in_a_line
from pipeline.errors import ChunkFailed, FilmError


class Fate:
    """One film's, from its turn on."""

    def __init__(self, order: Order, outcomes: Outcomes, folder: Path) -> None:
        """Say whose; ``folder`` is its work folder."""
        self._order, self._outcomes, self._folder = order, outcomes, folder
        self._began: float | None = None

    def begun(self) -> None:
        """It has its turn, or another one."""
        if self._began is None:
            self._began = time.monotonic()
            self._note(began=now())
        self._note(status="painting", reason="")

    def done(self, result: Result, tries: int) -> None:
        """It is painted."""
        held = f"{len(result.held)} frames could not be decoded and are held" if result.held else ""
        known = self._outcomes.of(self._order.name).cost or {}
        cost = most(known, spent_by(result.seconds, bytes_=result.bytes))
        facts = {"frames": result.frames, "tries": tries, "reason": held, "cost": cost}
        self._ended(status="done", exit_code=0, **facts)

    def failed(self, error: BaseException, tries: int) -> None:
        """It is not painted; the next try may note something else."""
        code = error.exit_code if isinstance(error, FilmError) else 6
        if not isinstance(error, (FilmError, *MACHINE)):  # a bug; whoever mends it wants to see it
            code = ChunkFailed.exit_code
            with suppress(OSError):
                words = "".join(traceback.format_exception(error))
                WorkFolder(self._folder).failed(-1, words)
        self._ended(status="failed", reason=in_a_line(error), exit_code=code, tries=tries)

    def interrupted(self, tries: int) -> None:
        """A person ended the command."""
        self._note(status="interrupted", reason="the same command goes on", tries=tries)

    def cancelled(self, tries: int) -> None:
        """A person asked for no more of the batch."""
        why = "the batch was cancelled; the same command goes on"
        self._ended(status="cancelled", reason=why, exit_code=130, tries=tries)

    def skipped(self) -> None:
        """It has no turn."""
        self._note(status="skipped", reason="another film failed, and on_failure is stop")

    def _ended(self, **facts: object) -> None:
        deadline = self._order.deadline
        late = deadline is not None and datetime.now().astimezone() > deadline
        seconds = 0.0 if self._began is None else round(time.monotonic() - self._began, 3)
        self._note(seconds=seconds, ended=now(), late=late, **facts)

    def _note(self, **facts: object) -> None:
        known = self._outcomes.of(self._order.name)
        self._outcomes.put(replace(known, **cast("Any", facts)))
