"""What happened in a job, as lines of JSON in its work folder.

One object a line: ``time`` in seconds since 1970, ``event``, and what belongs to it. A log is for
people and benchmarks; nothing is decided by what stands in it.
"""

import contextlib
import json
import time
from pathlib import Path

NAME = "log.jsonl"


class Log:
    """The log of one work folder; tries of the same job follow one another."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def say(self, event: str, **facts: object) -> None:
        """Add a line. A log that cannot be written stops no film."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts})
        with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
