"""Everybody who watches a batch: a person, whoever looks into its folder, Prometheus, its result.

What goes wrong with one that watches is nothing to the batch: it is said once, and that one is told
no more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from jobs.batch_result import Outcomes
from jobs.gauges import Gauges
from jobs.show import PlainLines, Screen
from jobs.standing import Standing, Watcher
from jobs.standing_file import StandingFile


@dataclass(slots=True)
class _Guarded:
    """A watcher that raises nothing."""

    watch: Watcher | None
    name: str
    note: Callable[[str], None]

    def __call__(self, standing: Standing) -> None:
        """Tell it, if it still listens."""
        if self.watch is None:
            return
        try:
            self.watch(standing)
        except Exception as error:  # noqa: BLE001 - nobody who watches stops a film
            self.watch = None
            self.note(f"{self.name} is kept no longer: {type(error).__name__}: {error}")


@contextmanager
def watching(
    job: Path, folder: Path, outcomes: Outcomes
) -> Iterator[tuple[tuple[Watcher, ...], Callable[[str], None]]]:
    """Have a batch watched for as long as this is entered.

    Args:
        job: the job file, by whose name the batch is known to Prometheus.
        folder: the batch's.
        outcomes: what becomes of its films.

    Yields:
        Who is to be told how it stands, and what says something that a person should know.
    """
    console = Console(stderr=True)
    with Screen(console) if console.is_terminal else PlainLines() as shown:
        kept: tuple[tuple[str, Watcher], ...] = (
            ("standing.json", StandingFile(folder)),
            ("Prometheus' view", Gauges(job.name)),
            ("what films took", outcomes.watch),
        )
        table = _Guarded(shown, "the table", lambda _: None)  # nobody is left to read of it
        yield (table, *(_Guarded(watch, name, shown.note) for name, watch in kept)), shown.note
