"""Planes to RGB and back, by the film's own matrix and range.

*Planes* are a frame as the codec stores it; *tags* are the four numbers (ISO/IEC 23091-2) that say
what the planes mean. Nothing here decodes or resizes a film.
"""

from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media import hdr

Plane: TypeAlias = NDArray[np.uint8 | np.uint16]
"""One component, [H, W]: uint8 up to 8 bits, above that uint16 with the codes at its low end."""
Array = TypeVar("Array", Plane, NDArray[np.float32], NDArray[np.bool_])

UNSPECIFIED = 2
"""The code point of a tag that says nothing."""
_KR_KB = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.470 BG, which is BT.601 of 625 lines
    6: (0.299, 0.114),  # SMPTE 170M, which is BT.601 of 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020, non-constant luminance
}
RGB = 0
"""The matrix of a film that is stored as RGB; see ``resolved``."""
MATRICES = frozenset(_KR_KB)
"""Code points of the matrices that can be turned to RGB and back."""

_HD_LINES = 720
_SPANS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class ColorTags:
    """What the samples mean: code points of ISO/IEC 23091-2; 2 is 'unspecified'."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True, slots=True)
class Planes:
    """One frame in Y'CbCr; upright, except on the way from a decoder or to an encoder."""

    luma: Plane
    """[H, W]"""
    blue: Plane
    """Cb, [ceil(H / v), ceil(W / h)] with the subsampling (h, v) of the pixel format."""
    red: Plane
    """Cr, the same shape as ``blue``."""
    alpha: Plane | None = field(default=None, kw_only=True)
    """[H, W], in the codes that the file has; carried, never changed"""
    depth: int = field(default=8, kw_only=True)
    """Bits of a sample of the first three, 8 to 16"""

    def __post_init__(self) -> None:
        """Check that the samples are of the kind that the depth needs."""
        if (self.depth > 8) is not (self.luma.dtype == np.uint16):
            raise ValueError(f"samples of {self.luma.dtype} do not have {self.depth} bits")


@dataclass(frozen=True, slots=True)
class Rect:
    """A region of a frame, in luma pixels of the upright frame."""

    top: int
    left: int
    height: int
    width: int


def resolved(tags: ColorTags, height: int) -> ColorTags:
    """Say what the tags of a film mean for its planes.

    Unspecified is BT.709 from 720 lines on, BT.601 below. A film that is stored as RGB comes as
    full-range planes by BT.709's matrix (see ``samples``).

    >>> resolved(ColorTags(2, 2, 2, full_range=False), 1080).matrix
    1
    """
    default = 1 if height >= _HD_LINES else 6
    primaries, transfer, matrix = (
        default if tag == UNSPECIFIED else tag
        for tag in (tags.primaries, tags.transfer, tags.matrix)
    )
    if matrix == RGB:
        return ColorTags(primaries, transfer, 1, full_range=True)
    return ColorTags(primaries, transfer, matrix, full_range=tags.full_range)


def to_rgb(planes: Planes, tags: ColorTags) -> NDArray[np.float32]:
    """Turn planes to RGB ``[H, W, 3]``, 0 to 1, clipped; of an HDR film, its view (``hdr``).

    A chroma sample speaks for all the pixels it covers, so that the mean over them gives it back.
    """
    signal = _signal(planes, tags)
    return hdr.view(signal, tags.transfer) if tags.transfer in hdr.TRANSFERS else signal


def _signal(planes: Planes, tags: ColorTags) -> NDArray[np.float32]:
    height, width = planes.luma.shape
    down = subsampling(planes)
    size = (planes.blue.shape[1] * down[0], planes.blue.shape[0] * down[1])
    blue, red = (
        plane
        if down == (1, 1)
        else cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST)[:height, :width]
        for plane in (planes.blue, planes.red)
    )
    samples = cv2.merge([planes.luma, blue, red]).astype(np.float32)
    rgb = np.asarray(
        cv2.transform(samples, affine(tags, height, depth=planes.depth)[:3]), np.float32
    )
    return np.clip(rgb, 0, 1, out=rgb)


def to_planes(rgb: NDArray[np.float32], *, like: Planes, tags: ColorTags) -> Planes:
    """Turn RGB ``[H, W, 3]`` to planes without alpha, rounded and clipped.

    Subsampling, depth and, of an HDR film, headroom are those of ``like``. The inverse of
    ``to_rgb``: exactly, wherever that had nothing to clip.
    """
    height, width, depth = *rgb.shape[:2], like.depth
    if like.luma.shape != (height, width):
        raise ValueError(f"expected RGB of {like.luma.shape}, got {rgb.shape}")
    if tags.transfer in hdr.TRANSFERS:
        room = hdr.headroom(_signal(like, tags), tags.transfer)
        rgb = hdr.restored(rgb, room, tags.transfer)
    back = np.linalg.inv(affine(tags, height, depth=depth))[:3]
    samples = np.asarray(cv2.transform(np.ascontiguousarray(rgb), back), np.float32)
    luma, blue, red = np.moveaxis(samples, -1, 0)
    down = subsampling(like)
    return Planes(
        _rounded(luma, depth),
        _rounded(_mean(blue, down), depth),
        _rounded(_mean(red, down), depth),
        depth=depth,
    )


def upright(array: Array, rotation: int) -> Array:
    """Turn a coded picture ``[H, W, ...]`` as a viewer sees it, ``rotation`` counter-clockwise."""
    if rotation % 90:
        raise ValueError(f"rotation must be a multiple of 90 degrees, got {rotation}")
    return np.ascontiguousarray(np.rot90(array, rotation // 90))


def coded(array: Array, rotation: int) -> Array:
    """Turn an upright picture ``[H, W, ...]`` back to how it is stored."""
    return upright(array, -rotation)


def turned(planes: Planes, rotation: int) -> Planes:
    """Turn a stored frame upright, or with -rotation an upright one back to how it is stored."""
    if rotation == 0:
        return planes
    return Planes(
        upright(planes.luma, rotation),
        upright(planes.blue, rotation),
        upright(planes.red, rotation),
        alpha=None if planes.alpha is None else upright(planes.alpha, rotation),
        depth=planes.depth,
    )


def subsampling(planes: Planes) -> tuple[int, int]:
    """Give (horizontal, vertical): luma samples for one of chroma."""
    (height, width), (rows, columns) = planes.luma.shape, planes.blue.shape
    across = next((n for n in _SPANS if -(-width // n) == columns), 0)
    down = next((n for n in _SPANS if -(-height // n) == rows), 0)
    if not across or not down:
        raise ValueError(f"chroma {planes.blue.shape} does not fit luma {planes.luma.shape}")
    return across, down


def eight_bits(plane: Plane, depth: int) -> Plane:
    """Round a plane of so many bits to 8, for looking at and for measuring motion."""
    if depth == 8:
        return plane
    return np.asarray(cv2.convertScaleAbs(plane, alpha=1 / (1 << (depth - 8))), np.uint8)


def in_eight_bits(planes: Planes) -> Planes:
    """Round a frame to 8 bits, for looking at; without alpha. One of 8 bits is given back."""
    if planes.depth == 8:
        return planes
    parts = (planes.luma, planes.blue, planes.red)
    return Planes(*(eight_bits(plane, planes.depth) for plane in parts))


def white(depth: int) -> int:
    """Give the highest code of so many bits."""
    return (1 << depth) - 1


def codes(depth: int, *, full_range: bool) -> tuple[int, int, int]:
    """Give black, the span of luma and that of chroma, in codes of so many bits.

    The middle of chroma is 2^(depth - 1) in both ranges (ITU-T H.273, equations 20 to 25).
    """
    if full_range:
        return 0, white(depth), white(depth)
    return 16 << (depth - 8), 219 << (depth - 8), 224 << (depth - 8)


def affine(tags: ColorTags, height: int, *, depth: int = 8) -> NDArray[np.float64]:
    """[4, 4]: (Y, Cb, Cr, 1) in codes of so many bits to (R, G, B, 1) in 0 to 1."""
    matrix = resolved(tags, height).matrix
    if matrix not in _KR_KB:
        raise ValueError(f"matrix must be one of {sorted(_KR_KB)}, got {matrix}")
    kr, kb = _KR_KB[matrix]
    kg = 1 - kr - kb
    black, luma, chroma = codes(depth, full_range=tags.full_range)
    cb, cr = 2 * (1 - kb) / chroma, 2 * (1 - kr) / chroma
    linear = np.array(
        [[1 / luma, 0, cr], [1 / luma, -kb / kg * cb, -kr / kg * cr], [1 / luma, cb, 0]]
    )
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = -linear @ (black, 1 << (depth - 1), 1 << (depth - 1))
    return affine


def _mean(plane: NDArray[np.float32], down: tuple[int, int]) -> NDArray[np.float32]:
    """Average each box of (columns, rows); a box over the edge has its pixels repeated."""
    if down == (1, 1):
        return plane
    height, width = plane.shape
    bottom, right = -height % down[1], -width % down[0]
    if bottom or right:
        plane = np.pad(plane, ((0, bottom), (0, right)), mode="edge")
    rows, columns = plane.shape[0] // down[1], plane.shape[1] // down[0]
    box = cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(box, np.float32)


def _rounded(plane: NDArray[np.float32], depth: int) -> Plane:
    kind = np.uint8 if depth <= 8 else np.uint16
    return np.clip(np.rint(plane), 0, white(depth)).astype(kind)
