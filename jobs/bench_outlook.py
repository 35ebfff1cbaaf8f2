"""Painted films to how good their forecast was, and to the factors that would have fitted them.

Of each painted film the table says what loss its frames have; its source is analysed and planned
again, as ``reelbrush plan`` does before anything is painted. Factors are fitted so that the natural
logarithms of measured and expected losses are least apart, in squares: a factor of two weighs the
same wherever it is, up or down.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.progress import Progressing
from jobs.report_read import Painted, read_painted
from pipeline.motion import analysis
from pipeline.motion.rows import Analysis, concat
from pipeline.outlook import CONTENT, HOLE, causes
from pipeline.plan import plan
from pipeline.recipe import Recipe

Losses = NDArray[np.float64]
_PLANNING = ("keys", "max_gap", "max_keys", "keep_bars")
_ROUNDS = 100
_SMALLEST = 1e-12


@dataclass(frozen=True, slots=True)
class Forecasted:
    """A painted film: what was expected of it and what it became, [0, 1]^2."""

    film: str
    """its source"""
    style: str
    keys: str
    """as the recipe has them; 1 is every frame"""
    frames: int
    """that have a loss"""
    measured: float
    """mean"""
    expected: float
    """by the factors that ``reelbrush plan`` uses"""
    fitted: float
    """by those that fit all these films best"""
    unseen: float
    """by those that fit all other sources' films best; as ``fitted`` if there is one source"""
    worst: float
    """the largest loss of a frame"""
    worst_expected: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Factors, and how far expected losses are from measured ones with them."""

    content: float
    hole: float
    """[0, 1]^2"""
    frames: int
    apart: float
    """of frames, RMS of the natural logarithm of expected over measured"""
    lowest: float
    """of films, expected mean over measured mean"""
    highest: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """How good forecasts are."""

    films: tuple[Forecasted, ...]
    used: Fit
    best: Fit


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A painted film's frames that have a loss."""

    film: str
    style: str
    keys: str
    content: Losses
    hole: Losses
    loss: Losses

    def expected(self, factors: tuple[float, float]) -> Losses:
        """Give the loss to expect of each frame by factors of content and holes."""
        return np.asarray(factors[0] * self.content + factors[1] * self.hole, np.float64)


def outlook(painted: Sequence[Path], *, progress: Progressing) -> Outlook:
    """Compare forecasts with what painted films became.

    Args:
        painted: Painted films with their tables, their sources where the tables say.
        progress: Is told of frames.

    Raises:
        SourceError: If a table or a source is not there.
        BadRequest: If a plan is not possible.
    """
    known: dict[Path, Analysis] = {}
    seen = []
    for path in painted:
        found = read_painted(path, None)
        if found.source.path not in known:
            known[found.source.path] = _analysed(found, progress)
        seen.append(_seen(found, known[found.source.path]))
    best = fitted(seen)
    others = {s.film: [o for o in seen if o.film != s.film] or seen for s in seen}
    unseen = {film: fitted(rest) for film, rest in others.items()}
    films = tuple(_forecasted(one, best, unseen[one.film]) for one in seen)
    return Outlook(films, _fit(seen, (CONTENT, HOLE)), _fit(seen, best))


def fitted(seen: Sequence[Seen]) -> tuple[float, float]:
    """Fit both factors, by Levenberg's and Marquardt's method on their logarithms."""
    content = np.concatenate([one.content for one in seen])
    hole = np.concatenate([one.hole for one in seen])
    loss = np.concatenate([one.loss for one in seen])
    target = np.log(loss)

    def apart(at: Losses) -> tuple[Losses, Losses]:
        parts = np.stack([np.exp(at[0]) * content, np.exp(at[1]) * hole], axis=1)
        whole = np.maximum(parts.sum(axis=1), _SMALLEST)
        return np.log(whole) - target, parts / whole[:, None]

    at = _least(apart, np.log(np.array([CONTENT, HOLE])))
    return float(np.exp(at[0])), float(np.exp(at[1]))


def _least(apart: Callable[[Losses], tuple[Losses, Losses]], at: Losses) -> Losses:
    """Find where residuals, given with their slopes, are least in squares."""
    damping = 1e-2
    rest, slopes = apart(at)
    for _ in range(_ROUNDS):
        normal = slopes.T @ slopes + damping * np.eye(at.size)
        step = np.linalg.solve(normal, -slopes.T @ rest)
        tried = apart(at + step)
        if (tried[0] ** 2).sum() < (rest**2).sum():
            at, (rest, slopes), damping = at + step, tried, damping / 3
        else:
            damping *= 5
        if np.abs(step).max() < 1e-9:
            break
    return at


def _analysed(found: Painted, progress: Progressing) -> Analysis:
    film = found.source
    progress.stage(f"analysis of {film.path.name}", film.frames)
    parts = []
    for start, stop in analysis.spans(film):
        parts.append(analysis.analyse(film, start, stop))
        progress.advance(stop - start)
    return concat(parts)


def _seen(found: Painted, known: Analysis) -> Seen:
    settings: Mapping[str, object] = {} if found.about is None else found.about.recipe
    chosen = {name: settings[name] for name in _PLANNING if settings.get(name) is not None}
    recipe = Recipe.model_validate({"style": "any", **chosen})
    content, hole = (np.full(len(known), np.nan) for _ in range(2))
    for part in (p for c in plan(known, recipe, size=found.source.size).chunks for p in c.parts):
        inside = slice(part.keys[0] + 1, part.keys[-1] + 1)
        content[inside], hole[inside] = causes(known, part.keys, alone=recipe.every_frame)
    rows = [r for r in found.rows if r.loss and np.isfinite(content[r.frame] + hole[r.frame])]
    frames = [row.frame for row in rows]
    return Seen(
        found.source.path.stem,
        str(settings.get("style", "")),
        str(recipe.keys),
        content[frames],
        hole[frames],
        np.array([row.loss for row in rows], np.float64),
    )


def _forecasted(one: Seen, best: tuple[float, float], unseen: tuple[float, float]) -> Forecasted:
    used = one.expected((CONTENT, HOLE))
    return Forecasted(
        film=one.film,
        style=one.style,
        keys=one.keys,
        frames=one.loss.size,
        measured=float(one.loss.mean()),
        expected=float(used.mean()),
        fitted=float(one.expected(best).mean()),
        unseen=float(one.expected(unseen).mean()),
        worst=float(one.loss.max()),
        worst_expected=float(used.max()),
    )


def _fit(seen: Sequence[Seen], factors: tuple[float, float]) -> Fit:
    expected = [one.expected(factors) for one in seen]
    ratios = [e.mean() / one.loss.mean() for e, one in zip(expected, seen, strict=True)]
    logs = [np.log(np.maximum(e, _SMALLEST) / s.loss) for e, s in zip(expected, seen, strict=True)]
    apart = np.concatenate(logs)
    return Fit(
        content=factors[0],
        hole=factors[1],
        frames=apart.size,
        apart=float(np.sqrt((apart**2).mean())),
        lowest=float(min(ratios)),
        highest=float(max(ratios)),
    )
