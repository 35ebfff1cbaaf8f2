"""What a chunk needs painted, dealt into batches, and painted batches gathered again.

A *lot* is what a batch holds of one part: whole keys, and windows of holes. Batches exist so that
several painters can share a chunk; what lies in which changes no pixel, for each picture is painted
on its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from actors.stylizer import Moments, Painting
from pipeline.fill.tiles import Tile
from pipeline.media.color import ColorTags, Planes
from pipeline.needs import PartKeys, Window
from pipeline.paint.working import working_size

_BATCH_SECONDS = 2.5
_SECONDS = 1.6e-6
"""On one core, a pixel that the net works at, of a key and the holes that go with it: 0.27 s a key
of 1080p at 540 lines, and 0.16 s a frame between for holes, with a key every 4 frames."""
_MOST_BATCHES = 6


@dataclass(frozen=True, slots=True)
class Lot:
    """Work of one part in one batch."""

    part: int
    """index into the chunk's parts"""
    keys: dict[int, Planes]
    windows: dict[int, tuple[Window, ...]]


@dataclass(frozen=True, slots=True)
class Painted:
    """What was painted for one part, or for a lot of it."""

    keys: dict[int, Planes]
    """By frame. Once harmonised: every key, promoted ones too."""
    tiles: dict[int, tuple[Tile, ...]]
    promoted: tuple[int, ...] = ()
    """Keys that the gate asked for, in that order."""


@dataclass(frozen=True, slots=True)
class PaintedLot:
    """A lot, painted."""

    part: int
    painted: Painted


Batch = tuple[Lot, ...]
PaintedBatch = tuple[PaintedLot, ...]


def batches_of(keys: int, *, size: tuple[int, int], lines: int | Literal["film"]) -> int:
    """Say into how many batches a chunk is dealt, so that each keeps a core busy for some seconds.

    Args:
        keys: of the chunk; the holes between them are taken to go with them.
        size: (width, height) of the film.
        lines: at which the net works, or "film".

    >>> batches_of(9, size=(1920, 1080), lines=540), batches_of(9, size=(1920, 1080), lines="film")
    (3, 6)
    """
    tall, wide = working_size(size, lines)
    return min(_MOST_BATCHES, max(1, round(keys * tall * wide * _SECONDS / _BATCH_SECONDS)))


def deal(decoded: Sequence[PartKeys], *, without: int | None, count: int) -> list[Batch]:
    """Deal keys and windows, in order, into ``count`` batches of about the same area.

    Args:
        decoded: a part each.
        without: a frame of the first part that is not to be painted: the chunk before left it.
        count: how many batches; some may be empty.
    """
    items = list(_items(decoded, without))
    whole = sum(area for _, _, _, area in items)
    dealt: list[list[Lot]] = [[] for _ in range(count)]
    passed = 0
    for part, frame, piece, area in items:
        number = min(count - 1, (2 * passed + area) * count // max(1, 2 * whole))
        passed += area
        lots = dealt[number]
        if not lots or lots[-1].part != part:
            lots.append(Lot(part, {}, {}))
        if isinstance(piece, Window):
            lots[-1].windows[frame] = (*lots[-1].windows.get(frame, ()), piece)
        else:
            lots[-1].keys[frame] = piece
    return [tuple(lots) for lots in dealt]


def paint(
    painter: Painting, batch: Batch, moments: Mapping[int, Moments], tags: ColorTags
) -> PaintedBatch:
    """Paint a batch; ``moments`` by part. The keys of all its parts go to the painter together."""
    return paint_all(painter, [(batch, moments)], tags)[0]


def paint_all(
    painter: Painting, batches: Sequence[tuple[Batch, Mapping[int, Moments]]], tags: ColorTags
) -> list[PaintedBatch]:
    """Paint batches of several chunks; all their keys go to the painter together."""
    lots = [(lot, moments[lot.part]) for batch, moments in batches for lot in batch]
    keys = painter.paint_lots([(lot.keys, own) for lot, own in lots], tags)
    done = iter(
        PaintedLot(lot.part, Painted(painted, painter.tiles(lot.windows, own, tags)))
        for (lot, own), painted in zip(lots, keys, strict=True)
    )
    return [tuple(islice(done, len(batch))) for batch, _ in batches]


def gather(painted: Iterable[PaintedBatch], *, parts: int) -> list[Painted]:
    """Put painted batches, in the order in which they were dealt, together again, a part each."""
    found = [Painted({}, {}) for _ in range(parts)]
    for batch in painted:
        for lot in batch:
            here = found[lot.part]
            here.keys.update(lot.painted.keys)
            for frame, tiles in lot.painted.tiles.items():
                here.tiles[frame] = (*here.tiles.get(frame, ()), *tiles)
    return found


def _items(
    decoded: Sequence[PartKeys], without: int | None
) -> Iterable[tuple[int, int, Planes | Window, int]]:
    """Give (part, frame, what, area in samples of luma), keys and windows as frames follow."""
    for number, part in enumerate(decoded):
        for frame in sorted(part.keys.keys() | part.windows.keys()):
            if frame in part.keys and not (number == 0 and frame == without):
                planes = part.keys[frame]
                yield number, frame, planes, planes.luma.size
            for window in part.windows.get(frame, ()):
                yield number, frame, window, window.planes.luma.size
