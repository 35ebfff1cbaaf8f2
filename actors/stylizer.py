"""Keys and windows to painted keys and tiles: the shell around the net, one a GPU.

The net's library is imported when the first brush is loaded, so that whoever wires a stylizer need
not wait; torch only where there is a GPU, or no OpenVINO.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ClusterFailed
from pipeline.fill.tiles import Tile
from pipeline.media.color import ColorTags, Planes
from pipeline.needs import Window
from pipeline.paint.styles import StyleCode, size_for
from pipeline.paint.working import Working, working
from pipeline.recipe import Recipe

if TYPE_CHECKING:
    from pipeline.paint.runtime import Net
    from pipeline.paint.stylize import Brush

Moments = NDArray[np.float32]


class Painting(Protocol):
    """What the coordinator asks of whoever paints."""

    @property
    def weights(self) -> str:
        """Digest of the net's weights and of the runtime that they run in."""

    @property
    def style(self) -> str:
        """Digest of the style code."""

    @property
    def apron(self) -> int:
        """Pixels of the film that a tile needs on each side; a multiple of 4."""

    def measure(self, samples: Sequence[Planes], tags: ColorTags) -> Moments:
        """Measure a shot's moments."""

    def paint(
        self, keys: Mapping[int, Planes], moments: Moments, tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint whole keys."""

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint whole keys of several shots, each lot by its own moments."""

    def tiles(
        self, windows: Mapping[int, Sequence[Window]], moments: Moments, tags: ColorTags
    ) -> dict[int, tuple[Tile, ...]]:
        """Paint the windows of holes."""


@dataclass(frozen=True, slots=True)
class Hire:
    """What makes a stylizer: travels to wherever one is wanted."""

    code: StyleCode
    size: str = "S"
    device: str = "cpu"
    threads: int | None = None
    working: Working | None = None
    """the size that the net works at; None is the film's own"""
    structure: float = 0.0
    """0 to 1: how far shapes are kept"""
    alone: bool = False
    """paint each frame with its own statistics, not with its shot's"""

    @property
    def net(self) -> tuple[object, ...]:
        """What tells its net from others; styles share one, unless a painting was trained alone."""
        return self.size, self.device, self.threads, self.code.delta and self.code.digest

    def __call__(self) -> "Stylizer":
        """Load the brush; see ``Stylizer``."""
        return Stylizer(
            self.code,
            size=self.size,
            device=self.device,
            threads=self.threads,
            working=self.working,
            structure=self.structure,
            alone=self.alone,
        )


def hire_for(
    recipe: Recipe,
    code: StyleCode,
    size: tuple[int, int],
    *,
    device: str,
    threads: int | None,
) -> Hire:
    """What makes the stylizer that a recipe asks for; ``size`` is the film's (width, height)."""
    return Hire(
        code,
        size=size_for(recipe.size, device),
        device=device,
        threads=threads,
        working=working(size, recipe.style_scale),
        structure=recipe.structure,
        alone=recipe.statistics == "frame",
    )


class Stylizer:
    """The net with one style code on one device."""

    def __init__(
        self,
        code: StyleCode,
        *,
        size: str = "S",
        device: str = "cpu",
        threads: int | None = None,
        working: Working | None = None,
        structure: float = 0.0,
        alone: bool = False,
    ) -> None:
        """Load the brush; ``threads`` are the net's on the CPU, None leaves them to its library."""
        from pipeline.paint.stylize import brush_of, load_painter

        if device.startswith("cuda"):
            _steady_gpu()
        self._code, self._working, self._alone = code, working, alone
        key = Hire(code, size, device, threads).net
        if key not in _nets:
            _nets.clear()  # one net in memory, never two
            _nets[key] = load_painter(code, size=size, device=device, threads=threads)
        net, weights = _nets[key]
        self._brush: Brush = brush_of(net, code, weights=weights, structure=structure)

    @property
    def weights(self) -> str:
        """sha256 over the weights, with the runtime."""
        return self._brush.weights

    @property
    def style(self) -> str:
        """sha256 of the style code."""
        return self._code.digest

    @property
    def apron(self) -> int:
        """Pixels of the film that a tile needs on each side; a multiple of 4."""
        from pipeline.paint.stylize import apron_of

        return apron_of(self._brush, self._working)

    def measure(self, samples: Sequence[Planes], tags: ColorTags) -> Moments:
        """Measure a shot's moments in one pass over its samples."""
        from pipeline.paint.stylize import measure_planes

        return measure_planes(self._brush, samples, tags=tags, working=self._working)

    def paint(
        self, keys: Mapping[int, Planes], moments: Moments, tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint whole keys of one shot."""
        return self.paint_lots([(keys, moments)], tags)[0]

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint whole keys of several shots: in batches on a GPU, else one at a time."""
        from pipeline.paint.stylize import paint_wholes

        wholes = [
            (planes, self.measure([planes], tags) if self._alone else moments)
            for keys, moments in lots
            for planes in keys.values()
        ]
        painted = iter(paint_wholes(self._brush, wholes, tags=tags, working=self._working))
        return [{frame: next(painted) for frame in keys} for keys, _ in lots]

    def tiles(
        self, windows: Mapping[int, Sequence[Window]], moments: Moments, tags: ColorTags
    ) -> dict[int, tuple[Tile, ...]]:
        """Paint the windows of holes, one at a time."""
        return {
            frame: tuple(Tile(w.rect, self._window(w, moments, tags)) for w in here)
            for frame, here in windows.items()
        }

    def _window(self, window: Window, moments: Moments, tags: ColorTags) -> Planes:
        from pipeline.paint.stylize import paint_planes

        return paint_planes(
            self._brush,
            window.planes,
            moments,
            tags=tags,
            view=window.view,
            working=self._working,
        )


_nets: "dict[tuple[object, ...], tuple[Net, str]]" = {}
"""Of this process, with the digest of its weights: films of several styles share it."""


def _steady_gpu() -> None:
    """Make a GPU give the same float32 pixels each time.

    Raises:
        ClusterFailed: If torch finds none.
    """
    import torch

    if not torch.cuda.is_available():
        raise ClusterFailed("a GPU was counted, but torch finds none; --gpus 0 paints without")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
