"""Planes and a small flow to the planes as they would stand elsewhere in time.

A *region* is the part of a frame that is wanted when not all of it is. Flow stays on its small grid
until it is used: it is scaled there, brought to a plane's grid bilinearly and turned into the
positions that OpenCV fetches from, to 1/32 of a pixel. Chroma is taken to lie in the middle of its
luma samples, which is off by a quarter of a chroma sample at most and in both keys alike.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane, Planes, Rect
from pipeline.motion.flow import Field, Flow

Interpolation = Literal["linear", "cubic"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where each sample of a frame is fetched from, (x, y) in samples of its plane."""

    luma: Flow
    """[H, W, 2]"""
    chroma: Flow
    """[H / v, W / h, 2], rounded up."""


def warp_planes(planes: Planes, flow: Flow, *, luma: Interpolation = "cubic") -> Planes:
    """Fetch each sample from where ``flow`` finds it; beyond the edge the edge goes on.

    No motion gives back the very object, whole pixels an exact shift.

    Args:
        planes: A frame u.
        flow: [h, w, 2], flow(t, u) at analysis size.
        luma: Cubic keeps the texture of paint; bilinear is enough for measuring.
    """
    return fetch(planes, places(flow, planes), luma=luma) if flow.any() else planes


def places(flow: Flow, planes: Planes) -> Places:
    """Bring a small flow to the grids of a frame's planes."""
    horizontal, vertical = subsampling(planes)
    height, width = planes.luma.shape
    pixels = flow * np.asarray((width / flow.shape[1], height / flow.shape[0]), np.float32)
    at = _positions(pixels, planes.luma.shape)
    if (horizontal, vertical) == (1, 1):
        return Places(at, at)
    samples = pixels * np.asarray((1 / horizontal, 1 / vertical), np.float32)
    return Places(at, _positions(samples, planes.blue.shape))


def fetch(
    planes: Planes, at: Places, *, luma: Interpolation = "cubic", region: Rect | None = None
) -> Planes:
    """Fetch a frame, or the region of it that is wanted, from where its samples are."""
    at_luma, at_chroma = at.luma, at.chroma
    if region is not None:
        at_luma = at_luma[_slices(region)]
        at_chroma = at_chroma[_slices(_in_chroma(region, *subsampling(planes)))]
    return Planes(
        luma=_fetch(planes.luma, at_luma, luma),
        blue=_fetch(planes.blue, at_chroma, "linear"),
        red=_fetch(planes.red, at_chroma, "linear"),
    )


def warp_plane(plane: Plane, flow: Flow, *, interpolation: Interpolation = "linear") -> Plane:
    """Do for one plane of any size what ``warp_planes`` does for three."""
    if not flow.any():
        return plane
    height, width = plane.shape
    scale = np.asarray((width / flow.shape[1], height / flow.shape[0]), np.float32)
    return _fetch(plane, _positions(flow * scale, plane.shape), interpolation)


def upscale(field: Field, size: tuple[int, int]) -> Field:
    """Bring a small field to ``size`` = (w, h), bilinearly; a field of that size is given back."""
    if field.shape == (size[1], size[0]):
        return field
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), np.float32)


def crop(planes: Planes, region: Rect) -> Planes:
    """Give a region of a frame, as views of it."""
    part = _in_chroma(region, *subsampling(planes))
    return Planes(
        luma=planes.luma[_slices(region)],
        blue=planes.blue[_slices(part)],
        red=planes.red[_slices(part)],
    )


def subsampling(planes: Planes) -> tuple[int, int]:
    """Give (horizontal, vertical): luma samples for one of chroma."""
    height, width = planes.luma.shape
    chroma_height, chroma_width = planes.blue.shape
    return -(-width // chroma_width), -(-height // chroma_height)


def _positions(flow: NDArray[np.float32], shape: tuple[int, ...]) -> Flow:
    """Give (x, y) to fetch from, [H, W, 2], for a flow already in samples of the plane."""
    height, width = shape[:2]
    large = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(large, _grid(height, width)), np.float32)


def _fetch(plane: Plane, positions: Flow, interpolation: Interpolation) -> Plane:
    how = cv2.INTER_CUBIC if interpolation == "cubic" else cv2.INTER_LINEAR
    # One map holds x and y. The stubs want two, but with an empty one OpenCV 5 fetches rubbish.
    fetched = cv2.remap(  # type: ignore[call-overload]
        plane, positions, None, how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(fetched, np.uint8)


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> Flow:
    """Give (x, y) of each sample, [H, W, 2]; shared, so read-only."""
    rows, columns = np.indices((height, width), np.float32)
    grid = np.stack((columns, rows), axis=-1)
    grid.setflags(write=False)
    return grid


def _in_chroma(region: Rect, horizontal: int, vertical: int) -> Rect:
    bottom = -(-(region.top + region.height) // vertical)
    right = -(-(region.left + region.width) // horizontal)
    top, left = region.top // vertical, region.left // horizontal
    return Rect(top, left, bottom - top, right - left)


def _slices(region: Rect) -> tuple[slice, slice]:
    return (
        slice(region.top, region.top + region.height),
        slice(region.left, region.left + region.width),
    )
