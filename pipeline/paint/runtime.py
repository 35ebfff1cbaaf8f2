"""Padded pictures to painted ones: what every library that can run the painter must do.

A *net* is a painter's weights inside a runtime, on one device. ``measure`` folds style codes and
the statistics of a shot into an *affine*, a scale and a shift for each channel of each modulation;
``paint`` needs pixels and that affine only. A runtime's library is imported when the first net is
loaded.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

from safetensors.numpy import load_file

from pipeline.paint.layers import Array, Weights
from pipeline.paint.sizes import SIZES, Size


class Net(Protocol):
    """A painter that is ready to run."""

    @property
    def size(self) -> Size:
        """The member of the family that this is."""

    @property
    def identity(self) -> str:
        """Library, version, device and precision: where they differ, so may the last bits."""

    def measure(self, x: Array, codes: Array) -> Array:
        """Fold codes and moments, pooled over the batch, into the shot's affine.

        Args:
            x: [N, 3, H + 2 * apron, W + 2 * apron], 0 to 1, H and W multiples of 4.
            codes: [L, 256], a row for each modulation.

        Returns:
            [2, C], scale and shift: gamma / sigma and beta - mean * gamma / sigma.
        """

    def paint(self, x: Array, affine: Array) -> Array:
        """Paint pictures, shaped as for ``measure``, with one affine [2, C]: [N, 3, H, W]."""


@runtime_checkable
class Batching(Net, Protocol):
    """A net that paints whole pictures of several shots at once."""

    def paint_many(self, pictures: Sequence[Array], affines: Sequence[Array]) -> list[Array]:
        """Paint whole pictures [H, W, 3] of one size, each with its own affine [2, C]."""


def read_weights(path: Path) -> Weights:
    """Read a painter's weights from a safetensors file, as float32."""
    return {name: values.astype("float32") for name, values in load_file(path).items()}


def load_net(
    weights: Weights, *, size: str, device: str = "cpu", threads: int | None = None
) -> Net:
    """Put a painter's weights into the runtime that is the fastest on a device.

    That is OpenVINO on CPUs, where it is installed, and torch elsewhere, in batches on a GPU;
    ``identity`` says which.

    Args:
        weights: of the painter.
        size: a name of ``SIZES``.
        device: cpu or cuda, as torch calls them.
        threads: on a CPU, at most; None leaves it to the library.
    """
    if device == "cpu" and find_spec("openvino") is not None:
        from pipeline.paint.runtime_openvino import OpenvinoNet

        return OpenvinoNet(weights, SIZES[size], threads=threads)
    if device.startswith("cuda"):
        from pipeline.paint.runtime_cuda import CudaNet

        return CudaNet(weights, SIZES[size], device=device)
    from pipeline.paint.runtime_torch import TorchNet

    return TorchNet(weights, SIZES[size], device=device, threads=threads)
