"""Keys to painted keys in next to no time: a painter for what is measured around the net.

It bends tones around the shot's mean, swaps colours and sharpens, of 8 bits. As with any painter, a
painted sample depends on its frame, its neighbours within the apron and its shot's moments alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.stylizer import Moments
from pipeline.fill.tiles import Tile
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Plane, Planes
from pipeline.needs import Window

_BLACK = 16
_BEND = 0.35
_KERNEL = np.array([[0, -1, 0], [-1, 8, -1], [0, -1, 0]], np.float32) / 4
"""Sharpens by powers of two: exact in floats, so that a tile's place changes no bit."""


class Light:
    """The painter."""

    weights = "a tone curve and a 3x3 kernel, 1"
    style = "light"
    apron = 4

    def measure(self, samples: Sequence[Planes], _tags: ColorTags) -> Moments:
        """Measure the mean luma."""
        return np.array([np.mean([planes.luma.mean() for planes in samples])], np.float32)

    def paint(
        self, keys: Mapping[int, Planes], moments: Moments, _tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint whole keys."""
        return {frame: _painted(planes, moments) for frame, planes in keys.items()}

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint whole keys of several shots."""
        return [self.paint(keys, moments, tags) for keys, moments in lots]

    def tiles(
        self, windows: Mapping[int, Sequence[Window]], moments: Moments, _tags: ColorTags
    ) -> dict[int, tuple[Tile, ...]]:
        """Paint the windows of holes."""
        return {
            frame: tuple(
                Tile(one.rect, crop(_painted(one.planes, moments), one.inner)) for one in here
            )
            for frame, here in windows.items()
        }


@dataclass(frozen=True, slots=True)
class HireLight:
    """What makes the painter: travels to wherever one is wanted."""

    def __call__(self) -> Light:
        """Make it."""
        return Light()


def _painted(planes: Planes, moments: Moments) -> Planes:
    tones = _tones(float(moments[0]))
    luma = np.asarray(cv2.LUT(planes.luma, tones), np.uint8)
    sharp = cv2.filter2D(luma, -1, _KERNEL, borderType=cv2.BORDER_REPLICATE)
    return Planes(np.asarray(sharp, np.uint8), _turned(planes.red), planes.blue)


def _tones(mean: float) -> NDArray[np.uint8]:
    above = np.maximum(np.arange(256) - _BLACK, 0.0)
    period = max(mean - _BLACK, 8.0)
    bent = above * (1 + _BEND * np.sin(2 * np.pi * above / period) ** 2)
    return np.clip(np.rint(_BLACK + bent), 0, 255).astype(np.uint8)


def _turned(plane: Plane) -> Plane:
    return np.asarray(255 - plane, np.uint8)
