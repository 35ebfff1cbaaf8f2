"""Harmonised keys to the frames of a part, in order, with one row of judgement each.

Here a part is decoded for the second time, streaming: a gap's frames are held, never more. A *row*
is what is on record of a frame. Frames leave at the film's own size and light, bars untouched,
strength laid on; nothing is encoded here.
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
from pipeline.motion.bridge import bridges, steps
from pipeline.needs import black, picture_luma, unit_picture
from pipeline.plan import Part, Shot


@dataclass(frozen=True, slots=True)
class Rendered:
    """One frame of a part, and what is on record of it."""

    frame: Frame
    row: Row


def render(
    film: Film,
    part: Part,
    shot: Shot,
    *,
    keys: Mapping[int, Planes],
    tiles: Mapping[int, Sequence[Tile]],
    laying: Laying,
    knob: float,
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
    """
    gap: list[Frame] = []
    for frame in frames(film, part.keys[0], part.keys[-1] + 1):
        if gap and equal(gap[-1].planes, frame.planes):
            frame = replace(frame, planes=gap[-1].planes)  # a freeze is held once
        gap.append(frame)
        if frame.index not in keys:
            continue
        if len(gap) == 1:
            row = Row(frame=frame.index, pts=frame.pts, key=True)
            yield Rendered(_laid(film, shot, frame, keys[frame.index], laying), row)
        else:
            yield from _gap(film, shot, gap, keys, tiles, laying, knob)
        gap = [frame]


def _gap(
    film: Film,
    shot: Shot,
    gap: Sequence[Frame],
    keys: Mapping[int, Planes],
    tiles: Mapping[int, Sequence[Tile]],
    laying: Laying,
    knob: float,
) -> Iterator[Rendered]:
    """Fill one gap; its left key has been made already."""
    sources = [unit_picture(film, shot, f.index, f.planes) for f in gap]
    lumas = [picture_luma(planes) for planes in sources]
    known = steps(lumas)
    filled = fill_gap(
        sources,
        lumas=lumas,
        left=keys[gap[0].index],
        right=keys[gap[-1].index],
        tiles=[tiles.get(f.index, ()) for f in gap[1:-1]],
        known=known,
        spans=bridges(lumas, known=known),
    )
    for one in filled:
        frame = gap[one.place]
        row = _row(frame, one, knob, key=frame.index in keys)
        yield Rendered(_laid(film, shot, frame, one.planes, laying), row)


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
