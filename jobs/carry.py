"""A film to the same film, unpainted: index, decoding, lossless segments, joining, verifying.

It is the way that every film goes but for paint and fill, and for the plan: segments are as long as
chunks of a long shot. What comes out is held to the source as any result is, and its samples to
those that were decoded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from pipeline.media.assemble import assemble
from pipeline.media.conform import conform_of
from pipeline.media.container import Film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import Encoding, choose_encoding, write_segment
from pipeline.media.hold import held_of
from pipeline.media.orientation import stored_of
from pipeline.media.verify import verify_film

_SEGMENT = 96
"""Frames."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a film."""

    frames: int
    held: int
    """of them that show another one"""
    same: bool
    """whether the written file decodes to the samples that were decoded"""
    checks: tuple[str, ...]
    """what was compared with the source and found in order, by name"""


def carry(film: Film, folder: Path) -> Carried:
    """Take all of a film through FFV1 in Matroska, segment by segment.

    Args:
        film: as it was read.
        folder: for segments and result.

    Raises:
        FilmError: As ``stylize`` does.
    """
    target = folder / "carried.mkv"
    encoding, _ = choose_encoding(film, codec="ffv1", target=target)
    segments, same = [], True
    for start in range(0, film.frames, _SEGMENT):
        stop, seen = min(film.frames, start + _SEGMENT), sha256()
        path = folder / f"{start}{encoding.suffix}"
        given = _noted(film, encoding, frames(film, start, stop), seen.update)
        made = write_segment(given, film=film, encoding=encoding, path=path)
        segments.append(made)
        same = same and made.pixels == seen.hexdigest()
    whole = {"start": 0, "stop": film.frames}
    assemble(film, segments, target=target, encoding=encoding, **whole)
    seams = [segment.start for segment in segments[1:]]
    found = verify_film(film, target, encoding=encoding, **whole, seams=seams)
    checks = tuple(check.name for check in found.checks)
    return Carried(film.frames, len(held_of(film, 0, film.frames)), same, checks)


def _noted(
    film: Film, encoding: Encoding, given: Iterator[Frame], told: Callable[[memoryview], None]
) -> Iterator[Frame]:
    """Digest samples as the encoder gets them, on their way to it."""
    conform = conform_of(film, encoding.pixel_format, encoding.color)
    for frame in given:
        planes = conform(stored_of(frame.planes, film))
        for plane in (planes.luma, planes.blue, planes.red, planes.alpha):
            if plane is not None:
                told(np.ascontiguousarray(plane).data)
        yield frame
