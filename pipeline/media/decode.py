"""A film and a range to that range's frames, exactly.

An *entry* is where decoding has to start so that a frame comes out whole (see ``index``); pictures
that *lead* it are decoded from what lies before, come out broken, and are thrown away. Whatever is
decoded is held to the index: a frame that is missing, comes twice or is damaged is an error that
names its PTS, never a guess. Nothing here converts colours or turns pictures upright.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import av
import numpy as np

from pipeline.errors import CorruptFilm, UnreadableFilm
from pipeline.media.color import Plane, Planes
from pipeline.media.container import Film

_FLAGS_DAMAGE = frozenset({"h264"})
"""Decoders that mark damaged pictures; the others are told to fail instead of patching."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as the film holds it."""

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
        yield Frame(index, int(film.pts[index]), planes_of(picture))


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
                yield Frame(index, int(film.pts[index]), planes_of(picture))


def planes_of(picture: av.VideoFrame) -> Planes:
    """Copy a decoded picture's samples out of the decoder's padded lines."""
    luma, blue, red = (_plane(plane) for plane in picture.planes)
    return Planes(luma, blue, red)


def _plane(plane: av.video.plane.VideoPlane) -> Plane:
    samples: Plane = np.frombuffer(cast(bytes, plane), np.uint8)
    lines = samples[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    return lines[:, : plane.width].copy()


def _pictures(
    film: Film, start: int, stop: int, *, threads: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode ``[start, stop)`` from its entry, or from the film's start if that is no true one."""
    if start == stop:
        return
    try:
        # an entry is doubted before the first frame is delivered, never after
        yield from enumerate(_run(film, start, stop, seek=True, threads=threads), start)
    except _NoEntryError:
        yield from enumerate(_run(film, start, stop, seek=False, threads=threads), start)


def _run(film: Film, start: int, stop: int, *, seek: bool, threads: int) -> Iterator[av.VideoFrame]:
    entry = int(film.entry_pts[start])
    seek = seek and entry != film.opening
    expected = iter(film.pts[start:stop].tolist())
    due = next(expected)
    left = stop - start
    for picture in _decoded(film, start, seek=seek, threads=threads):
        pts = picture.pts
        if pts is None:
            raise CorruptFilm(f"{film.path.name}: a frame near PTS {due} has lost its time")
        if pts < entry and seek:
            continue
        if picture.is_corrupt:
            raise CorruptFilm(f"{film.path.name}: the frame at PTS {pts} is damaged")
        if (picture.height, picture.width) != (film.height, film.width):
            raise CorruptFilm(f"{film.path.name}: the picture changes its size at PTS {pts}")
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


def _decoded(film: Film, start: int, *, seek: bool, threads: int) -> Iterator[av.VideoFrame]:
    """Decode from the entry of ``start``; pictures that lead it come too, whole or not.

    Raises:
        _NoEntryError: Before anything else, if the seek went past the entry, or if the picture
            there is not coded by itself (a film without a list of sync frames, or intra refresh).
    """
    entry = int(film.entry_pts[start])
    trusted = not seek
    shown = bool(np.isin(entry, film.pts))
    with _opened(film) as source:
        stream = next(s for s in source.streams.video if s.index == film.stream)
        context = stream.codec_context
        context.thread_count = threads
        context.thread_type = "AUTO" if threads > 1 else "NONE"
        if film.codec not in _FLAGS_DAMAGE:
            context.options = {"err_detect": "explode"}
        for other in source.streams:
            if other.index != stream.index:
                other.discard = av.stream.Discard.all
        if seek:
            source.seek(
                int((film.entry_dts if film.container == "mov" else film.entry_pts)[start]),
                stream=stream,
            )
        first = True
        for packet in source.demux(stream):
            if seek and first and (packet.pts is None or packet.pts > entry):
                raise _NoEntryError
            first = False
            for picture in _decode(film, packet, entry, seek=seek):
                if not trusted and shown and picture.pts is not None and picture.pts >= entry:
                    if picture.pts > entry or picture.pict_type != av.video.frame.PictureType.I:
                        raise _NoEntryError
                    trusted = True
                yield picture


def _opened(film: Film) -> av.container.InputContainer:
    try:
        return av.open(str(film.path), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise UnreadableFilm(f"{film.path.name}: cannot be opened: {error.strerror}") from error


def _decode(
    film: Film, packet: "av.Packet[av.VideoStream]", entry: int, *, seek: bool
) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except EOFError:
        return []
    except (av.FFmpegError, OSError) as error:
        if seek and packet.pts is not None and packet.pts < entry:
            return []  # a leading picture, of no use
        where = "its end" if packet.pts is None else f"PTS {packet.pts}"
        raise CorruptFilm(f"{film.path.name}: the packet at {where} is damaged") from error
