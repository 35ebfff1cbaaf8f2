"""What a job is doing to what a person or a farm reads.

On a terminal: a bar with frames, speed and time left. Elsewhere: one JSON object a line on standard
error, ``{"event": ..., ...}``. Work done by an earlier run counts as done, but not for the speed.
"""

import json
import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Progressing(Protocol):
    """Where a job says what it does."""

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage of ``total`` frames, of which ``done`` are there from an earlier run."""

    def advance(self, frames: int) -> None:
        """Say that frames were finished."""

    def note(self, text: str) -> None:
        """Say something that a person should know."""


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} frames/s" if task.speed else "", style="progress.data.speed")


class Bar:
    """Progress on a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:>9}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""
        self._task = self._progress.add_task(name, total=total, completed=done)

    def advance(self, frames: int) -> None:
        """Say that frames were finished."""
        if self._task is not None:
            self._progress.advance(self._task, frames)

    def note(self, text: str) -> None:
        """Say something above the bar."""
        self._progress.console.print(f"note: {text}", highlight=False, markup=False)


class Lines:
    """Progress as JSON lines, at most one a second for frames."""

    def __init__(self) -> None:
        self._stage, self._total, self._done, self._fresh = "", 0, 0, 0
        self._began = self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""
        self._stage, self._total, self._done, self._fresh = name, total, done, 0
        self._began = time.monotonic()
        self._told = 0.0
        self._say(event="stage", stage=name, frames=total, done=done)

    def advance(self, frames: int) -> None:
        """Say that frames were finished."""
        self._done += frames
        self._fresh += frames
        now = time.monotonic()
        if now - self._told < 1 and self._done < self._total:
            return
        self._told = now
        speed = self._fresh / max(1e-6, now - self._began)
        left = (self._total - self._done) / speed if speed else None
        self._say(
            event="progress",
            stage=self._stage,
            done=self._done,
            frames=self._total,
            per_second=round(speed, 2),
            seconds_left=None if left is None else round(left, 1),
        )

    def note(self, text: str) -> None:
        """Say something that a person should know."""
        self._say(event="note", text=text)

    @staticmethod
    def _say(**what: object) -> None:
        sys.stderr.write(json.dumps(what) + "\n")
        sys.stderr.flush()


class Silent:
    """No progress at all."""

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""

    def advance(self, frames: int) -> None:
        """Say that frames were finished."""

    def note(self, text: str) -> None:
        """Say nothing."""


def progress() -> Bar | Lines:
    """A bar where there is a terminal, lines where there is none."""
    console = Console(stderr=True)
    return Bar(console) if console.is_terminal else Lines()
