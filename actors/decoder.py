"""Film to analysis, samples and keys: the shell around everything that decodes for painting.

Wherever the film lies, and the analysis goes: both are files here while they are read and written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.files import near, writing
from pipeline.given import shown
from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.motion.analysis import analyse
from pipeline.motion.rows import write
from pipeline.needs import PartKeys, read_keys, read_promoted, samples
from pipeline.plan import Chunk, Shot
from pipeline.terms import ALL, Terms


@dataclass(frozen=True, slots=True)
class Decoder:
    """Stateless: any worker will do."""

    apron: int
    """of the painter, in pixels"""
    terms: Terms = ALL
    """what is done to measure motion well"""

    def analyse(self, film: Film, start: int, stop: int, to: Path) -> None:
        """Analyse a span and write its Parquet part under an attempt's name."""
        with near(film) as here, writing(to) as path:
            write(analyse(here, start, stop), path)

    def samples(self, film: Film, shot: Shot) -> list[Planes]:
        """Decode the frames that a shot's moments are measured on."""
        with near(film) as here:
            return samples(here, shot)

    def keys(
        self, film: Film, chunk: Chunk, shots: Mapping[int, Shot], *, windows: bool
    ) -> list[PartKeys]:
        """Decode a chunk's keys, their motion and the windows of its holes, part by part.

        Args:
            film: the film.
            chunk: some of its frames.
            shots: the shots of the chunk's parts, by index.
            windows: False leaves holes alone, when only the chain of keys is wanted.
        """
        with near(film) as here:
            return [
                read_keys(
                    here,
                    part,
                    shots[part.shot],
                    apron=self.apron,
                    windows=windows,
                    terms=self.terms,
                )
                for part in chunk.parts
            ]

    def every_frame(self, film: Film, chunk: Chunk, shots: Mapping[int, Shot]) -> list[PartKeys]:
        """Decode all of a chunk's frames as keys: the baseline that paints each on its own."""
        found = []
        for part in chunk.parts:
            given = shown(part.given)
            wanted = [t for t in range(part.start, part.keys[-1] + 1) if t not in given]
            found.append(PartKeys(self._picked(film, shots[part.shot], wanted), {}, {}))
        return found

    def promoted(
        self, film: Film, chunk: Chunk, shots: Mapping[int, Shot], frames: Sequence[int]
    ) -> list[PartKeys]:
        """Decode frames that the gate made keys, part by part."""
        found = []
        for part in chunk.parts:
            here = [f for f in frames if part.keys[0] < f < part.keys[-1]]
            found.append(PartKeys(self._picked(film, shots[part.shot], here), {}, {}))
        return found

    @staticmethod
    def _picked(film: Film, shot: Shot, frames: Sequence[int]) -> dict[int, Planes]:
        if not frames:
            return {}
        with near(film) as here:
            return dict(read_promoted(here, shot, frames))
