"""Film to analysis, samples and keys: the shell around everything that decodes for painting."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.motion.analysis import analyse
from pipeline.motion.rows import write
from pipeline.needs import PartKeys, read_keys, read_promoted, samples
from pipeline.plan import Chunk, Plan, Shot


@dataclass(frozen=True, slots=True)
class Decoder:
    """Stateless: any worker will do."""

    apron: int
    """of the painter, in pixels"""

    def analyse(self, film: Film, start: int, stop: int, to: Path) -> None:
        """Analyse a span and write its Parquet part under an attempt's name."""
        write(analyse(film, start, stop), to)

    def samples(self, film: Film, shot: Shot) -> list[Planes]:
        """Decode the frames that a shot's moments are measured on."""
        return samples(film, shot)

    def keys(self, film: Film, plan: Plan, chunk: Chunk, *, windows: bool) -> list[PartKeys]:
        """Decode a chunk's keys, their motion and the windows of its holes, part by part."""
        return [
            read_keys(film, part, plan.shots[part.shot], apron=self.apron, windows=windows)
            for part in chunk.parts
        ]

    def every_frame(self, film: Film, plan: Plan, chunk: Chunk) -> list[PartKeys]:
        """Decode all of a chunk's frames as keys: the baseline that paints each on its own."""
        found = []
        for part in chunk.parts:
            wanted = range(part.start, part.keys[-1] + 1)
            found.append(PartKeys(self.promoted(film, plan.shots[part.shot], wanted), {}, {}))
        return found

    def promoted(self, film: Film, shot: Shot, frames: Sequence[int]) -> dict[int, Planes]:
        """Decode frames that the gate made keys."""
        return dict(read_promoted(film, shot, frames))
