"""Packets to an index: when each frame comes, and where its decoding starts.

An *index* is one row a packet of the picture's stream, in decoding order; an *entry* is the packet
that decoding of another has to start from. A packet marked discard is in the index, since others
may need it, and is no frame. Nothing here decodes, and payloads are not looked at.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorruptFilm, UnreadableFilm

Ticks: TypeAlias = NDArray[np.int64]

_SAMPLE, _SAMPLES = 1 << 16, 64
_EBML, _SEGMENT = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067")


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


def read_index(source: av.container.InputContainer, stream: av.VideoStream) -> Index:
    """Read every packet of a stream.

    Raises:
        CorruptFilm: If a packet has no time or is damaged, or if packets are missing at the end.
        UnreadableFilm: If none is a frame.
    """
    for other in source.streams:
        if other.index != stream.index:
            other.discard = av.stream.Discard.all
    rows: list[tuple[int, ...]] = []
    for packet in source.demux(stream):
        if packet.size == 0:
            continue
        if packet.pts is None:
            raise CorruptFilm(f"packet {len(rows)} has no time")
        if packet.is_corrupt:
            raise CorruptFilm(f"the packet at PTS {packet.pts} is corrupt")
        dts = packet.pts if packet.dts is None else packet.dts
        marks = (packet.is_keyframe, not packet.is_discard)
        rows.append((packet.pts, dts, packet.duration or 0, packet.size, *marks))
    table = np.array(rows, np.int64).reshape(-1, 6)
    pts, dts, durations, sizes = table[:, :4].T
    sync, shown = table[:, 4:].astype(bool).T
    if not shown.any():
        raise UnreadableFilm("no frame")
    if len(rows) < len(stream.index_entries) or _cut_short(Path(source.name)):
        raise CorruptFilm(f"cut short: nothing comes after PTS {pts.max()}")
    return Index(pts, dts, durations, sizes, sync, shown)


def even_rate(stream: av.VideoStream, pts: Ticks, base: Fraction) -> tuple[Fraction, bool]:
    """Find the even grid that every frame is on, within a tick; else the mean and True."""
    since = (pts - pts[0]).astype(float)
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    for rate in rates:
        if rate and np.abs(since - np.arange(pts.size) / float(rate * base)).max() <= 1:
            return rate, False
    if pts.size == 1:
        return next((rate for rate in rates if rate), Fraction(25)), False
    return Fraction(pts.size - 1, int(pts[-1] - pts[0])) / base, True


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


def fingerprint_of(path: Path, index: Index) -> str:
    """Digest the index and 4 MiB of the file, from its head through to its tail."""
    digest = hashlib.sha256()
    for column in (index.pts, index.dts, index.sizes, index.shown):
        digest.update(np.ascontiguousarray(column).tobytes())
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "big"))
    with path.open("rb") as file:
        for k in range(_SAMPLES):
            file.seek(max(0, size - _SAMPLE) * k // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _cut_short(path: Path) -> bool:
    """Tell whether a Matroska file ends before its segment does; others are never said to."""
    with path.open("rb") as file:
        if file.read(4) != _EBML:
            return False
        file.seek(_size(file) or 0, 1)
        if file.read(4) != _SEGMENT:
            return False
        size = _size(file)
        return size is not None and file.tell() + size > path.stat().st_size


def _size(file: BinaryIO) -> int | None:
    """Read the size of an EBML element, None where it is left open (RFC 8794, section 6)."""
    first = file.read(1)[0]
    length = 9 - first.bit_length()
    size = int.from_bytes(bytes([first]) + file.read(length - 1), "big") & ~(1 << 7 * length)
    return None if size == (1 << 7 * length) - 1 else size
