"""What lies in a batch's folder to a table: films as they stand, or what became of them."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType

from jobs.batch_result import Outcome, table
from jobs.show import standing_table
from jobs.standing import from_facts


def films(seen: Mapping[str, object], *, width: int) -> RenderableType | None:
    """Lay films out for people, one a line; None if nothing is known of them yet.

    Args:
        seen: what ``run_note.look`` gave, maybe on another machine.
        width: columns of the terminal.
    """
    result = seen.get("result")
    running = isinstance(result, dict) and result.get("status") == "running"
    if running or result is None:
        try:
            return standing_table(from_facts(seen.get("standing")), width=width)
        except ValueError:
            pass
    return None if not isinstance(result, dict) else table(_outcomes(result))


def _outcomes(result: Mapping[str, Any]) -> list[Outcome]:
    """Read outcomes that another reelbrush may have written: what is not known is left out."""
    known = set(Outcome.__dataclass_fields__)
    found = []
    for said in result.get("films", ()):
        facts = {name: value for name, value in said.items() if name in known}
        try:
            found.append(Outcome(**facts))
        except TypeError:
            continue
    return found
