"""Picture files and tables to pictures; pictures to fixed crops and to the same picture moved."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipeline.errors import UnreadableFilm

Picture = NDArray[np.uint8]
"""RGB, [H, W, 3]."""


def read_picture(path: Path, *, short_side: int | None = None) -> Picture:
    """Read an image file, reduced to ``short_side`` if it is larger.

    Raises:
        UnreadableFilm: If it is missing or no picture.
    """
    data = np.frombuffer(path.read_bytes(), np.uint8) if path.is_file() else np.empty(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
    if picture is None:
        raise UnreadableFilm(f"not a picture: {path}")
    return reduced(np.asarray(picture, np.uint8), short_side)


def read_table(path: Path, *, limit: int | None = None) -> list[Picture]:
    """Read the column ``jpeg`` of a Parquet table of pictures, in its order."""
    rows = pq.read_table(path, columns=["jpeg"]).column("jpeg").to_pylist()[:limit]
    flags = cv2.IMREAD_COLOR_RGB
    return [np.asarray(cv2.imdecode(np.frombuffer(r, np.uint8), flags), np.uint8) for r in rows]


def reduced(picture: Picture, short_side: int | None) -> Picture:
    """Reduce a picture so that its shorter side is ``short_side``; never enlarge."""
    height, width = picture.shape[:2]
    scale = 1.0 if short_side is None else short_side / min(height, width)
    if scale >= 1:
        return picture
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def style_crops(painting: Picture, *, side: int = 384) -> Tensor:
    """Five fixed crops (centre and corners, 4 % margin) of a painting: [5, 3, side, side], 0..1.

    A painting that is too small for the crops is enlarged first.
    """
    margin = round(0.04 * min(painting.shape[:2]))
    inner = painting[margin : painting.shape[0] - margin, margin : painting.shape[1] - margin]
    short = min(inner.shape[:2])
    if short < side:
        scale = side / short
        size = (max(side, round(inner.shape[1] * scale)), max(side, round(inner.shape[0] * scale)))
        inner = np.asarray(cv2.resize(inner, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    down, right = inner.shape[0] - side, inner.shape[1] - side
    corners = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    crops = [inner[y : y + side, x : x + side] for y, x in corners]
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255


def motion(count: int, *, generator: torch.Generator) -> Tensor:
    """Random small motions as [count, 2, 3] affine maps (x, y, 1) in pixels about the centre.

    Zoom within 5 %, rotation within 3 degrees, shift within 4 px in each axis.
    """
    draw = torch.rand(count, 4, generator=generator) * 2 - 1
    zoom, angle, shift = 1 + 0.05 * draw[:, 0], torch.deg2rad(3 * draw[:, 1]), 4 * draw[:, 2:]
    cos, sin = zoom * angle.cos(), zoom * angle.sin()
    return torch.stack(
        [torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1
    )


def moved(pictures: Tensor, maps: Tensor, *, side: int) -> tuple[Tensor, Tensor]:
    """Warp [N, C, H, H] by affine maps about the centre and crop to ``side``; bicubic.

    Returns:
        [N, C, side, side] and where the source lay inside, [N, 1, side, side] float 0 or 1.
    """
    axis = torch.arange(side, device=pictures.device) - (side - 1) / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1)
    at = torch.einsum("nij,hwj->nhwi", maps.to(pictures.device), points) / (pictures.shape[-1] / 2)
    out = functional.grid_sample(
        pictures, at, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    limit = 1 - 3 / pictures.shape[-1]
    valid = (at.abs().amax(-1, keepdim=True) <= limit).permute(0, 3, 1, 2).to(pictures.dtype)
    return out, valid
