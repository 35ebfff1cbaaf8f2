"""A chunk to its committed segment, in this process: keys, paint, harmonise, fill, gate, receipt.

Whatever one step hands to the next is handed on here and held for one chunk only; what the next
chunk of the shot needs, its boundary key, goes to the work folder.
"""

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from actors.assembler import Assembler
from actors.batches import Painted
from actors.decoder import Decoder
from actors.harmoniser import Harmoniser
from actors.inbetweener import Inbetweener, counted
from actors.stylizer import Moments, Painting
from jobs.commission import ROUNDS, Commission, named, shots_of
from jobs.ledger import Receipt
from pipeline.errors import ChunkFailed, FilmError, OutOfResources
from pipeline.fill.boundary import read_boundary
from pipeline.fill.gate import NeedsKeys
from pipeline.media.color import resolved
from pipeline.needs import PartKeys
from pipeline.plan import Chunk, Part, Plan


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does the steps."""

    decoders: tuple[Decoder, ...]
    """a variant of the recipe each; so are the painters"""
    painters: tuple[Painting, ...]
    harmoniser: Harmoniser
    inbetweener: Inbetweener
    assembler: Assembler


class ChunkMaker:
    """Makes the chunks of one job, in the plan's order or any other."""

    def __init__(self, job: Commission, crew: Crew, whole: Plan, *, names: Sequence[str]) -> None:
        self.job, self.crew, self.whole, self.names = job, crew, whole, names
        self.tags = resolved(job.film.color, job.film.height)
        self.seconds: dict[str, float] = {}
        self._moments: dict[tuple[int, int], Moments] = {}

    def piece(self, chunk: Chunk) -> str:
        """Name what is wanted of a chunk."""
        return self.job.piece(chunk, self.names[chunk.index])

    def make(self, chunk: Chunk) -> Receipt:
        """Make one chunk: keys, paint, harmonise, fill, commit.

        Raises:
            ChunkFailed: For anything unforeseen; the traceback lies in the work folder.
            FilmError: For what is wrong with the film, the disk or the memory.
        """
        try:
            return self.attempt(chunk)
        except FilmError:
            raise
        except MemoryError:
            raise OutOfResources(f"out of memory in {named(chunk)}") from None
        except OSError as error:
            raise OutOfResources(f"{named(chunk)}: {error.strerror or error}") from None
        except Exception as error:
            note = self.job.work.failed(chunk.index, traceback.format_exc())
            what = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ChunkFailed(f"{named(chunk)} failed: {what} (see {note})") from error

    def attempt(self, chunk: Chunk) -> Receipt:
        """``make``, with what goes wrong as it is raised."""
        began, film = dict(self.seconds), self.job.film
        shots = shots_of(chunk, self.whole)
        painted = self._painted(chunk, windows=not self.job.recipe.every_frame)
        promoted = 0
        for left in range(ROUNDS, -1, -1):
            order = self.job.order(chunk, shots, last_round=left == 0)
            with Clock(self.seconds, "fill"):
                answer = self.crew.inbetweener.fill(film, order, painted)
            if not isinstance(answer, NeedsKeys):
                break
            promoted += len(answer.frames)
            painted = self._promote(chunk, painted, answer.frames)
        else:
            raise ValueError("a last round has to give a segment")
        keys, tiles = counted(order, painted)
        return self.job.sign(
            order,
            answer,
            name=self.names[chunk.index],
            keys=keys,
            promoted=promoted,
            tiles=tiles,
            seconds={k: v - began.get(k, 0.0) for k, v in self.seconds.items()},
        )

    def _painted(self, chunk: Chunk, *, windows: bool) -> list[Painted]:
        """Decode, paint and harmonise a chunk's keys; leave the last one for the next chunk."""
        every_frame, work = self.job.recipe.every_frame, self.job.work
        variant = self.job.variant(chunk)
        chained = not chunk.parts[0].opens and not every_frame
        if chained:
            self._make_boundary(chunk.index - 1)
        shots, decoder = shots_of(chunk, self.whole), self.crew.decoders[variant]
        with Clock(self.seconds, "decode keys"):
            if every_frame:
                decoded = decoder.every_frame(self.job.film, chunk, shots)
            else:
                decoded = decoder.keys(self.job.film, chunk, shots, windows=windows)
        fresh = []
        for number, (part, keys) in enumerate(zip(chunk.parts, decoded, strict=True)):
            if number == 0 and chained:
                keys.keys.pop(part.keys[0], None)
            fresh.append(self._paint(part, keys, variant))
        last = work.attempt(".npz") if not chunk.parts[-1].closes and not every_frame else None
        with Clock(self.seconds, "harmonise"):
            painted = self.crew.harmoniser.harmonise(
                self.job.film,
                chunk,
                shots,
                fresh,
                [keys.motions for keys in decoded],
                before=work.boundary(self.names[chunk.index - 1]) if chained else None,
                last=last,
            )
        if last is not None:
            work.commit_boundary(last, self.names[chunk.index])
        return painted

    def _paint(self, part: Part, decoded: PartKeys, variant: int) -> Painted:
        moments, painter = self._measured(part.setup, variant), self.crew.painters[variant]
        with Clock(self.seconds, "paint"):
            return Painted(
                painter.paint(decoded.keys, moments, self.tags),
                painter.tiles(decoded.windows, moments, self.tags),
            )

    def _make_boundary(self, index: int) -> None:
        """See to it that a chunk's last key lies in the work folder: make it along the chain."""
        missing = []
        while read_boundary(self.job.work.boundary(self.names[index])) is None:
            missing.append(index)
            if self.whole.chunks[index].parts[0].opens:
                break
            index -= 1
        for place in reversed(missing):
            self._painted(self.whole.chunks[place], windows=False)

    def _promote(
        self, chunk: Chunk, painted: Sequence[Painted], frames: Sequence[int]
    ) -> list[Painted]:
        """Paint frames over their budget and set them between their neighbours."""
        shots, variant = shots_of(chunk, self.whole), self.job.variant(chunk)
        decoded = self.crew.decoders[variant].promoted(self.job.film, chunk, shots, frames)
        pairs = zip(chunk.parts, decoded, strict=True)
        fresh = [self._paint(part, keys, variant) for part, keys in pairs]
        with Clock(self.seconds, "harmonise"):
            return self.crew.harmoniser.promote(self.job.film, chunk, shots, painted, fresh)

    def _measured(self, index: int, variant: int) -> Moments:
        """A shot's moments in a style: from memory, the work folder, or measured now."""
        place = (index, variant)
        if place not in self._moments:
            shot, job = self.whole.shots[index], self.job.of(variant)
            found = job.moments(shot)
            if found is None:
                with Clock(self.seconds, "measure"):
                    decoded = self.crew.decoders[variant].samples(job.film, shot)
                    found = self.crew.painters[variant].measure(decoded, self.tags)
                job.keep_moments(shot, found)
            self._moments = {place: found}
        return self._moments[place]


class Clock:
    """Adds the wall clock of a block to a step's sum."""

    def __init__(self, seconds: dict[str, float], step: str) -> None:
        self._seconds, self._step = seconds, step

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._began
        self._seconds[self._step] = self._seconds.get(self._step, 0.0) + spent
