"""A film's planes to those that a codec takes, losing nothing that was not given up.

Chroma is spread by repeating a sample over the pixels that it speaks for, and 8 bits become more by
the factor between the codes of white, so that the way back, a mean and a rounding, is exact. What a
person gave up by naming a format is lost that way too: nothing is dithered or sharpened.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.media.codecs import CODECS, Codec, coder, fits
from pipeline.media.color import ColorTags, Plane, Planes, codes, resolved
from pipeline.media.container import Film
from pipeline.media.samples import PIXEL_FORMATS, PixelFormat, plain

Codes: TypeAlias = tuple[int, bool]
"""How many bits a sample has, and whether its codes go from 0 to the highest."""

_COARSE = (
    "its RGB of 16 bits goes through Y'CbCr of 16 bits: samples come back within 2 of 65535 codes"
)


@dataclass(frozen=True, slots=True)
class Conform:
    """From the planes of one format to those of another."""

    source: PixelFormat
    target: PixelFormat
    full: tuple[bool, bool]
    """Whether codes go from 0 to the highest, in the source and in the target."""

    def __call__(self, planes: Planes) -> Planes:
        """Bring stored planes to the target's subsampling, depth and alpha."""
        a, b = self.source, self.target
        if a == b and self.full[0] == self.full[1]:
            return planes
        height, width = planes.luma.shape
        blue, red = (
            self._codes(_resampled(plane, a, b, (height, width)), middle=True)
            for plane in (planes.blue, planes.red)
        )
        luma, alpha = self._codes(planes.luma), self._alpha(planes)
        return Planes(luma, blue, red, alpha=alpha, depth=b.depth)

    def _codes(self, plane: Plane, *, middle: bool = False) -> Plane:
        before, after = (self.source.depth, self.full[0]), (self.target.depth, self.full[1])
        return _looked_up(plane, before, after, middle=middle)

    def _alpha(self, planes: Planes) -> Plane | None:
        if not self.target.alpha:
            return None
        bits = self.target.bits
        if planes.alpha is None:
            return np.full(planes.luma.shape, (1 << bits) - 1, _kind(bits))
        return _looked_up(planes.alpha, (self.source.bits, True), (bits, True), middle=False)


def conform_of(film: Film, pixel_format: str, color: ColorTags | None) -> Conform:
    """Prepare the way from a film's planes to an encoder's; a ``color`` of None is the film's."""
    own = resolved(film.color, film.height)
    ranges = (own.full_range, (color or own).full_range)
    return Conform(_form(film.pixel_format), _form(pixel_format), ranges)


def choose_format(film: Film, codec: Codec, asked: str | None) -> tuple[str, list[str]]:
    """Choose the pixels that a film is written with, and say what that changes.

    Without ``asked`` it is the film's own format, or the nearest that loses nothing.

    Raises:
        BadRequest: If the codec does not take what is asked for, or cannot keep the film whole.
    """
    form = _form(film.pixel_format)
    if asked is not None:
        name = _asked(film, codec, asked)
        lost = _lost(film, codec, name)
        said = f"{name} gives up what {film.pixel_format} has, as was asked for: {lost}"
        return name, [said] if lost else []
    able = [name for name in coder(codec).formats if fits(codec, _form(name), _size(film))]
    whole = [name for name in able if not _lost(film, codec, name)]
    if not whole:
        raise BadRequest(_refusal(film, codec, able))
    name = min(whole, key=lambda one: _distance(form, _form(one)))
    if _form(name) == form:
        return name, [] if form.whole else [_COARSE]
    if coder(codec).widens and form.depth > _form(name).depth:
        return name, [f"{codec} is encoded from 10 of the film's {form.depth} bits, and read as 12"]
    width, height = _size(film)
    taken = {_form(one) for one in coder(codec).formats}
    if form.model == "gray":
        return name, [f"a grey film is painted in colours: it is written as {name}"]
    why = f"{codec} has no {film.pixel_format}"
    if form in taken:
        why = f"{width}x{height} is odd, which {codec} does not have in {film.pixel_format}"
    return name, [f"{why}: the film is written as {name}, which loses nothing"]


def _size(film: Film) -> tuple[int, int]:
    return film.width, film.height


def _asked(film: Film, codec: Codec, asked: str) -> str:
    name = plain(asked if asked in PIXEL_FORMATS else f"{asked}le")
    offered = coder(codec).formats
    form = _form(name) if name in PIXEL_FORMATS else None
    own = _form(film.pixel_format)
    found = next((one for one in offered if _form(one) == form), None)
    if form is None or found is None:
        raise BadRequest(f"{codec} does not take {asked!r}; it takes {', '.join(offered)}")
    if form != own and form.model != "yuv":
        raise BadRequest(f"{film.pixel_format} is not turned into {asked}")
    if not fits(codec, form, _size(film)):
        raise BadRequest(f"{codec} has no {film.width}x{film.height} in {asked}: a side is odd")
    return found


def _lost(film: Film, codec: Codec, pixel_format: str) -> str:
    """Say what a film loses in a format; nothing is ""."""
    a, b = _form(film.pixel_format), _form(pixel_format)
    squeezed = coder(codec).narrow and resolved(film.color, film.height).full_range
    if a == b and a.model != "gray" and not squeezed:
        return ""
    lost = []
    if b.model != "yuv":
        lost.append("colour" if b.model == "gray" else "its planes")
    if (12 if coder(codec).widens else b.depth) < a.depth:
        lost.append(f"{a.depth} bits for {b.depth}")
    elif squeezed and b.depth <= a.depth:
        lost.append("full range")
    if any(n % m for n, m in zip(a.subsampling, b.subsampling, strict=True)):
        lost.append("chroma")
    if a.alpha and not b.alpha:
        lost.append("alpha")
    return ", ".join(lost)


def _distance(a: PixelFormat, b: PixelFormat) -> tuple[bool, bool, int, int]:
    """How much more a format holds than it has to."""
    across, down = b.subsampling
    return a != b, b.alpha and not a.alpha, -across * down, b.depth


def _refusal(film: Film, codec: Codec, able: Iterable[str]) -> str:
    form = _form(film.pixel_format)
    others = [
        one
        for one in CODECS
        if "nvenc" not in one
        and any(
            fits(one, _form(name), _size(film)) and not _lost(film, one, name)
            for name in coder(one).formats
        )
    ]
    near = min(able, key=lambda one: _cost(form, _form(one)), default=None)
    said = f"{codec} cannot hold {film.pixel_format} whole; --codec {', '.join(others)} can"
    if near is None:
        return said
    lost = _lost(film, codec, near)
    return f"{said}, or give up what it lacks ({lost}): --pixel-format {near}"


def _cost(a: PixelFormat, b: PixelFormat) -> tuple[bool, float, int]:
    """How much of a format is lost in another."""
    missing = [
        m / n if m > n or n % m else 0 for n, m in zip(a.subsampling, b.subsampling, strict=True)
    ]
    return a.alpha and not b.alpha, sum(missing), max(0, a.depth - b.depth)


def _form(name: str) -> PixelFormat:
    """Look a format up; where in a line its samples lie is of no concern here."""
    return replace(PIXEL_FORMATS[name], places=())


def _kind(bits: int) -> "np.dtype[np.uint8 | np.uint16]":
    return np.dtype(np.uint8) if bits <= 8 else np.dtype(np.uint16)


@lru_cache(maxsize=16)
def _table(source: Codes, target: Codes, *, middle: bool) -> NDArray[np.uint16]:
    """[2^bits]: the code of another depth and range for each code (ITU-T H.273)."""
    (bits, full), (other, filled) = source, target
    before, after = codes(bits, full_range=full), codes(other, full_range=filled)
    span = 2 if middle else 1
    zero = ((1 << bits) >> 1, (1 << other) >> 1) if middle else (before[0], after[0])
    all_of = np.arange(1 << bits, dtype=np.float64)
    # halves go up: where codes are shifted, they are common
    table = np.floor((all_of - zero[0]) * after[span] / before[span] + zero[1] + 0.5)
    return np.clip(table, 0, (1 << other) - 1).astype(_kind(other))


def _looked_up(plane: Plane, source: Codes, target: Codes, *, middle: bool) -> Plane:
    if source == target:
        return plane
    table: Plane = _table(source, target, middle=middle)
    return table[plane]


def _resampled(plane: Plane, a: PixelFormat, b: PixelFormat, size: tuple[int, int]) -> Plane:
    """Spread chroma over the pixels that it speaks for, or take the mean of those."""
    height, width = size
    for axis, (old, new, length) in enumerate(
        zip(a.subsampling[::-1], b.subsampling[::-1], (height, width), strict=True)
    ):
        wanted = -(-length // new)
        if new < old:
            plane = plane.repeat(old // new, axis)[(slice(None),) * axis + (slice(wanted),)]
        elif new > old:
            plane = _mean(plane, axis, new // old, wanted)
    return plane


def _mean(plane: Plane, axis: int, span: int, wanted: int) -> Plane:
    """Take the mean of each ``span`` samples along an axis, the last one repeated over the edge."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (0, wanted * span - plane.shape[axis])
    rows = np.moveaxis(np.pad(plane, padding, mode="edge"), axis, 0)
    sums = rows.reshape(wanted, span, -1).astype(np.uint32).sum(1)
    return np.moveaxis(((2 * sums + span) // (2 * span)).astype(plane.dtype), 0, axis)
