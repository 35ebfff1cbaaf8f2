"""Real clips to how still they are held: painted in several ways, judged in the same way.

Each clip is painted with each style through ffv1: *every frame* on its own (``--keys 1``), by
*ours*, and by the *plain scheme*; all with the same weights and the same shot statistics. Ours is
then encoded as films are by default, in three segments, for the *coding seam*, and painted again
without one term of the fill at a time. Everything is judged along the source's own motion, by
RAFT-small at 360 lines and by DIS medium.

Films, motion and scores are kept in a folder; what is there is not made again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.hold_runs import CODED, EACH, OURS, Bench, Painted, opened, recipes, runs, seams
from jobs.progress import Progressing
from pipeline.judge.evaluate import evaluate
from pipeline.judge.referee import Referee, careful_search, raft
from pipeline.judge.rhythm import detail_ratio, hole_share, pop, pulse, seam
from pipeline.judge.scores import Evaluation, read_scores, summed, write_scores
from pipeline.media.container import Film, read_film

RAFT, DIS = "raft-small-360", "dis-medium-360"
_MEASURES = 1
"""Raised by hand whenever a measure changes."""


@dataclass(frozen=True, slots=True)
class Held:
    """One clip in one style, painted in one way, judged by one referee; errors in [0, 1]^2."""

    clip: str
    style: str
    run: str
    referee: str
    frames: int
    keys: float
    """share of the frames that were painted whole"""
    hole: float | None
    """mean share of the others that no key explains"""
    error: float | None
    """mean E1"""
    error9: float | None
    """mean E9"""
    worst: float | None
    """largest E1"""
    worst_frames: tuple[int, ...]
    """the three worst, the worst first"""
    content: float | None
    """mean C1"""
    floor: float | None
    """mean F1"""
    floor9: float | None
    """mean F9"""
    stability: float | None
    """e_stab (M2), 0 to 1"""
    difference: float | None
    """M3 over one frame, 0 to 1"""
    difference9: float | None
    """M3 over nine"""
    unjudged: int
    """pairs of neighbours of which less than a fifth could be followed"""
    detail: float | None
    """median over frames that are no keys, as a share of painting every frame"""
    pulse: float | None
    """the same half way between keys over that at keys"""
    pop: float | None
    """largest E1 at a key over the median elsewhere"""
    jitter: float
    """of mean L*"""
    jitter_source: float
    jitter_limit: float
    """what the film's own jitter and the painting's contrast let it have, L*"""
    seam: float | None
    """of the coded run: what the encoder adds to E1 at segments' first frames, over inside"""


def compare(bench: Bench, *, progress: Progressing) -> list[Held]:
    """Paint and judge, clip by clip and style by style."""
    bench.folder.mkdir(parents=True, exist_ok=True)
    referees: dict[str, Referee] = {DIS: careful_search}
    if bench.raft_weights is not None:
        referees = {RAFT: raft(bench.raft_weights), **referees}
    pairs = [(clip, style) for clip in bench.clips for style in bench.styles]
    most = [len(recipes(bench, style, 1)) + 2 for _, style in pairs]
    progress.stage("hold", sum(most) * (1 + len(referees)))
    found = []
    for clip, style in pairs:
        film = opened(clip, bench.folder, bench.count)
        count = min(bench.count, film.frames)
        painted = {}
        for run, one in runs(film, clip.stem, bench, style, count):
            progress.note(f"{clip.stem}, {style}: {run}")
            progress.advance(1)
            painted[run] = one
        for name, referee in referees.items():
            judged = {}
            for run, one in painted.items():
                judged[run] = _judged(film, one.path, count, name, referee, bench.folder)
                progress.advance(1)
            found += [
                _held((clip.stem, style, run, name), one, judged, painted[EACH].keys)
                for run, one in painted.items()
            ]
    return found


def as_json(rows: Sequence[Held]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]


def _judged(
    film: Film, painted: Path, count: int, name: str, referee: Referee, folder: Path
) -> Evaluation:
    table = painted.with_suffix(f".{name}.{_MEASURES}.parquet")
    scores = read_scores(table) if table.exists() else None
    if scores is not None:
        return summed(scores)
    part = replace(film, pts=film.pts[:count], durations=film.durations[:count])
    cache = folder / f"{film.fingerprint[:16]}-{count}-{name}.npz"
    found = evaluate(part, read_film(painted), count=count, referee=referee, cache=cache)
    write_scores(found.scores, table)
    return found


def _held(
    names: tuple[str, str, str, str],
    painted: Painted,
    judged: Mapping[str, Evaluation],
    every: Sequence[bool],
) -> Held:
    """Put one run's numbers together."""
    clip, style, run, referee = names
    found, keys = judged[run], painted.keys
    errors, details, each = _errors(found), _details(found), _details(judged[EACH])
    divided = seams(len(every))
    return Held(
        clip=clip,
        style=style,
        run=run,
        referee=referee,
        frames=len(every),
        keys=sum(keys) / len(keys),
        hole=hole_share(painted.holes, keys),
        error=found.error,
        error9=found.error9,
        worst=found.worst,
        worst_frames=found.worst_frames(3),
        content=found.content,
        floor=found.floor,
        floor9=found.floor9,
        stability=found.stability,
        difference=found.difference,
        difference9=found.difference9,
        unjudged=found.unjudged,
        detail=detail_ratio(details, each, keys),
        pulse=pulse(details, each, keys),
        pop=pop(errors, keys),
        jitter=found.jitter,
        jitter_source=found.jitter_source,
        jitter_limit=found.jitter_limit,
        seam=seam(errors, _errors(judged[OURS]), divided) if run == CODED else None,
    )


def _errors(found: Evaluation) -> list[float | None]:
    return [score.error for score in found.scores]


def _details(found: Evaluation) -> list[float]:
    return [score.detail for score in found.scores]
