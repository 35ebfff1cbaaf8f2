"""A frame to its painted frame: whole keyframes, or only the tiles that a hole needs.

A *brush* is a painter's net with its style codes; *moments* are what they and the statistics of a
shot make of the net. With moments given, a painted pixel depends on the frame within the net's
apron only, so a tile has the pixels of the whole painted frame. Films' time and files are not known
here, and neither are bars: a caller hands in the picture between them. ``measure`` and ``paint``
are at the size that the net works at, ``measure_planes`` and ``paint_planes`` at the film's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import MissingWeights
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Planes, Rect, to_planes, to_rgb
from pipeline.paint.runtime import Batching, Net, load_net, read_weights
from pipeline.paint.sizes import STRIDE
from pipeline.paint.structure import encoder_identity, leaning, own_code
from pipeline.paint.styles import WEIGHTS, StyleCode, manifest
from pipeline.paint.working import View, Working, paint_reduced, reduced, sketched, whole

Moments = NDArray[np.float32]
"""[2, C]: scale and shift at each modulation of the net, with code and statistics folded in; about
4 KB."""
_TOGETHER = 8
"""Pictures that are held as floats at a time."""


@dataclass(frozen=True, slots=True)
class Brush:
    """A net and the codes that it paints by."""

    net: Net
    codes: NDArray[np.float32]
    """[L, 256], a row for each modulation"""
    weights: str
    """sha256 over the weights, with the runtime that they run in"""
    structure: float = 0.0
    """0 to 1: how far the middle layers follow the shot's own code"""

    @property
    def apron(self) -> int:
        """Pixels of context around a tile."""
        return self.net.size.apron


def load_brush(
    code: StyleCode,
    *,
    size: str = "S",
    device: str = "cpu",
    threads: int | None = None,
    structure: float = 0.0,
) -> Brush:
    """Load the shipped painter, check its digest, and give it a code; see ``load_net``.

    Raises:
        MissingWeights: If the weights are absent, changed, or not made for the code's basis.
    """
    net, found = load_painter(code, size=size, device=device, threads=threads)
    return brush_of(net, code, weights=found, structure=structure)


def load_painter(
    code: StyleCode, *, size: str = "S", device: str = "cpu", threads: int | None = None
) -> tuple[Net, str]:
    """Load the shipped painter, with what training for a code's painting alone has added.

    Returns:
        The net, which codes without such an addition share, and the digest of its weights' file.

    Raises:
        MissingWeights: If the weights are absent, changed, or not made for the code's basis.
    """
    path, found = painter_file(size)
    _check_basis(code)
    if code.delta is not None and code.delta.painter not in ("", found):
        raise MissingWeights(f"style {code.name} was trained with another painter than this one")
    weights = tuned(read_weights(path), code)
    return load_net(weights, size=size, device=device, threads=threads), found


def brush_of(net: Net, code: StyleCode, *, weights: str, structure: float = 0.0) -> Brush:
    """Give a net that is loaded a code.

    Args:
        net: as ``load_painter`` gives it, for this code or for another one without an addition.
        code: the style.
        weights: the digest that came with the net.
        structure: 0 to 1: how far shapes are kept.

    Raises:
        MissingWeights: If the net was not made for the code's basis.
    """
    _check_basis(code)
    if structure:  # then the encoder has its part in what is painted
        weights += encoder_identity()
    return replace(brush(net, code, weights=weights), structure=structure)


def _check_basis(code: StyleCode) -> None:
    if code.basis != manifest().get("basis"):
        raise MissingWeights(f"style {code.name} was made with another basis than the painter's")


def tuned(
    weights: Mapping[str, NDArray[np.float32]], code: StyleCode
) -> dict[str, NDArray[np.float32]]:
    """Add what training for one painting alone has added; without that, the weights as they are.

    Raises:
        MissingWeights: If it was trained with a painter of another size.
    """
    out = dict(weights)
    for name, added in (code.delta.arrays if code.delta else {}).items():
        if name not in out or out[name].shape != added.shape:
            raise MissingWeights(f"style {code.name} was trained with a painter of another size")
        out[name] = out[name] + added
    return out


def painter_file(size: str) -> tuple[Path, str]:
    """Find the shipped painter's weights and check their digest, sha256.

    Raises:
        MissingWeights: If the weights are absent or changed.
    """
    path = WEIGHTS / f"painter-{size}.safetensors"
    if not path.is_file():
        raise MissingWeights(f"no painter of size {size} at {path}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != manifest().get(path.name):
        raise MissingWeights(f"{path} is not what its digest says: {found[:12]}")
    return path, found


def brush(net: Net, code: StyleCode, *, weights: str) -> Brush:
    """Put a net and a code together; ``weights`` is the digest of the net's."""
    row = np.asarray(code.values, np.float32)
    identity = hashlib.sha256(f"{weights} {net.identity}".encode()).hexdigest()
    return Brush(net, np.tile(row, (len(net.size.modulations), 1)), identity)


def measure(held: Brush, pictures: Sequence[NDArray[np.float32]]) -> Moments:
    """Measure a shot's scale and shift in one pass, moments pooled over its pictures at each layer.

    Args:
        held: the brush.
        pictures: at most 4 of the shot, RGB [H, W, 3], all of one size, at unit gain.
    """
    batch = [_padded(picture, _whole(picture), apron=held.apron) for picture in pictures]
    codes = held.codes
    if held.structure:
        codes = leaning(codes, own_code(pictures), held.structure, size=held.net.size)
    return held.net.measure(np.stack(batch).transpose(0, 3, 1, 2), codes)


def paint(
    held: Brush, picture: NDArray[np.float32], moments: Moments, *, inner: Rect | None = None
) -> NDArray[np.float32]:
    """Paint a picture, or the part of it that lies in ``inner``.

    Args:
        held: the brush.
        picture: RGB [H, W, 3]. For a part: the part with its apron, as far as the frame goes; its
            top left corner on a multiple of 4 of the frame.
        moments: of the shot.
        inner: the part, top and left multiples of 4.

    Returns:
        RGB [H, W, 3], or the size of ``inner``.
    """
    part = inner or _whole(picture)
    x = _padded(picture, part, apron=held.apron)[None].transpose(0, 3, 1, 2)
    out = held.net.paint(x, moments)
    return np.ascontiguousarray(out[0, :, : part.height, : part.width].transpose(1, 2, 0))


def measure_planes(
    held: Brush, samples: Sequence[Planes], *, tags: ColorTags, working: Working | None = None
) -> Moments:
    """``measure`` from planes of any depth, at a working size or at their own."""
    if working is None:
        return measure(held, [to_rgb(planes, tags) for planes in samples])
    return measure(held, [reduced(planes, working, tags=tags) for planes in samples])


def paint_planes(
    held: Brush,
    planes: Planes,
    moments: Moments,
    *,
    tags: ColorTags,
    view: View | None = None,
    working: Working | None = None,
) -> Planes:
    """``paint`` from planes to planes of the same depth.

    Args:
        held: the brush.
        planes: a picture, or a part of one with ``apron_of`` pixels around what is wanted.
        moments: of the shot, measured at the same working size.
        tags: what samples mean, nothing unspecified.
        view: what ``planes`` are of the picture, and what is wanted; None is all of it. At the
            film's own size it begins on multiples of 4.
        working: the size that the net works at; None is the film's own.
    """
    part = view or whole(planes)
    if working is None:
        painted = paint(held, to_rgb(planes, tags), moments, inner=part.inner)
        return to_planes(painted, like=crop(planes, part.inner), tags=tags)

    def at_working_size(picture: NDArray[np.float32], inner: Rect) -> NDArray[np.float32]:
        return paint(held, picture, moments, inner=inner)

    return paint_reduced(planes, part, working, tags=tags, paint=at_working_size, apron=held.apron)


def paint_wholes(
    held: Brush,
    wholes: Sequence[tuple[Planes, Moments]],
    *,
    tags: ColorTags,
    working: Working | None = None,
) -> list[Planes]:
    """``paint_planes`` for whole pictures of any shots, each by its own moments.

    A net that paints in batches gets pictures of one size together; any other, one at a time.
    """
    net = held.net
    if not isinstance(net, Batching):
        return [paint_planes(held, p, m, tags=tags, working=working) for p, m in wholes]
    painted: dict[int, Planes] = {}
    sizes: dict[tuple[int, ...], list[int]] = {}
    for number, (planes, _) in enumerate(wholes):
        sizes.setdefault(planes.luma.shape, []).append(number)
    for numbers in sizes.values():
        for first in range(0, len(numbers), _TOGETHER):
            some = numbers[first : first + _TOGETHER]
            many = [wholes[number] for number in some]
            painted |= zip(some, _together(net, many, tags, working), strict=True)
    return [painted[number] for number in range(len(wholes))]


def _together(
    net: Batching,
    wholes: Sequence[tuple[Planes, Moments]],
    tags: ColorTags,
    working: Working | None,
) -> list[Planes]:
    """Paint pictures of one size."""
    affines = [moments for _, moments in wholes]
    if working is None:
        painted = net.paint_many([to_rgb(planes, tags) for planes, _ in wholes], affines)
        pairs = zip(painted, wholes, strict=True)
        return [to_planes(one, like=planes, tags=tags) for one, (planes, _) in pairs]
    apron = net.size.apron
    sketches = [
        sketched(planes, whole(planes), working, tags=tags, apron=apron) for planes, _ in wholes
    ]
    painted = net.paint_many([sketch.picture for sketch in sketches], affines)
    return [sketch.enlarged(one) for sketch, one in zip(sketches, painted, strict=True)]


def apron_of(held: Brush, working: Working | None) -> int:
    """Pixels of the film that a part needs around it; a multiple of 4."""
    return held.apron if working is None else working.apron(held.apron)


def _whole(picture: NDArray[np.float32]) -> Rect:
    return Rect(0, 0, picture.shape[0], picture.shape[1])


def _padded(picture: NDArray[np.float32], part: Rect, *, apron: int) -> NDArray[np.float32]:
    """Take a part with exactly its apron, mirrored where the picture ends: [h, w, 3].

    However small the picture is: it swings between its edges, which are not repeated.
    """
    if part.top % STRIDE or part.left % STRIDE:
        raise ValueError(f"a part begins on multiples of {STRIDE}, got {part}")
    tall = -(-part.height // STRIDE) * STRIDE
    wide = -(-part.width // STRIDE) * STRIDE
    height, width, _ = picture.shape
    top, left = apron - part.top, apron - part.left
    bottom, right = part.top + tall + apron - height, part.left + wide + apron - width
    inside = picture[
        max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)
    ]
    above, below, before, after = (max(0, edge) for edge in (top, bottom, left, right))
    return np.asarray(
        cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REFLECT_101), np.float32
    )
