"""A chunk to its committed segment: keys, paint, harmonise, fill, gate, receipt.

The *piece* of a chunk is what a job wants of it: all of it, or some of its frames. Whatever one
step hands to the next is handed on here and held for one chunk only; what the next chunk of the
shot needs, its boundary key, goes to the work folder.
"""

import json
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from actors.assembler import Assembler
from actors.decoder import Decoder
from actors.inbetweener import FillOrder, Inbetweener, Painted
from actors.stylizer import Moments, Painting
from jobs.ledger import Receipt, WorkFolder
from pipeline.errors import ChunkFailed, FilmError, OutOfResources
from pipeline.fill.chain import chain, chain_promoted
from pipeline.fill.gate import NeedsKeys
from pipeline.fill.tiles import Tile
from pipeline.media.color import Planes, resolved
from pipeline.media.container import Film
from pipeline.media.encode import Encoding
from pipeline.needs import PartKeys
from pipeline.plan import RENDER_VERSION, Chunk, Plan, Shot
from pipeline.recipe import Recipe, digest

_ROUNDS = 2
"""How often a chunk may ask for more keys."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does the steps."""

    decoder: Decoder
    painter: Painting
    inbetweener: Inbetweener
    assembler: Assembler


class ChunkMaker:
    """Makes the chunks of one job, in the plan's order or any other."""

    def __init__(
        self,
        film: Film,
        recipe: Recipe,
        *,
        encoding: Encoding,
        work: WorkFolder,
        crew: Crew,
        whole: Plan,
        names: Sequence[str],
    ) -> None:
        self.film, self.recipe, self.encoding = film, recipe, encoding
        self.work, self.crew, self.whole, self.names = work, crew, whole, names
        self.tags = resolved(film.color, film.height)
        self.start, self.stop = recipe.frames or (0, film.frames)
        self.seconds: dict[str, float] = {}
        self._moments: dict[int, Moments] = {}

    def piece(self, chunk: Chunk) -> str:
        """Name what is wanted of a chunk: its pixels, the range of them, the encoding."""
        start, stop = max(self.start, chunk.start), min(self.stop, chunk.stop)
        laid = digest(self.recipe, "fill", "encode")
        facts = [self.names[chunk.index], start, stop, repr(self.encoding), laid]
        return sha256(json.dumps(facts).encode()).hexdigest()

    def make(self, chunk: Chunk) -> Receipt:
        """Make one chunk: keys, paint, harmonise, fill, commit.

        Raises:
            ChunkFailed: For anything unforeseen; the traceback lies in the work folder.
            FilmError: For what is wrong with the film, the disk or the memory.
        """
        try:
            return self._attempt(chunk)
        except FilmError:
            raise
        except MemoryError:
            raise OutOfResources(f"out of memory in {_named(chunk)}") from None
        except OSError as error:
            raise OutOfResources(f"{_named(chunk)}: {error.strerror or error}") from None
        except Exception as error:
            note = self.work.path / f"failed-{chunk.index}.txt"
            note.write_text(traceback.format_exc(), encoding="utf-8")
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ChunkFailed(f"{_named(chunk)} failed: {what} (see {note})") from error

    def _attempt(self, chunk: Chunk) -> Receipt:
        began = dict(self.seconds)
        painted = self._painted(chunk, windows=not self.recipe.every_frame)
        promoted = 0
        for left in range(_ROUNDS, -1, -1):
            order = self._order(chunk, painted, last_round=left == 0)
            with Clock(self.seconds, "fill"):
                answer = self.crew.inbetweener.fill(order)
            if not isinstance(answer, NeedsKeys):
                break
            promoted += len(answer.frames)
            painted = self._promote(chunk, painted, answer.frames)
        else:
            raise ValueError("a last round has to give a segment")
        self.work.check()
        name = f"{self.piece(chunk)}{order.segment.suffix}"
        self.work.commit(answer.path, f"segments/{name}", replace=True)
        self.work.commit(order.table, f"tables/{Path(name).stem}.parquet", replace=True)
        receipt = Receipt(
            identity=Path(name).stem,
            chunk=chunk.index,
            start=answer.start,
            stop=answer.stop,
            segment=name,
            bytes=answer.bytes,
            sha256=answer.sha256,
            pixels=answer.pixels,
            keys=sum(order.start <= k < order.stop for p in painted for k in p.keys),
            promoted=promoted,
            tiles=sum(len(t) for p in painted for t in p.tiles.values()),
            seconds={k: round(v - began.get(k, 0.0), 4) for k, v in self.seconds.items()},
            epoch=self.work.epoch,
        )
        self.work.sign(receipt)
        return receipt

    def _painted(self, chunk: Chunk, *, windows: bool) -> list[Painted]:
        """Decode, paint and harmonise a chunk's keys; keep the last one for the next chunk."""
        boundary = None
        if not chunk.parts[0].opens and not self.recipe.every_frame:
            boundary = self._boundary(chunk.index - 1)
        with Clock(self.seconds, "decode keys"):
            if self.recipe.every_frame:
                decoded = self.crew.decoder.every_frame(self.film, self.whole, chunk)
            else:
                decoded = self.crew.decoder.keys(self.film, self.whole, chunk, windows=windows)
        result = []
        for number, (part, keys) in enumerate(zip(chunk.parts, decoded, strict=True)):
            moments = self._measured(part.shot)
            held = boundary if number == 0 else None
            wanted = dict(keys.keys)
            if held is not None:
                del wanted[part.keys[0]]
            fresh, tiles = self._paint(wanted, keys, moments)
            if not self.recipe.every_frame:
                with Clock(self.seconds, "harmonise"):
                    fresh = chain(
                        part.keys,
                        fresh=fresh,
                        motions=keys.motions,
                        boundary=held,
                        rho=self.recipe.rho,
                    )
            result.append(Painted(fresh, tiles))
        last = chunk.parts[-1]
        if not last.closes and not self.recipe.every_frame:
            self.work.put_boundary(self.names[chunk.index], result[-1].keys[last.keys[-1]])
        return result

    def _paint(
        self, keys: Mapping[int, Planes], decoded: PartKeys, moments: Moments
    ) -> tuple[dict[int, Planes], dict[int, tuple[Tile, ...]]]:
        with Clock(self.seconds, "paint"):
            fresh = self.crew.painter.paint(keys, moments, self.tags)
            return fresh, self.crew.painter.tiles(decoded.windows, moments, self.tags)

    def _boundary(self, index: int) -> Planes:
        """The last key of a chunk, from the work folder or made again along the chain."""
        missing = []
        while (kept := self.work.boundary(self.names[index])) is None:
            missing.append(index)
            if self.whole.chunks[index].parts[0].opens:
                break
            index -= 1
        for place in reversed(missing):
            painted = self._painted(self.whole.chunks[place], windows=False)
            last = self.whole.chunks[place].parts[-1]
            kept = painted[-1].keys[last.keys[-1]]
        if kept is None:
            raise ValueError(f"chunk {index} has no boundary key")
        return kept

    def _promote(
        self, chunk: Chunk, painted: Sequence[Painted], frames: Sequence[int]
    ) -> list[Painted]:
        """Paint frames over their budget and set them between their neighbours."""
        result = []
        for part, before in zip(chunk.parts, painted, strict=True):
            shot = self.whole.shots[part.shot]
            here = [f for f in frames if part.keys[0] < f < part.keys[-1]]
            if not here:
                result.append(before)
                continue
            sources = self.crew.decoder.promoted(self.film, shot, here)
            moments = self._measured(part.shot)
            with Clock(self.seconds, "paint"):
                fresh = self.crew.painter.paint(sources, moments, self.tags)
            with Clock(self.seconds, "harmonise"):
                keys = chain_promoted(
                    self.film, shot, keys=before.keys, fresh=fresh, rho=self.recipe.rho
                )
            result.append(Painted(keys, before.tiles))
        return result

    def _measured(self, index: int) -> Moments:
        """A shot's moments: from memory, the work folder, or measured now."""
        if index not in self._moments:
            shot = self.whole.shots[index]
            path = self.work.path / "moments" / f"{self._shot_digest(shot)}.npy"
            try:
                self._moments = {index: np.load(path)}
            except (OSError, ValueError):
                with Clock(self.seconds, "measure"):
                    moments = self.crew.painter.measure(
                        self.crew.decoder.samples(self.film, shot), self.tags
                    )
                part = self.work.attempt(".npy")
                np.save(part, moments)
                self.work.commit(part, f"moments/{path.name}")
                self._moments = {index: moments}
        return self._moments[index]

    def _shot_digest(self, shot: Shot) -> str:
        painter = self.crew.painter
        facts = [
            self.film.fingerprint,
            asdict(shot),
            painter.weights,
            painter.style,
            RENDER_VERSION,
        ]
        return sha256(json.dumps(facts).encode()).hexdigest()

    def _order(self, chunk: Chunk, painted: Sequence[Painted], *, last_round: bool) -> FillOrder:
        return FillOrder(
            film=self.film,
            plan=self.whole,
            chunk=chunk,
            start=max(self.start, chunk.start),
            stop=min(self.stop, chunk.stop),
            recipe=self.recipe,
            encoding=self.encoding,
            painted=painted,
            last_round=last_round,
            segment=self.work.attempt(self.encoding.suffix),
            table=self.work.attempt(".parquet"),
        )


class Clock:
    """Adds the wall clock of a block to a step's sum."""

    def __init__(self, seconds: dict[str, float], step: str) -> None:
        self._seconds, self._step = seconds, step

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._began
        self._seconds[self._step] = self._seconds.get(self._step, 0.0) + spent


def _named(chunk: Chunk) -> str:
    return f"chunk {chunk.index} (frames {chunk.start} to {chunk.stop - 1})"
