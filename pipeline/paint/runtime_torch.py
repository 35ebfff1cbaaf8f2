"""The painter in torch, float32, without gradients: on GPUs, and on CPUs without OpenVINO."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.paint.layers import EPS_SHARE, Array, Weights, heads, modulate_all, painted, typical
from pipeline.paint.sizes import Size

_LEAST = 64
"""Painted pixels a side, at least: for less, torch changes to kernels that sum in another order."""


class TorchNet:
    """A painter's weights on one device of torch."""

    def __init__(
        self,
        weights: Weights,
        size: Size,
        *,
        device: str = "cpu",
        threads: int | None = None,
        compiled: bool = False,
    ) -> None:
        """Copy the weights to the device.

        Args:
            weights: of the painter.
            size: of the painter.
            device: as torch calls it.
            threads: of the whole process, on a CPU; None leaves them as they are.
            compiled: have ``torch.compile`` make kernels for the layers between convolutions.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        self.size = size
        self.device = torch.device(device)
        self._weights = weights
        self.convolutions = _convolutions(weights, self.device)
        self._run = torch.compile(self._painted) if compiled else self._painted

    @property
    def identity(self) -> str:
        """Version, device and, on a CPU, the instructions that torch has kernels for."""
        kernels = torch.backends.cpu.get_cpu_capability()
        return f"torch {torch.__version__} {self.device} {kernels} float32"

    @torch.inference_mode()
    def measure(self, x: Array, codes: Array) -> Array:
        """Fold codes and moments into the shot's affine; see ``runtime.Net``."""
        gains = torch.from_numpy(heads(self._weights, codes, self.size)).to(self.device)
        spread = torch.from_numpy(typical(self._weights, self.size)).to(self.device)
        ops = _Measuring(self.convolutions, gains, spread, self.size)
        modulate_all(self._put(x), ops, self.size)
        late = gains[:, sum(len(floor) for floor in ops.floors) :]
        return np.ascontiguousarray(torch.cat([*ops.used, late], dim=1).cpu().numpy())

    @torch.inference_mode()
    def paint(self, x: Array, affine: Array) -> Array:
        """Paint with one affine [2, C]; see ``runtime.Net``."""
        height, width = (side - 2 * self.size.apron for side in x.shape[2:])
        more = (0, max(0, _LEAST - width), 0, max(0, _LEAST - height))
        out = self._run(functional.pad(self._put(x), more), self._put_plain(affine))
        return np.asarray(out[..., :height, :width].cpu().numpy(), np.float32)

    def _painted(self, x: Tensor, affine: Tensor) -> Tensor:
        return paint_layers(x, self.convolutions, affine, self.size)

    def _put(self, x: Array) -> Tensor:
        return self._put_plain(x).contiguous(memory_format=torch.channels_last)

    def _put_plain(self, x: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(x)).to(self.device)


def paint_layers(
    x: Tensor, convolutions: dict[str, tuple[Tensor, Tensor | None]], affine: Tensor, size: Size
) -> Tensor:
    """Run all layers with float32 affines.

    Args:
        x: [N, 3, H + 2 * apron, W + 2 * apron], of the kernels' type.
        convolutions: kernel and bias by layer.
        affine: [2, C], or [N, 2, C] for pictures of several shots; float32 whatever x is, for scale
            and shift all but cancel each other.
        size: of the painter.
    """
    return painted(x, _Painting(convolutions, affine, size), size)


def _convolutions(
    weights: Weights, device: torch.device
) -> dict[str, tuple[Tensor, Tensor | None]]:
    """Kernels [out, in, h, w] and biases by layer."""
    found = {}
    for name, values in weights.items():
        if values.ndim == 4:
            layer = name.removesuffix(".weight")
            kernel = torch.tensor(values, device=device)
            bias = weights.get(f"{layer}.bias")
            found[layer] = (
                kernel.contiguous(memory_format=torch.channels_last),
                None if bias is None else torch.tensor(bias, device=device),
            )
    return found


class _Painting:
    """Ops that compute at once, with a given affine [2, C]."""

    def __init__(
        self,
        convolutions: dict[str, tuple[Tensor, Tensor | None]],
        affine: Tensor,
        size: Size,
    ) -> None:
        self._convolutions = convolutions
        self._parts = torch.split(affine, list(size.widths), dim=-1)
        line = torch.tensor([0.25, 0.5, 0.25], device=affine.device)
        self._kernel = (line[:, None] * line).expand(size.stem, 1, 3, 3)

    def unshuffled(self, x: Tensor) -> Tensor:
        return functional.pixel_unshuffle(x, 2)

    def convolved(self, x: Tensor, name: str, *, stride: int = 1) -> Tensor:
        kernel, bias = self._convolutions[name]
        return functional.conv2d(x, kernel, bias, stride=stride)

    def modulated(self, x: Tensor, index: int) -> Tensor:
        scale, shift = self._parts[index][..., None, None].unbind(-4)
        return (x * scale + shift).to(x.dtype)

    def rectified(self, x: Tensor) -> Tensor:
        return functional.relu(x)

    def smoothed(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self._kernel.to(x.dtype), groups=x.shape[1])

    def cropped(self, x: Tensor, margin: int) -> Tensor:
        return x[..., margin:-margin, margin:-margin]

    def added(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def doubled_convolved(self, x: Tensor, name: str) -> Tensor:
        return self.convolved(functional.interpolate(x, scale_factor=2, mode="nearest"), name)

    def shuffled(self, x: Tensor) -> Tensor:
        return functional.pixel_shuffle(x, 2)

    def squashed(self, x: Tensor) -> Tensor:
        return 0.5 + 0.5 * torch.tanh(x.float())  # in bfloat16 a light code is one in two


class _Measuring(_Painting):
    """The same ops, where each modulation measures what it is given and keeps its affine."""

    def __init__(
        self,
        convolutions: dict[str, tuple[Tensor, Tensor | None]],
        gains: Tensor,
        spread: Tensor,
        size: Size,
    ) -> None:
        super().__init__(convolutions, gains, size)
        self.floors = torch.split(EPS_SHARE * spread, list(size.widths[: len(size.normalised)]))
        self.used: list[Tensor] = []
        """[2, C] of each modulation so far"""

    def modulated(self, x: Tensor, index: int) -> Tensor:
        gamma, beta = self._parts[index]
        mean, variance = _pooled_moments(x)
        scale = gamma * torch.rsqrt(variance + self.floors[index])
        self.used.append(torch.stack([scale, beta - mean * scale]).float())
        scale, shift = self.used[-1][..., None, None]
        return torch.addcmul(shift, x, scale)


def _pooled_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """[N, C, h, w] to mean and variance [C] over all pictures, float64."""
    first, second = x.new_zeros(2, x.shape[1], dtype=torch.float64)
    for picture in x:  # one at a time: float64 doubles the memory
        wide = picture.double().flatten(1)
        first = first + wide.mean(1) / len(x)
        second = second + torch.linalg.vector_norm(wide, dim=1).square() / (wide.shape[1] * len(x))
    return first, (second - first.square()).clamp_min(0)
