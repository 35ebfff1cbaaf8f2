"""A film and a recipe to a painted film, chunk by chunk, in a plain loop.

The loop is the oracle: whatever carries the same steps elsewhere has to give the same pixels. It
holds paths, receipts and one chunk's keys, never a film. A chunk's *identity* says whether it is
done; identities chain along a shot, so a change redoes what it touches and nothing else.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from actors.assembler import Assembler
from actors.decoder import Decoder
from actors.inbetweener import FillOrder, Inbetweener, Painted
from actors.stylizer import Moments, Painting
from jobs.ledger import Receipt, WorkFolder, check_space
from jobs.progress import Progressing
from pipeline.errors import ChunkFailed, FilmError, OutOfResources
from pipeline.fill.chain import chain, chain_promoted
from pipeline.fill.gate import NeedsKeys
from pipeline.fill.tiles import Tile
from pipeline.forecast import predict
from pipeline.judge.tables import Row, merged, read_rows
from pipeline.media.color import Planes, resolved
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.motion import analysis, rows
from pipeline.needs import PartKeys
from pipeline.plan import Chunk, Plan, Shot, covering, identity, plan
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
    rows: list[Row]
    notes: list[str]
    seconds: dict[str, float]
    """wall clock by step, over the chunks made now"""


class Coordinator:
    """One film, one recipe, one work folder."""

    def __init__(
        self,
        film: Film,
        recipe: Recipe,
        *,
        encoding: Encoding,
        work: WorkFolder,
        crew: Crew,
        progress: Progressing,
    ) -> None:
        self.film, self.recipe, self.encoding = film, recipe, encoding
        self.work, self.crew, self.progress = work, crew, progress
        self.tags = resolved(film.color, film.height)
        self.start, self.stop = recipe.frames or (0, film.frames)
        self._moments: dict[int, Moments] = {}
        self._seconds: dict[str, float] = {}

    def analyse(self) -> rows.Analysis:
        """Analyse the whole film, span by span; spans done earlier are read back."""
        all_spans = analysis.spans(self.film)
        done = sum(b - a for a, b in all_spans if (self.work.path / self._span(a, b)).is_file())
        self.progress.stage("analysis", self.film.frames, done=done)
        parts = []
        for start, stop in all_spans:
            name = self._span(start, stop)
            if not (self.work.path / name).is_file():
                part = self.work.attempt(".parquet")
                self.crew.decoder.analyse(self.film, start, stop, part)
                self.work.commit(part, name)
                self.work.renew()
                self.progress.advance(stop - start)
            parts.append(rows.read(self.work.path / name))
        return rows.concat(parts)

    def plan(self) -> Plan:
        """Analyse and plan."""
        return plan(self.analyse(), self.recipe, size=self.film.size)

    def identities(self, whole: Plan) -> list[str]:
        """Each chunk's identity, in order."""
        found: list[str] = []
        for chunk in whole.chunks:
            name = identity(
                chunk,
                whole,
                self.recipe,
                film=self.film.fingerprint,
                weights=self.crew.painter.weights,
                style=self.crew.painter.style,
                before=found[-1] if found else None,
            )
            found.append(name)
        return found

    def run(self, target: Path) -> Result:
        """Make every chunk that has no receipt, join them, verify, and write the table.

        Args:
            target: a temporary name; the caller gives the film its own.
        """
        whole = self.plan()
        names = self.identities(whole)
        chosen = covering(whole, self.start, self.stop)
        receipts = {c.index: self.work.receipt(self._piece(c, names)) for c in chosen}
        reused = [r for r in receipts.values() if r is not None]
        frames_done = sum(r.stop - r.start for r in reused)
        share = (self.stop - self.start - frames_done) / self.film.frames
        check_space(
            self.work.path, round(share * predict(whole, self.film, self.recipe).disk_bytes)
        )
        self.progress.stage("painting", self.stop - self.start, done=frames_done)
        for chunk in chosen:
            receipt = receipts[chunk.index]
            if receipt is None:
                receipt = self._make(whole, chunk, names)
                receipts[chunk.index] = receipt
                self.progress.advance(receipt.stop - receipt.start)
            self.work.renew()
        done = [r for r in receipts.values() if r is not None]
        notes = self._join(done, target)
        tables = [self.work.path / "tables" / f"{r.identity}.parquet" for r in done]
        return Result(
            target=target,
            frames=sum(r.stop - r.start for r in done),
            chunks=len(done),
            reused=len(reused),
            keys=sum(r.keys for r in done),
            promoted=sum(r.promoted for r in done),
            rows=merged(read_rows(tables), start=self.start, stop=self.stop),
            notes=notes,
            seconds=dict(self._seconds),
        )

    def _make(self, whole: Plan, chunk: Chunk, names: Sequence[str]) -> Receipt:
        """Make one chunk: keys, paint, harmonise, fill, commit."""
        try:
            return self._attempt(whole, chunk, names)
        except FilmError:
            raise
        except MemoryError:
            raise OutOfResources(f"out of memory in {_named(chunk)}") from None
        except OSError as error:
            raise OutOfResources(f"{_named(chunk)}: {error.strerror or error}") from None
        except Exception as error:
            kind = type(error).__name__
            raise ChunkFailed(f"{_named(chunk)} failed: {kind}: {error}") from error

    def _attempt(self, whole: Plan, chunk: Chunk, names: Sequence[str]) -> Receipt:
        began = dict(self._seconds)
        painted = self._painted(whole, chunk, names, windows=not self.recipe.every_frame)
        promoted = 0
        for left in range(_ROUNDS, -1, -1):
            order = self._order(whole, chunk, painted, last_round=left == 0)
            with _Clock(self._seconds, "fill"):
                answer = self.crew.inbetweener.fill(order)
            if not isinstance(answer, NeedsKeys):
                break
            promoted += len(answer.frames)
            painted = self._promote(whole, chunk, painted, answer.frames)
        else:
            raise ValueError("a last round has to give a segment")
        name = f"{self._piece(chunk, names)}{order.segment.suffix}"
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
            keys=sum(len(p.keys) for p in painted),
            promoted=promoted,
            tiles=sum(len(t) for p in painted for t in p.tiles.values()),
            seconds={k: round(v - began.get(k, 0.0), 4) for k, v in self._seconds.items()},
            epoch=self.work.epoch,
        )
        self.work.sign(receipt)
        return receipt

    def _painted(
        self, whole: Plan, chunk: Chunk, names: Sequence[str], *, windows: bool
    ) -> list[Painted]:
        """Decode, paint and harmonise a chunk's keys; keep the last one for the next chunk."""
        boundary = None
        if not chunk.parts[0].opens and not self.recipe.every_frame:
            boundary = self._boundary(whole, chunk.index - 1, names)
        with _Clock(self._seconds, "decode keys"):
            if self.recipe.every_frame:
                decoded = self.crew.decoder.every_frame(self.film, whole, chunk)
            else:
                decoded = self.crew.decoder.keys(self.film, whole, chunk, windows=windows)
        result = []
        for number, (part, keys) in enumerate(zip(chunk.parts, decoded, strict=True)):
            moments = self._measured(whole, part.shot)
            held = boundary if number == 0 else None
            wanted = dict(keys.keys)
            if held is not None:
                del wanted[part.keys[0]]
            fresh, tiles = self._paint(wanted, keys, moments)
            if not self.recipe.every_frame:
                with _Clock(self._seconds, "harmonise"):
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
            self.work.put_boundary(names[chunk.index], result[-1].keys[last.keys[-1]])
        return result

    def _paint(
        self, keys: Mapping[int, Planes], decoded: PartKeys, moments: Moments
    ) -> tuple[dict[int, Planes], dict[int, tuple[Tile, ...]]]:
        with _Clock(self._seconds, "paint"):
            fresh = self.crew.painter.paint(keys, moments, self.tags)
            return fresh, self.crew.painter.tiles(decoded.windows, moments, self.tags)

    def _boundary(self, whole: Plan, index: int, names: Sequence[str]) -> Planes:
        """The last key of a chunk, from the work folder or made again along the chain."""
        missing = []
        while (kept := self.work.boundary(names[index])) is None:
            missing.append(index)
            if whole.chunks[index].parts[0].opens:
                break
            index -= 1
        for place in reversed(missing):
            painted = self._painted(whole, whole.chunks[place], names, windows=False)
            last = whole.chunks[place].parts[-1]
            kept = painted[-1].keys[last.keys[-1]]
        if kept is None:
            raise ValueError(f"chunk {index} has no boundary key")
        return kept

    def _promote(
        self, whole: Plan, chunk: Chunk, painted: Sequence[Painted], frames: Sequence[int]
    ) -> list[Painted]:
        """Paint frames over their budget and set them between their neighbours."""
        result = []
        for part, before in zip(chunk.parts, painted, strict=True):
            shot = whole.shots[part.shot]
            here = [f for f in frames if part.keys[0] < f < part.keys[-1]]
            if not here:
                result.append(before)
                continue
            sources = self.crew.decoder.promoted(self.film, shot, here)
            moments = self._measured(whole, part.shot)
            with _Clock(self._seconds, "paint"):
                fresh = self.crew.painter.paint(sources, moments, self.tags)
            with _Clock(self._seconds, "harmonise"):
                keys = chain_promoted(
                    self.film, shot, keys=before.keys, fresh=fresh, rho=self.recipe.rho
                )
            result.append(Painted(keys, before.tiles))
        return result

    def _measured(self, whole: Plan, index: int) -> Moments:
        """A shot's moments: from memory, the work folder, or measured now."""
        if index not in self._moments:
            shot = whole.shots[index]
            path = self.work.path / "moments" / f"{self._shot_digest(shot)}.npy"
            try:
                self._moments = {index: np.load(path)}
            except (OSError, ValueError):
                with _Clock(self._seconds, "measure"):
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
        facts = [self.film.fingerprint, asdict(shot), painter.weights, painter.style]
        return sha256(json.dumps(facts).encode()).hexdigest()

    def _order(
        self, whole: Plan, chunk: Chunk, painted: Sequence[Painted], *, last_round: bool
    ) -> FillOrder:
        return FillOrder(
            film=self.film,
            plan=whole,
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

    def _join(self, receipts: Sequence[Receipt], target: Path) -> list[str]:
        segments = [
            Segment(
                path=self.work.path / "segments" / r.segment,
                start=r.start,
                stop=r.stop,
                bytes=r.bytes,
                sha256=r.sha256,
                pixels=r.pixels,
            )
            for r in receipts
        ]
        with _Clock(self._seconds, "assemble"):
            return self.crew.assembler.assemble(
                self.film,
                segments,
                target=target,
                encoding=self.encoding,
                start=self.start,
                stop=self.stop,
            )

    def _piece(self, chunk: Chunk, names: Sequence[str]) -> str:
        """The identity of what is emitted: a chunk's pixels, the range of them, the encoding."""
        start, stop = max(self.start, chunk.start), min(self.stop, chunk.stop)
        facts = [
            names[chunk.index],
            start,
            stop,
            repr(self.encoding),
            digest(self.recipe, "encode"),
        ]
        return sha256(json.dumps(facts).encode()).hexdigest()

    def _span(self, start: int, stop: int) -> str:
        return f"analysis/{self.film.fingerprint[:16]}-{start}-{stop}.parquet"


class _Clock:
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
