"""One film of a batch, with everything settled that its job file alone can settle."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jobs.jobfile import Keyed, Shot


@dataclass(frozen=True, slots=True)
class Order:
    """One film of a batch."""

    name: str
    source: Path
    target: Path
    work: Path | None
    style: str
    """as the batch calls it"""
    settings: Mapping[str, object]
    """of the recipe, but for strength and frames"""
    strength: float | str | Keyed
    frames: str | None
    first_frame: int
    shots: tuple[Shot, ...]
    styled: Mapping[int, Mapping[str, object]]
    """by index of those shots that have a style: what a ``Passage`` says of it"""
    lines: tuple[int, ...]
    """of the job file, on which shots stand"""
    key: Mapping[str, Path]
    keys_from: Path | None
    priority: float
    deadline: datetime | None
    """with a zone"""
    retries: int
    overwrite: bool
    keep_work: bool
