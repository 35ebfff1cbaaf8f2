"""Spans analysed in this process while Ray starts, which takes some seconds on a small machine."""

import os
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.decoder import Decoder
from jobs.aside import interrupt
from jobs.ledger import WorkFolder
from jobs.survey import Span
from pipeline.media.container import Film


@dataclass(frozen=True, slots=True)
class Looked:
    """A span that was analysed here."""

    span: Span
    part: Path
    began: float
    ended: float
    cpu: float
    pid: int


class Early:
    """A thread that analyses span after span until it is told to stop."""

    def __init__(self, film: Film, spans: Sequence[Span], work: WorkFolder) -> None:
        self._film, self._spans, self._work = film, list(spans), work
        self._found: queue.SimpleQueue[Looked | BaseException] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.now: Span | None = None
        """what it is looking at"""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it finish the span that it is at, and begin no other."""
        with self._lock:
            self._stop.set()

    def end(self) -> None:
        """End now, in the middle of a span: a process must not end while a thread is in C++."""
        self.stop()
        interrupt(self._thread)

    def found(self) -> list[Looked]:
        """Collect what is ready.

        Raises:
            FilmError: What went wrong meanwhile.
        """
        ready = []
        while not self._found.empty():
            one = self._found.get()
            if isinstance(one, BaseException):
                raise one
            ready.append(one)
        return ready

    def _run(self) -> None:
        for span in self._spans:
            with self._lock:
                if self._stop.is_set():
                    return
                self.now = span
            try:
                part = self._work.attempt(".parquet")
                began, cpu = time.time(), time.thread_time()
                Decoder(apron=0).analyse(self._film, *span, part)
                spent = time.thread_time() - cpu
                self._found.put(Looked(span, part, began, time.time(), spent, os.getpid()))
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is heard
                self._found.put(error)
                return
            finally:
                self.now = None
