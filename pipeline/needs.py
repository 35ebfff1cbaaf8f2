"""A part of a shot to what its painting needs: keys, the motion between them, tiles for holes.

Here a part is decoded for the first time. What leaves is small: a key in twelve or so, a flow at
analysis size for each, and for in-between frames only the *windows* (a tile with the painter's
apron around it) of holes that no key explains. Holes follow from motion alone, so they are ordered
together with the keys. Everything is cut to the shot's picture and at unit gain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline.fill.between import equal
from pipeline.fill.gain import apply_gain
from pipeline.fill.harmonise import unchanged
from pipeline.fill.tiles import find_tiles
from pipeline.fill.warp import copied, crop
from pipeline.given import read_picture, shown
from pipeline.media.color import Planes, Rect
from pipeline.media.container import Film
from pipeline.media.decode import frames, pick
from pipeline.motion.bridge import bridges, key_motion, steps
from pipeline.motion.confidence import Mask
from pipeline.motion.flow import Field, Flow, Luma, analysis_size, small_luma
from pipeline.paint.working import View
from pipeline.plan import Part, Shot
from pipeline.terms import ALL, Terms


@dataclass(frozen=True, slots=True)
class Window:
    """A region of an in-between frame that has to be painted, with its context."""

    view: View
    """What is wanted, and what is held: it with the painter's apron, as far as the picture goes."""
    planes: Planes
    """What is held."""

    @property
    def rect(self) -> Rect:
        """The region in the picture; its corner on a multiple of 4."""
        return self.view.wanted

    @property
    def inner(self) -> Rect:
        """The same region in ``planes``."""
        return self.view.inner


@dataclass(frozen=True, slots=True)
class KeyMotion:
    """How a key is found in the key before it."""

    flow: Flow
    trust: Field
    same: bool | Mask
    """Where the film has the same samples in both: True is everywhere, else [H, W]."""


@dataclass(frozen=True, slots=True)
class PartKeys:
    """What is decoded for painting a part."""

    keys: dict[int, Planes]
    """By frame, but for those that show a given picture; the film's own samples."""
    motions: dict[int, KeyMotion]
    """By frame, for every key but the first."""
    windows: dict[int, tuple[Window, ...]]
    """By in-between frame, only where there are any."""


def black(film: Film) -> int:
    """The luma code of black, in 8 bits."""
    return 0 if film.color.full_range else 16


def unit_picture(film: Film, shot: Shot, index: int, planes: Planes) -> Planes:
    """Cut a frame to its shot's picture and bring it to unit gain."""
    gain = shot.gains[index - shot.start]
    return apply_gain(crop(planes, shot.picture), 1 / gain, black=black(film))


def samples(film: Film, shot: Shot) -> list[Planes]:
    """The frames that the shot's moments are measured on, at unit gain."""
    return [unit_picture(film, shot, f.index, f.planes) for f in pick(film, shot.measure)]


def read_keys(
    film: Film,
    part: Part,
    shot: Shot,
    *,
    apron: int,
    windows: bool = True,
    terms: Terms = ALL,
) -> PartKeys:
    """Decode a part's keys, their motion and the windows of its holes.

    Args:
        film: the film.
        part: some of the shot's frames, and its keys.
        shot: the shot.
        apron: of the painter, in pixels of the film; a multiple of 4.
        windows: False leaves holes alone, when only the chain of keys is wanted.
        terms: what is done to measure motion well, and whether holes are painted.
    """
    found = PartKeys({}, {}, {})
    wanted, given = set(part.keys), shown(part.given)
    gap: list[tuple[int, Planes]] = []
    for frame in frames(film, part.keys[0], part.keys[-1] + 1):
        planes = unit_picture(film, shot, frame.index, frame.planes)
        gap.append((frame.index, planes))
        if frame.index in wanted:
            if frame.index not in given:
                found.keys[frame.index] = planes
            if len(gap) > 1:
                _read_gap(gap, found, apron=apron, windows=windows and terms.holes, terms=terms)
            gap = [(frame.index, planes)]
    return found


def read_promoted(film: Film, shot: Shot, wanted: Sequence[int]) -> Iterator[tuple[int, Planes]]:
    """Decode frames that became keys after all."""
    for frame in pick(film, sorted(wanted)):
        yield frame.index, unit_picture(film, shot, frame.index, frame.planes)


def read_given(film: Film, part: Part, shot: Shot, folder: Path | None) -> dict[int, Planes]:
    """Read those of a part's keys that somebody painted, as keys are: cut, and at unit gain.

    Args:
        film: the film.
        part: some of the shot's frames, and its keys.
        shot: the shot.
        folder: where given pictures lie.
    """
    of = shown(part.given)
    return {
        key: unit_picture(film, shot, key, read_picture(folder, of[key]))
        for key in part.keys
        if key in of
    }


def picture_luma(planes: Planes) -> Luma:
    """The small luma that motion is measured on."""
    height, width = planes.luma.shape
    return small_luma(planes.luma, analysis_size(width, height), depth=planes.depth)


def _read_gap(
    gap: Sequence[tuple[int, Planes]],
    found: PartKeys,
    *,
    apron: int,
    windows: bool,
    terms: Terms,
) -> None:
    """Measure one gap, both of its keys included, and note what it needs."""
    same = unchanged(gap[-1][1], gap[0][1])
    stands = all(equal(a, b) for (_, a), (_, b) in pairwise(gap))
    lumas = [picture_luma(planes) for _, planes in gap]
    known = steps(lumas)
    flow, trust = key_motion(lumas, known=known, terms=terms)
    found.motions[gap[-1][0]] = KeyMotion(flow, trust, same)
    if not windows or stands or len(gap) < 3:
        return
    height, width = gap[0][1].luma.shape
    wanted = find_tiles(bridges(lumas, known=known, terms=terms), (width, height), apron=apron)
    for (index, planes), rects in zip(gap[1:-1], wanted, strict=True):
        if rects:
            found.windows[index] = tuple(_window(planes, rect, apron) for rect in rects)


def _window(planes: Planes, rect: Rect, apron: int) -> Window:
    """Cut a region with its apron, and a chroma sample more, out of a picture."""
    around = apron + 4
    height, width = planes.luma.shape
    top, left = max(0, rect.top - around), max(0, rect.left - around)
    bottom = min(height, rect.top + rect.height + around)
    right = min(width, rect.left + rect.width + around)
    held = Rect(top, left, bottom - top, right - left)
    cut = crop(planes, held)
    return Window(View((height, width), held, rect), copied(cut))
