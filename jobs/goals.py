"""Rows of a comparison to whether each goal is met, and to what each term of the fill is for.

A *goal* is a number and its limit. Goals of a single clip and style hold for each of them; goals
"on average" hold for the mean over all of them. Where a limit depends on the film (the content
floor, the per-frame run), the number is the error over that limit, and the limit is 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from jobs.compare import Held
from jobs.hold_runs import CODED, EACH, OURS, PLAIN, WITHOUT

_MEAN_SHARE, _WORST_SHARE, _FAR_SHARE = 0.35, 0.6, 0.6
"""Of the error of painting every frame: E1 on average, E1 of any clip, E9 on average."""
_WORST_FRAME = 1.1
_MOST_KEYS = 0.2
_LEAST_DETAIL, _LEAST_PULSE = 0.92, 0.9
_MOST_SEAM = 1.2
AVERAGE = "on average"


@dataclass(frozen=True, slots=True)
class Goal:
    """A number that was promised."""

    referee: str
    clip: str
    """or ``AVERAGE``"""
    style: str
    """empty on average"""
    what: str
    value: float | None
    """None where nothing could be judged, or nothing was filled"""
    limit: float
    at_least: bool
    """whether the number has to be at least the limit, not at most"""
    met: bool | None
    """None where there is no value"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What is lost without a term; means over clips."""

    term: str
    referee: str
    clips: int
    error: float
    """E1 without over E1 with it; above 1 the term earns something"""
    error9: float
    worst: float
    jitter: float
    detail: float
    """with the term less without it"""
    pulse: float
    keys: float
    """share of keys with the term less without it"""


def goals(rows: Sequence[Held]) -> list[Goal]:
    """Hold a comparison against what was promised, referee by referee."""
    found = []
    for referee in dict.fromkeys(row.referee for row in rows):
        films = [_by_run(rows, *names) for names in _films(rows, referee)]
        for runs in films:
            found += list(_single(runs))
        found += list(_average(referee, films))
    return found


def costs(rows: Sequence[Held]) -> list[Cost]:
    """Say what each term that was left out is for."""
    found = []
    for referee in dict.fromkeys(row.referee for row in rows):
        films = [_by_run(rows, *names) for names in _films(rows, referee)]
        terms = dict.fromkeys(run for runs in films for run in runs if run.startswith(WITHOUT))
        for term in terms:
            pairs = [(runs[OURS], runs[term]) for runs in films if term in runs]
            found.append(
                Cost(
                    term=term.removeprefix(WITHOUT),
                    referee=referee,
                    clips=len(pairs),
                    error=_mean([_over(off.error, on.error) for on, off in pairs]),
                    error9=_mean([_over(off.error9, on.error9) for on, off in pairs]),
                    worst=_mean([_over(off.worst, on.worst) for on, off in pairs]),
                    jitter=_mean([_over(off.jitter, on.jitter) for on, off in pairs]),
                    detail=_mean([_less(on.detail, off.detail) for on, off in pairs]),
                    pulse=_mean([_less(on.pulse, off.pulse) for on, off in pairs]),
                    keys=_mean([on.keys - off.keys for on, off in pairs]),
                )
            )
    return found


def as_json(rows: Sequence[Goal] | Sequence[Cost]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]


def _single(runs: dict[str, Held]) -> Iterator[Goal]:
    """What holds for one clip in one style."""
    ours, each, plain, coded = (runs[name] for name in (OURS, EACH, PLAIN, CODED))
    names = (ours.referee, ours.clip, ours.style)
    yield _most(names, "E1 / max(0.6 of every frame's, F1)", _of_limit(ours, each, _WORST_SHARE), 1)
    worst = _over(ours.worst, each.worst)
    yield _most(names, "worst frame / every frame's", worst, _WORST_FRAME)
    yield _least(names, "detail", ours.detail, _LEAST_DETAIL)
    yield _least(names, "pulse", ours.pulse, _LEAST_PULSE)
    yield _most(names, "luma jitter, L*", ours.jitter, ours.jitter_limit)
    yield _most(names, "coding seam", coded.seam, _MOST_SEAM)
    yield _most(names, "E1 / plain scheme's", _over(ours.error, plain.error), 1)
    yield _most(names, "E9 / plain scheme's", _over(ours.error9, plain.error9), 1)
    yield _most(names, "worst frame / plain scheme's", _over(ours.worst, plain.worst), 1)
    yield _least(names, "detail less plain scheme's", _less(ours.detail, plain.detail), 0)


def _average(referee: str, films: Sequence[dict[str, Held]]) -> Iterator[Goal]:
    """What holds for all clips and styles together."""
    names = (referee, AVERAGE, "")
    pairs = [(runs[OURS], runs[EACH]) for runs in films]
    near = [_of_limit(ours, each, _MEAN_SHARE) for ours, each in pairs]
    yield _most(names, "E1 / max(0.35 of every frame's, F1)", _known_mean(near), 1)
    far = [_far_of_limit(ours, each) for ours, each in pairs]
    yield _most(names, "E9 / max(0.6 of every frame's, F9)", _known_mean(far), 1)
    yield _most(names, "keys", _known_mean([ours.keys for ours, _ in pairs]), _MOST_KEYS)
    yield _least(names, "detail", _known_mean([o.detail for o, _ in pairs]), _LEAST_DETAIL)
    yield _least(names, "pulse", _known_mean([o.pulse for o, _ in pairs]), _LEAST_PULSE)


def _of_limit(ours: Held, each: Held, share: float) -> float | None:
    if each.error is None or ours.floor is None:
        return None
    return _over(ours.error, max(share * each.error, ours.floor))


def _far_of_limit(ours: Held, each: Held) -> float | None:
    if each.error9 is None or ours.floor9 is None:
        return None
    return _over(ours.error9, max(_FAR_SHARE * each.error9, ours.floor9))


def _most(names: tuple[str, str, str], what: str, value: float | None, limit: float) -> Goal:
    met = None if value is None else value <= limit
    return Goal(*names, what, value, limit, at_least=False, met=met)


def _least(names: tuple[str, str, str], what: str, value: float | None, limit: float) -> Goal:
    met = None if value is None else value >= limit
    return Goal(*names, what, value, limit, at_least=True, met=met)


def _films(rows: Sequence[Held], referee: str) -> list[tuple[str, str, str]]:
    return list(dict.fromkeys((r.clip, r.style, r.referee) for r in rows if r.referee == referee))


def _by_run(rows: Sequence[Held], clip: str, style: str, referee: str) -> dict[str, Held]:
    names = (clip, style, referee)
    return {row.run: row for row in rows if (row.clip, row.style, row.referee) == names}


def _over(value: float | None, by: float | None) -> float | None:
    """A ratio; 1 where both are nothing, None where one is not known or cannot be divided by."""
    if value is None or by is None:
        return None
    if by == 0:
        return 1.0 if value == 0 else None
    return value / by


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other


def _known_mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _mean(values: Sequence[float | None]) -> float:
    found = _known_mean(values)
    return float("nan") if found is None else found
