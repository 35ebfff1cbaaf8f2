"""Painted keys to harmonised keys: the shell around the chain along a shot.

A chunk's first key is its predecessor's last, read from a file; its own last key goes to a file
that the coordinator named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.batches import Painted
from actors.files import near, pictures, writing
from pipeline.errors import OutOfResources
from pipeline.fill.boundary import read_boundary, write_boundary
from pipeline.fill.chain import chain, chain_promoted
from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.needs import KeyMotion, read_given
from pipeline.plan import Chunk, Shot
from pipeline.terms import ALL, Terms


@dataclass(frozen=True, slots=True)
class Harmoniser:
    """Stateless: any worker will do."""

    rho: float
    """share of the key before that is carried along, 0 to 1"""
    every_frame: bool
    """the baseline: keys stay as they were painted"""
    given: Path | None = None
    """where pictures lie that somebody painted"""
    terms: Terms = ALL
    """what is done to measure motion well"""

    def harmonise(
        self,
        film: Film,
        chunk: Chunk,
        shots: Mapping[int, Shot],
        fresh: Sequence[Painted],
        motions: Sequence[Mapping[int, KeyMotion]],
        *,
        before: Path | None,
        last: Path | None,
    ) -> list[Painted]:
        """Harmonise a chunk's keys, part by part.

        Args:
            film: the film.
            chunk: the chunk.
            shots: the shots of the chunk's parts, by index.
            fresh: what was painted, a part each.
            motions: of the keys, a part each.
            before: the key that the chunk before left; None where a shot begins.
            last: where to write the last key for the chunk after; None where the shot ends.
        """
        given = [one for part in chunk.parts for one in part.given]
        with near(film) as here, pictures(self.given, given) as folder:
            boundary = None if before is None else self._before(before)
            found = []
            for number, (part, painted) in enumerate(zip(chunk.parts, fresh, strict=True)):
                own = read_given(here, part, shots[part.shot], folder)
                if self.every_frame:
                    found.append(Painted({**painted.keys, **own}, painted.tiles))
                    continue
                keys = chain(
                    part.keys,
                    fresh=painted.keys,
                    motions=motions[number],
                    boundary=boundary if number == 0 else None,
                    rho=self.rho,
                    given=own,
                )
                found.append(Painted(keys, painted.tiles))
        if last is not None:
            with writing(last) as path:
                write_boundary(found[-1].keys[chunk.parts[-1].keys[-1]], path)
        return found

    @staticmethod
    def _before(place: Path) -> Planes:
        boundary = read_boundary(place)
        if boundary is None:
            raise OutOfResources(f"{place} cannot be read on this machine")
        return boundary

    def promote(
        self,
        film: Film,
        chunk: Chunk,
        shots: Mapping[int, Shot],
        painted: Sequence[Painted],
        fresh: Sequence[Painted],
    ) -> list[Painted]:
        """Set promoted keys between their neighbours; no key that exists is changed."""
        with near(film) as here:
            return [
                Painted(
                    chain_promoted(
                        here,
                        shots[part.shot],
                        keys=old.keys,
                        fresh=new.keys,
                        rho=self.rho,
                        terms=self.terms,
                    ),
                    old.tiles,
                    (*old.promoted, *sorted(new.keys)),
                )
                if new.keys
                else old
                for part, old, new in zip(chunk.parts, painted, fresh, strict=True)
            ]
