"""What a job wants of its film, and the names under which its pieces lie in the work folder.

The *piece* of a chunk is what this job wants of it: all of it, or some of its frames, laid on and
encoded as this job says. A chunk's *identity* stands for its keys alone; identities chain along a
shot, so a change redoes what it touches and nothing else. Whatever carries the steps, names come
from here, and so do receipts: work done by one backend is found by the other.

Painted keys themselves are not kept, but for the last of a chunk, which the next chunk needs. So a
change of what is laid on later (strength, own colours, budget, encoder) analyses and measures
nothing again and keeps every identity, and still paints each key again. Keys kept without loss,
with their tiles, would take some 300 MB a minute of 1080p, to spare less than half of the work:
filling and encoding have to be done again in any case.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

import numpy as np

from actors.assembler import Joined
from actors.files import reading_all
from actors.harmoniser import Harmoniser
from actors.inbetweener import FillOrder
from actors.stylizer import Moments
from jobs.ledger import Receipt, WorkFolder
from pipeline.judge.tables import join_rows
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.media.hold import held_of
from pipeline.media.index import Ticks
from pipeline.media.verify import Verification
from pipeline.plan import RENDER_VERSION, Chunk, Plan, Shot, identity
from pipeline.recipe import Recipe, digest
from pipeline.variants import variant_at, variants

ROUNDS = 2
"""How often a chunk may ask for more keys."""


@cache
def runtime() -> str:
    """Name the libraries that pixels pass through besides the painter's own."""
    return " ".join(f"{name} {version(name)}" for name in ("av", "numpy", "opencv-python-headless"))


@dataclass(frozen=True, slots=True)
class Result:
    """A finished job."""

    target: Path
    frames: int
    chunks: int
    reused: int
    """chunks that an earlier run had done"""
    keys: int
    promoted: int
    tables: list[Path]
    """rows of each chunk, in order; in the work folder"""
    notes: list[str]
    seconds: dict[str, float]
    """by step, summed over the chunks, whenever they were made"""
    bytes: int
    """of all segments"""
    pieces: list[tuple[int, int, str]]
    """of each segment the frames [start, stop) and the sha256 of its decoded samples"""
    verified: Verification
    painter: str
    """digest of the weights and of the runtime that they ran in"""
    start: int
    """the film's first frame that was made"""
    stop: int
    held: tuple[int, ...] = ()
    """frames that could not be decoded and show another one"""
    sha256: str = ""
    """of the film's file, where that has been uploaded; else empty"""
    size: int = 0
    """bytes of that"""
    shown: Ticks | None = None
    """for each frame of the film the one that it shows; None where none is held"""

    def write_table(self, to: Path, *, about: str) -> None:
        """Write one row a frame, with words about them."""
        with reading_all(self.tables) as tables:
            join_rows(tables, to, start=self.start, stop=self.stop, about=about, shown=self.shown)


@dataclass(frozen=True, slots=True)
class Commission:
    """One film, one recipe, one painter, one work folder."""

    film: Film
    recipe: Recipe
    encoding: Encoding
    work: WorkFolder
    weights: str
    """digest of the painter's weights and of the runtime that they run in"""
    style: str
    """digest of the style code"""
    others: tuple[tuple[str, str], ...] = ()
    """the same two of those who paint the recipe's other variants"""

    def of(self, variant: int) -> "Commission":
        """The same job, if all of the film were painted as this variant of the recipe says."""
        if not self.recipe.style_at:
            return self
        weights, style = ((self.weights, self.style), *self.others)[variant]
        recipe = variants(self.recipe)[variant]
        return replace(self, recipe=recipe, weights=weights, style=style, others=())

    def of_chunk(self, chunk: Chunk) -> "Commission":
        """The job as it is for a chunk."""
        return self.of(self.variant(chunk))

    def variant(self, chunk: Chunk) -> int:
        """By which variant of the recipe a chunk is painted."""
        return variant_at(self.recipe, chunk.start)

    @property
    def start(self) -> int:
        """The first wanted frame."""
        return self.recipe.frames[0] if self.recipe.frames else 0

    @property
    def stop(self) -> int:
        """The frame after the last wanted one."""
        return self.recipe.frames[1] if self.recipe.frames else self.film.frames

    def identities(self, plan: Plan, known: Sequence[str] = ()) -> list[str]:
        """Each chunk's identity, in order; ``known`` are those of the plan's first chunks."""
        found = list(known)
        for chunk in plan.chunks[len(found) :]:
            own = self.of_chunk(chunk)
            name = identity(
                chunk,
                plan,
                own.recipe,
                film=self.film.identity,
                weights=f"{own.weights} {runtime()}",
                style=own.style,
                before=found[-1] if found else None,
            )
            found.append(name)
        return found

    def piece(self, chunk: Chunk, name: str) -> str:
        """Name what is wanted of a chunk: its pixels, the range of them, the encoding."""
        start, stop = max(self.start, chunk.start), min(self.stop, chunk.stop)
        laid = digest(self.of_chunk(chunk).recipe, "fill", "encode")
        facts: list[object] = [name, start, stop, repr(self.encoding), laid]
        if self.recipe.max_keys is not None:
            facts.append("no more keys")
        return sha256(json.dumps(facts).encode()).hexdigest()

    def order(self, chunk: Chunk, shots: Mapping[int, Shot], *, last_round: bool) -> FillOrder:
        """What to ask of whoever fills the chunk, under fresh names."""
        return FillOrder(
            chunk=chunk,
            shots=shots,
            start=max(self.start, chunk.start),
            stop=min(self.stop, chunk.stop),
            recipe=self.of_chunk(chunk).recipe,
            encoding=self.encoding,
            last_round=last_round or self.recipe.max_keys is not None,  # a cap is a cap
            segment=self.work.attempt(self.encoding.suffix),
            table=self.work.attempt(".parquet"),
            given=self.work.given,
        )

    def harmoniser(self) -> Harmoniser:
        """Who harmonises as the recipe says."""
        return Harmoniser(
            self.recipe.rho, self.recipe.every_frame, self.work.given, self.recipe.terms
        )

    def sign(
        self,
        order: FillOrder,
        segment: Segment,
        *,
        name: str,
        keys: int,
        promoted: int,
        tiles: int,
        seconds: Mapping[str, float],
    ) -> Receipt:
        """Give a chunk's finished attempt its names, and then its receipt."""
        self.work.check()
        piece = self.piece(order.chunk, name)
        file = self.work.settle(segment.path, f"segments/{piece}{order.segment.suffix}")
        table = self.work.settle(order.table, f"tables/{piece}.parquet")
        receipt = Receipt(
            identity=piece,
            chunk=order.chunk.index,
            start=segment.start,
            stop=segment.stop,
            segment=file,
            bytes=segment.bytes,
            sha256=segment.sha256,
            pixels=segment.pixels,
            keys=keys,
            promoted=promoted,
            tiles=tiles,
            seconds={k: round(v, 4) for k, v in seconds.items()},
            epoch=self.work.epoch,
            table=table,
        )
        return self.work.sign(receipt)

    def moments(self, shot: Shot) -> Moments | None:
        """A shot's moments from the work folder; empty where each frame is painted by its own."""
        if self.recipe.statistics == "frame":
            return np.empty(0, np.float32)
        try:
            content = (self.work.path / self._moments(shot)).read_bytes()
            return np.asarray(np.load(BytesIO(content)), np.float32)
        except (OSError, ValueError):
            return None

    def keep_moments(self, shot: Shot, moments: Moments) -> None:
        """Leave a shot's moments in the work folder."""
        with BytesIO() as file:
            np.save(file, moments)
            self.work.put(self._moments(shot), file.getvalue())

    def segments(self, receipts: Sequence[Receipt]) -> list[Segment]:
        """The segments of finished chunks, as the assembler wants them."""
        return [
            Segment(
                path=self.work.segment(r),
                start=r.start,
                stop=r.stop,
                bytes=r.bytes,
                sha256=r.sha256,
                pixels=r.pixels,
            )
            for r in receipts
        ]

    def result(
        self, target: Path, receipts: Sequence[Receipt], joined: Joined, *, reused: int
    ) -> Result:
        """Sum up a job of which every chunk has its receipt."""
        tables = [self.work.table(r) for r in receipts]
        seconds: Counter[str] = Counter()
        for receipt in receipts:
            seconds.update(receipt.seconds)
        return Result(
            target=target,
            frames=sum(r.stop - r.start for r in receipts),
            chunks=len(receipts),
            reused=reused,
            keys=sum(r.keys for r in receipts),
            promoted=sum(r.promoted for r in receipts),
            tables=tables,
            notes=joined.notes,
            seconds=dict(seconds),
            bytes=sum(r.bytes for r in receipts),
            pieces=[(r.start, r.stop, r.pixels) for r in receipts],
            verified=joined.verified,
            sha256=joined.sha256,
            size=joined.bytes,
            painter=self.weights,
            start=self.start,
            stop=self.stop,
            held=held_of(self.film, self.start, self.stop),
            shown=self.film.shown,
        )

    def _moments(self, shot: Shot) -> str:
        painter = [self.weights, self.style, digest(self.recipe, "measure"), RENDER_VERSION]
        facts = [self.film.identity, asdict(shot), *painter]
        return f"moments/{sha256(json.dumps(facts).encode()).hexdigest()}.npy"


def shots_of(chunk: Chunk, plan: Plan) -> dict[int, Shot]:
    """The shots of a chunk's parts, by index."""
    return {part.shot: plan.shots[part.shot] for part in chunk.parts}


def named(chunk: Chunk) -> str:
    """A chunk as a person finds it in the film."""
    return f"chunk {chunk.index} (frames {chunk.start} to {chunk.stop - 1})"
