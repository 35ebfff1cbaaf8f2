"""A few numbers for each frame to shots, keys and chunks.

A *shot* runs from cut to cut; a *part* is a shot's share of one task; a *chunk* is the task: one
part of a long shot, or a run of whole short shots. A pure function of film, analysis and recipe,
never of the machine, and one that only looks ahead to the end of the shot: the plan of a film's
first shots is the beginning of the film's plan. A cap on keys is the exception: they are shared out
among all shots, so all have to be known. Where the style changes there is a cut, and a chunk ends.

The frame ``stop`` of a part that does not end its shot is read as its last key and painted, but
belongs to the part after it, which opens with it.
"""

import hashlib
import json
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise

import numpy as np

from pipeline import shots as of_shot
from pipeline.given import Given, clipped, spans
from pipeline.keys import keys, required
from pipeline.media.color import Rect
from pipeline.motion.cuts import CUT
from pipeline.motion.rows import Analysis, first
from pipeline.placement import place
from pipeline.recipe import Recipe, digest
from pipeline.setups import Look, look, setups
from pipeline.variants import edges

RENDER_VERSION = 5
"""Raised by hand whenever painted pixels change for the same inputs."""

_LEAST_CHUNK, _MOST_CHUNK = 48, 120
_LONG_PART = 72  # of a long shot: the first segment comes sooner, and less is lost with a worker
_MOST_SHIFT = 24  # what a seam may yield to a freeze


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [start, stop) without a cut among them."""

    start: int
    stop: int
    gains: tuple[float, ...]
    """Light of each frame as a multiple of the shot's: 1 without a fade, 1/32 without light."""
    picture: Rect
    """The frame without its bars; the whole frame if bars are painted like the rest."""
    measure: tuple[int, ...]
    """At most 4 frames whose pooled moments are those of the shot's set-up, whatever the keys."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames [start, stop) of one shot, made by one chunk."""

    shot: int
    """Index into the plan's shots."""
    start: int
    stop: int
    keys: tuple[int, ...]
    """Ascending, from ``start`` to ``stop - 1`` if the part closes its shot, else to ``stop``."""
    opens: bool
    """Whether the shot begins here."""
    closes: bool
    """Whether the shot ends here."""
    setup: int
    """Index of the shot whose statistics it is painted with: ``shot``, or one like it before."""
    given: tuple[Given, ...] = ()
    """Which of its frames, its last key included, show a picture that somebody gave."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one task makes: neighbouring parts."""

    index: int
    parts: tuple[Part, ...]

    @property
    def start(self) -> int:
        """The first frame made."""
        return self.parts[0].start

    @property
    def stop(self) -> int:
        """The frame after the last one made."""
        return self.parts[-1].stop


@dataclass(frozen=True, slots=True)
class Plan:
    """Shots and chunks, each tiling the film."""

    shots: tuple[Shot, ...]
    chunks: tuple[Chunk, ...]


def plan(analysis: Analysis, recipe: Recipe, *, size: tuple[int, int]) -> Plan:
    """Plan a whole film; ``recipe.frames`` chooses among its chunks and changes none.

    Args:
        analysis: Of all frames.
        recipe: How far apart keys are, and whether bars are kept.
        size: (width, height) of the film, upright.

    Raises:
        ValueError: If the analysis is empty or does not begin with the film.
        BadRequest: If the recipe's cap on keys leaves too few.
    """
    if analysis.start != 0 or len(analysis) == 0:
        raise ValueError(f"rows of a whole film needed, got {len(analysis)} from {analysis.start}")
    found = (1 + np.flatnonzero(analysis.cut[1:] >= CUT)).tolist()
    changes = frozenset(edges(recipe, len(analysis)))
    cuts = sorted({0, *found, *changes, len(analysis)})
    shots = tuple(_shot(a, b, analysis, recipe, size=size) for a, b in pairwise(cuts))
    first_shots = setups([_look(shot, analysis) for shot in shots])
    parts = [
        part
        for i, (shot, setup) in enumerate(zip(shots, first_shots, strict=True))
        for part in _parts(i, shot, analysis, recipe, setup=setup)
    ]
    if recipe.max_keys is not None:
        parts = _capped(parts, analysis, recipe)
    return Plan(shots, tuple(Chunk(i, run) for i, run in enumerate(_runs(parts, changes))))


def settled(known: Analysis, recipe: Recipe, *, size: tuple[int, int]) -> Plan | None:
    """Plan a film's first shots, as far as nothing that follows can change who makes a frame.

    Args:
        known: Of the film's first frames.
        recipe: As for ``plan``.
        size: As for ``plan``.

    Returns:
        A plan that the film's own plan begins with, or None if more has to be known: with a cap on
        keys all of the film.
    """
    if recipe.max_keys is not None:
        return None
    cuts = 1 + np.flatnonzero(known.cut[1:] >= CUT)
    if not cuts.size:
        return None
    found = plan(first(known, int(cuts[-1])), recipe, size=size)
    chunks = found.chunks[:-1]  # the last may take in shots that follow
    return Plan(found.shots, chunks) if chunks else None


def covering(whole: Plan, start: int, stop: int) -> tuple[Chunk, ...]:
    """Give the chunks that make any frame of [start, stop)."""
    return tuple(c for c in whole.chunks if c.start < stop and start < c.stop)


def identity(
    chunk: Chunk,
    whole: Plan,
    recipe: Recipe,
    *,
    film: str,
    weights: str,
    style: str,
    before: str | None,
) -> str:
    """Give the sha256, in hex, of all that the chunk's harmonised keys come from.

    What is laid on later (strength, gate, encoder) is added by whoever names the chunk's piece.

    Args:
        chunk: Of ``whole``.
        whole: The plan.
        recipe: Only what reaches into the plan and the painting counts.
        film: The film's fingerprint.
        weights: Digest of the painter's weights and of the runtime that they run in.
        style: Digest of the style code.
        before: Identity of the chunk before, if that ends in the shot with which this one begins.
    """
    shots = [whole.shots[part.shot] for part in chunk.parts]
    described = {
        "version": RENDER_VERSION,
        "film": film,
        "parts": [
            {
                "shot": (shot.start, shot.stop),
                "made": (part.start, part.stop, part.keys),
                **({"given": [asdict(one) for one in part.given]} if part.given else {}),
                "gains": shot.gains[part.start - shot.start : part.stop + 1 - shot.start],
                "picture": asdict(shot.picture),
                "measure": _measured(whole.shots[part.setup]),
            }
            for part, shot in zip(chunk.parts, shots, strict=True)
        ],
        "recipe": digest(recipe, "plan", "paint"),
        "weights": weights,
        "style": style,
        "before": before if not chunk.parts[0].opens else None,
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _shot(
    start: int, stop: int, analysis: Analysis, recipe: Recipe, *, size: tuple[int, int]
) -> Shot:
    seen = analysis.bars[start:stop]
    gains = of_shot.gains(
        analysis.gain[start + 1 : stop],
        analysis.luma[start:stop],
        analysis.gradient[start:stop],
        seen,
    )
    lit = of_shot.lit(start, gains, seen)
    return Shot(
        start=start,
        stop=stop,
        gains=gains,
        picture=of_shot.picture(seen, size) if recipe.keep_bars else Rect(0, 0, size[1], size[0]),
        measure=of_shot.spread(lit or range(start, stop)),
    )


def _look(shot: Shot, analysis: Analysis) -> Look | None:
    lit = of_shot.lit(shot.start, shot.gains, analysis.bars[shot.start : shot.stop])
    if not lit:
        return None
    gains = [shot.gains[t - shot.start] for t in lit]
    return look(analysis.colors[lit], analysis.gradient[lit], gains, picture=shot.picture)


def _measured(shot: Shot) -> list[tuple[int, float]]:
    """Give what a shot's statistics come from: frames, each with its light."""
    return [(t, shot.gains[t - shot.start]) for t in shot.measure]


def _parts(index: int, shot: Shot, analysis: Analysis, recipe: Recipe, *, setup: int) -> list[Part]:
    """Divide a shot as evenly as can be, at frames that differ from the one before if possible."""
    length = shot.stop - shot.start
    count = -(-length // _LONG_PART)
    while count > 1 and length < count * _LEAST_CHUNK:
        count -= 1
    seams = [shot.start + length * i // count for i in range(count)]
    for i in range(1, count):
        head = seams[i]
        while analysis.still[head]:
            head -= 1
        if head - seams[i - 1] >= _LEAST_CHUNK and seams[i] - head <= _MOST_SHIFT:
            seams[i] = head
    given = spans(recipe.given, analysis.still, start=shot.start, stop=shot.stop)
    made = []
    for start, stop in pairwise([*seams, shot.stop]):
        closes = stop == shot.stop
        end = stop - 1 if closes else stop
        chosen = keys(
            start,
            end,
            hole=analysis.hole,
            still=analysis.still,
            recipe=recipe,
            forced=[one.start for one in given],
        )
        shown = clipped(given, start, end + 1)
        made.append(Part(index, start, stop, chosen, start == shot.start, closes, setup, shown))
    return made


def _capped(parts: Sequence[Part], analysis: Analysis, recipe: Recipe) -> list[Part]:
    """Give parts the keys that the recipe's cap allows."""
    fixed = [
        required(p.keys[0], p.keys[-1], still=analysis.still, forced=[g.start for g in p.given])
        for p in parts
    ]
    found = place(fixed, [not part.closes for part in parts], analysis, recipe)
    return [replace(part, keys=chosen) for part, chosen in zip(parts, found, strict=True)]


def _runs(parts: Sequence[Part], changes: Container[int]) -> list[tuple[Part, ...]]:
    """Gather whole short shots into chunks; a part of a long shot is a chunk of its own.

    No chunk goes on over one of ``changes``, where another style begins.
    """
    runs: list[tuple[Part, ...]] = []
    gathered: list[Part] = []
    for part in parts:
        alone = not (part.opens and part.closes)
        length = part.stop - (gathered[0].start if gathered else part.start)
        if gathered and (alone or length > _MOST_CHUNK or part.start in changes):
            runs.append(tuple(gathered))
            gathered = []
        gathered.append(part)
        if alone or part.stop - gathered[0].start >= _LEAST_CHUNK:
            runs.append(tuple(gathered))
            gathered = []
    return [*runs, tuple(gathered)] if gathered else runs
