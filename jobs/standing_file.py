"""How a batch stands, as a file in its folder that is always whole, for programs and lookers-on."""

import json
import os
from contextlib import suppress
from pathlib import Path

from jobs.standing import Standing, facts, from_facts

STANDING = "standing.json"


class StandingFile:
    """A watcher that writes the file anew whenever it is told. One that it cannot write is not."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / STANDING
        self._part = folder / f".{STANDING}.{os.getpid()}.part"

    def __call__(self, standing: Standing) -> None:
        """Write it."""
        with suppress(OSError):
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._part.write_text(json.dumps(facts(standing), indent=1) + "\n", encoding="utf-8")
            self._part.replace(self._path)


def read_standing(folder: Path) -> Standing | None:
    """Read what was written last; None if there is nothing to read."""
    try:
        return from_facts(json.loads((folder / STANDING).read_bytes()))
    except (OSError, ValueError):
        return None
