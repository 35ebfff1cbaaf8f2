"""A film and a range to that range's frames, exactly.

An *entry* is where decoding has to start so that a frame comes out whole (see ``index``); pictures
that *lead* it are decoded from what lies before, come out broken, and are thrown away. Whatever is
decoded is held to the index: a frame that is missing, comes twice or is damaged is an error that
names its PTS, never a guess. Frames come upright, as a viewer sees them; colours are left alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise

import av
import numpy as np

from pipeline.errors import CorruptFilm
from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.media.deinterlace import deinterlaced
from pipeline.media.entry import NoEntryError, Opened, decoded, kept_open
from pipeline.media.hold import standing
from pipeline.media.orientation import upright_of
from pipeline.media.samples import plain, planes_of

_TRIES = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the film holds it, turned upright."""

    index: int
    pts: int
    """In the film's time base."""
    planes: Planes


def frames(film: Film, start: int, stop: int, *, threads: int = 1) -> Iterator[Frame]:
    """Decode frames ``[start, stop)``, each exactly once and in order.

    Raises:
        CorruptFilm: If what comes out is not what the index says.
        UnreadableFilm: If the file went away.
    """
    if not 0 <= start <= stop <= film.frames:
        raise ValueError(f"frames must be within [0, {film.frames}), got [{start}, {stop})")
    if film.shown is not None:
        yield from standing(film, range(start, stop), partial(pick, threads=threads))
        return
    for index, picture in _pictures(film, start, stop, threads=threads):
        yield Frame(index, int(film.pts[index]), upright_of(planes_of(picture), film))


def pick(film: Film, indices: Sequence[int], *, threads: int = 1) -> Iterator[Frame]:
    """Decode the frames of ascending ``indices``, seeking only where that skips something.

    Raises:
        CorruptFilm: If what comes out is not what the index says.
        UnreadableFilm: If the file went away.
    """
    if any(a >= b for a, b in pairwise(indices)):
        raise ValueError(f"indices must ascend, got {list(indices)}")
    if film.shown is not None:
        yield from standing(film, indices, partial(pick, threads=threads))
        return
    runs: list[list[int]] = []
    for index in indices:
        if runs and (film.entry_pts[index] <= film.pts[runs[-1][-1]] or index == runs[-1][-1] + 1):
            runs[-1].append(index)
        else:
            runs.append([index])
    with kept_open(film, threads=threads) as by:
        for run in runs:
            wanted = set(run)
            for index, picture in _pictures(film, run[0], run[-1] + 1, threads=threads, by=by):
                if index in wanted:
                    yield Frame(index, int(film.pts[index]), upright_of(planes_of(picture), film))


def _pictures(
    film: Film, start: int, stop: int, *, threads: int, by: Opened | None = None
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode ``[start, stop)``; of an interlaced film also a frame either side, for its fields."""
    if not film.fields or start == stop:
        yield from _stored(film, start, stop, threads=threads, by=by)
        return
    first = max(0, start - 1)
    around = _stored(film, first, min(film.frames, stop + 1), threads=threads, by=by)
    whole = deinterlaced((picture for _, picture in around), fields=film.fields)
    yield from islice(enumerate(whole, first), start - first, stop - first)


def _stored(
    film: Film, start: int, stop: int, *, threads: int, by: Opened | None
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode ``[start, stop)`` from the nearest entry that proves to be one."""
    if start == stop:
        return
    for entry in _entries(film, start):
        try:
            # an entry is doubted before the first frame is delivered, never after
            run = _run(film, start, stop, entry=entry, threads=threads, by=by)
            yield from enumerate(run, start)
        except NoEntryError:
            continue
        return


def _entries(film: Film, start: int) -> list[int | None]:
    """List where to start decoding for a frame, as frames; None is the start of the file."""
    entries: list[int | None] = []
    frame = start
    while len(entries) < _TRIES and film.entry_pts[frame] != film.opening:
        entries.append(frame)
        frame = int(np.searchsorted(film.pts, film.entry_pts[frame])) - 1
        if frame < 0:
            break
    return [*entries, None]


def _run(
    film: Film, start: int, stop: int, *, entry: int | None, threads: int, by: Opened | None
) -> Iterator[av.VideoFrame]:
    expected = iter(film.pts[start:stop].tolist())
    due, left = next(expected), stop - start
    for picture in decoded(film, entry, threads=threads, by=by):
        pts = picture.pts
        if pts is None:
            raise CorruptFilm(f"{film.path.name}: a frame near PTS {due} has lost its time")
        if picture.is_corrupt:
            raise CorruptFilm(f"{film.path.name}: the frame at PTS {pts} is damaged")
        if (picture.height, picture.width) != (film.height, film.width):
            raise CorruptFilm(f"{film.path.name}: the picture changes its size at PTS {pts}")
        if plain(picture.format.name) != film.pixel_format:
            raise CorruptFilm(f"{film.path.name}: the pixel format changes at PTS {pts}")
        if pts > due:
            raise CorruptFilm(f"{film.path.name}: the frame at PTS {due} does not come")
        if pts < due:
            if pts >= film.pts[start]:
                raise CorruptFilm(f"{film.path.name}: the frame at PTS {pts} comes twice")
            continue
        yield picture
        left -= 1
        if not left:
            return
        due = next(expected)
    raise CorruptFilm(f"{film.path.name}: the frame at PTS {due} does not come")
