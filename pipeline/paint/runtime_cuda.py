"""Batches of u8 pictures to painted u8 pictures on a GPU: bfloat16, compiled, one CUDA graph.

The pictures of a batch may come from several shots, each with its own affine. Padding, conversion
and rounding are done on the GPU, so that only u8 goes to and fro. This was written without a GPU at
hand and has run on CPUs only, where the graph is left out; its pixels are those of bfloat16, which
another batch size may round otherwise, so jobs paint with ``runtime_torch`` until it was tried.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.paint.layers import Array, Weights
from pipeline.paint.runtime_torch import TorchNet, paint_layers
from pipeline.paint.sizes import STRIDE, Size

Pictures = NDArray[np.uint8]


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
    ) -> None:
        """Copy the weights, run once to warm up, and capture the graph.

        Args:
            weights: of the painter.
            size: of the painter.
            batch: N, H and W of the pictures.
            device: as torch calls it.
            dtype: of computing; float16 has three bits more, and less range.
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
        self._given = torch.zeros(count, height, width, 3, dtype=torch.uint8, device=self._device)
        self._affine = torch.zeros(count, 2, size.channels, device=self._device)
        self._taken = torch.empty(count, height, width, 3, dtype=torch.uint8, pin_memory=pinned)
        # Compiled, what lies between two convolutions is one pass over memory.
        self._layers = torch.compile(paint_layers) if pinned else paint_layers
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
        return np.asarray(self._taken.numpy(), np.uint8)

    @torch.inference_mode()
    def _run(self) -> Tensor:
        """What is given, [N, H, W, 3] u8, painted."""
        _, height, width, _ = self._given.shape
        x = self._given[:, self._rows[:, None], self._columns].permute(0, 3, 1, 2)  # channels last
        x = x.to(self._dtype) / 255
        out = self._layers(x, self._convolutions, self._affine, self.size)[..., :height, :width]
        return out.float().mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)

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
