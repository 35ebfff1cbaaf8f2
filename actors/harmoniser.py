"""Painted keys to harmonised keys: the shell around the chain along a shot.

A chunk's first key is its predecessor's last, read from a file; its own last key goes to a file
that the coordinator named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.batches import Painted
from pipeline.errors import OutOfResources
from pipeline.fill.boundary import read_boundary, write_boundary
from pipeline.fill.chain import chain, chain_promoted
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
        found = []
        for number, (part, painted) in enumerate(zip(chunk.parts, fresh, strict=True)):
            given = read_given(film, part, shots[part.shot], self.given)
            if self.every_frame:
                found.append(Painted({**painted.keys, **given}, painted.tiles))
                continue
            boundary = None
            if number == 0 and before is not None:
                boundary = read_boundary(before)
                if boundary is None:
                    raise OutOfResources(f"{before} cannot be read on this machine")
            keys = chain(
                part.keys,
                fresh=painted.keys,
                motions=motions[number],
                boundary=boundary,
                rho=self.rho,
                given=given,
            )
            found.append(Painted(keys, painted.tiles))
        if last is not None:
            write_boundary(found[-1].keys[chunk.parts[-1].keys[-1]], last)
        return found

    def promote(
        self,
        film: Film,
        chunk: Chunk,
        shots: Mapping[int, Shot],
        painted: Sequence[Painted],
        fresh: Sequence[Painted],
    ) -> list[Painted]:
        """Set promoted keys between their neighbours; no key that exists is changed."""
        return [
            Painted(
                chain_promoted(
                    film,
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
