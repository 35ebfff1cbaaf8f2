"""What a job is doing to what a person or a farm reads.

On a terminal: the film's name and a bar a stage, with frames, speed, time left, chunks and shots.
Elsewhere: one JSON object a line on standard error, ``{"event": ..., ...}``.

Work is counted in frames and parts of frames. What an earlier run did counts as done, but not for
the speed; what was lost with a machine is taken back.
"""

import json
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text


class Progressing(Protocol):
    """Where a job says what it does."""

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage of ``total`` frames, of which ``done`` are there from an earlier run.

        The stage before it need not be full; a name that was there before is begun anew.
        """

    def advance(self, frames: float) -> None:
        """Say that work worth so many frames was done or, below 0, that it was lost."""

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Say how many are done, of how many as far as is known; None leaves what was said."""

    def note(self, text: str) -> None:
        """Say something that a person should know."""


class _Tally:
    """How far a stage is; what is shown stays within the stage."""

    def __init__(self, name: str, total: int, done: int) -> None:
        self.name, self.total = name, total
        self._before, self._fresh = done, 0.0
        self._began = time.monotonic()

    def add(self, frames: float) -> None:
        self._fresh += frames

    @property
    def done(self) -> float:
        """Frames, 0 to total; more may have been taken back than was there, so the sum is kept."""
        return round(min(max(self._before + self._fresh, 0.0), self.total), 3)

    @property
    def speed(self) -> float:
        """Frames a second of this run, over the whole stage, because chunks come in bursts."""
        # at least a second: the first moment's speed is no speed
        return max(0.0, round(self._fresh, 3)) / max(1.0, time.monotonic() - self._began)

    @property
    def left(self) -> float | None:
        """Seconds, None where nothing was done yet."""
        return (self.total - self.done) / self.speed if self.speed else None


class _Counts:
    """Chunks and shots done."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def tell(self, shots: tuple[int, int] | None, chunks: tuple[int, int] | None) -> None:
        self._known |= {"chunks": chunks} if chunks else {}
        self._known |= {"shots": shots} if shots else {}

    @property
    def fields(self) -> dict[str, tuple[int, int]]:
        return self._known

    def __str__(self) -> str:
        # chunks first: they move more often
        named = sorted(self._known.items())
        return "  ".join(f"{done}/{of} {name}" for name, (done, of) in named)


class _Numbers(ProgressColumn):
    """Frames done; for the stage that runs also speed, time left, chunks and shots."""

    def __init__(self, bar: "Bar") -> None:
        super().__init__(Column(no_wrap=True))
        self._bar = bar

    def render(self, task: Task) -> Text:
        text = Text(f"{int(task.completed)}/{int(task.total or 0)}", style="progress.download")
        tally = self._bar.tally
        if tally is None or tally.name != task.description:
            return text
        if tally.speed:
            text.append(f"  {tally.speed:.1f} frames/s", style="progress.data.speed")
        if tally.left is not None:
            minutes, seconds = divmod(int(tally.left), 60)
            clock = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
            text.append(f"  {clock}", style="progress.remaining")
        counts = str(self._bar.counts)
        return text.append(f"  {counts}") if counts else text


class _Titled(Progress):
    """Bars under a film's name."""

    film = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        if self.film:
            yield Text(self.film, style="bold", no_wrap=True, overflow="ellipsis")
        yield self.make_tasks_table(self.tasks)


class Bar:
    """Progress on a terminal."""

    def __init__(self, console: Console, film: str = "") -> None:
        self.tally: _Tally | None = None
        self.counts = _Counts()
        self._rows: dict[str, TaskID] = {}
        self._progress = _Titled(
            TextColumn("{task.description:>9}"),
            BarColumn(bar_width=None, table_column=Column(max_width=40)),
            _Numbers(self),
            console=console,
        )
        self._progress.film = film

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
        """Begin a stage, in the row of its name."""
        self.tally = _Tally(name, total, done)
        if name not in self._rows:
            self._rows[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._rows[name], total=total, completed=self.tally.done)

    def advance(self, frames: float) -> None:
        """Say that work was done or lost."""
        if self.tally is not None:
            self.tally.add(frames)
            self._progress.update(self._rows[self.tally.name], completed=self.tally.done)

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Say how many chunks and shots are done."""
        self.counts.tell(shots, chunks)

    def note(self, text: str) -> None:
        """Say something above the bar."""
        self._progress.console.print(f"note: {text}", highlight=False, markup=False)


class Lines:
    """Progress as JSON lines, at most one a second and the last of each stage."""

    def __init__(self, film: str = "", *, place: tuple[int, int] | None = None) -> None:
        self._film: dict[str, object] = {"film": film} if film else {}
        self._film |= {"film_number": place[0], "films": place[1]} if place else {}
        self._tally: _Tally | None = None
        self._counts = _Counts()
        self._told = 0.0
        self._news = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell_rest()

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""
        self._tell_rest()
        self._tally = _Tally(name, total, done)
        self._told = time.monotonic()
        self._say(event="stage", stage=name, frames=total, done=self._tally.done)

    def advance(self, frames: float) -> None:
        """Say that work was done or lost."""
        if self._tally is not None:
            self._tally.add(frames)
            self._tell()

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Say how many chunks and shots are done."""
        self._counts.tell(shots, chunks)
        self._tell()

    def note(self, text: str) -> None:
        """Say something that a person should know."""
        self._say(event="note", text=text)

    def _tell(self) -> None:
        """Say how far it is, or keep it for later."""
        self._news = True
        if time.monotonic() - self._told >= 1:
            self._tell_rest()

    def _tell_rest(self) -> None:
        if self._tally is None or not self._news:
            return
        self._told, self._news = time.monotonic(), False
        left = self._tally.left
        self._say(
            event="progress",
            stage=self._tally.name,
            done=self._tally.done,
            frames=self._tally.total,
            per_second=round(self._tally.speed, 2),
            seconds_left=None if left is None else round(left, 1),
            **self._counts.fields,
        )

    def _say(self, **what: object) -> None:
        sys.stderr.write(json.dumps(what | self._film) + "\n")
        sys.stderr.flush()


class Silent:
    """No progress at all."""

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""

    def advance(self, frames: float) -> None:
        """Say that work was done or lost."""

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Say how many chunks and shots are done."""

    def note(self, text: str) -> None:
        """Say nothing."""


def progress(film: str = "", *, place: tuple[int, int] | None = None) -> Bar | Lines:
    """A bar where there is a terminal, lines where there is none.

    Args:
        film: its name.
        place: which one it is, from 1, and of how many.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        return Lines(film, place=place)
    return Bar(console, f"film {place[0]} of {place[1]}: {film}" if place else film)
