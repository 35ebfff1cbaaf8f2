"""What happened in a job, as lines of JSON in its work folder; in a batch's folder, for all films.

One object a line. For people and benchmarks: nothing is decided by what stands in it. Each has

- ``time``: seconds since 1970, and ``event``: what happened, one of ``EVENTS``;

and, where they apply,

- ``film``: its name, in a batch that of the job file, else the source's file name;
- ``chunk``: its number, and ``shots``: the first and the last shot that the step was about;
- ``node``: Ray's id of the machine, ``driver`` for the process that coordinates, and ``pid``;
- ``attempt``: the how-manieth try of this step, or of this film, from 1;
- ``kind``: of a step (``decode``, ``paint``, ...), and ``began``, ``ended``: seconds since 1970 by
  the machine's own clock, ``cpu``: seconds of its process;
- ``class`` and ``why``: of a loss, as ``jobs.failures`` tells them apart, and in one line.

What else an event says stands in ``EVENTS``. What does not apply is left out. The batch's log has
all lines but those of steps that went well.
"""

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from jobs.journal import lines_of
from pipeline.plan import Chunk

NAME = "log.jsonl"
EVENTS: Mapping[str, str] = {
    "begun": "a film's turn began: backend, workers",
    "ray": "all who will work have said who they are: seconds since then, workers, gpus",
    "forecast": "the film is planned: bytes of memory and disk; seconds of cpu_s and gpu_s",
    "task": "a step went well: kind, chunk, shots, node, pid, attempt, began, ended, cpu",
    "lost": "a step gave no answer: kind, chunk, shots, attempt, class, why",
    "committed": "a chunk is there: chunk, shots, start and stop, its frames",
    "published": "the film has its name: gpu_s, cpu_s and bytes that it took",
    "film": "something became of a film of a batch: status, attempt, why",
    "again": "a step that lags behind its kind was sent a second time: kind, chunk",
    "machines": "machines came or went: nodes, cores, gpus that there are now",
    "paused": "a person asked for no more steps to be sent",
    "resumed": "a person asked to go on",
    "ended": "nothing is left to do: seconds, and films by status",
}
_STEPS = frozenset({"task"})
"""Events that only a film's own log has."""


class Log:
    """The log of one folder; tries of the same job follow one another."""

    def __init__(self, folder: Path, *, film: str = "", whole: "Log | None" = None) -> None:
        """Begin.

        Args:
            folder: a film's work folder, or a batch's.
            film: stands in each line.
            whole: the batch's log, if there is one.
        """
        self._path, self._film, self._whole = lines_of(folder / NAME), film, whole
        self._looked = False

    def say(self, event: str, **facts: object) -> None:
        """Add a line; what is None is left out. A log that cannot be written stops no film."""
        known = {"time": round(time.time(), 3), "event": event, **facts}
        line = {name: value for name, value in known.items() if value is not None}
        if self._film:
            line["film"] = self._film
        self._add(line)
        if self._whole is not None and event not in _STEPS:
            self._whole._add(line)

    def _add(self, line: Mapping[str, object]) -> None:
        words = json.dumps(line) + "\n"
        with contextlib.suppress(OSError), self._path.open("ab") as file:
            if not self._looked:
                self._looked = True
                words = self._broken_off() + words
            file.write(words.encode())

    def _broken_off(self) -> str:
        """What ends a line in which somebody died."""
        with self._path.open("rb") as file:
            if not file.seek(0, 2):
                return ""
            file.seek(-1, 2)
            return "" if file.read(1) == b"\n" else "\n"


def place(chunk: Chunk | None) -> dict[str, object]:
    """Say which chunk a line is about, and which shots; nothing if it is about none."""
    if chunk is None:
        return {}
    shots = [part.shot for part in chunk.parts]
    return {"chunk": chunk.index, "shots": [shots[0], shots[-1]]}


def read(folder: Path) -> list[dict[str, object]]:
    """The lines of a log, in order; a line that was broken off is left out."""
    try:
        lines = (folder / NAME).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            known = json.loads(line)
            if isinstance(known, dict):
                found.append(known)
    return found
