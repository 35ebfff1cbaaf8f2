"""A few numbers for each frame to shots, keys and chunks.

A *shot* runs from cut to cut; a *part* is a shot's share of one task; a *chunk* is the task: one
part of a long shot, or a run of whole short shots. A pure function of film, analysis and recipe,
never of the machine, and one that only looks ahead to the end of the shot: the plan of a film's
first shots is the beginning of the film's plan.

The frame ``stop`` of a part that does not end its shot is read as its last key and painted, but
belongs to the part after it, which opens with it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.keys import keys
from pipeline.media.color import Rect
from pipeline.motion.cuts import CUT
from pipeline.motion.rows import Analysis, first
from pipeline.recipe import Recipe, digest

RENDER_VERSION = 2
"""Raised by hand whenever painted pixels change for the same inputs."""

_LEAST_CHUNK, _MOST_CHUNK = 48, 120
_LONG_PART = 72  # of a long shot: the first segment comes sooner, and less is lost with a worker
_MOST_SHIFT = 24  # what a seam may yield to a freeze
_MEASURED = 4
_LIT_ENOUGH = 0.5
_FAINTEST = 1 / 16
_UNLIT = 1 / 32
_DRIFT = 1.5
_LEAST_PICTURE = 0.25


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
    """At most 4 frames whose pooled moments are the shot's, whatever the keys."""


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
    """
    if analysis.start != 0 or len(analysis) == 0:
        raise ValueError(f"rows of a whole film needed, got {len(analysis)} from {analysis.start}")
    cuts = [0, *(1 + np.flatnonzero(analysis.cut[1:] >= CUT)).tolist(), len(analysis)]
    shots = tuple(_shot(a, b, analysis, recipe, size=size) for a, b in pairwise(cuts))
    parts = [part for i, shot in enumerate(shots) for part in _parts(i, shot, analysis, recipe)]
    return Plan(shots, tuple(Chunk(i, run) for i, run in enumerate(_runs(parts))))


def settled(known: Analysis, recipe: Recipe, *, size: tuple[int, int]) -> Plan | None:
    """Plan a film's first shots, as far as nothing that follows can change who makes a frame.

    Args:
        known: Of the film's first frames.
        recipe: As for ``plan``.
        size: As for ``plan``.

    Returns:
        A plan that the film's own plan begins with, or None if more has to be known.
    """
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
                "gains": shot.gains[part.start - shot.start : part.stop + 1 - shot.start],
                "picture": asdict(shot.picture),
                "measure": shot.measure,
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
    followed = _gains(analysis.gain[start + 1 : stop], analysis.luma[start:stop])
    # Over a frame without any light the painter would lay its mean colour.
    dark = (seen[:, 0] < 0).tolist()
    gains = tuple(_UNLIT if none else g for none, g in zip(dark, followed, strict=True))
    lit = [
        t
        for t, gain, bars in zip(range(start, stop), gains, seen, strict=True)
        if gain >= _LIT_ENOUGH and bars[0] >= 0
    ]
    return Shot(
        start=start,
        stop=stop,
        gains=gains,
        picture=_picture(seen, size) if recipe.keep_bars else Rect(0, 0, size[1], size[0]),
        measure=_spread(lit or list(range(start, stop))),
    )


def _gains(changes: NDArray[np.float32], luma: NDArray[np.float32]) -> tuple[float, ...]:
    """Turn changes from frame to frame into light relative to the shot's median."""
    if (changes == 1).all():
        return (1.0,) * luma.size
    light = np.concatenate([[0.0], np.cumsum(np.log(changes.astype(np.float64)))])
    light -= np.median(light)
    # Small errors add up along a flickering shot. No frame is held to be darker than its luma says.
    mean = np.log(np.maximum(luma.astype(np.float64), 0.5))
    darkest = np.minimum(mean - np.median(mean) - np.log(_DRIFT), 0.0)
    light = np.clip(light, np.maximum(darkest, np.log(_FAINTEST)), 0.0)
    return tuple(round(gain, 4) for gain in np.exp(light).tolist())


def _picture(bars: NDArray[np.int32], size: tuple[int, int]) -> Rect:
    """Cut off the bars that all frames of a shot have, the same on both sides, on even lines."""
    width, height = size
    known = bars[bars[:, 0] >= 0]
    if len(known) == 0:
        return Rect(0, 0, height, width)
    top, bottom, left, right = known.min(axis=0).tolist()
    down, across = min(top, bottom) // 2 * 2, min(left, right) // 2 * 2
    # Where something is cut off, no chroma sample may be shared with the bar.
    below = (height - down) // 2 * 2 if down else height
    beyond = (width - across) // 2 * 2 if across else width
    bare = Rect(down, across, below - down, beyond - across)
    if bare.height * bare.width < _LEAST_PICTURE * height * width:
        return Rect(0, 0, height, width)
    return bare


def _spread(candidates: Sequence[int]) -> tuple[int, ...]:
    count = min(_MEASURED, len(candidates))
    return tuple(candidates[(2 * i + 1) * len(candidates) // (2 * count)] for i in range(count))


def _parts(index: int, shot: Shot, analysis: Analysis, recipe: Recipe) -> list[Part]:
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
    made = []
    for start, stop in pairwise([*seams, shot.stop]):
        closes = stop == shot.stop
        chosen = keys(
            start,
            stop - 1 if closes else stop,
            hole=analysis.hole,
            still=analysis.still,
            recipe=recipe,
        )
        made.append(Part(index, start, stop, chosen, start == shot.start, closes))
    return made


def _runs(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """Gather whole short shots into chunks; a part of a long shot is a chunk of its own."""
    runs: list[tuple[Part, ...]] = []
    gathered: list[Part] = []
    for part in parts:
        alone = not (part.opens and part.closes)
        length = part.stop - (gathered[0].start if gathered else part.start)
        if gathered and (alone or length > _MOST_CHUNK):
            runs.append(tuple(gathered))
            gathered = []
        gathered.append(part)
        if alone or part.stop - gathered[0].start >= _LEAST_CHUNK:
            runs.append(tuple(gathered))
            gathered = []
    return [*runs, tuple(gathered)] if gathered else runs
