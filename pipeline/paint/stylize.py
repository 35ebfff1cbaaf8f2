"""A frame to its painted frame: whole keyframes, or only the tiles that a hole needs.

A *brush* is a painter's net with one style code; *moments* are the statistics of a shot that the
net normalises with. With moments given, a painted pixel depends on the frame within the net's
apron only, so a tile has the pixels of the whole painted frame. Films' time and files are not known
here, and neither are bars: a caller hands in the picture between them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from pipeline.errors import MissingWeights
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Planes, Rect, to_planes, to_rgb
from pipeline.paint.networks import SIZES, STRIDE, Painter, mirrored
from pipeline.paint.styles import WEIGHTS, StyleCode, manifest

Moments = NDArray[np.float32]
"""[2, C]: mean and variance at each normalisation of the net; about 4 KB."""
_LEAST_GAIN = 1 / 16


@dataclass(frozen=True, slots=True)
class Brush:
    """A net and a code on one device."""

    painter: Painter
    code: torch.Tensor
    """[1, 256]"""
    weights: str
    """sha256 over the weights, with the runtime that they run in"""

    @property
    def apron(self) -> int:
        """Pixels of context around a tile."""
        return self.painter.size.apron


def load_brush(code: StyleCode, *, size: str = "S", device: str = "cpu") -> Brush:
    """Load the shipped painter, check its digest, and give it a code.

    Raises:
        MissingWeights: If the weights are absent, changed, or not made for the code's basis.
    """
    path, listed = WEIGHTS / f"painter-{size}.safetensors", manifest()
    if not path.is_file():
        raise MissingWeights(f"no painter of size {size} at {path}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != listed.get(path.name):
        raise MissingWeights(f"{path} is not what its digest says: {found[:12]}")
    if code.basis != listed.get("basis"):
        raise MissingWeights(f"style {code.name} was made with another basis than the painter's")
    return brush(load_painter(path, size=size), code, weights=found, device=device)


def load_painter(path: Path, *, size: str) -> Painter:
    """Read a painter's weights from a safetensors file; computing is in float32."""
    painter = Painter(SIZES[size])
    painter.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    return painter.eval().requires_grad_(requires_grad=False)


def brush(painter: Painter, code: StyleCode, *, weights: str, device: str = "cpu") -> Brush:
    """Put a painter and a code together on a device."""
    painter = painter.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    values = torch.tensor(code.values, device=device)[None]
    kernels = torch.backends.cpu.get_cpu_capability()
    runtime = f"{weights} torch {torch.__version__} {device} {kernels} float32"
    return Brush(painter, values, hashlib.sha256(runtime.encode()).hexdigest())


@torch.inference_mode()
def measure(held: Brush, pictures: Sequence[NDArray[np.float32]]) -> Moments:
    """Measure a shot's moments in one batched pass, pooled over its pictures at each layer.

    Args:
        held: the brush.
        pictures: at most 4 of the shot, RGB [H, W, 3], all of one size, at unit gain.
    """
    batch = torch.cat([_padded(held, picture, _whole(picture)) for picture in pictures])
    _, used = held.painter(batch, held.code.expand(len(batch), -1), pooled=True)
    return np.asarray(used[0].cpu().numpy(), np.float32)


@torch.inference_mode()
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
    x = _padded(held, picture, part)
    used = torch.from_numpy(moments.copy())[None].to(x.device)
    out, _ = held.painter(x, held.code, used)
    crop = out[0, :, : part.height, : part.width].permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(crop, np.float32)


def paint_planes(
    held: Brush, planes: Planes, moments: Moments, *, tags: ColorTags, inner: Rect | None = None
) -> Planes:
    """``paint`` from planes to planes, 8 bit."""
    part = inner or Rect(0, 0, *planes.luma.shape)
    painted = paint(held, to_rgb(planes, tags), moments, inner=part)
    return to_planes(painted, like=crop(planes, part), tags=tags)


def _whole(picture: NDArray[np.float32]) -> Rect:
    return Rect(0, 0, picture.shape[0], picture.shape[1])


def _padded(held: Brush, picture: NDArray[np.float32], part: Rect) -> torch.Tensor:
    """Take a part with exactly its apron, mirrored where the picture ends: [1, 3, h, w]."""
    if part.top % STRIDE or part.left % STRIDE:
        raise ValueError(f"a part begins on multiples of {STRIDE}, got {part}")
    height, width, _ = picture.shape
    tall = -(-part.height // STRIDE) * STRIDE
    wide = -(-part.width // STRIDE) * STRIDE
    top, left = held.apron - part.top, held.apron - part.left
    bottom = part.top + tall + held.apron - height
    right = part.left + wide + held.apron - width
    inside = picture[
        max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)
    ]
    x = torch.from_numpy(np.ascontiguousarray(inside)).permute(2, 0, 1)[None]
    x = mirrored(x, top=max(0, top), bottom=max(0, bottom), left=max(0, left), right=max(0, right))
    return x.to(held.code.device).contiguous(memory_format=torch.channels_last)
