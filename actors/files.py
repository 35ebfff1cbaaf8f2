"""Places to files: what a step reads lies on this machine while it does, and what it writes leaves.

A *place* is a path, or the name of an object. A path is its own file, at no cost. An object is
fetched into scratch and gone afterwards, or uploaded whole when it has been written; a film is
fetched once and kept (``actors.cache``).
"""

import errno
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from actors import s3
from actors.cache import kept, scratch
from actors.objects import ObjectPath
from actors.s3 import Version
from pipeline.errors import UnreadableFilm
from pipeline.given import Given, file_of, shown
from pipeline.media.container import Film, Interlaced, Origin, read_film
from pipeline.media.order import Told

_SIDE_BY_SIDE = 8


@contextmanager
def reading(place: Path) -> Iterator[Path]:
    """Give a file with what lies at a place.

    Raises:
        FileNotFoundError: If there is no such object.
        OSError: If it cannot be fetched.
    """
    with reading_all([place]) as found:
        yield found[0]


@contextmanager
def reading_all(places: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a file for each place, as ``reading`` does."""
    with ExitStack() as held:
        files = [
            held.enter_context(scratch(place.name)) if isinstance(place, ObjectPath) else place
            for place in places
        ]
        wanted = [
            (place, file)
            for place, file in zip(places, files, strict=True)
            if isinstance(place, ObjectPath)
        ]
        if wanted:
            with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(wanted))) as pool:
                list(pool.map(lambda pair: fetched(*pair), wanted))
        yield files


@contextmanager
def writing(place: Path) -> Iterator[Path]:
    """Give a file to write; what is in it is at the place afterwards, if the block goes well.

    Raises:
        OSError: If it cannot be uploaded.
    """
    if not isinstance(place, ObjectPath):
        yield place
        return
    with scratch(place.name) as file:
        yield file
        if file.is_file():
            s3.upload(place.spot, file)


def opened(
    place: Path,
    *,
    stream: int | None = None,
    interlaced: Interlaced = "deinterlace",
    told: Told | None = None,
) -> Film:
    """Index a film, wherever it lies; what reads its frames later has it by ``near``.

    The arguments are those of ``read_film``.

    Raises:
        BadRequest: As ``read_film`` does.
        SourceError: As ``read_film`` does, or if there is no such object, or it is not given.
    """
    if not isinstance(place, ObjectPath):
        return read_film(place, stream=stream, interlaced=interlaced, told=told)
    version = _now(place)
    with _kept(place, version) as path:
        film = read_film(path, stream=stream, interlaced=interlaced, told=told)
    return replace(film, origin=Origin(place, version.etag, version.bytes))


@contextmanager
def near(film: Film) -> Iterator[Film]:
    """Give the film with its file on this machine.

    Raises:
        SourceError: If it has to be fetched, and is gone or another by now.
        OutOfResources: If there is no room for it.
        OSError: If it cannot be fetched.
    """
    origin = film.origin
    if origin is None or not isinstance(origin.place, ObjectPath):
        yield film
        return
    with kept(origin.place, Version(origin.etag, origin.bytes)) as path:
        yield film if path == film.path else replace(film, path=path)


@contextmanager
def film_at(place: Path) -> Iterator[Path]:
    """Give the file of a film, or of a painted one, as it is now.

    Raises:
        SourceError: If there is no such object, or it is not given.
        OutOfResources: If there is no room for it.
    """
    if not isinstance(place, ObjectPath):
        yield place
        return
    with _kept(place, _now(place)) as path:
        yield path


@contextmanager
def pictures(folder: Path | None, given: Sequence[Given]) -> Iterator[Path | None]:
    """Give a folder with those pictures of another one that are shown."""
    if not isinstance(folder, ObjectPath):
        yield folder
        return
    with scratch(folder.name) as here:
        here.mkdir()
        for picture in sorted(set(shown(given).values())):
            fetched(file_of(folder, picture), file_of(here, picture))
        yield here


def fetched(place: Path, file: Path) -> Version:
    """Fetch an object to a file; gives what it was.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If it cannot be fetched.
    """
    if not isinstance(place, ObjectPath):
        raise ValueError(f"{place} lies on this machine")
    version = place.version()
    if version is None:
        raise FileNotFoundError(errno.ENOENT, "no such object", str(place))
    s3.fetch(place.spot, file, version)
    return version


def _now(place: ObjectPath) -> Version:
    try:
        version = place.version()
    except OSError as error:
        raise UnreadableFilm(f"{place}: {error.strerror}") from None
    if version is None:
        raise UnreadableFilm(f"{place}: {_missing(place)}")
    return version


def _missing(place: ObjectPath) -> str:
    """Why there is no such object: a request that asks for one alone is not told."""
    try:
        s3.check_bucket(place.spot.bucket)
    except OSError as error:
        return error.strerror or "no such object"
    return "no such object"


@contextmanager
def _kept(place: ObjectPath, version: Version) -> Iterator[Path]:
    """As ``kept``, for who can do nothing about a service that does not answer."""
    with ExitStack() as held:
        try:
            path = held.enter_context(kept(place, version))
        except OSError as error:
            raise UnreadableFilm(f"{place}: {error.strerror or error}") from None
        yield path
