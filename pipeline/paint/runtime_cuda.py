"""Batches of pictures to painted pictures on a GPU: bfloat16, channels last, one CUDA graph.

The pictures of a batch may come from several shots, each with its own affine. Padding and
conversion are done on the GPU. Jobs give whole keys as floats and take floats; u8, with rounding on
the GPU, is for frames that come and go as they are. Moments, and tiles of holes, which come in all
sizes, stay with float32 and one picture at a time (``runtime_torch``).

A batch always has the same number of pictures, repeated if need be, so that the same kernels paint
a key whatever it is painted with. **This has not run on a GPU yet**: all but the graph and the
compiler is tested on CPUs, in float32. To be looked at first where there is one: that a key has the
same bits in any batch, and how far bfloat16 is from float32 (``python -m jobs.bench_speed_gpu``).
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.paint.layers import Array, Weights
from pipeline.paint.runtime_torch import TorchNet, paint_layers
from pipeline.paint.sizes import STRIDE, Size

Pictures = NDArray[np.uint8] | Array
_BATCH = 8
_MOST_PIXELS = _BATCH * 1920 * 1080
"""Of a batch: some 2 GiB of activations with M."""
_SHAPES = 4
"""Sizes of pictures that graphs are kept for; a film has few: with bars and without."""


class CudaNet(TorchNet):
    """A painter's weights on one GPU, which paints whole keys in batches."""

    def __init__(
        self,
        weights: Weights,
        size: Size,
        *,
        device: str = "cuda",
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        """Copy the weights; graphs are made when a size of picture comes up.

        Args:
            weights: of the painter.
            size: of the painter.
            device: as torch calls it.
            dtype: of painting keys; measuring and tiles have float32.
        """
        super().__init__(weights, size, device=device)
        self._dtype = dtype
        self._painters: dict[tuple[int, ...], BatchPainter] = {}

    @property
    def identity(self) -> str:
        """Version, device, and what keys are painted in."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "cpu"
        return f"{super().identity}, keys {self._dtype} in batches of {_BATCH} on {name}"

    def paint_many(self, pictures: Sequence[Array], affines: Sequence[Array]) -> list[Array]:
        """Paint whole pictures of one size, each with its own shot's affine.

        Args:
            pictures: RGB [H, W, 3] each, 0 to 1, without an apron.
            affines: [2, C] each.

        Returns:
            RGB [H, W, 3] each.
        """
        painted: list[Array] = []
        painter = self._painter(pictures[0].shape[0], pictures[0].shape[1])
        for first in range(0, len(pictures), painter.count):
            part = slice(first, first + painter.count)
            own, by = list(pictures[part]), list(affines[part])
            spare = painter.count - len(own)
            many = painter.paint(np.stack(own + own[-1:] * spare), np.stack(by + by[-1:] * spare))
            painted += [np.array(one, np.float32) for one in many[: len(own)]]
        return painted

    def _painter(self, height: int, width: int) -> "BatchPainter":
        shape = (batch_of(height, width), height, width)
        if shape not in self._painters:
            if len(self._painters) == _SHAPES:
                del self._painters[next(iter(self._painters))]
            self._painters[shape] = BatchPainter(
                self._weights,
                self.size,
                batch=shape,
                device=str(self.device),
                dtype=self._dtype,
                samples=torch.float32,
                compiled=False,  # it wants a compiler on the machine, and a minute a size
            )
        return self._painters[shape]


def batch_of(height: int, width: int) -> int:
    """Say how many pictures of a size make a batch, on whatever GPU.

    >>> batch_of(540, 960), batch_of(1080, 1920), batch_of(2160, 3840), batch_of(4320, 7680)
    (8, 8, 2, 1)
    """
    return min(_BATCH, max(1, _MOST_PIXELS // (height * width)))


class BatchPainter:
    """A painter that is made for one batch of pictures of one size."""

    def __init__(
        self,
        weights: Weights,
        size: Size,
        *,
        batch: tuple[int, int, int],
        device: str = "cuda",
        dtype: torch.dtype = torch.bfloat16,
        samples: torch.dtype = torch.uint8,
        compiled: bool = True,
    ) -> None:
        """Copy the weights, run once to warm up, and capture the graph.

        Args:
            weights: of the painter.
            size: of the painter.
            batch: N, H and W of the pictures.
            device: as torch calls it.
            dtype: of computing; float16 has three bits more, and less range.
            samples: of pictures: uint8 codes, or float32 from 0 to 1.
            compiled: have ``torch.compile`` join what lies between two convolutions, on a GPU.
        """
        self.size, self._device, self._dtype = size, torch.device(device), dtype
        own = TorchNet(weights, size, device=device)
        self._convolutions = {
            name: (kernel.to(dtype), None if bias is None else bias.to(dtype))
            for name, (kernel, bias) in own.convolutions.items()
        }
        count, height, width = batch
        self._rows = _mirrored(height, size.apron, device=self._device)
        self._columns = _mirrored(width, size.apron, device=self._device)
        pinned = self._device.type == "cuda"
        self.count = count
        self._given = torch.zeros(count, height, width, 3, dtype=samples, device=self._device)
        self._affine = torch.zeros(count, 2, size.channels, device=self._device)
        self._taken = torch.empty(count, height, width, 3, dtype=samples, pin_memory=pinned)
        self._layers = torch.compile(paint_layers) if pinned and compiled else paint_layers
        self._graph: torch.cuda.CUDAGraph | None = None
        self._done = self._run()
        if pinned:
            self._graph = self._captured()

    @torch.inference_mode()
    def paint(self, pictures: Pictures, affine: Array) -> Pictures:
        """Paint a batch; what is returned is overwritten by the next.

        Args:
            pictures: [N, H, W, 3].
            affine: [N, 2, C], of each picture's shot.
        """
        if pictures.shape != tuple(self._given.shape):
            raise ValueError(f"made for {tuple(self._given.shape)}, got {pictures.shape}")
        self._given.copy_(torch.from_numpy(pictures), non_blocking=True)
        self._affine.copy_(torch.from_numpy(affine), non_blocking=True)
        if self._graph is None:
            self._done = self._run()
        else:
            self._graph.replay()
        self._taken.copy_(self._done, non_blocking=True)
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()
        painted: Pictures = self._taken.numpy()
        return painted

    @torch.inference_mode()
    def _run(self) -> Tensor:
        """What is given, [N, H, W, 3], painted."""
        _, height, width, _ = self._given.shape
        x = self._given[:, self._rows[:, None], self._columns].permute(0, 3, 1, 2)  # channels last
        codes = self._given.dtype == torch.uint8
        x = x.to(self._dtype) / 255 if codes else x.to(self._dtype)
        out = self._layers(x, self._convolutions, self._affine, self.size)[..., :height, :width]
        out = out.float().permute(0, 2, 3, 1)
        return out.mul(255).round().to(torch.uint8) if codes else out

    def _captured(self) -> torch.cuda.CUDAGraph:
        side = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):
            for _ in range(3):  # kernels are chosen before the graph is captured
                self._run()
        torch.cuda.current_stream(self._device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._done = self._run()
        return graph


def _mirrored(length: int, apron: int, *, device: torch.device) -> Tensor:
    """Indices of a side with its apron, folded into the picture."""
    index = torch.arange(-apron, -(-length // STRIDE) * STRIDE + apron)
    index = index.remainder(max(1, 2 * (length - 1)))
    return torch.where(index >= length, 2 * (length - 1) - index, index).to(device)
