"""What was measured of each painted frame, and what it comes to for the film.

Everything is against the film's own motion, by a referee; errors are of RGB at the film's own size.
Nothing here compares two paintings: judge each against the same source, then divide.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.judge.light import jitter, jitter_limit
from pipeline.judge.temporal import e_stab

FAR = 9
"""Frames that a long-term error reaches back."""


@dataclass(frozen=True, slots=True)
class Score:
    """What is known of one painted frame; errors are in [0, 1]^2, None where none can be judged."""

    frame: int
    pts: int
    error: float | None
    """E1: M1 against the frame before; None for the first frame, too."""
    content: float | None
    """C1: the source's own error over the same pixels."""
    floor: float | None
    """F1: C1 scaled by the gradients."""
    coverage: float | None
    """Share of the frame that could be judged, 0 to 1."""
    error9: float | None
    """E9: M1 against nine frames before; None for the first nine."""
    content9: float | None
    floor9: float | None
    coverage9: float | None
    stability: float | None
    """M2 of this pair, before the root."""
    difference: float | None
    """M3 against the frame before, 0 to 1."""
    difference9: float | None
    """M3 against nine frames before, 0 to 1."""
    detail: float
    """Energy of fine structure in the painted luma."""
    gradient: float
    gradient_source: float
    light: float
    """Mean L* of the painting, 0 to 100."""
    light_source: float
    contrast: float
    """Standard deviation of the painting's L*."""
    contrast_source: float
    lattice: float
    """RMS in codes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rows come to: means over what could be judged, [0, 1]^2 unless said otherwise."""

    scores: tuple[Score, ...]
    error: float | None
    """Mean E1."""
    worst: float | None
    """Largest E1."""
    content: float | None
    """Mean C1."""
    floor: float | None
    """Mean F1."""
    error9: float | None
    """Mean E9."""
    content9: float | None
    floor9: float | None
    """Mean F9."""
    stability: float | None
    """M2, e_stab: a root, 0 to 1."""
    difference: float | None
    """M3, short term, 0 to 1."""
    difference9: float | None
    """M3, long term, 0 to 1."""
    unjudged: int
    """Pairs of neighbours of which less than a fifth could be judged."""
    detail: float
    jitter: float
    """Of mean L*."""
    jitter_source: float
    jitter_limit: float
    """What ``light.jitter_limit`` lets it have."""
    lattice: float

    def worst_frames(self, count: int) -> tuple[int, ...]:
        """Give the frames with the largest E1, the worst first."""
        known = [score for score in self.scores if score.error is not None]
        known.sort(key=lambda score: score.error or 0.0, reverse=True)
        return tuple(score.frame for score in known[:count])


def summed(scores: Sequence[Score]) -> Evaluation:
    """Sum up the rows of consecutive frames, at least one."""
    errors = _known(score.error for score in scores)
    jitter_source = jitter(np.array([score.light_source for score in scores]))
    return Evaluation(
        scores=tuple(scores),
        error=_mean(errors),
        worst=max(errors, default=None),
        content=_mean(_known(score.content for score in scores)),
        floor=_mean(_known(score.floor for score in scores)),
        error9=_mean(_known(score.error9 for score in scores)),
        content9=_mean(_known(score.content9 for score in scores)),
        floor9=_mean(_known(score.floor9 for score in scores)),
        stability=e_stab(_known(score.stability for score in scores)),
        difference=_mean(_known(score.difference for score in scores)),
        difference9=_mean(_known(score.difference9 for score in scores)),
        unjudged=len(scores) - 1 - len(errors),
        detail=float(np.mean([score.detail for score in scores])),
        jitter=jitter(np.array([score.light for score in scores])),
        jitter_source=jitter_source,
        jitter_limit=jitter_limit(
            jitter_source,
            contrast=float(np.mean([score.contrast for score in scores])),
            source_contrast=float(np.mean([score.contrast_source for score in scores])),
        ),
        lattice=float(np.mean([score.lattice for score in scores])),
    )


def write_scores(scores: Sequence[Score], path: Path) -> None:
    """Write the rows as Parquet; the file is there whole, or not at all."""
    partial = path.with_name(path.name + ".part")
    pq.write_table(pa.Table.from_pylist([asdict(s) for s in scores], schema=_schema()), partial)
    partial.replace(path)


def read_scores(path: Path) -> list[Score] | None:
    """Read the rows back; None if the file has not the rows of today."""
    table = pq.read_table(path)
    if table.schema != _schema():
        return None
    return [Score(**record) for record in table.to_pylist()]


def _schema() -> pa.Schema:
    kinds = {"frame": pa.int64(), "pts": pa.int64()}
    return pa.schema([(f.name, kinds.get(f.name, pa.float64())) for f in fields(Score)])


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
