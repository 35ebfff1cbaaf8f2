"""What a node can reach of a batch's films and folders, found out where it runs."""

from dataclasses import dataclass

from actors.objects import ObjectPath, located
from actors.vitals import Tried, answer, read_ends, reply
from pipeline.errors import FilmError


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
        tuple(known(path) for path in places.sources),
        tuple(_answered(folder, places.name) for folder in places.folders),
    )


def known(source: str) -> Tried:
    """What a film is known by: size and both ends of a file, the version of an object."""
    try:
        place = located(source)
        if not isinstance(place, ObjectPath):
            return read_ends(source)
        version = place.version()
    except (OSError, FilmError) as error:
        return Tried(problem=str(error))
    if version is None:
        return Tried(problem="no such object")
    return Tried(f"{version.bytes} {version.etag}")


def _answered(folder: str, name: str) -> Tried:
    try:
        place = located(folder)
        if not isinstance(place, ObjectPath):
            return answer(place, name)
        note = (place / "note").read_text("ascii")
        (place / name).write_text(reply(note, name), "ascii")
    except (OSError, FilmError) as error:
        return Tried(problem=str(error))
    return Tried(note)
