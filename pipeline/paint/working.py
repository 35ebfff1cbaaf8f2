"""Film planes to the size that the net works at, and what it painted back to film planes.

The *working size* has the strokes: a net paints strokes of so many of its own pixels, so a picture
is reduced to it, painted, and enlarged again. What the reduction took out of the film's luma is
laid over the enlarged painting, times the *slope* with which the painting follows the film around
there: that of the regression in a guided filter (He 2013, eq. 5; on the small grid as in He & Sun
2015). The filter itself would put the whole regression in the painting's place; strokes, which are
not in the film, would be gone. Here they stay, and only detail that the net never saw is added.

A painted sample depends on the film within some pixels around it and on nothing else, bit for bit:
taps belong to the whole picture, and sums have a fixed order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.media import hdr
from pipeline.media.color import ColorTags, Plane, Planes, Rect, affine, subsampling, white
from pipeline.paint.axes import Axis, Reach
from pipeline.paint.sizes import STRIDE
from pipeline.paint.slope import RADIUS, slope_of
from pipeline.paint.taps import CUBIC, TENT, Taps, along_columns, along_rows, taps

Real = NDArray[np.float32]
Paint = Callable[[Real, Rect], Real]
"""RGB [h, w, 3] and which part of it is wanted to that part, painted; both begin on multiples of 4
of the working picture."""

_BLOCK = 32


@dataclass(frozen=True, slots=True)
class Working:
    """How much smaller than the film the net works: the same for all pictures of a film."""

    lines: int
    of: int
    """of the film; more than ``lines``"""

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Give the working size (h, w) of a picture.

        >>> Working(540, of=1080).size(800, 1920)
        (400, 960)
        """
        tall, wide = ((2 * n * self.lines + self.of) // (2 * self.of) for n in (height, width))
        return max(1, tall), max(1, wide)

    def apron(self, net: int) -> int:
        """Give the context that a region of the film needs, in its pixels; a multiple of 4.

        Args:
            net: the net's own apron, in working pixels.
        """
        around = net + RADIUS + 2 * STRIDE + 4  # to the end of the net's tile; chroma's cubic
        pixels = -(-(around + 2) * self.of * 33 // (32 * self.lines)) + 4  # rounded sizes, tents
        return -(-pixels // STRIDE) * STRIDE


def working(size: tuple[int, int], lines: int | Literal["film"]) -> Working | None:
    """Say how a film is reduced for painting; None is not at all.

    Args:
        size: (width, height) of the film, upright.
        lines: of the shorter side at which the net is to work.
    """
    return None if lines == "film" or lines >= min(size) else Working(lines, min(size))


def working_size(size: tuple[int, int], lines: int | Literal["film"]) -> tuple[int, int]:
    """Give the size (h, w) that the net works at for whole frames of a film; see ``working``.

    >>> working_size((3840, 2160), 540), working_size((640, 360), 540)
    ((540, 960), (360, 640))
    """
    width, height = size
    small = working(size, lines)
    return (height, width) if small is None else small.size(height, width)


@dataclass(frozen=True, slots=True)
class View:
    """Which part of a picture is held, and which part of it is wanted."""

    size: tuple[int, int]
    """(H, W) of the whole picture."""
    held: Rect
    """In the picture; on whole chroma samples."""
    wanted: Rect
    """In the picture, within ``held``; on whole chroma samples."""

    @property
    def inner(self) -> Rect:
        """What is wanted, in what is held."""
        top, left = self.wanted.top - self.held.top, self.wanted.left - self.held.left
        return Rect(top, left, self.wanted.height, self.wanted.width)


def whole(planes: Planes) -> View:
    """The view of a picture that is held and wanted as it is."""
    height, width = planes.luma.shape
    everything = Rect(0, 0, height, width)
    return View((height, width), everything, everything)


def reduced(planes: Planes, how: Working, *, tags: ColorTags) -> Real:
    """Reduce a whole picture to RGB [h, w, 3] at its working size, 0 to 1."""
    view = whole(planes)
    rows, columns = _axes(planes, view, how)
    down, across = (Reach((0, axis.work), (0, axis.work)) for axis in (rows, columns))
    signal = _rgb(_small(planes, view, rows, columns, (down, across)), tags, view, planes.depth)
    return hdr.view(signal, tags.transfer) if tags.transfer in hdr.TRANSFERS else signal


def paint_reduced(
    planes: Planes, view: View, how: Working, *, tags: ColorTags, paint: Paint, apron: int
) -> Planes:
    """Paint what is wanted of a picture at its working size.

    Args:
        planes: what is held.
        view: of ``planes`` in the picture.
        how: the working size.
        tags: what samples mean, nothing unspecified.
        paint: the net.
        apron: the net's, in working pixels.

    Raises:
        ValueError: If too little is held around what is wanted; see ``Working.apron``.
    """
    sketch = sketched(planes, view, how, tags=tags, apron=apron)
    return sketch.enlarged(paint(sketch.picture, sketch.inner))


def sketched(planes: Planes, view: View, how: Working, *, tags: ColorTags, apron: int) -> "Sketch":
    """Reduce what the net has to see, and keep what its painting is enlarged with.

    The arguments are those of ``paint_reduced``.
    """
    rows, columns = _axes(planes, view, how)
    wanted = view.wanted
    down = rows.reach(wanted.top, wanted.height, apron)
    across = columns.reach(wanted.left, wanted.width, apron)
    small = _small(planes, view, rows, columns, (down, across))
    (top, bottom), (left, right) = down.part, across.part
    inner = Rect(top - down.seen[0], left - across.seen[0], bottom - top, right - left)
    luma = _part(small[0], inner)
    at = (rows, columns, (top, left))
    picture, room = _rgb(small, tags, view, planes.depth), None
    if tags.transfer in hdr.TRANSFERS:
        room = hdr.headroom(_part(picture, inner), tags.transfer)
        picture = hdr.view(picture, tags.transfer)
    return Sketch(picture, inner, planes, luma, room, view, tags, at)


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture reduced, between ``sketched`` and the net."""

    picture: Real
    """RGB [h, w, 3], 0 to 1"""
    inner: Rect
    """what the net is to paint of it"""
    _film: Planes
    _luma: Real
    _room: hdr.Headroom | None
    """Of a film of high dynamic range, in ``inner``"""
    _view: View
    _tags: ColorTags
    _at: tuple[Axis, Axis, tuple[int, int]]

    def enlarged(self, painted: Real) -> Planes:
        """Enlarge what the net made of ``inner``, RGB, to planes of what is wanted."""
        if self._room is not None:
            painted = hdr.restored(painted, self._room, self._tags.transfer)
        depth = self._film.depth
        luma, blue, red = _codes(painted, self._tags, self._view, depth)
        return Planes(
            _guided(self._film, self._luma, luma, self._view, self._at),
            _enlarged(blue, self._view, self._at, depth),
            _enlarged(red, self._view, self._at, depth),
            depth=depth,
        )


def _axes(planes: Planes, view: View, how: Working) -> tuple[Axis, Axis]:
    """Describe the picture's rows and columns."""
    found, small = [], how.size(*view.size)
    for film, work, share in zip(view.size, small, subsampling(planes)[::-1], strict=True):
        colour, step = -(-film // share), Fraction(film, work)
        found.append(
            Axis(
                work,
                share,
                luma=taps(film, work, step=step, kernel=TENT),
                chroma=taps(colour, work, step=step / share, kernel=TENT),
                larger=taps(work, film, step=1 / step, kernel=CUBIC),
                slope=taps(work, film, step=1 / step, kernel=TENT),
                larger_chroma=taps(work, colour, step=share / step, kernel=CUBIC),
            )
        )
    return found[0], found[1]


def _small(
    planes: Planes, view: View, rows: Axis, columns: Axis, reach: tuple[Reach, Reach]
) -> tuple[Real, Real, Real]:
    """Reduce Y', Cb and Cr, in codes, to where the net looks."""
    down, across = (one.seen for one in reach)
    top, left = view.held.top, view.held.left

    def made(plane: Plane, up: Taps, along: Taps, at: tuple[int, int]) -> Real:
        lines = along_rows(plane, up, *down, origin=at[0])
        return along_columns(lines, along, *across, origin=at[1])

    chroma = top // rows.share, left // columns.share
    return (
        made(planes.luma, rows.luma, columns.luma, (top, left)),
        made(planes.blue, rows.chroma, columns.chroma, chroma),
        made(planes.red, rows.chroma, columns.chroma, chroma),
    )


def _rgb(small: tuple[Real, Real, Real], tags: ColorTags, view: View, depth: int) -> Real:
    """Turn codes to RGB [h, w, 3], clipped to 0 to 1."""
    matrix = affine(tags, view.size[0], depth=depth)
    return np.stack([np.clip(c, 0, 1) for c in _mixed(small, matrix)], axis=-1)


def _part(field: Real, of: Rect) -> Real:
    return field[of.top : of.top + of.height, of.left : of.left + of.width]


def _codes(rgb: Real, tags: ColorTags, view: View, depth: int) -> list[Real]:
    """Turn RGB to Y', Cb and Cr in codes, not rounded."""
    parts = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    back = np.asarray(np.linalg.inv(affine(tags, view.size[0], depth=depth)), np.float64)
    return _mixed(parts, back)


def _mixed(parts: tuple[Real, Real, Real], matrix: NDArray[np.float64]) -> list[Real]:
    """Multiply by [4, 4], sample by sample: OpenCV's own rounds by where in a row one stands."""
    by = matrix.astype(np.float32)
    one, two, three = parts
    return [one * r[0] + two * r[1] + three * r[2] + r[3] for r in by[:3]]


def _guided(
    film: Planes, small: Real, painted: Real, view: View, at: tuple[Axis, Axis, tuple[int, int]]
) -> Plane:
    """Enlarge painted luma, and add what the film's luma has beyond ``small``, times the slope."""
    rows, columns, (top, left) = at
    wanted, inner = view.wanted, view.inner
    across = wanted.left, wanted.left + wanted.width

    def wide(field: Real, taken: Taps) -> Real:
        return along_columns(field, taken, *across, origin=left)

    unit = np.float32(1 << (film.depth - 8))
    slope = wide(slope_of(small / unit, painted / unit), columns.slope)
    base, known = wide(painted, columns.larger), wide(small, columns.larger)
    own = film.luma[inner.top :, inner.left : inner.left + inner.width]
    out = np.empty((wanted.height, wanted.width), film.luma.dtype)
    for first in range(0, wanted.height, _BLOCK):
        last = min(first + _BLOCK, wanted.height)
        span = wanted.top + first, wanted.top + last
        detail = own[first:last] - along_rows(known, rows.larger, *span, origin=top)
        detail *= along_rows(slope, rows.slope, *span, origin=top)
        enlarged = along_rows(base, rows.larger, *span, origin=top)
        out[first:last] = _rounded(detail + enlarged, film.depth)
    return out


def _enlarged(field: Real, view: View, at: tuple[Axis, Axis, tuple[int, int]], depth: int) -> Plane:
    """Enlarge painted chroma to the film's."""
    rows, columns, (top, left) = at
    part = view.wanted
    down, across = (
        (start // share, -(-(start + length) // share))
        for start, length, share in (
            (part.top, part.height, rows.share),
            (part.left, part.width, columns.share),
        )
    )
    wide = along_columns(field, columns.larger_chroma, *across, origin=left)
    return _rounded(along_rows(wide, rows.larger_chroma, *down, origin=top), depth)


def _rounded(field: Real, depth: int) -> Plane:
    kind = np.uint8 if depth == 8 else np.uint16
    return np.asarray(np.clip(np.rint(field), 0, white(depth)), kind)
