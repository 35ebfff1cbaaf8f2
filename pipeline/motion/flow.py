"""Two small lumas to the motion between them.

A *flow* says for each pixel of one frame where it is found in another (``pipeline/__init__.py``);
*analysis size* is the small grid on which all motion is measured, whatever the film's size. Nothing
here judges whether a flow is right: that is ``confidence``.

OpenCV's flow depends on its thread count through the stripes in which it propagates, and that count
belongs to the whole process: ``estimate`` sets it to 1 and leaves it there, because putting it back
would race with another thread's estimate.
"""

from functools import lru_cache
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane, eight_bits

Luma = Plane
"""[h, w] at analysis size, in 8 bits whatever the film has."""
Flow = NDArray[np.float32]
"""[h, w, 2], (dx, dy) in pixels of its own grid."""
Field = NDArray[np.float32]
"""[h, w], one number a pixel."""

Pixels = TypeVar("Pixels", Plane, NDArray[np.float32])
Preset = Literal["ultrafast", "fast", "medium"]

_PRESETS: dict[Preset, int] = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_SHORT_SIDE = 270
_LEAST_SIDE = 32  # below 16 OpenCV 5 raises for some shapes and crashes for others


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Give (w, h) of the analysis grid: short side 270, or the film's own if that is less.

    >>> analysis_size(1920, 1080), analysis_size(160, 90)
    ((480, 270), (160, 90))
    """
    if width < 1 or height < 1:
        raise ValueError(f"a film has at least one pixel, got {width}x{height}")
    short = min(width, height)
    side = min(_SHORT_SIDE, short)
    return max(1, round(width * side / short)), max(1, round(height * side / short))


def small_luma(
    luma: Plane, size: tuple[int, int], *, gain: float = 1.0, black: int = 16, depth: int = 8
) -> Luma:
    """Bring a luma plane to analysis size, to 8 bits, and its light to unit gain.

    Args:
        luma: [H, W].
        size: (w, h), as ``analysis_size`` gives it.
        gain: The light of this frame as a multiple of the shot's; divided out above ``black``.
        black: The code, in 8 bits, that stays where it is: 16, or 0 in full range.
        depth: Bits of a sample of ``luma``.
    """
    if gain == 1.0:
        luma = eight_bits(luma, depth)
        return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    # In float, or a deep fade divided by its gain would come out in steps.
    large = luma.astype(np.float32) / np.float32(1 << (depth - 8))
    small = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    lit = (small - black) / np.float32(gain) + black
    return np.asarray(np.clip(np.rint(lit), 0, 255), np.uint8)


def no_motion(shape: tuple[int, ...]) -> Flow:
    """Give the flow of a still picture of shape [h, w]."""
    return np.zeros((*shape[:2], 2), np.float32)


def estimate(at: Luma, of: Luma, *, start: Flow | None = None, preset: Preset = "fast") -> Flow:
    """Estimate flow(at, of) by dense inverse search (Kroeger 2016).

    Equal pictures have no motion, exactly.

    Args:
        at: [h, w], the frame whose pixels ask.
        of: [h, w], the frame in which they are looked for.
        start: A flow to begin from; left as it is.
        preset: How much work; about 1, 2.5 and 16 ms of one core.
    """
    if at.shape != of.shape:
        raise ValueError(f"two lumas of one size are needed, got {at.shape} and {of.shape}")
    if np.array_equal(at, of):
        return no_motion(at.shape)
    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    height, width = at.shape
    right, below = max(0, _LEAST_SIDE - width), max(0, _LEAST_SIDE - height)
    if right or below:
        at, of = (
            cv2.copyMakeBorder(x, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(np.uint8)
            for x in (at, of)
        )
        if start is not None:
            start = np.pad(start, ((0, below), (0, right), (0, 0)), "edge")
    dis = cv2.DISOpticalFlow.create(_PRESETS[preset])
    flow = dis.calc(at, of, no_motion(at.shape) if start is None else start.copy())
    return np.ascontiguousarray(flow[:height, :width], np.float32)


def compose(first: Flow, second: Flow) -> Flow:
    """Chain flow(t, s) and flow(s, u) to flow(t, u)."""
    return first + warp(second, first)


def warp(
    image: Pixels, flow: Flow, *, interpolation: Literal["linear", "cubic"] = "linear"
) -> Pixels:
    """Fetch each pixel from where ``flow`` finds it; beyond the edge the edge goes on.

    No motion gives the picture back exactly, whole pixels an exact shift.

    Args:
        image: [h, w] or [h, w, C], on the grid of ``flow``.
        flow: flow(t, u) for an image of frame u.
        interpolation: "linear" for content and flow, "cubic" for what will be seen.
    """
    if image.shape[:2] != flow.shape[:2]:
        raise ValueError(f"image {image.shape} and flow {flow.shape} are on different grids")
    return fetch(image, positions(flow), cubic=interpolation == "cubic")


def positions(flow: Flow) -> Flow:
    """Give (x, y) of where each pixel is found, [h, w, 2]."""
    return pixel_grid(flow.shape[0], flow.shape[1]) + flow


def parts(flow: Flow) -> tuple[Field, Field]:
    """Give (dx, dy), [h, w] each: what is done to one part after the other is done faster."""
    across, down = cv2.extractChannel(flow, 0), cv2.extractChannel(flow, 1)
    return np.asarray(across, np.float32), np.asarray(down, np.float32)


def fetch(image: Pixels, at: Flow, *, cubic: bool = False) -> Pixels:
    """Fetch each pixel from ``positions``; beyond the edge the edge goes on."""
    how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    # One map holds x and y. The stubs want two, but with an empty one OpenCV 5 fetches rubbish.
    fetched = cv2.remap(  # type: ignore[call-overload]
        image, at, None, how, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(fetched, image.dtype)


@lru_cache(maxsize=8)
def pixel_grid(height: int, width: int) -> Flow:
    """Give (x, y) of each pixel, [h, w, 2]; shared, so read-only."""
    rows, columns = np.indices((height, width), np.float32)
    grid = np.stack((columns, rows), axis=-1)
    grid.setflags(write=False)
    return grid
