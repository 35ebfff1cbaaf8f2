"""A film and a range to that range's frames, exactly.

An *entry* is where decoding has to start so that a frame comes out whole (see ``index``); pictures
that *lead* it are decoded from what lies before, come out broken, and are thrown away. Whatever is
decoded is held to the index: a frame that is missing, comes twice or is damaged is an error that
names its PTS, never a guess. Frames come upright, as a viewer sees them; colours are left alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
import numpy as np

from pipeline.errors import CorruptFilm, UnreadableFilm
from pipeline.media.color import Planes, turned
from pipeline.media.container import Film
from pipeline.media.samples import plain, planes_of

_FLAGS_DAMAGE = frozenset({"h264"})
"""Decoders that mark damaged pictures; the others are told to fail instead of patching."""
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the film holds it, turned upright."""

    index: int
    pts: int
    """In the film's time base."""
    planes: Planes


class _NoEntryError(Exception):
    """The packet that was said to be an entry is none."""


def frames(film: Film, start: int, stop: int, *, threads: int = 1) -> Iterator[Frame]:
    """Decode frames ``[start, stop)``, each exactly once and in order.

    Raises:
        CorruptFilm: If what comes out is not what the index says.
        UnreadableFilm: If the file went away.
    """
    if not 0 <= start <= stop <= film.frames:
        raise ValueError(f"frames must be within [0, {film.frames}), got [{start}, {stop})")
    for index, picture in _pictures(film, start, stop, threads=threads):
        yield Frame(index, int(film.pts[index]), turned(planes_of(picture), film.rotation))


def pick(film: Film, indices: Sequence[int], *, threads: int = 1) -> Iterator[Frame]:
    """Decode the frames of ascending ``indices``, seeking only where that skips something.

    Raises:
        CorruptFilm: If what comes out is not what the index says.
        UnreadableFilm: If the file went away.
    """
    if any(a >= b for a, b in pairwise(indices)):
        raise ValueError(f"indices must ascend, got {list(indices)}")
    runs: list[list[int]] = []
    for index in indices:
        if runs and film.entry_pts[index] <= film.pts[runs[-1][-1]]:
            runs[-1].append(index)
        else:
            runs.append([index])
    for run in runs:
        wanted = set(run)
        for index, picture in _pictures(film, run[0], run[-1] + 1, threads=threads):
            if index in wanted:
                yield Frame(index, int(film.pts[index]), turned(planes_of(picture), film.rotation))


def _pictures(
    film: Film, start: int, stop: int, *, threads: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode ``[start, stop)`` from the nearest entry that proves to be one."""
    if start == stop:
        return
    for entry in _entries(film, start):
        try:
            # an entry is doubted before the first frame is delivered, never after
            yield from enumerate(_run(film, start, stop, entry=entry, threads=threads), start)
        except _NoEntryError:
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
    film: Film, start: int, stop: int, *, entry: int | None, threads: int
) -> Iterator[av.VideoFrame]:
    expected = iter(film.pts[start:stop].tolist())
    due, left = next(expected), stop - start
    for picture in _decoded(film, entry, threads=threads):
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


def _decoded(film: Film, entry: int | None, *, threads: int) -> Iterator[av.VideoFrame]:
    """Decode to the end from the entry of frame ``entry``, without the pictures that lead it.

    Raises:
        _NoEntryError: Before the first picture, if the seek went past the entry, or if the picture
            there does not stand by itself (a film without a list of sync frames, intra refresh).
    """
    begin = -(1 << 62) if entry is None else int(film.entry_pts[entry])
    doubted = entry is not None and bool(np.isin(begin, film.pts))
    with _opened(film) as source:
        stream = _prepared(film, source, threads=threads)
        if entry is not None:
            by_dts = film.container == "mov"  # the other's cues hold presentation times
            source.seek(int(film.entry_dts[entry]) if by_dts else begin, stream=stream)
        first = entry is not None
        for packet in source.demux(stream):
            if first and (packet.pts is None or packet.pts > begin):
                raise _NoEntryError
            first = False
            for picture in _decode(film, packet, begin):
                if picture.pts is not None and picture.pts < begin:
                    continue
                if doubted and not _stands(picture, begin):
                    raise _NoEntryError
                doubted = False
                yield picture


def _stands(picture: av.VideoFrame, begin: int) -> bool:
    """Tell whether this is the picture of an entry and is coded without any other."""
    alone = picture.pict_type == av.video.frame.PictureType.I and not picture.is_corrupt
    return picture.pts == begin and alone


def _prepared(film: Film, source: av.container.InputContainer, *, threads: int) -> av.VideoStream:
    stream = next(s for s in source.streams.video if s.index == film.stream)
    context = stream.codec_context
    context.thread_count = threads
    context.thread_type = "AUTO" if threads > 1 else "NONE"
    if film.codec not in _FLAGS_DAMAGE:
        context.options = {"err_detect": "explode"}
    for other in source.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    return stream


def _opened(film: Film) -> av.container.InputContainer:
    try:
        return av.open(str(film.path), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise UnreadableFilm(f"{film.path.name}: cannot be opened: {error.strerror}") from error


def _decode(film: Film, packet: "av.Packet[av.VideoStream]", begin: int) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except EOFError:
        return []
    except (av.FFmpegError, OSError) as error:
        if packet.pts is not None and packet.pts < begin:
            return []  # a picture that leads the entry, of no use
        where = "its end" if packet.pts is None else f"PTS {packet.pts}"
        raise CorruptFilm(f"{film.path.name}: the packet at {where} is damaged") from error
