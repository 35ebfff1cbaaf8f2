"""Real clips to how much stiller filling is than painting every frame.

Each clip is painted twice through ffv1, with ``--keys auto`` and ``--keys 1``, the same weights and
the same shot statistics; both are judged along the source's own motion, by RAFT-small at 360 lines
and by DIS medium. ``ratio`` is E1 of the first over E1 of the second; ``floor`` is F1, what the
content itself costs (pipeline/judge).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from jobs.progress import Progressing, Silent
from jobs.stylize import Job, stylize
from pipeline.judge.evaluate import evaluate
from pipeline.judge.referee import Referee, careful_search, raft
from pipeline.judge.scores import Evaluation
from pipeline.judge.tables import read_rows
from pipeline.media.container import read_film
from pipeline.paint.styles import manifest
from pipeline.plan import RENDER_VERSION
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Held:
    """One clip, one style, one referee."""

    clip: str
    style: str
    referee: str
    frames: int
    keys: float
    """share of the judged frames that were painted whole"""
    error: float
    """mean E1 of the filled film, RGB, [0, 1]^2"""
    error_per_frame: float
    ratio: float
    floor: float
    """mean F1 of the filled film"""
    worst: float
    worst_per_frame: float
    detail: float
    """fine structure over all judged frames, as a share of that of painting every frame"""
    passed: bool
    """E1 at most max(0.6 of per-frame, F1) and detail at least 0.9"""


def compare(
    clips: Sequence[Path],
    *,
    styles: Sequence[str],
    raft_weights: Path | None,
    count: int,
    folder: Path,
    progress: Progressing,
) -> list[Held]:
    """Paint and judge; films and referee motions are kept in ``folder`` and used again."""
    folder.mkdir(parents=True, exist_ok=True)
    referees: dict[str, Referee] = {"dis-medium-360": careful_search}
    if raft_weights is not None:
        referees["raft-small-360"] = raft(raft_weights)
    found = []
    progress.stage("compare", len(clips) * len(styles))
    for clip in clips:
        for style in styles:
            found += _judged(clip, style, referees, count, folder)
            progress.advance(1)
    return found


def _judged(
    clip: Path, style: str, referees: dict[str, Referee], count: int, folder: Path
) -> list[Held]:
    film = read_film(clip)
    stop = min(count, film.frames)
    recipe = Recipe(style=style, codec="ffv1", frames=(0, stop))
    filled, share = _painted(clip, recipe, folder)
    single, _ = _painted(clip, recipe.model_copy(update={"keys": 1}), folder)
    rows = []
    part = replace(film, pts=film.pts[:stop], durations=film.durations[:stop])
    for name, referee in referees.items():
        cache = folder / f"{film.fingerprint[:16]}-{stop}-{name}.npz"
        ours, each = (
            evaluate(part, read_film(p), count=stop, referee=referee, cache=cache)
            for p in (filled, single)
        )
        rows.append(_held(clip.stem, style, name, stop, share, ours, each))
    return rows


def _painted(clip: Path, recipe: Recipe, folder: Path) -> tuple[Path, float]:
    """Paint, unless the folder holds the result; give the share of keys."""
    facts = [read_film(clip).fingerprint, recipe.model_dump_json(), manifest(), RENDER_VERSION]
    mark = sha256(repr(facts).encode()).hexdigest()[:12]
    job = Job(clip, folder / f"{clip.stem}.{recipe.style}.{recipe.keys}.{mark}.mkv", recipe)
    if not job.target.exists():
        stylize(job, progress=Silent())
    rows = read_rows([job.table])
    return job.target, sum(row.key for row in rows) / len(rows)


def _held(
    clip: str,
    style: str,
    referee: str,
    frames: int,
    keys: float,
    ours: Evaluation,
    each: Evaluation,
) -> Held:
    """Put the two evaluations side by side."""
    error, single = _known(ours.error), _known(each.error)
    floor = _known(ours.floor)
    detail = ours.detail / each.detail
    return Held(
        clip=clip,
        style=style,
        referee=referee,
        frames=frames,
        keys=keys,
        error=error,
        error_per_frame=single,
        ratio=error / single,
        floor=floor,
        worst=_known(ours.worst),
        worst_per_frame=_known(each.worst),
        detail=detail,
        passed=bool(error <= max(0.6 * single, floor) and detail >= 0.9),
    )


def _known(value: float | None) -> float:
    return float(np.nan) if value is None else value


def as_json(rows: Sequence[Held]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]
