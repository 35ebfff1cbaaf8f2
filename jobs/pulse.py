"""A process to the CPU seconds that it has burnt by when, on Linux: its main thread, and all of it.

The main thread of a job on Ray is what coordinates; the other threads are Ray's own, and, as long
as Ray starts, the one that analyses.
"""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

_NANO = 1e-9


@dataclass(frozen=True, slots=True)
class Beat:
    """What had been burnt at one moment."""

    time: float
    """seconds since 1970"""
    main: float
    """CPU seconds of the main thread"""
    whole: float
    """CPU seconds of all threads, also of those that have ended; in hundredths"""


class Pulse:
    """Looks at a process now and then, on a thread."""

    def __init__(self, pid: int, *, interval: float = 0.25) -> None:
        self.beats: list[Beat] = []
        self._pid, self._interval = pid, interval
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError, ValueError):  # it has ended, or this is not Linux
                self.beats.append(_beat(self._pid))
            self._ended.wait(self._interval)


def shares(beats: Sequence[Beat], *, start: float, stop: float) -> tuple[float, float] | None:
    """Share of wall clock that a process burnt between two moments.

    Args:
        beats: in order.
        start: seconds since 1970, as ``stop``.
        stop: after ``start``.

    Returns:
        Of the main thread, and of all threads; None where nobody has looked.

    >>> shares([Beat(0.0, 0.0, 1.0), Beat(10.0, 0.5, 2.0)], start=2.0, stop=4.0)
    (0.05, 0.1)
    """
    if len(beats) < 2 or stop <= start:
        return None
    times = [beat.time for beat in beats]
    found = []
    for burnt in ([beat.main for beat in beats], [beat.whole for beat in beats]):
        first, last = np.interp([start, stop], times, burnt)
        found.append(round(float(last - first) / (stop - start), 6))
    return found[0], found[1]


def _beat(pid: int) -> Beat:
    now, process = time.time(), Path(f"/proc/{pid}")
    main = int((process / "task" / str(pid) / "schedstat").read_text().split()[0]) * _NANO
    # the name comes second, in brackets, and may hold anything
    numbers = (process / "stat").read_text().rpartition(")")[2].split()
    whole = (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
    return Beat(now, main, whole)
