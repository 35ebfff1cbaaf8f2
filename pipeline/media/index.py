"""Packets to an index: when each frame comes, and where its decoding starts.

An *index* is one row a packet of the picture's stream, in decoding order; an *entry* is the packet
that decoding of another has to start from. A packet marked discard is in the index, since others
may need it, and is no frame. Nothing here decodes; payloads are summed, and those of H.264 that are
marked sync are asked whether they stand alone.
"""

import hashlib
import zlib
from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorruptFilm, UnreadableFilm, UnsupportedFilm
from pipeline.media.nal import length_size, stands_alone
from pipeline.media.whole import cut_short

Ticks: TypeAlias = NDArray[np.int64]
NONE = -(1 << 62)
"""Stands for a time or a place that is not known."""

_SAMPLE, _SAMPLES = 1 << 16, 64
_RATES = tuple(
    Fraction(n * 1000, d) for d in (1001, 1000) for n in (24, 30, 60, 120, 25, 50, 10, 12, 15, 48)
)
_NEAR = Fraction(1, 100)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The packets of a stream, in decoding order, [M]."""

    pts: Ticks
    dts: Ticks
    durations: Ticks
    """0 where none is written."""
    sizes: Ticks
    sync: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    """False where the packet is marked discard."""
    places: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    """Bytes into the file."""
    sums: Ticks = field(default_factory=lambda: np.zeros(0, np.int64))
    """CRC-32 of the payload."""
    propped: int = 0
    """Packets marked sync that do not stand by themselves (intra refresh); ``sync`` is False."""


def read_index(source: av.container.InputContainer, stream: av.VideoStream) -> Index:
    """Read every packet of a stream; a time that is not written is ``NONE``.

    Raises:
        CorruptFilm: If a packet is damaged, or if packets are missing at the end.
        UnreadableFilm: If none is a frame.
        UnsupportedFilm: If the codec is not known.
    """
    if getattr(stream, "codec_context", None) is None:
        raise UnsupportedFilm("the codec of its picture is not known")
    lengths = length_size(stream.codec_context.extradata)
    avc, propped = stream.codec_context.name == "h264", 0
    for other in source.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    rows = array("q")  # of a long film, a list of tuples is the largest thing there is
    for packet in source.demux(stream):
        if packet.size == 0:
            continue
        if packet.is_corrupt:
            where = "without a time" if packet.pts is None else f"at PTS {packet.pts}"
            raise CorruptFilm(f"the packet {where} is corrupt")
        pts = NONE if packet.pts is None else packet.pts
        dts = pts if packet.dts is None else packet.dts
        sync = packet.is_keyframe
        if sync and avc and not stands_alone(bytes(packet), lengths):
            sync, propped = False, propped + 1
        place = NONE if packet.pos is None else packet.pos
        row = (pts, dts, packet.duration or 0, packet.size, sync, not packet.is_discard)
        rows.extend((*row, place, zlib.crc32(packet)))
    table = np.frombuffer(rows, np.int64).reshape(-1, 8)
    if not table[:, 5].any():
        raise UnreadableFilm("no frame")
    if len(table) < len(stream.index_entries) or cut_short(Path(source.name)):
        raise CorruptFilm(f"cut short: nothing comes after PTS {table[:, 0].max()}")
    pts, dts, durations, sizes, syncs, shown, places, sums = np.ascontiguousarray(table.T)
    marks = (syncs != 0, shown != 0)
    return Index(pts, dts, durations, sizes, *marks, places, sums, propped)


def even_rate(stream: av.VideoStream, pts: Ticks, base: Fraction) -> tuple[Fraction, bool]:
    """Find the even grid that every frame is on, within a tick; else the mean and True."""
    rates = [r for r in (stream.average_rate, stream.guessed_rate, stream.base_rate) if r]
    if pts.size == 1:
        return next(iter(rates), Fraction(25)), False
    since = (pts - pts[0]).astype(float)
    mean = Fraction(pts.size - 1, max(1, int(since[-1]))) / base
    # a container of milliseconds may not say its rate
    rates += [rate for rate in _RATES if abs(rate / mean - 1) < _NEAR]
    for rate in rates:
        if np.abs(since - np.arange(pts.size) / float(rate * base)).max() <= 1:
            return rate, False
    return mean, True


def durations_of(pts: Ticks, written: Ticks, usual: Fraction) -> Ticks:
    """How long each frame is shown: until the next one comes; the last as long as is written.

    What is written for the others is of no use: MP4 writes it in decoding order.
    """
    last = int(written[-1]) or max(1, round(usual))
    return np.append(np.diff(pts), last)


def entries_of(index: Index) -> Ticks:
    """Find, for each packet, the last sync packet before it, in decoding and in presentation."""
    entries = np.zeros(index.pts.size, np.int64)
    syncs: list[int] = []
    for i, pts in enumerate(index.pts.tolist()):
        if index.sync[i]:
            syncs.append(i)
        # pictures that lead an open group come after its sync frame but are shown before it
        k = len(syncs) - 1
        while k >= 0 and index.pts[syncs[k]] > pts:
            k -= 1
        entries[i] = syncs[k] if k >= 0 else 0
    return entries


def fingerprint_of(path: Path, index: Index, *, track: int | None = None) -> str:
    """Digest the index and 4 MiB of the file, from its head through to its tail.

    Args:
        path: Of the file.
        index: Of its picture.
        track: The number of the picture's track, if it is not the one that is taken by itself.
    """
    digest = hashlib.sha256(b"" if track is None else f"track {track}".encode())
    for column in (index.pts, index.dts, index.sizes, index.shown):
        digest.update(np.ascontiguousarray(column).tobytes())
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "big"))
    with path.open("rb") as file:
        for k in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE) * k // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()
