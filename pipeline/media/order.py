"""Packets to the order in which their pictures are shown, by decoding them all once.

AVI and MXF do not say when a packet's picture is shown, a field may be a packet of its own, and
some packets have no picture (VP8's hidden references, MPEG-4's placeholders). Each packet goes in
with its number in the place of its time, and each picture comes out with that of its packet. This
costs a decoding of the whole film, and is done only where packets alone do not tell.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np

from pipeline.errors import CorruptFilm, UnreadableFilm
from pipeline.media.decoder import decoder_of, given_to
from pipeline.media.index import NONE, Index, Ticks
from pipeline.media.kinds import Kind

PLAIN = frozenset(
    {"h264", "hevc", "vvc", "av1", "libdav1d", "vp9", "prores", "dnxhd", "mjpeg", "ffv1", "h263"}
    | {"mpeg1video", "mpeg2video", "dvvideo", "rawvideo", "v210", "huffyuv", "ffvhuff", "utvideo"}
    | {"jpeg2000", "png", "qtrle", "cfhd", "magicyuv", "apv", "v308", "v408", "v410", "r210"}
)
"""Codecs of which every packet is a picture that is shown, and FFmpeg's names of their decoders."""
Told: TypeAlias = Callable[[int, int], None]
"""Is told how many packets were decoded since, of how many in all."""

_PROGRESSIVE = (0, 1)
_MOST_THREADS = 4
_OFTEN = 250
"""Packets after which it is said how far it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Which packet each frame comes from, in the order of presentation."""

    packets: Ticks
    """[N], numbers of packets in the file's order"""
    decoded: bool
    """Whether it took a decoding to know."""
    interlaced: bool = False
    """Whether any picture was seen to be."""
    unreadable: int = 0
    """Packets at the film's beginning that nothing can be decoded from."""


def order_of(
    source: av.container.InputContainer,
    stream: av.VideoStream,
    index: Index,
    *,
    kind: Kind,
    told: Told | None = None,
) -> Order:
    """Find the order of presentation, by decoding only where packets do not tell.

    Args:
        source: Open, at its start.
        stream: Its picture.
        index: Of the picture.
        kind: What the container's times are worth.
        told: Is called while all of it is decoded.

    Raises:
        CorruptFilm: If a packet does not decode.
        UnreadableFilm: If no picture comes.
    """
    if not _told(stream, index, kind):
        return _decoded(source, stream, index, told)
    shown = np.flatnonzero(index.shown)
    if kind.times != "shown":
        return Order(shown, decoded=False)
    return Order(shown[np.argsort(index.pts[shown], kind="stable")], decoded=False)


def _told(stream: av.VideoStream, index: Index, kind: Kind) -> bool:
    """Tell whether packets alone give the order."""
    context, pts = stream.codec_context, index.pts[index.shown]
    if context.name not in PLAIN or (pts == NONE).any():
        return False
    if kind.times != "shown":
        return bool(index.sync.all())
    if not kind.clock:
        return True
    # a packet may be a field; a recording may begin in the middle of a group, or with an open one
    fields = context.name == "h264" and context.field_order not in _PROGRESSIVE
    whole = bool(index.sync[0]) and pts.min() == pts[0]
    return whole and not fields and np.unique(pts).size == pts.size


def _decoded(
    source: av.container.InputContainer, stream: av.VideoStream, index: Index, told: Told | None
) -> Order:
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    decoder = decoder_of(stream, threads=threads, skim=True)
    came: list[int] = []
    interlaced = False
    number, first_sync = 0, int(np.argmax(index.sync))
    for packet in source.demux(stream):
        if packet.size:
            packet.pts, number = number, number + 1
            if told is not None and (not number % _OFTEN or number == index.pts.size):
                told((number - 1) % _OFTEN + 1, index.pts.size)
        try:
            pictures = given_to(decoder, packet)
        except av.FFmpegError as error:
            if number - 1 <= first_sync:
                continue  # a recording that begins in the middle of a group
            raise CorruptFilm(f"packet {number - 1} is damaged: {error.strerror}") from error
        for picture in pictures:
            if picture.pts is None:
                raise CorruptFilm(f"a picture near packet {number - 1} has lost its number")
            if picture.is_corrupt and (came or picture.pts > first_sync):
                raise CorruptFilm(f"the picture of packet {picture.pts} is damaged")
            if not picture.is_corrupt:
                came.append(picture.pts)
                interlaced |= picture.interlaced_frame
    if not came:
        raise UnreadableFilm("no picture can be decoded")
    packets = np.array(came, np.int64)
    if np.unique(packets).size < packets.size:
        raise CorruptFilm("a packet holds more than one picture; rewrap it: ffmpeg -i FILM -c copy")
    return Order(packets, decoded=True, interlaced=interlaced, unreadable=int(packets.min()))
