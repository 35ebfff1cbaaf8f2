"""Packets in order to where the decoding of each frame starts, and what a packet is known by."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.media.index import NONE, Index, Ticks, entries_of
from pipeline.media.kinds import Kind
from pipeline.media.order import Order


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """The picture's packets, in the file's order, [M], for films whose times identify no frame."""

    shown: Ticks
    """[N], which packet each frame comes from"""
    places: Ticks
    """Bytes into the file, ``index.NONE`` where unknown."""
    sizes: Ticks
    sums: Ticks
    """CRC-32 of each, by which a packet is known after a seek."""


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Where decoding of each frame starts, [N]."""

    pts: Ticks
    """On the film's clock."""
    dts: Ticks
    """On the file's."""
    opening: int
    """PTS of what needs no seeking."""
    packets: Packets | None
    """What identifies frames where their times do not; None where they do."""


def entries(index: Index, order: Order, pts: Ticks, *, kind: Kind) -> Entries:
    """Find where decoding of each frame starts.

    Args:
        index: Of the picture.
        order: Of its frames.
        pts: Of its frames, on the film's clock.
        kind: What the container's times are worth.
    """
    if _timed(index, pts, kind):
        found = entries_of(index)[order.packets]
        return Entries(index.pts[found], index.dts[found], int(index.pts[0]), None)
    rank = np.full(index.pts.size, index.pts.size)
    rank[order.packets] = np.arange(pts.size)
    shown = rank < rank.size
    first = int(order.packets.min())
    found = entries_of(replace(index, pts=rank, sync=index.sync & shown))[order.packets]
    found = np.where(shown[found], found, first)
    packets = Packets(order.packets, index.places, index.sizes, index.sums)
    return Entries(pts[rank[found]], index.dts[found], int(pts[rank[first]]), packets)


def _timed(index: Index, pts: Ticks, kind: Kind) -> bool:
    """Tell whether the times that packets carry through a decoder identify the frames."""
    shown = np.sort(index.pts[index.shown])
    return kind.stable and np.array_equal(shown, pts) and bool(index.pts.min() != NONE)
