"""A decoder's picture to planes, and planes to an encoder's picture, sample for sample.

Nothing else knows how FFmpeg lays samples out. *Planes* of a film that is stored as RGB are
full-range Y'CbCr 4:4:4 by BT.709's matrix with two bits more than the file has: enough that every
RGB code comes back, so that whatever works on planes works on RGB too. RGB of 16 bits has no room
for them, and comes back within two of its 65,536 codes. Planes of a grey film are 4:2:0 without
colour. Nothing here turns, scales or tone-maps a picture.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

import av
import numpy as np

from pipeline.media.color import ColorTags, Plane, Planes, to_planes, to_rgb

Model: TypeAlias = Literal["yuv", "rgb", "gray"]

_SUBSAMPLINGS = {
    "420": (2, 2),
    "422": (2, 1),
    "444": (1, 1),
    "440": (1, 2),
    "411": (4, 1),
    "410": (4, 4),
}
_DEPTHS = (8, 9, 10, 12, 14, 16)
_MOST = 16
"""Bits of a sample of the planes."""
_PLANES_OF_RGB = ColorTags(1, 1, 1, full_range=True)
_Places: TypeAlias = tuple[tuple[int, int, int], ...]
"""(plane, first, step) of each component: where in a line its samples lie."""
_PLANAR: _Places = tuple((plane, 0, 1) for plane in range(4))
_PACKED: dict[str, tuple[str, _Places]] = {
    "nv12": ("yuv420p", ((0, 0, 1), (1, 0, 2), (1, 1, 2))),
    "nv21": ("yuv420p", ((0, 0, 1), (1, 1, 2), (1, 0, 2))),
    "nv16": ("yuv422p", ((0, 0, 1), (1, 0, 2), (1, 1, 2))),
    "nv24": ("yuv444p", ((0, 0, 1), (1, 0, 2), (1, 1, 2))),
    "yuyv422": ("yuv422p", ((0, 0, 2), (0, 1, 4), (0, 3, 4))),
    "yvyu422": ("yuv422p", ((0, 0, 2), (0, 3, 4), (0, 1, 4))),
    "uyvy422": ("yuv422p", ((0, 1, 2), (0, 0, 4), (0, 2, 4))),
}
"""Layouts that are no planes of their own, and the planar one that holds the same."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How a file's samples become planes."""

    subsampling: tuple[int, int]
    """(horizontal, vertical): luma samples for one of chroma, of the planes"""
    depth: int
    """Bits of a sample of the planes, 8 to 16"""
    alpha: bool
    bits: int
    """Of a sample in the file, and of alpha: two fewer than ``depth`` for RGB of up to 14"""
    model: Model
    places: _Places
    """Of luma, Cb and Cr, or of G, B and R, or of grey, and of alpha"""

    @property
    def whole(self) -> bool:
        """Whether every code comes back from the planes."""
        return self.model != "rgb" or self.depth > self.bits


def _known(name: str) -> bool:
    """Say whether FFmpeg has it: fewer than all combinations."""
    try:
        return av.VideoFormat(name).name == name
    except ValueError:
        return False


def _formats() -> dict[str, PixelFormat]:
    known: dict[str, PixelFormat] = {}

    def add(name: str, down: tuple[int, int], bits: int, model: Model, *, alpha: bool) -> None:
        if _known(name):
            depth = min(_MOST, bits + 2) if model == "rgb" else bits
            known[name] = PixelFormat(down, depth, alpha, bits, model, _PLANAR)

    for bits in _DEPTHS:
        tail = "" if bits == 8 else f"{bits}le"
        for chroma, down in _SUBSAMPLINGS.items():
            add(f"yuv{chroma}p{tail}", down, bits, "yuv", alpha=False)
            add(f"yuva{chroma}p{tail}", down, bits, "yuv", alpha=True)
        add(f"gray{tail}", (2, 2), bits, "gray", alpha=False)
        add(f"gbrp{tail}", (1, 1), bits, "rgb", alpha=False)
        add(f"gbrap{tail}", (1, 1), bits, "rgb", alpha=True)
    for name, (planar, places) in _PACKED.items():
        known[name] = replace(known[planar], places=places)
    for name in ("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr", "rgba", "bgra", "argb", "abgr"):
        order = name.removesuffix("24")
        rgb = tuple((0, order.index(letter), len(order)) for letter in "gbra" if letter in order)
        known[name] = replace(known["gbrap" if "a" in order else "gbrp"], places=rgb)
    for name, deep in (("rgb48le", "gbrp16le"), ("rgba64le", "gbrap16le")):
        known[name] = replace(known[deep], places=known["rgba" if "a" in name else "rgb24"].places)
    for name, gray in (("ya8", "gray"), ("ya16le", "gray16le")):
        known[name] = replace(known[gray], alpha=True, places=((0, 0, 2), (0, 1, 2)))
    return known


PIXEL_FORMATS = _formats()
"""What is covered, by FFmpeg's names; see ``plain`` for those with a j."""


def plain(name: str) -> str:
    """Give the name of a pixel format without its range, which is the tags' to say.

    >>> plain("yuvj420p")
    'yuv420p'
    """
    return name.replace("yuvj", "yuv")


def planes_of(picture: av.VideoFrame) -> Planes:
    """Copy a decoded picture's samples out of the decoder's padded lines."""
    form = PIXEL_FORMATS[plain(picture.format.name)]
    parts = [view.copy() for view in _views(picture, form)]
    alpha = parts.pop() if form.alpha else None
    if form.model == "gray":
        luma = parts[0]
        half = (-(-luma.shape[0] // 2), -(-luma.shape[1] // 2))
        neutral = np.full(half, 1 << (form.bits - 1), luma.dtype)
        return Planes(luma, neutral, neutral, alpha=alpha, depth=form.depth)
    if form.model == "rgb":
        return replace(_from_rgb(parts, form), alpha=alpha)
    return Planes(parts[0], parts[1], parts[2], alpha=alpha, depth=form.depth)


def picture_of(planes: Planes, pixel_format: str) -> av.VideoFrame:
    """Lay a stored (not an upright) frame out as an encoder wants it.

    Args:
        planes: Of the format's subsampling and depth; of a grey format, chroma is left out.
        pixel_format: A key of ``PIXEL_FORMATS``.

    Raises:
        ValueError: If the planes are not the format's.
    """
    form = PIXEL_FORMATS[pixel_format]
    if planes.depth != form.depth:
        raise ValueError(f"{pixel_format} wants planes of {form.depth} bits, got {planes.depth}")
    height, width = planes.luma.shape
    picture = av.VideoFrame(width, height, pixel_format)
    sources = [planes.luma, planes.blue, planes.red]
    if form.model == "gray":
        sources = sources[:1]
    elif form.model == "rgb":
        sources = _to_rgb(planes, form)
    if form.alpha:
        if planes.alpha is None:
            raise ValueError(f"{pixel_format} wants alpha")
        sources.append(planes.alpha)
    for number, (plane, target) in enumerate(zip(sources, _views(picture, form), strict=True)):
        if plane.dtype != target.dtype or plane.shape != target.shape:
            raise ValueError(
                f"plane {number} of {pixel_format} must be {target.dtype} {target.shape}, "
                f"got {plane.dtype} {plane.shape}"
            )
        target[...] = plane
    return picture


def _from_rgb(parts: list[Plane], form: PixelFormat) -> Planes:
    green, blue, red = parts
    rgb = np.stack([red, green, blue], axis=-1).astype(np.float32)
    rgb /= np.float32((1 << form.bits) - 1)
    wide = green.astype(_kind(form.depth))
    return to_planes(rgb, like=Planes(wide, wide, wide, depth=form.depth), tags=_PLANES_OF_RGB)


def _to_rgb(planes: Planes, form: PixelFormat) -> list[Plane]:
    if planes.blue.shape != planes.luma.shape:
        raise ValueError(f"RGB of {form.bits} bits wants 4:4:4 of {form.depth}")
    rgb = to_rgb(planes, _PLANES_OF_RGB)
    codes = np.rint(rgb * np.float32((1 << form.bits) - 1)).astype(_kind(form.bits))
    return [codes[..., 1], codes[..., 2], codes[..., 0]]


def _kind(bits: int) -> "np.dtype[np.uint8 | np.uint16]":
    return np.dtype(np.uint8) if bits <= 8 else np.dtype(np.uint16)


def _views(picture: av.VideoFrame, form: PixelFormat) -> list[Plane]:
    """Give views of a picture's components, [H, W] each, alpha last."""
    across, down = form.subsampling
    whole = picture.height, picture.width
    small = -(-picture.height // down), -(-picture.width // across)
    shapes = [whole] if form.model == "gray" else [whole, small, small]
    shapes += [whole] * form.alpha
    views = []
    for (height, width), (number, first, step) in zip(shapes, form.places, strict=False):
        plane = picture.planes[number]
        samples: Plane = np.frombuffer(cast(bytes, plane), _kind(form.bits))
        wide = plane.line_size // samples.itemsize
        lines = samples[: height * wide].reshape(height, wide)
        views.append(lines[:, first::step][:, :width])
    return views
