"""An entry to the pictures that follow it, each with its time on the film's clock.

Where packets keep their times through a decoder, those identify a picture. Elsewhere a packet's
number does (see ``order``): after a seek the entry is known by its size and checksum, the packets
after it are counted, and each is held to the index. A file of which packets have the same times
however they are come to may stay open from one entry to the next.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import PictureType

from pipeline.errors import CorruptFilm, UnreadableFilm
from pipeline.media.checksum import checked, denied
from pipeline.media.container import Film
from pipeline.media.decoder import decoder_of, given_to
from pipeline.media.entries import Packets
from pipeline.media.index import NONE
from pipeline.media.kinds import CONTAINERS
from pipeline.media.look import seek

_PATIENCE = 600
"""Packets that are read after a seek until the entry has to have come."""


class NoEntryError(Exception):
    """The packet that was said to be an entry is none, or cannot be come to."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A film's file with what decodes it."""

    source: av.container.InputContainer
    stream: av.VideoStream
    decoder: av.VideoCodecContext


@contextmanager
def kept_open(film: Film, *, threads: int) -> Iterator[Opened | None]:
    """Open a film for several entries, one after the other; None where each has to open its own."""
    if film.packets is None and CONTAINERS[film.container].stable:
        with _opened(film, threads) as opened:
            yield opened
    else:
        yield None


def decoded(
    film: Film, entry: int | None, *, threads: int, by: Opened | None = None
) -> Iterator[av.VideoFrame]:
    """Decode to the end from the entry of frame ``entry``, without the pictures that lead it.

    Args:
        film: The film.
        entry: A frame; None starts with the file.
        threads: Of the decoder.
        by: What is open; None opens the file.

    Raises:
        CorruptFilm: If a packet does not decode, or is not what the index says.
        NoEntryError: Before the first picture, if the seek went past the entry, or if the picture
            there does not stand by itself (a film without a list of sync frames, intra refresh).
        UnreadableFilm: If the file went away.
    """
    if by is None or entry is None:
        with _opened(film, threads) as opened:
            yield from _decoded(film, opened, entry)
    else:
        by.decoder.flush_buffers()
        yield from _decoded(film, by, entry)


def _decoded(film: Film, opened: Opened, entry: int | None) -> Iterator[av.VideoFrame]:
    source, stream, decoder = opened.source, opened.stream, opened.decoder
    begin = -(1 << 62) if entry is None else int(film.entry_pts[entry])
    # an entry that is no frame, or that nothing refers to, is not doubted
    doubted = entry is not None and bool(np.isin(begin, film.pts)) and not film.sync.all()
    if film.packets is None:
        pictures = _timed(film, source, stream, decoder, entry, begin)
    else:
        pictures = _counted(film, film.packets, source, stream, decoder, begin)
    for picture in pictures:
        if picture.pts is not None and picture.pts < begin:
            continue
        if doubted and not _stands(picture, begin):
            raise NoEntryError
        doubted = False
        yield picture


def _timed(
    film: Film,
    source: av.container.InputContainer,
    stream: av.VideoStream,
    decoder: av.VideoCodecContext,
    entry: int | None,
    begin: int,
) -> Iterator[av.VideoFrame]:
    if entry is not None:
        kind = CONTAINERS[film.container]
        seek(source, stream, kind, int(film.entry_dts[entry]) if kind.seek == "dts" else begin)
    first = entry is not None
    for packet in source.demux(stream):
        if first and (packet.pts is None or packet.pts > begin):
            raise NoEntryError
        first = False
        useless = packet.pts is not None and packet.pts < begin
        yield from _decode(film, decoder, packet, useless=useless)


def _counted(
    film: Film,
    packets: Packets,
    source: av.container.InputContainer,
    stream: av.VideoStream,
    decoder: av.VideoCodecContext,
    begin: int,
) -> Iterator[av.VideoFrame]:
    rank = np.full(packets.sizes.size, -1)
    rank[packets.shown] = np.arange(film.frames)
    number = awaited = 0
    if begin >= film.pts[0]:
        awaited = int(packets.shown[np.searchsorted(film.pts, begin)])
        number = -1
        _land(film, packets, source, stream, awaited)
    first, passed = int(packets.shown.min()), 0
    for packet in source.demux(stream):
        if packet.size:
            same = _same(packet, packets, awaited if number < 0 else number)
            if number < 0 and not same:
                passed += 1
                if passed > _PATIENCE:
                    raise NoEntryError
                continue
            if not same:
                raise CorruptFilm(f"{film.path.name}: packet {number} is not what the index says")
            number = awaited if number < 0 else number
            packet.pts, number = number, number + 1
        useless = number <= first or (number > 0 and 0 <= rank[number - 1] < rank[awaited])
        for picture in _decode(film, decoder, packet, useless=useless):
            frame = -1 if picture.pts is None else int(rank[picture.pts])
            if frame >= 0:
                picture.pts = int(film.pts[frame])
                yield picture
    if number < 0:
        raise NoEntryError


def _land(
    film: Film,
    packets: Packets,
    source: av.container.InputContainer,
    stream: av.VideoStream,
    awaited: int,
) -> None:
    """Seek to a packet, or some way before it."""
    kind = CONTAINERS[film.container]
    frame = int(np.flatnonzero(packets.shown == awaited)[0])
    place = int(film.dts[frame])
    if kind.seek == "byte":
        place = int(packets.places[: awaited + 1].max())
    if place == NONE:
        raise NoEntryError
    try:
        seek(source, stream, kind, place)
    except av.FFmpegError:
        raise NoEntryError from None


def _same(packet: "av.Packet[av.VideoStream]", packets: Packets, number: int) -> bool:
    """Tell whether a packet is the one of a number, by size, checksum and place."""
    if number >= packets.sizes.size or packet.size != packets.sizes[number]:
        return False
    place = packets.places[number]
    elsewhere = packet.pos is not None and place not in (NONE, packet.pos)
    return not elsewhere and zlib.crc32(packet) == packets.sums[number]


def _stands(picture: av.VideoFrame, begin: int) -> bool:
    """Tell whether this is the picture of an entry and is coded without any other."""
    alone = picture.pict_type in (PictureType.I, PictureType.NONE)
    return picture.pts == begin and alone and not picture.is_corrupt


def _stream(film: Film, source: av.container.InputContainer) -> av.VideoStream:
    for other in source.streams:
        if other.index != film.stream:
            other.discard = av.stream.Discard.all
    return next(s for s in source.streams.video if s.index == film.stream)


@contextmanager
def _opened(film: Film, threads: int) -> Iterator[Opened]:
    try:
        source = av.open(str(film.path), "r", metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise UnreadableFilm(f"{film.path.name}: cannot be opened: {error.strerror}") from error
    with source:
        stream = _stream(film, source)
        yield Opened(source, stream, decoder_of(stream, threads=threads))


def _decode(
    film: Film,
    decoder: av.VideoCodecContext,
    packet: "av.Packet[av.VideoStream]",
    *,
    useless: bool,
) -> list[av.VideoFrame]:
    if film.codec == "ffv1" and packet.size and not useless:
        record = packet.stream.codec_context.extradata
        if checked(bytes(record or b"")) and denied(bytes(packet)):
            raise CorruptFilm(f"{film.path.name}: the packet at PTS {packet.pts} is damaged")
    try:
        return given_to(decoder, packet)
    except (av.FFmpegError, OSError) as error:
        if useless:
            return []  # a picture that leads the entry
        where = "its end" if packet.pts is None else f"PTS {packet.pts}"
        raise CorruptFilm(f"{film.path.name}: the packet at {where} is damaged") from error
