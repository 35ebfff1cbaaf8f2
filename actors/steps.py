"""The steps as a worker is asked for them: plain functions of values, files and a hired painter.

Each gives what the coordinator wants to know, and *goods*: what stays where it was made until the
next step fetches it. Nothing here knows who carries it; nothing that is given back is a frame,
except among the goods.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors.assembler import Assembler
from actors.batches import Batch, Painted, PaintedBatch, deal, gather, paint_all
from actors.batches import paint as paint_batch
from actors.decoder import Decoder
from actors.harmoniser import Harmoniser
from actors.inbetweener import FillOrder, Inbetweener, counted
from actors.stylizer import Moments, Painting
from pipeline.errors import ClusterFailed
from pipeline.fill.gate import NeedsKeys
from pipeline.media.color import ColorTags, Planes
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.needs import KeyMotion
from pipeline.plan import Chunk, Shot
from pipeline.terms import ALL, Terms

Motions = Sequence[Mapping[int, KeyMotion]]
"""A part each, by key."""


@dataclass(frozen=True, slots=True)
class Hired:
    """A painter that is made where it is wanted, once in each process."""

    make: Callable[[], Painting]
    """Picklable, and equal to its copies: a class, or a frozen dataclass that is called."""
    weights: str | None = None
    """What its weights have to be; None as long as nobody has said."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a painter says of itself."""

    weights: str
    style: str
    apron: int
    others: tuple["Card", ...] = ()
    """of those that paint the film's other styles"""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a step gives."""

    value: object = None
    """For the coordinator; small."""
    goods: tuple[object, ...] = ()
    """For the steps after it."""


def analyse(film: Film, start: int, stop: int, to: Path) -> Handed:
    """Analyse a span into a Parquet part."""
    Decoder(apron=0).analyse(film, start, stop, to)
    return Handed()


def introduce(hired: Hired, *others: Hired) -> Handed:
    """Make the painter, and those of other styles, and let it say who they are: a ``Card``."""
    first, *rest = (_card(painter_of(one)) for one in (hired, *others))
    return Handed(replace(first, others=tuple(rest)))


def _card(painter: Painting) -> Card:
    return Card(painter.weights, painter.style, painter.apron)


def sample(film: Film, shot: Shot) -> Handed:
    """Decode what a shot is measured on; goods: the frames."""
    return Handed(goods=(Decoder(apron=0).samples(film, shot),))


def measure(hired: Hired, samples: Sequence[Planes], tags: ColorTags) -> Handed:
    """Measure a shot's moments."""
    return Handed(painter_of(hired).measure(samples, tags))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a chunk is decoded for painting."""

    apron: int
    every_frame: bool
    windows: bool
    """whether holes are wanted, too"""
    without: int | None
    """a key that the chunk before paints"""
    batches: int
    terms: Terms = ALL


def decode(film: Film, chunk: Chunk, shots: Mapping[int, Shot], how: Reading) -> Handed:
    """Decode a chunk's keys and windows; goods: the motions, then so many batches."""
    decoder = Decoder(how.apron, how.terms)
    if how.every_frame:
        found = decoder.every_frame(film, chunk, shots)
    else:
        found = decoder.keys(film, chunk, shots, windows=how.windows)
    batches = deal(found, without=how.without, count=how.batches)
    return Handed(goods=([part.motions for part in found], *batches))


def paint(hired: Hired, batch: Batch, moments: Mapping[int, Moments], tags: ColorTags) -> Handed:
    """Paint a batch; goods: the painted batch."""
    return Handed(goods=(paint_batch(painter_of(hired), batch, moments, tags),))


def paint_together(
    hired: Hired, moments: Sequence[Mapping[int, Moments]], tags: ColorTags, *batches: Batch
) -> Handed:
    """Paint batches of several chunks; goods: the painted batches, in that order."""
    pairs = list(zip(batches, moments, strict=True))
    return Handed(goods=tuple(paint_all(painter_of(hired), pairs, tags)))


@dataclass(frozen=True, slots=True)
class Link:
    """A chunk's place in the chain along its shot."""

    before: Path | None
    """the key that the chunk before left; None where a shot begins"""
    last: Path | None
    """where to write the last key; None where a shot ends"""


def harmonise(
    harmoniser: Harmoniser,
    film: Film,
    chunk: Chunk,
    shots: Mapping[int, Shot],
    link: Link,
    motions: Motions,
    *painted: PaintedBatch,
) -> Handed:
    """Harmonise a chunk's keys; goods: what is painted of each part."""
    fresh = gather(painted, parts=len(chunk.parts))
    ends = {"before": link.before, "last": link.last}
    done = harmoniser.harmonise(film, chunk, shots, fresh, motions, **ends)
    return Handed(goods=(done,))


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a fill."""

    answer: Segment | NeedsKeys
    keys: int
    """painted whole, and emitted by this chunk"""
    tiles: int


def fill(film: Film, order: FillOrder, painted: Sequence[Painted]) -> Handed:
    """Fill and encode a chunk, or say which keys it needs: a ``Filled``."""
    keys, tiles = counted(order, painted)
    return Handed(Filled(Inbetweener().fill(film, order, painted), keys, tiles))


def fetch(film: Film, chunk: Chunk, shots: Mapping[int, Shot], frames: Sequence[int]) -> Handed:
    """Decode frames that the gate made keys; goods: a batch of them."""
    found = Decoder(apron=0).promoted(film, chunk, shots, frames)
    return Handed(goods=tuple(deal(found, without=None, count=1)))


def promote(
    harmoniser: Harmoniser,
    film: Film,
    chunk: Chunk,
    shots: Mapping[int, Shot],
    painted: Sequence[Painted],
    fresh: PaintedBatch,
) -> Handed:
    """Set promoted keys between their neighbours; goods: what is painted of each part."""
    gathered = gather([fresh], parts=len(chunk.parts))
    return Handed(goods=(harmoniser.promote(film, chunk, shots, painted, gathered),))


@dataclass(frozen=True, slots=True)
class Joining:
    """How segments become a film."""

    target: Path
    encoding: Encoding
    start: int
    stop: int


def assemble(film: Film, segments: Sequence[Segment], joining: Joining) -> Handed:
    """Join segments, verify the film, and say what the container could not hold: a ``Joined``."""
    joined = Assembler().assemble(
        film,
        segments,
        target=joining.target,
        encoding=joining.encoding,
        start=joining.start,
        stop=joining.stop,
    )
    return Handed(joined)


_BRUSHES = 8
"""Painters with the same net that a process keeps: films with styles of their own take turns."""
_hired: dict[Callable[[], Painting], Painting] = {}
"""The latest last."""


def _net(make: Callable[[], Painting]) -> object:
    """What tells a painter's net from others; where that is not known, each has its own."""
    return getattr(make, "net", make)


def painter_of(hired: Hired) -> Painting:
    """The painter of this process.

    Raises:
        ClusterFailed: If its weights are not those that the job began with.
    """
    found = _hired.pop(hired.make, None)
    if found is None:
        others = [make for make in _hired if _net(make) != _net(hired.make)]
        for make in others or list(_hired)[: 1 - _BRUSHES]:
            del _hired[make]  # one net in memory, never two, and not too many styles
        found = hired.make()
    _hired[hired.make] = found
    if hired.weights not in (None, found.weights):
        raise ClusterFailed(
            "a machine would paint other pixels: its painter, its runtime or its kind of processor "
            "is not that of the others"
        )
    return found
