"""A film and its painting to numbers: one row a frame, and what they come to.

The motion is the film's own, by a referee; errors are M1 on RGB at the films' own size. Nothing
here compares two paintings: judge each against the same source, then divide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.judge.detail import detail, gradient, jitter, lattice
from pipeline.judge.referee import PairMotion, Referee, careful_search, motions, referee_size
from pipeline.judge.temporal import content_floor, counted, warping_error
from pipeline.media.color import resolved, to_rgb
from pipeline.media.container import Film
from pipeline.media.decode import Frame, frames


@dataclass(frozen=True, slots=True)
class Score:
    """What is known of one painted frame; errors are against the frame before, [0, 1]^2."""

    frame: int
    pts: int
    error: float | None
    """E1; None for the first frame and where too little can be judged."""
    content: float | None
    """C1: the source's own error over the same pixels."""
    floor: float | None
    """F1: C1 scaled by the gradients."""
    coverage: float | None
    detail: float
    """Energy of fine structure in the painted luma."""
    gradient: float
    gradient_source: float
    level: float
    """Mean luma in codes."""
    lattice: float
    """RMS in codes."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rows come to: means over what could be judged."""

    scores: tuple[Score, ...]
    error: float | None
    """Mean E1."""
    worst: float | None
    """Largest E1."""
    content: float | None
    """Mean C1."""
    floor: float | None
    """Mean F1."""
    unjudged: int
    """Pairs of which less than a fifth could be judged."""
    detail: float
    jitter: float
    lattice: float


def evaluate(
    source: Film,
    painted: Film,
    *,
    count: int = 60,
    referee: Referee = careful_search,
    cache: Path | None = None,
) -> Evaluation:
    """Judge the first ``count`` frames of a painted film.

    Args:
        source: The film.
        painted: The same film painted.
        count: Frames to judge, at least 1; fewer if the films are shorter.
        referee: Whose motion to trust.
        cache: Where the referee's motion is kept; name it for source, count and referee.

    Raises:
        BadRequest: If the two are not of one size and length.
    """
    if (source.width, source.height, source.frames) != (
        painted.width,
        painted.height,
        painted.frames,
    ):
        raise BadRequest(
            f"{painted.path.name} ({painted.width}x{painted.height}, {painted.frames} frames) "
            f"is no painting of {source.path.name} "
            f"({source.width}x{source.height}, {source.frames} frames)"
        )
    stop = max(1, min(count, source.frames))
    size = referee_size(*source.size)
    small = [_small(_picture(source, frame), size) for frame in frames(source, 0, stop)]
    motion = motions(small, referee, cache=cache)
    return _summed(tuple(_scores(source, painted, motion)))


def write_scores(scores: Sequence[Score], path: Path) -> None:
    """Write the rows as Parquet."""
    kinds = {"frame": pa.int64(), "pts": pa.int64()}
    schema = pa.schema([(f.name, kinds.get(f.name, pa.float64())) for f in fields(Score)])
    pq.write_table(pa.Table.from_pylist([asdict(score) for score in scores], schema=schema), path)


def _scores(source: Film, painted: Film, motion: Sequence[PairMotion]) -> Iterator[Score]:
    stop = len(motion) + 1
    before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
    pairs = zip(frames(source, 0, stop), frames(painted, 0, stop), strict=True)
    for index, (theirs, ours) in enumerate(pairs):
        now = (_picture(source, theirs), _picture(painted, ours))
        steep, steep_source = gradient(ours.planes.luma), gradient(theirs.planes.luma)
        error = content = coverage = None
        if before is not None:
            along = motion[index - 1]
            judged = counted(along.forth, along.back)
            pair = warping_error(before[1], now[1], there=along.forth, judged=judged)
            own = warping_error(before[0], now[0], there=along.forth, judged=judged)
            error, content, coverage = pair.error, own.error, pair.coverage
        yield Score(
            frame=ours.index,
            pts=ours.pts,
            error=error,
            content=content,
            floor=content_floor(content, steep, steep_source),
            coverage=coverage,
            detail=detail(ours.planes.luma),
            gradient=steep,
            gradient_source=steep_source,
            level=float(ours.planes.luma.mean()),
            lattice=lattice(ours.planes.luma),
        )
        before = now


def _summed(scores: tuple[Score, ...]) -> Evaluation:
    errors = [score.error for score in scores if score.error is not None]
    return Evaluation(
        scores=scores,
        error=_mean(errors),
        worst=max(errors, default=None),
        content=_mean([score.content for score in scores if score.content is not None]),
        floor=_mean([score.floor for score in scores if score.floor is not None]),
        unjudged=len(scores) - 1 - len(errors),
        detail=float(np.mean([score.detail for score in scores])),
        jitter=jitter(np.array([score.level for score in scores])),
        lattice=float(np.mean([score.lattice for score in scores])),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _picture(film: Film, frame: Frame) -> NDArray[np.uint8]:
    rgb = to_rgb(frame.planes, resolved(film.color, film.height))
    return np.clip(np.rint(rgb * 255), 0, 255).astype(np.uint8)


def _small(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
