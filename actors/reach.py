"""What a node can reach of a batch's films and folders, found out where it runs."""

from dataclasses import dataclass
from pathlib import Path

from actors.vitals import Tried, answer, read_ends


@dataclass(frozen=True, slots=True)
class Places:
    """What is to be reached."""

    sources: tuple[str, ...]
    """paths of films to read"""
    folders: tuple[str, ...]
    """in each a note waits, and an answer is expected"""
    name: str
    """of the answer"""


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of it, in the order of the wish."""

    sources: tuple[Tried, ...]
    """size and digest of each film's ends"""
    folders: tuple[Tried, ...]
    """each note"""


def reach(places: Places) -> Reached:
    """Try all of it; what fails is a finding."""
    return Reached(
        tuple(read_ends(path) for path in places.sources),
        tuple(answer(Path(folder), places.name) for folder in places.folders),
    )
