"""Everybody who watches a batch: a person, whoever looks into its folder, Prometheus.

What goes wrong with one that watches is nothing to the batch: it is said once, and that one is told
no more.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobs.gauges import Gauges
from jobs.log import Log
from jobs.show import PlainLines, Screen, Watching
from jobs.standing import Standing, Watcher
from jobs.standing_file import STANDING, StandingFile


@dataclass(slots=True)
class Late:
    """Somebody who looks on from the first standing on: what is said before has the terminal."""

    watching: Watching
    stack: ExitStack
    """on which it is entered"""
    here: bool = False

    def __call__(self, standing: Standing) -> None:
        """Tell it; it is entered first."""
        if not self.here:
            self.here = True
            self.stack.enter_context(self.watching)
        self.watching(standing)


@dataclass(slots=True)
class Logged:
    """Says in the batch's log when machines come and go, and the end."""

    log: Log
    machines: tuple[int, int, int] = (0, 0, 0)
    ended: bool = False

    def __call__(self, standing: Standing) -> None:
        """Say what is new."""
        now = standing.nodes, standing.cores, standing.gpus
        if now != self.machines:
            self.machines = now
            self.log.say("machines", **dict(zip(("nodes", "cores", "gpus"), now, strict=True)))
        if standing.over and not self.ended:
            self.ended = True
            self.log.say("ended", seconds=standing.seconds, films=standing.count())


@dataclass(slots=True)
class Guarded:
    """A watcher that raises nothing."""

    watch: Watcher | None
    name: str
    note: Callable[[str], None]
    """told once, if it fails"""

    def __call__(self, standing: Standing) -> None:
        """Tell it, if it still listens."""
        if self.watch is None:
            return
        try:
            self.watch(standing)
        except Exception as error:  # noqa: BLE001 - nobody who watches stops a film
            self.watch = None
            self.note(f"{self.name} is kept no longer: {type(error).__name__}: {error}")


def watchers_of(
    name: str, folder: Path, stack: ExitStack
) -> tuple[tuple[Watcher, ...], Callable[[str], None]]:
    """Have a batch watched until ``stack`` is closed.

    Args:
        name: by which Prometheus knows the batch.
        folder: the batch's.
        stack: on which the table is entered, once there is something to show.

    Returns:
        Who is to be told how it stands, and what says something that a person should know.
    """
    console = Console(stderr=True)
    shown: Screen | PlainLines = Screen(console) if console.is_terminal else PlainLines()
    table = Guarded(Late(shown, stack), "the table", lambda _: None)
    file = Guarded(StandingFile(folder), STANDING, shown.note)
    gauges = Guarded(Gauges(name), "what Prometheus sees", shown.note)
    logged = Guarded(Logged(Log(folder)), "the log", shown.note)
    return (table, file, gauges, logged), shown.note
