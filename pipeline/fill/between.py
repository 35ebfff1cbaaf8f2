"""Two painted keys and a gap's motion to every frame between them.

A frame is *met* from both keys, and its holes are closed by tiles and by what the frame before
knows. What is *ground*, unchanged from key to key, is as the keys have it. A frame whose source is
sample-equal to the one before is that frame, exactly.

Everything here is at unit gain (``gain``); nothing decodes, encodes or paints.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.fill.blend import Average, average, finished
from pipeline.fill.gate import Loss, gate_luma, measure
from pipeline.fill.ground import ground, grounded
from pipeline.fill.tiles import Tile, close_holes, hole_share
from pipeline.fill.warp import Bordered, surrounded
from pipeline.judge.detail import gradient
from pipeline.media.color import Planes
from pipeline.motion.bridge import Bridge, Step, bridges, steps
from pipeline.motion.flow import Field, Luma
from pipeline.terms import ALL, Terms

_FAINT = 0.01
"""Added to both trusts: where there is none, one key fades into the other."""
_STOOD = Loss(0.0, 0.0, 1.0)
_APART = 32
"""Rows between two that are looked at first."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One frame of a gap, after its left key."""

    place: int
    """Frames after the left key: 1 to b - a."""
    planes: Planes
    """At unit gain; for the last one the right key itself."""
    hole: float
    """Share that no key explains, 0 to 1; 0 for a key."""
    loss: Loss
    """Against the frame before."""
    gradient_painted: float
    """Mean squared gradient of the two keys, on average, at gate size."""
    gradient_source: float
    """That of the film's own frame."""


def fill_gap(
    sources: Sequence[Planes],
    *,
    lumas: Sequence[Luma],
    left: Planes,
    right: Planes,
    tiles: Sequence[Sequence[Tile]] = (),
    known: Sequence[Step] | None = None,
    spans: Sequence[Bridge] | None = None,
    terms: Terms = ALL,
) -> Iterator[Filled]:
    """Make the frames after key a up to and with key b, one at a time.

    Args:
        sources: The film's frames a to b, both included; a freeze may be one object many times.
        lumas: Their small lumas.
        left: The painted key a.
        right: The painted key b.
        tiles: For each in-between frame what was painted for it, as ``find_tiles`` ordered it; or
            nothing at all.
        known: ``steps(lumas)``, if the caller has it.
        spans: ``bridges(lumas)``, if the caller has it.
        terms: What is done to look well.
    """
    along = steps(lumas) if known is None else known
    spans = bridges(lumas, known=along, terms=terms) if spans is None else spans
    if tiles and len(tiles) != len(spans):
        raise ValueError(f"{len(spans)} in-between frames need as many tiles, got {len(tiles)}")
    steep = (gradient(_gate_luma(left)) + gradient(_gate_luma(right))) / 2
    source, before = sources[0], left
    under = ground(source, sources[-1]) if terms.standing and len(sources) > 2 else None
    seen, shown = _gate_luma(source), _gate_luma(left)
    keys: tuple[Bordered, Bordered] | None = None
    for place, (step, phase) in enumerate(zip(along, phases(along), strict=True), start=1):
        earlier, source = source, sources[place]
        stands = equal(source, earlier)
        span = spans[place - 1] if place < len(along) else None
        if span is None:
            painted = right
        elif stands:
            painted = before
        else:
            laid = tiles[place - 1] if tiles else ()
            keys = keys or (surrounded(left), surrounded(right))
            painted = _between(keys, before, span, phase, laid, terms)
            share = None if under is None else under.under(source)
            painted = painted if share is None else grounded(painted, left, right, phase, share)
        seen_before, shown_before = seen, shown
        seen = seen if stands else _gate_luma(source)
        shown = shown if painted is before else _gate_luma(painted)
        yield Filled(
            place,
            painted,
            0.0 if span is None else hole_share(span),
            _STOOD
            if stands and painted is before
            else measure(shown, shown_before, seen, seen_before, step=step),
            steep,
            gradient(seen),
        )
        before = painted


def meet(left: Planes, right: Planes, span: Bridge, phase: float) -> Planes:
    """Fetch both keys to where a frame is and blend them by trust and nearness.

    Args:
        left: The painted key a.
        right: The painted key b.
        span: The motion of frame t.
        phase: Where t lies between a (0) and b (1).
    """
    return finished(_met(left, right, span, phase))


def equal(a: Planes, b: Planes) -> bool:
    """Say whether two frames are the same, sample for sample."""
    return a is b or (
        np.array_equal(a.luma[::_APART], b.luma[::_APART])  # nearly always tells already
        and np.array_equal(a.luma, b.luma)
        and np.array_equal(a.blue, b.blue)
        and np.array_equal(a.red, b.red)
        and (
            a.alpha is b.alpha
            or (a.alpha is not None and b.alpha is not None and np.array_equal(a.alpha, b.alpha))
        )
    )


def _gate_luma(planes: Planes) -> Luma:
    return gate_luma(planes.luma, depth=planes.depth)


def _met(
    left: Planes | Bordered,
    right: Planes | Bordered,
    span: Bridge,
    phase: float,
    terms: Terms = ALL,
) -> Average:
    near = (1 - phase) * (_faded(span.trust_left, span.dissolve) + _FAINT)
    far = phase * (_faded(span.trust_right, span.dissolve) + _FAINT)
    share = np.asarray(near / (near + far), np.float32)
    return average(left, right, share, to_a=span.to_left, to_b=span.to_right, terms=terms)


def _faded(trust: Field, dissolve: float) -> Field:
    """Take a dissolve's share of a trust from how alike both ends look: it is to look otherwise."""
    return trust if dissolve == 0 else trust + np.float32(dissolve) * (1 - trust)


def _between(
    keys: tuple[Bordered, Bordered],
    before: Planes,
    span: Bridge,
    phase: float,
    tiles: Sequence[Tile],
    terms: Terms,
) -> Planes:
    met = _met(*keys, span, phase, terms)
    closed = close_holes(met.planes, before, span, tiles, terms=terms, spent=True)
    return finished(replace(met, planes=closed))


def phases(along: Sequence[Step]) -> list[float]:
    """Give where each frame after a lies between a (0) and b (1), counted in frames that differ."""
    moved = np.cumsum([not step.still for step in along])
    if not moved[-1]:
        moved = np.arange(1, len(along) + 1)
    return [float(count / moved[-1]) for count in moved]
