"""How a batch stands, to a table for people, on a terminal that follows it or in lines that do not.

A film is a line; the last line is about the machines. What does not fit a narrow terminal is left
out, shots first.
"""

import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from jobs.costs import size
from jobs.standing import RUNNING, FilmStanding, Standing, Status

_EVERY = 30.0
"""Seconds between two lines where nobody looks at a terminal."""
_MARKS: dict[Status, str] = {
    "waiting": "dim", "analysing": "cyan", "painting": "bold", "joining": "cyan", "done": "green",
    "failed": "red", "refused": "red", "skipped": "yellow", "interrupted": "yellow",
    "cancelled": "yellow",
}  # fmt: skip
_WIDE = 110
"""Columns from which on there is room for shots, tries and losses."""
_NARROW = 76
"""Columns below which there is none for speed, time left and chunks."""
_ABOVE = 6
"""Lines of a terminal that films leave free: heads, what is left out, machines, and the prompt."""


class Watching(Protocol):
    """Who is told how a batch stands, for as long as it is entered."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; what was told last stays to be seen."""

    def __call__(self, standing: Standing) -> None:
        """Be told."""

    def note(self, text: str) -> None:
        """Say something that a person should know."""


def clock(seconds: float | None) -> str:
    """Write seconds as hours, minutes and seconds; nothing where they are not known.

    >>> clock(75.4), clock(100000), clock(None)
    ('0:01:15', '27:46:40', '')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def standing_table(standing: Standing, *, width: int, most: int | None = None) -> RenderableType:
    """Lay a standing out for people.

    Args:
        standing: what is known.
        width: columns of the terminal.
        most: films at most, those that are painted first; None is all.
    """
    shown = _shown(standing.films, most)
    heads = ["film", "", "", "frames", "frames/s", "left", "chunks"]
    heads = heads[:4] if width < _NARROW else heads
    heads += ["shots", "tries", "lost"] if width >= _WIDE else []
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column(heads[0])  # the only one that is made narrower: the others do not wrap
    for number, head in enumerate(heads[1:]):
        made.add_column(head, justify="right" if number else "left", no_wrap=True)
    for film in shown:
        made.add_row(*_cells(film)[: len(heads)])
    lines: list[RenderableType] = [made]
    if len(shown) < len(standing.films):
        rest = len(standing.films) - len(shown)
        lines.append(Text(f"and {rest} more: {counted(standing)}", style="dim"))
    return Group(*lines, Text(times(standing)), Text(machines(standing)))


def _shown(films: tuple[FilmStanding, ...], most: int | None) -> list[FilmStanding]:
    """Choose films for which there is room: running ones, then what waits, then what has ended."""
    if most is None or len(films) <= most:
        return list(films)
    rank = {id(film): _rank(film) for film in films}
    chosen = {id(film) for film in sorted(films, key=lambda film: rank[id(film)])[:most]}
    return [film for film in films if id(film) in chosen]


def _rank(film: FilmStanding) -> int:
    if film.status in RUNNING:
        return 0
    if film.status in ("failed", "refused"):
        return 1
    return 2 if film.status == "waiting" else 3


def _cells(film: FilmStanding) -> list[Text | str]:
    running = film.status in RUNNING
    share = f"{film.share:.0%}" if film.frames and (running or film.done) else ""
    return [
        Text(film.name, no_wrap=True, overflow="ellipsis"),
        Text(film.status, style=_MARKS[film.status]),
        share,
        f"{int(film.done)}/{film.frames}" if film.frames else "",
        f"{film.speed_fps:.1f}" if running and film.speed_fps else "",
        clock(film.left_s),
        f"{film.chunks_done}/{film.chunks}" if film.chunks else "",
        f"{film.shots_done}/{film.shots}" if film.shots else "",
        str(film.attempts) if film.attempts > 1 else "",
        str(film.lost) if film.lost else "",
    ]


def counted(standing: Standing) -> str:
    """Count films by status.

    >>> counted(Standing(films=(FilmStanding(name="a", status="done"),)))
    '1 done'
    """
    return ", ".join(f"{number} {status}" for status, number in standing.count().items())


def machines(standing: Standing) -> str:
    """Say what the machines do, in one line."""
    words = [f"{_some(standing.nodes, 'node')}, {standing.cores} cores {standing.cpu_duty:.0%}"]
    if standing.gpus:
        words[0] += f", {_some(standing.gpus, 'GPU')} {standing.gpu_duty:.0%}"
    words.append(f"{_some(standing.running, 'step')} run, {standing.queued} wait")
    return "; ".join(words)


def times(standing: Standing) -> str:
    """Say how long it has taken and will take, and what lies in memory, in one line."""
    left = "time left not known" if standing.left_s is None else f"{clock(standing.left_s)} left"
    words = [f"{clock(standing.seconds)} so far, {left}"]
    if standing.budget:
        words.append(f"{size(standing.in_flight)} of {size(standing.budget)} on their way")
    return "; ".join(["paused", *words] if standing.paused else words)


def _some(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def line(standing: Standing) -> str:
    """Say how a batch stands in one line, for logs of terminals that nobody looks at."""
    frames = sum(film.frames for film in standing.films)
    done = sum(film.share * film.frames for film in standing.films)
    speed = sum(film.speed_fps for film in standing.films)
    share = f"{int(done)}/{frames} frames" if frames else "frames not counted yet"
    films = f"{counted(standing)}; {share}, {speed:.1f} frames/s; {times(standing)}"
    return f"{films}; {machines(standing)}"


class Screen:
    """A table on a terminal that follows the batch."""

    def __init__(self, console: Console) -> None:
        self._console, self._standing = console, Standing(films=())
        self._live = Live(
            console=console, get_renderable=self._now, auto_refresh=False, transient=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, standing: Standing) -> None:
        """Draw it anew."""
        self._standing = standing
        self._live.refresh()

    def note(self, text: str) -> None:
        """Say something above the table."""
        self._console.print(f"note: {text}", highlight=False, markup=False)

    def _now(self) -> RenderableType:
        if not self._standing.films:
            return ""
        room = max(3, self._console.height - _ABOVE)
        return standing_table(self._standing, width=self._console.width, most=room)


class PlainLines:
    """A line every so often, on standard error, and at once when something becomes of a film."""

    def __init__(self, *, every: float = _EVERY) -> None:
        self._every = every
        self._told = float("-inf")
        self._known: dict[Status, int] = {}
        self._last: Standing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._last is not None:
            self._tell(self._last)

    def __call__(self, standing: Standing) -> None:
        """Say it, or keep it for later."""
        self._last = standing
        if standing.count() != self._known or standing.seconds - self._told >= self._every:
            self._tell(standing)

    def note(self, text: str) -> None:
        """Say something that a person should know."""
        self._say(f"note: {text}")

    def _tell(self, standing: Standing) -> None:
        self._told, self._known, self._last = standing.seconds, standing.count(), None
        self._say(line(standing))

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
