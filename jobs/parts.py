"""Results that are measured part by part, to one file: each part says when it was made, and where.

A part is one seed, one length, one kind. What is measured again takes the place of what was there.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.results import circumstances
from pipeline.errors import BadRequest

Part = Mapping[str, object]


def read_parts(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read the parts of a stored result, by name; none if there is no file.

    Raises:
        BadRequest: If the file is something else.
    """
    if path is None or not path.exists():
        return {}
    try:
        parts = json.loads(path.read_text("utf-8"))["parts"]
        return {str(name): dict(part) for name, part in parts.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        raise BadRequest(f"{path} is no result of parts; name another file") from None


def add_part(path: Path, name: str, part: Part) -> dict[str, dict[str, Any]]:
    """Store a part with its circumstances beside those that are there; gives all of them."""
    parts = read_parts(path)
    parts[name] = {"circumstances": circumstances(), **part}
    ordered = dict(sorted(parts.items(), key=lambda item: _place(item[0])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"parts": ordered}, indent=1) + "\n", encoding="utf-8")
    return ordered


def _place(name: str) -> tuple[str, float]:
    """Order parts by words, then by the number at their end.

    >>> sorted(["seed 10", "node", "seed 9"], key=_place)
    ['node', 'seed 9', 'seed 10']
    """
    words, _, number = name.rpartition(" ")
    try:
        return words, float(number)
    except ValueError:
        return name, 0.0
