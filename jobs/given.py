"""Pictures that somebody painted, as they are named on the command line, to keys of a recipe.

A picture is checked before a job begins and put into the work folder as planes: from there it goes
to whoever needs it, and a job that goes on needs only the same pictures, wherever they lie by then.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from actors.files import writing
from jobs.ledger import WorkFolder
from pipeline.errors import BadRequest
from pipeline.fill.boundary import write_boundary
from pipeline.given import file_of
from pipeline.media.clock import frame_at, parse_time
from pipeline.media.container import Film
from pipeline.media.picture import digest, read_planes
from pipeline.recipe import Recipe

_FRAME = re.compile(r"[0-9]+")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"})
_HINT = "write 00:01:12.5=painted.png, or a frame's number: 300=painted.png"


@dataclass(frozen=True, slots=True)
class Offer:
    """A picture and where it belongs, as a person wrote it."""

    place: str
    """a time, or a frame's number"""
    path: Path


@dataclass(frozen=True, slots=True)
class Accepted:
    """A picture that is a key of the film."""

    frame: int
    path: Path
    digest: str
    """of its planes"""


def read_offers(keys: Sequence[str], folder: Path | None) -> tuple[Offer, ...]:
    """Read ``--key`` and ``--keys-from``.

    Raises:
        BadRequest: If a key names no place or no picture, or the folder holds none.
    """
    return (*(_offer(text) for text in keys), *(_in_folder(folder) if folder else ()))


def accept(offers: Sequence[Offer], film: Film) -> tuple[Accepted, ...]:
    """Find each picture's frame and read it; gives them by frames.

    Raises:
        BadRequest: For a place that the film does not have, a frame that is given twice, or a
            picture that does not fit.
    """
    found: dict[int, Path] = {}
    for offer in offers:
        frame = _frame(offer.place, film)
        if frame in found:
            raise BadRequest(f"frame {frame} is given twice: {found[frame]} and {offer.path}")
        found[frame] = offer.path
    paths = sorted(found.items())
    return tuple(Accepted(frame, p, digest(read_planes(p, film))) for frame, p in paths)


def with_given(recipe: Recipe, accepted: Sequence[Accepted]) -> Recipe:
    """Write the keys into a recipe."""
    return recipe.model_copy(update={"given": tuple((a.frame, a.digest) for a in accepted)})


def keep(accepted: Sequence[Accepted], film: Film, work: WorkFolder) -> None:
    """Leave the planes of the pictures in the work folder.

    Raises:
        BadRequest: If a picture has changed since it was accepted.
    """
    for one in accepted:
        final = file_of(work.given, one.digest)
        if final.is_file():
            continue
        planes = read_planes(one.path, film)
        if digest(planes) != one.digest:
            raise BadRequest(f"{one.path} has changed while it was read; give the command again")
        part = work.attempt(".npz")
        with writing(part) as path:
            write_boundary(planes, path)
        work.commit(part, str(final.relative_to(work.path)))


def _offer(text: str) -> Offer:
    place, equals, path = (word.strip() for word in text.partition("="))
    if not (place and equals and path):
        raise BadRequest(f"--key {text!r} names no frame or no picture; {_HINT}")
    if not _FRAME.fullmatch(place):
        if not place.endswith("s") and ":" not in place:
            raise BadRequest(f"--key {text!r}: {place!r} is neither a time nor a frame; {_HINT}")
        parse_time(place)
    return Offer(place, Path(path))


def _in_folder(folder: Path) -> list[Offer]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise BadRequest(f"--keys-from {folder}: {error.strerror}") from None
    found = [p for p in inside if p.suffix.lower() in _SUFFIXES and _FRAME.fullmatch(p.stem)]
    if not found:
        raise BadRequest(
            f"--keys-from {folder} holds no picture that is named by its frame, as 000300.png is"
        )
    return [Offer(path.stem, path) for path in found]


def _frame(place: str, film: Film) -> int:
    if _FRAME.fullmatch(place):
        frame = int(place)
        if frame >= film.frames:
            raise BadRequest(f"frame {frame} is not in the film: it has 0-{film.frames - 1}")
        return frame
    seconds = parse_time(place)
    end = _length(film)
    if seconds >= end:
        raise BadRequest(f"{place} is not in the film: it ends at {float(end):.3f} s")
    return frame_at(film, seconds)


def _length(film: Film) -> Fraction:
    """Seconds from the first frame to the end of the last."""
    return (int(film.pts[-1]) + int(film.durations[-1]) - int(film.pts[0])) * film.time_base
