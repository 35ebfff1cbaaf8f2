"""A film to its plan and forecast on a terminal or as JSON: shots, keys, loss, time, memory."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actors.files import near, opened
from jobs.costs import most_in_flight, size
from jobs.engine import cores
from jobs.given import Offer, accept, with_given
from jobs.progress import Progressing
from jobs.source import indexing
from jobs.style_at import StyleAt, with_styles
from jobs.survey import changes_inside
from jobs.target import foretold
from pipeline.forecast import Forecast, Times, predict, predict_all, predict_times
from pipeline.media.codecs import usual_suffix
from pipeline.media.container import Film
from pipeline.motion import analysis, rows
from pipeline.outlook import expected_loss
from pipeline.plan import Plan, plan
from pipeline.recipe import Recipe
from pipeline.variants import variant_at, variants


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """What is known of a job before anything is painted."""

    film: Film
    plan: Plan
    loss: NDArray[np.float64]
    """[N], expected, in [0, 1]^2; NaN for the first frame of a shot."""
    forecast: Forecast
    times: Times
    memory: int
    """bytes, of all processes on this machine together"""
    workers: int
    notes: tuple[str, ...] = ()
    """What the painted film cannot hold, and what is changed so that it can."""
    styles: tuple[str, ...] = ()
    """A shot each."""

    @property
    def in_flight(self) -> int:
        """Bytes that pieces on their way take at most, with all workers of this machine."""
        frames = self.plan.shots[-1].stop
        return most_in_flight(self.plan, self.film, wanted=(0, frames), hands=self.workers)

    @property
    def mean_loss(self) -> float | None:
        """Over all frames that follow another one."""
        return _mean(self.loss)

    def shot_loss(self, number: int) -> float | None:
        """The mean of one shot; None if it is a single frame."""
        shot = self.plan.shots[number]
        return _mean(self.loss[shot.start : shot.stop])

    @property
    def worst_shot(self) -> int | None:
        """The shot of the highest loss."""
        known = [(self.shot_loss(i), -i) for i in range(len(self.plan.shots))]
        found = [(loss, i) for loss, i in known if loss is not None]
        return -max(found)[1] if found else None


def foresee(
    source: Path,
    recipe: Recipe,
    *,
    target: Path | None = None,
    given: Sequence[Offer],
    style_at: Sequence[StyleAt] = (),
    progress: Progressing,
) -> Foreseen:
    """Analyse in memory, plan, forecast; nothing is painted or written.

    ``target`` is what the painted film would be called; None is a name as the codec usually has.

    Raises:
        FilmError: If the film, a given key or a cap on keys makes no sense.
    """
    called = target or source.with_suffix(usual_suffix(recipe.codec))
    told = indexing(progress)
    read = opened(source, stream=recipe.stream, interlaced=recipe.interlaced, told=told)
    recipe = with_styles(recipe, style_at, read)
    with near(read) as film:
        return _foreseen(film, recipe, called=called, given=given, progress=progress)


def _foreseen(
    film: Film, recipe: Recipe, *, called: Path, given: Sequence[Offer], progress: Progressing
) -> Foreseen:
    """``foresee``, with a film on this machine."""
    recipe = with_given(recipe, accept(given, film))
    notes = foretold(film, recipe, called)[1]
    progress.stage("analysis", film.frames, done=0)
    parts = []
    for start, stop in analysis.spans(film):
        parts.append(analysis.analyse(film, start, stop))
        progress.advance(stop - start)
    known = rows.concat(parts)
    whole, workers = plan(known, recipe, size=film.size), cores()
    loss = np.full(film.frames, np.nan)
    for part in (part for chunk in whole.chunks for part in chunk.parts):
        expected = expected_loss(known, part.keys, alone=recipe.every_frame)
        loss[part.keys[0] + 1 : part.keys[-1] + 1] = expected
    return Foreseen(
        film,
        whole,
        loss,
        forecast=predict(whole, film, recipe),
        times=predict_times(whole, film, recipe),
        memory=predict_all(whole, film, recipe, workers=workers),
        workers=workers,
        notes=(*notes, *changes_inside(recipe, [known])),
        styles=tuple(variants(recipe)[variant_at(recipe, s.start)].style for s in whole.shots),
    )


def show(found: Foreseen, console: Console) -> None:
    """Print what is foreseen."""
    whole, film, forecast, times = found.plan, found.film, found.forecast, found.times
    console.print(_shots(found))
    console.print(
        f"{film.frames} frames, {len(whole.shots)} shots, {len(whole.chunks)} chunks, "
        f"{forecast.keys} keys ({forecast.painted:.0%}); at most "
        f"{found.memory / 2**20:.0f} MiB of memory with {found.workers} workers "
        f"({forecast.peak_bytes / 2**20:.0f} with --backend inline) and "
        f"{forecast.disk_bytes / 2**20:.0f} MiB of disk",
        highlight=False,
    )
    for note in found.notes:
        console.print(note, highlight=False, markup=False)
    worst = found.worst_shot
    if worst is not None:
        console.print(
            f"expected loss {_thousandths(found.mean_loss)}e-3 on average, "
            f"{_thousandths(found.shot_loss(worst))}e-3 in the worst shot ({worst})",
            highlight=False,
        )
    console.print(
        f"about {_time(times.whole)} of one core: analysis {_time(times.analysis)}, painting "
        f"{_time(times.painting)}, filling and encoding {_time(times.filling)}; "
        f"{_time(times.whole / found.workers)} with {found.workers} workers; by the steps measured "
        "at 1080p (bench/results/steps.json), scaled by size",
        highlight=False,
    )
    console.print(
        f"with GPUs about {_time(times.beside)} of one core and, by a guess, {_time(times.gpu)} of "
        f"one GPU; pieces on their way take at most {size(found.in_flight)} with {found.workers} "
        "workers",
        highlight=False,
    )


def as_json(found: Foreseen) -> str:
    """Write what is foreseen for programs; losses in [0, 1]^2, times in seconds of one core."""
    whole, forecast, times, worst = found.plan, found.forecast, found.times, found.worst_shot
    facts = {
        "film": str(found.film.place),
        "frames": found.film.frames,
        "chunks": len(whole.chunks),
        "keys": forecast.keys,
        "keys_share": forecast.painted,
        "notes": list(found.notes),
        "loss": {
            "mean": found.mean_loss,
            "worst_shot": worst,
            "worst": None if worst is None else found.shot_loss(worst),
        },
        "seconds": {
            "analysis": times.analysis,
            "painting": times.painting,
            "filling": times.filling,
            "all": times.whole,
            "by": "bench/results/steps.json, one core, scaled by size",
            "beside_gpus": times.beside,
            "of_gpus": times.gpu,
            "of_gpus_by": "a guess",
        },
        "bytes": {
            "memory": found.memory,
            "workers": found.workers,
            "memory_inline": forecast.peak_bytes,
            "disk": forecast.disk_bytes,
            "in_flight": found.in_flight,
        },
        "shots": [
            {
                "start": shot.start,
                "stop": shot.stop,
                "keys": _keys(found, number),
                "setup": _setup(found, number),
                **({"style": found.styles[number]} if found.styles else {}),
                "loss": found.shot_loss(number),
            }
            for number, shot in enumerate(whole.shots)
        ],
    }
    return json.dumps(facts, indent=1)


def _shots(found: Foreseen) -> Table:
    title = escape(str(found.film.place))
    heads = ("shot", "frames", "keys", "loss x 1e-3", "picture", "fade", "colors as")
    several = len(set(found.styles)) > 1
    table = Table(*heads, *(["style"] if several else []), title=title)
    for number, shot in enumerate(found.plan.shots):
        setup = _setup(found, number)
        table.add_row(
            str(number),
            f"{shot.start}-{shot.stop - 1}",
            str(len(_keys(found, number))),
            _thousandths(found.shot_loss(number)),
            f"{shot.picture.width}x{shot.picture.height}",
            f"to {min(shot.gains):.2f}" if min(shot.gains) < 1 else "",
            f"shot {setup}" if setup != number else "",
            *([found.styles[number]] if several else []),
        )
    return table


def _keys(found: Foreseen, shot: int) -> list[int]:
    parts = [p for chunk in found.plan.chunks for p in chunk.parts if p.shot == shot]
    return sorted({key for part in parts for key in part.keys})


def _setup(found: Foreseen, shot: int) -> int:
    parts = (p for chunk in found.plan.chunks for p in chunk.parts if p.shot == shot)
    return next(parts).setup


def _mean(losses: NDArray[np.float64]) -> float | None:
    known = losses[~np.isnan(losses)]
    return float(known.mean()) if known.size else None


def _thousandths(loss: float | None) -> str:
    return "" if loss is None else f"{1000 * loss:.2f}"


def _time(seconds: float) -> str:
    """Write a time as people say it.

    >>> _time(0.3), _time(75), _time(3 * 3600 + 300)
    ('1 s', '1 min 15 s', '3 h 5 min')
    """
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, more = divmod(minutes, 60)
    if hours:
        return f"{hours} h {more} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
