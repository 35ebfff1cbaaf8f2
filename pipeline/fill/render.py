"""Harmonised keys to the frames of a part, in order, with one row of judgement each.

Here a part is decoded for the second time, streaming: a gap's frames are held, never more. A *row*
is what is on record of a frame. Frames leave at the film's own size and light, bars untouched,
strength laid on; nothing is encoded here.

A key that the gate asked for *splits* its gap. What is better is measured, not believed: a gap is
made whole and in halves, and the halves are taken only if the frame of them that is furthest over
its budget is less far over it. That looks at one gap of the plan and at nothing else, so it does
not depend on who asks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.fill.between import Filled, equal, fill_gap
from pipeline.fill.gain import apply_gain
from pipeline.fill.gate import budget
from pipeline.fill.strength import Laying, lay
from pipeline.fill.tiles import Tile
from pipeline.judge.tables import Row
from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.media.decode import Frame, frames
from pipeline.motion.bridge import Step, steps
from pipeline.motion.flow import Luma
from pipeline.needs import black, picture_luma, unit_picture
from pipeline.plan import Part, Shot
from pipeline.terms import ALL, Terms


@dataclass(frozen=True, slots=True)
class Rendered:
    """One frame of a part, and what is on record of it."""

    frame: Frame
    row: Row
    settled: bool = False
    """Whether its gap was split and is better whole: another key would be no better."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What gaps are filled with."""

    keys: Mapping[int, Planes]
    tiles: Mapping[int, Sequence[Tile]]
    promoted: Sequence[int]
    knob: float
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Frames from key to key, both included, and what is known of them."""

    frames: Sequence[Frame]
    sources: Sequence[Planes]
    lumas: Sequence[Luma]
    known: Sequence[Step]

    def cut(self, frame: int) -> "tuple[_Stretch, _Stretch]":
        """Cut in two at a frame, which both have."""
        at = frame - self.frames[0].index
        return (
            _Stretch(
                self.frames[: at + 1], self.sources[: at + 1], self.lumas[: at + 1], self.known[:at]
            ),
            _Stretch(self.frames[at:], self.sources[at:], self.lumas[at:], self.known[at:]),
        )


@dataclass(frozen=True, slots=True)
class _Gap:
    """A stretch that is filled from its first frame to its last."""

    stretch: _Stretch
    settled: bool = False
    """Whether it was split and is better whole."""
    promoted: float | None = None
    """Of its last key, as in ``Row``."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to fill a stretch: from key to key, in order."""

    excess: float
    """Loss over budget of the worst frame."""
    gaps: tuple[_Gap, ...]


def render(
    film: Film,
    part: Part,
    shot: Shot,
    *,
    keys: Mapping[int, Planes],
    tiles: Mapping[int, Sequence[Tile]],
    laying: Laying,
    knob: float,
    promoted: Sequence[int] = (),
    terms: Terms = ALL,
) -> Iterator[Rendered]:
    """Make a part's frames, the read-only end key included (the caller drops its pixels).

    Args:
        film: the film.
        part: which frames.
        shot: the part's shot.
        keys: harmonised keys by frame: the part's own and promoted ones.
        tiles: what was painted for in-between frames.
        laying: how what was painted is laid over the film.
        knob: the recipe's flicker budget.
        promoted: which keys the gate asked for, in that order; used where they make it better.
        terms: what is done to look well.
    """
    made = _Made(keys, tiles, promoted, knob, terms)
    gap: list[Frame] = []
    for frame in frames(film, part.keys[0], part.keys[-1] + 1):
        if gap and equal(gap[-1].planes, frame.planes):
            frame = replace(frame, planes=gap[-1].planes)  # a freeze is held once
        gap.append(frame)
        if frame.index not in keys or frame.index in promoted:
            continue
        if len(gap) == 1:
            row = Row(frame=frame.index, pts=frame.pts, key=True)
            yield Rendered(_laid(film, shot, frame, keys[frame.index], laying), row)
        else:
            whole = _stretch(film, shot, gap)
            for own in _gaps(whole, made):
                for row, planes in _filled(own.stretch, made):
                    laid = _laid(film, shot, gap[row.frame - gap[0].index], planes, laying)
                    row = replace(row, promoted=own.promoted) if row.key else row
                    yield Rendered(laid, row, own.settled)
        gap = [frame]


def _stretch(film: Film, shot: Shot, gap: Sequence[Frame]) -> _Stretch:
    sources = [unit_picture(film, shot, f.index, f.planes) for f in gap]
    lumas = [picture_luma(planes) for planes in sources]
    return _Stretch(gap, sources, lumas, steps(lumas))


def _gaps(whole: _Stretch, made: _Made) -> tuple[_Gap, ...]:
    """Say from key to key how a stretch is filled best."""
    return _best(whole, made).gaps if _split(whole, made) is not None else (_Gap(whole),)


def _split(stretch: _Stretch, made: _Made) -> int | None:
    """Give the first key that was asked for inside a stretch."""
    first, last = stretch.frames[0].index, stretch.frames[-1].index
    return next((frame for frame in made.promoted if first < frame < last), None)


def _best(stretch: _Stretch, made: _Made) -> _Way:
    rows = [row for row, _ in _filled(stretch, made)]
    excess, split = over_budget(rows), _split(stretch, made)
    if split is None:
        return _Way(excess, (_Gap(stretch),))
    before, after = (_best(half, made) for half in stretch.cut(split))
    halves = max(before.excess, after.excess)
    if halves >= excess:
        return _Way(excess, (_Gap(stretch, settled=True),))
    asked = over_budget([row for row in rows if row.frame == split])
    last = replace(before.gaps[-1], promoted=asked)
    return _Way(halves, (*before.gaps[:-1], last, *after.gaps))


def over_budget(rows: Sequence[Row]) -> float:
    """Give the worst row's loss as a multiple of its budget; 0 where nothing could be judged."""
    judged = [(row.loss, row.budget) for row in rows]
    return max((loss / own for loss, own in judged if loss is not None and own), default=0.0)


def _filled(stretch: _Stretch, made: _Made) -> Iterator[tuple[Row, Planes]]:
    """Fill from key to key; the left one has been made already."""
    gap = stretch.frames
    filled = fill_gap(
        stretch.sources,
        lumas=stretch.lumas,
        left=made.keys[gap[0].index],
        right=made.keys[gap[-1].index],
        tiles=[made.tiles.get(f.index, ()) for f in gap[1:-1]],
        known=stretch.known,
        terms=made.terms,
    )
    for one in filled:
        frame = gap[one.place]
        yield _row(frame, one, made.knob, key=one.place == len(gap) - 1), one.planes


def _row(frame: Frame, one: Filled, knob: float, *, key: bool) -> Row:
    allowed = budget(one.loss.content, one.gradient_painted, one.gradient_source, knob=knob)
    return Row(
        frame=frame.index,
        pts=frame.pts,
        key=key,
        hole=one.hole,
        loss=one.loss.painted,
        content=one.loss.content,
        budget=allowed,
        coverage=one.loss.coverage,
    )


def _laid(film: Film, shot: Shot, frame: Frame, painted: Planes, laying: Laying) -> Frame:
    """Give a painted picture its light back and lay it over its frame."""
    strength = laying.strength.of_frame(film, frame.index)
    if strength == 0:
        return frame
    kept, own = laying.keep_color, laying.given.get(frame.index)
    if own is not None:
        return replace(frame, planes=lay(frame.planes, own, strength, keep_color=kept))
    lit = apply_gain(painted, shot.gains[frame.index - shot.start], black=black(film))
    laid = lay(frame.planes, lit, strength, keep_color=kept, picture=shot.picture)
    return replace(frame, planes=laid)
