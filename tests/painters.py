"""Keys to painted keys without a net: stand-ins for tests of everything around the painter.

A *stand-in* does what the coordinator asks of a ``Painting`` and keeps count of it. None of them
paints: they change samples in ways of which a test knows the result. Never used outside the tests.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.stylizer import Moments
from pipeline.fill.tiles import Tile
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Plane, Planes
from pipeline.needs import Window
from pipeline.paint.styles import StyleCode

_BLACK = 16


class Identity:
    """Gives back what it gets."""

    weights = "no weights"
    apron = 4

    def __init__(self) -> None:
        self.style = "as it is"
        self.painted: list[int] = []
        """Every frame that was asked for whole, in the order of asking."""
        self.tiled: list[int] = []
        """Every frame of which a window was asked for."""
        self.shots = 0
        """How often moments were measured."""

    def measure(self, samples: Sequence[Planes], _tags: ColorTags) -> Moments:
        """Measure the mean luma, which is enough to notice a wrong shot."""
        self.shots += 1
        return np.array([np.mean([planes.luma.mean() for planes in samples])], np.float32)

    def paint(
        self, keys: Mapping[int, Planes], moments: Moments, _tags: ColorTags
    ) -> dict[int, Planes]:
        """Change whole keys."""
        done = {}
        for frame, planes in keys.items():
            done[frame] = self.change(planes, moments, frame)
            self.painted.append(frame)
        return done

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Change whole keys of several shots."""
        return [self.paint(keys, moments, tags) for keys, moments in lots]

    def tiles(
        self, windows: Mapping[int, Sequence[Window]], moments: Moments, _tags: ColorTags
    ) -> dict[int, tuple[Tile, ...]]:
        """Change the windows of holes."""
        self.tiled.extend(windows)
        return {
            frame: tuple(
                Tile(w.rect, crop(self.change(w.planes, moments, frame), w.inner)) for w in here
            )
            for frame, here in windows.items()
        }

    def change(self, planes: Planes, _moments: Moments, _frame: int) -> Planes:
        """Change nothing."""
        return planes


class Washes(Identity):
    """Bends tones around the shot's mean, turns colours, and smooths within its apron.

    Black stays black, and each sample depends on its neighbours alone, so tiles are exact.
    """

    def __init__(self, *, bend: float = 0.35) -> None:
        super().__init__()
        self.style = f"washes {bend}"
        self._bend = bend

    def change(self, planes: Planes, moments: Moments, _frame: int) -> Planes:
        """Bend, turn and smooth."""
        luma = cv2.LUT(planes.luma, self._tones(float(moments[0])))
        turn = np.clip(255 - np.arange(256), 0, 255).astype(np.uint8)
        return Planes(
            luma=_smooth(np.asarray(luma, np.uint8)),
            blue=_smooth(np.asarray(cv2.LUT(planes.red, turn), np.uint8)),
            red=_smooth(planes.blue),
        )

    def _tones(self, mean: float) -> NDArray[np.uint8]:
        above = np.maximum(np.arange(256) - _BLACK, 0.0)
        period = max(mean - _BLACK, 8.0)
        bent = above * (1 + self._bend * np.sin(2 * np.pi * above / period) ** 2)
        return np.clip(np.rint(_BLACK + bent), 0, 255).astype(np.uint8)


class Boils(Washes):
    """Paints every frame with a noise of its own, as a net without any memory might."""

    def __init__(self, *, noise: int = 40) -> None:
        super().__init__()
        self.style = f"boils {noise}"
        self._noise = noise

    def change(self, planes: Planes, moments: Moments, frame: int) -> Planes:
        """Add noise."""
        washed = super().change(planes, moments, frame)
        random = np.random.default_rng(frame)
        noise = random.integers(-self._noise, self._noise + 1, washed.luma.shape)
        luma = np.clip(washed.luma + noise, _BLACK, 235).astype(np.uint8)
        return Planes(luma, washed.blue, washed.red)


class Breaks(Washes):
    """Raises when asked for its k-th key."""

    def __init__(self, *, at: int, error: BaseException) -> None:
        super().__init__()
        self._at, self._error = at, error

    def change(self, planes: Planes, moments: Moments, frame: int) -> Planes:
        """Do as ``Washes``, until it is time."""
        if len(self.painted) >= self._at:
            raise self._error
        return super().change(planes, moments, frame)


def any_code(name: str) -> StyleCode:
    """A code that no net is asked to paint by."""
    return StyleCode(name, (0.0,) * 256, "no basis")


def _smooth(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (3, 3)), np.uint8)
