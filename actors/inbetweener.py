"""Harmonised keys to a committed-ready segment: fill, gate, encode, verify, in one go.

The answer is either a finished attempt (a segment and its table, whole, under the names that the
caller chose) or ``NeedsKeys``: frames over their flicker budget that have to be painted first. A
gap that was split and is better whole asks for no more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors.batches import Painted
from actors.files import near, pictures, writing
from pipeline.fill.gate import NeedsKeys, over
from pipeline.fill.render import Rendered, render
from pipeline.fill.strength import Laying
from pipeline.given import clipped, read_picture, shown
from pipeline.judge.tables import Row, write_rows
from pipeline.media.container import Film
from pipeline.media.decode import Frame
from pipeline.media.encode import Encoding, Segment, write_segment
from pipeline.media.seam import Seams
from pipeline.plan import Chunk, Part, Shot
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class FillOrder:
    """All that a fill needs besides the film and what was painted."""

    chunk: Chunk
    shots: Mapping[int, Shot]
    """of the chunk's parts, by index"""
    start: int
    """first frame to emit"""
    stop: int
    recipe: Recipe
    encoding: Encoding
    last_round: bool
    """whether to accept frames over their budget"""
    segment: Path
    table: Path
    given: Path | None = None
    """where pictures lie that somebody painted"""


class _OverBudgetError(Exception):
    """Carries the frames to promote out of the encoder's loop."""

    def __init__(self, frames: tuple[int, ...]) -> None:
        super().__init__(str(frames))
        self.frames = frames


@dataclass(frozen=True, slots=True)
class Inbetweener:
    """Stateless: any worker will do."""

    def fill(self, film: Film, order: FillOrder, painted: Sequence[Painted]) -> Segment | NeedsKeys:
        """Fill a chunk and encode it, or say which keys it needs; ``painted`` is one a part."""
        given = [one for part in order.chunk.parts for one in part.given]
        with (
            near(film) as here,
            pictures(order.given, given) as folder,
            writing(order.segment) as segment,
            writing(order.table) as table,
        ):
            found = _filled(
                here, replace(order, segment=segment, table=table, given=folder), painted
            )
        return found if isinstance(found, NeedsKeys) else replace(found, path=order.segment)


def _filled(film: Film, order: FillOrder, painted: Sequence[Painted]) -> Segment | NeedsKeys:
    """``fill``, with files of this machine."""
    rows: list[Row] = []
    try:
        segment = write_segment(
            _emitted(film, order, painted, rows),
            film=film,
            encoding=replace(order.encoding, seams=seams_of(order)),
            path=order.segment,
            crf=order.recipe.crf,
        )
    except _OverBudgetError as over:
        order.segment.unlink(missing_ok=True)
        return NeedsKeys(over.frames)
    write_rows(rows, order.table)
    return segment


def seams_of(order: FillOrder) -> Seams:
    """Say where the segment's shots go on in the segments beside it."""
    parts, start, stop = order.chunk.parts, order.start, order.stop
    before = start == order.chunk.start and not parts[0].opens
    after = stop == order.chunk.stop and not parts[-1].closes
    return Seams(stop - start, before=before, after=after)


def counted(order: FillOrder, painted: Sequence[Painted]) -> tuple[int, int]:
    """Count the keys that a chunk emits, for its last key may be the next one's, and its tiles."""
    keys = sum(order.start <= key < order.stop for part in painted for key in part.keys)
    return keys, sum(len(tiles) for part in painted for tiles in part.tiles.values())


def _emitted(
    film: Film, order: FillOrder, painted: Sequence[Painted], rows: list[Row]
) -> Iterator[Frame]:
    """Yield the frames to encode; rows go to ``rows``, the read-only end key's too."""
    promote: list[int] = []
    for part, own in zip(order.chunk.parts, painted, strict=True):
        narrow = _narrowed(part, order.start, order.stop)
        if narrow is None:
            continue
        for one in _rendered(film, order, narrow, own):
            rows.append(one.row)
            inside = order.start <= one.frame.index < order.stop and one.frame.index < part.stop
            if inside and not promote:
                yield one.frame
            row, done = one.row, order.last_round or one.settled
            if not (done or row.key) and over([row.loss], [row.budget]):
                promote.append(row.frame)
    if promote:
        raise _OverBudgetError(_worst_of_each_gap(promote, rows, painted))


def _narrowed(part: Part, start: int, stop: int) -> Part | None:
    """The part with only the gaps that hold frames of [start, stop); None if it has none."""
    if part.stop <= start or stop <= part.start:
        return None
    first = max(key for key in part.keys if key <= max(start, part.keys[0]))
    last = min((key for key in part.keys if key >= stop - 1), default=part.keys[-1])
    keys = tuple(key for key in part.keys if first <= key <= last)
    return replace(part, start=max(start, part.start), stop=min(stop, part.stop), keys=keys)


def _rendered(film: Film, order: FillOrder, part: Part, painted: Painted) -> Iterator[Rendered]:
    inside = clipped(part.given, part.keys[0], part.keys[-1] + 1)
    pictures = {digest: read_picture(order.given, digest) for digest in shown(inside).values()}
    given = {frame: pictures[digest] for frame, digest in shown(inside).items()}
    return render(
        film,
        part,
        order.shots[part.shot],
        keys=painted.keys,
        tiles=painted.tiles,
        laying=Laying(order.recipe.strength_curve, order.recipe.keep_color, given),
        knob=order.recipe.flicker_budget,
        promoted=painted.promoted,
        terms=order.recipe.terms,
    )


def _worst_of_each_gap(
    promote: Sequence[int], rows: Sequence[Row], painted: Sequence[Painted]
) -> tuple[int, ...]:
    """Of the frames over budget between two keys, the one that is furthest over."""
    keys = sorted({key for part in painted for key in part.keys})
    excess = {row.frame: (row.loss or 0) / (row.budget or 1) for row in rows}
    worst: dict[int, int] = {}
    for frame in promote:
        gap = sum(key <= frame for key in keys)
        if gap not in worst or excess[frame] > excess[worst[gap]]:
            worst[gap] = frame
    return tuple(sorted(worst.values()))
