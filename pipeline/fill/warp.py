"""Planes and a small flow to the planes as they would stand elsewhere in time.

Flow stays on its small grid until it is used: it is scaled there, brought to a plane's grid
bilinearly and turned into positions, to 1/32 of a sample. Chroma is taken to lie in the middle of
its luma samples, which is off by a quarter of a chroma sample at most and in both keys alike.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane, Planes, Rect, subsampling, white
from pipeline.motion.flow import Field, Flow, parts, warp

BORDER = 4
"""Samples around a plane that the loops of ``kernels`` fetch from."""
Interpolation = Literal["linear", "cubic"]
Scale = NDArray[np.float32]
"""[2], (x, y)."""


def warp_planes(planes: Planes, flow: Flow, *, luma: Interpolation = "cubic") -> Planes:
    """Fetch each sample from where ``flow`` finds it; beyond the edge the edge goes on.

    No motion gives back the very object, whole pixels an exact shift.

    Args:
        planes: A frame u.
        flow: [h, w, 2], flow(t, u) at analysis size.
        luma: Cubic keeps the texture of paint; bilinear is enough for measuring.
    """
    if not flow.any():
        return planes
    of_luma, of_chroma = scales(planes, flow)
    return Planes(
        luma=_within(_fetch(planes.luma, flow * of_luma, luma), planes.depth),
        blue=_fetch(planes.blue, flow * of_chroma, "linear"),
        red=_fetch(planes.red, flow * of_chroma, "linear"),
        depth=planes.depth,
    )


def scales(planes: Planes, flow: Flow) -> tuple[Scale, Scale]:
    """Give what a small flow is multiplied by, (x, y), to be in samples of luma and of chroma."""
    height, width = planes.luma.shape
    of_luma = np.asarray((width / flow.shape[1], height / flow.shape[0]), np.float32)
    return of_luma, np.asarray(of_luma / np.asarray(subsampling(planes)), np.float32)


def bordered(plane: Plane) -> Plane:
    """Give a plane with its edge going on around it, as the loops of ``kernels`` want it."""
    wide = cv2.copyMakeBorder(plane, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
    return np.asarray(wide, plane.dtype)


@dataclass(frozen=True, slots=True)
class Bordered:
    """A frame that is fetched from more than once, and its planes with their borders."""

    planes: Planes
    luma: Plane
    blue: Plane
    red: Plane


def surrounded(planes: Planes) -> Bordered:
    """Give a frame's planes their borders."""
    parts = (planes.luma, planes.blue, planes.red)
    return Bordered(planes, *(bordered(part) for part in parts))


def widened(field: Field, width: int) -> Field:
    """Bring a small field to the width of a plane; its rows stay as many."""
    size = (width, field.shape[0])
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR), np.float32)


def widened_motion(flow: Flow | None, width: int, scale: Scale | None) -> tuple[Field, Field]:
    """Give the two parts (right, down) of a small flow times ``scale``, widened; None is none."""
    if flow is None or scale is None:
        none = np.zeros((1, width), np.float32)
        return none, none
    across, down = parts(flow)
    return widened(across * scale[0], width), widened(down * scale[1], width)


def crop(planes: Planes, region: Rect) -> Planes:
    """Give a region of a frame, as views of it, without alpha."""
    part = _in_chroma(region, *subsampling(planes))
    return Planes(
        luma=planes.luma[_slices(region)],
        blue=planes.blue[_slices(part)],
        red=planes.red[_slices(part)],
        depth=planes.depth,
    )


def copied(planes: Planes) -> Planes:
    """Give a frame of its own, without alpha."""
    parts = (planes.luma, planes.blue, planes.red)
    return Planes(*(part.copy() for part in parts), depth=planes.depth)


def _within(plane: Plane, depth: int) -> Plane:
    """Hold what a cubic shot over to the highest code, where the samples themselves do not."""
    if depth in (8, 16):
        return plane
    return np.minimum(plane, np.uint16(white(depth)))


def _fetch(plane: Plane, flow: NDArray[np.float32], interpolation: Interpolation) -> Plane:
    """Fetch a plane along a small flow that is already in its samples."""
    height, width = plane.shape
    large = cv2.resize(flow, (width, height), interpolation=cv2.INTER_LINEAR)
    return warp(plane, np.asarray(large, np.float32), interpolation=interpolation)


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
