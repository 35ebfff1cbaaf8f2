"""Painted pictures to distances: from a painting's manner, from a photograph's content.

*Features* are activations of VGG16 (Simonyan 2015) after named ReLUs; a *manner* is what is kept of
a painting: mean, standard deviation and Gram matrix of its features at a few layers. The network is
read from a file or from torchvision's own weights; it serves training and evaluation and is never
needed to paint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import MissingWeights

CONTENT_LAYER = "relu3_3"
STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3")
GRAM_LAYERS = ("relu2_2", "relu3_3")
CODE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
PALETTE = "palette"
"""A layer of its own in a manner: what ``opponents`` gives."""
_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21)
_POOL_BEFORE = {5, 10, 17}
_NAMES = {2: "relu1_2", 7: "relu2_2", 14: "relu3_3", 21: "relu4_3"}
_OPPONENTS = ((0.299, 0.587, 0.114), (1.0, -1.0, 0.0), (-0.5, -0.5, 1.0))
_SPREADS = (0.2, 0.1, 0.12)
"""Standard deviation of light, R - G and B - (R + G) / 2 within one of 796 paintings."""
_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)


class Vgg16(nn.Module):
    """The first four blocks of VGG16, frozen: RGB 0..1 to features by name."""

    mean: Tensor

    def __init__(self, weights: Mapping[str, Tensor], *, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.kernels = nn.ParameterList()
        self.biases = nn.ParameterList()
        for index in _CONVOLUTIONS:
            kernel = weights[f"features.{index}.weight"].to(dtype)
            kernel = kernel.contiguous(memory_format=torch.channels_last)
            self.kernels.append(nn.Parameter(kernel, requires_grad=False))
            bias = weights[f"features.{index}.bias"].to(dtype)
            self.biases.append(nn.Parameter(bias, requires_grad=False))
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))

    def forward(self, picture: Tensor, *, last: str = CONTENT_LAYER) -> dict[str, Tensor]:
        """[N, 3, H, W] in 0..1 to float32 features [N, C, h, w], up to and including ``last``."""
        y = (picture - self.mean).to(self.dtype).contiguous(memory_format=torch.channels_last)
        features = {}
        for index, kernel, bias in zip(_CONVOLUTIONS, self.kernels, self.biases, strict=True):
            if index in _POOL_BEFORE:
                y = functional.max_pool2d(y, 2)
            y = functional.relu(functional.conv2d(y, kernel, bias, padding=1))
            if index in _NAMES:
                features[_NAMES[index]] = y.float()
                if _NAMES[index] == last:
                    break
        return features


def load_vgg16(path: Path | None, *, dtype: torch.dtype = torch.float32) -> Vgg16:
    """Read VGG16 from a safetensors file with torchvision's keys, or from torchvision if None.

    Raises:
        MissingWeights: If the file is absent, or torchvision cannot fetch its weights.
    """
    if path is None:
        from torchvision.models import VGG16_Weights, vgg16

        try:
            state = vgg16(weights=VGG16_Weights.IMAGENET1K_FEATURES).state_dict()
        except OSError as error:
            raise MissingWeights(f"VGG16 could not be fetched ({error}); give --vgg FILE") from None
        return Vgg16(state, dtype=dtype)
    if not path.is_file():
        raise MissingWeights(f"no VGG16 weights at {path}")
    return Vgg16(load_file(path), dtype=dtype)


def opponents(picture: Tensor) -> Tensor:
    """RGB [N, 3, H, W], 0 to 1, to six colour differences [N, 6, H, W], as strong as each other.

    Light, red against green, blue against yellow, and the sums of each two: their means and
    standard deviations hold the mean colour and all of its covariance. In VGG16's layers, light
    is so much stronger than hue that hue is lost.
    """
    weights = torch.tensor(_OPPONENTS, device=picture.device)
    spreads = torch.tensor(_SPREADS, device=picture.device)
    three = torch.einsum("oc,nchw->nohw", weights / spreads[:, None], picture.float())
    sums = (three + three.roll(1, 1)) * 0.5**0.5
    return torch.cat([three, sums], 1)


@dataclass(frozen=True, slots=True)
class Manner:
    """What the losses compare with: statistics of one painting, or a batch of them."""

    mean: dict[str, Tensor]
    """[N, C] by layer"""
    std: dict[str, Tensor]
    """[N, C] by layer"""
    gram: dict[str, Tensor]
    """[N, C, C] by layer, divided by the number of positions"""


def manner(features: Mapping[str, Tensor]) -> Manner:
    """Statistics of features [N, C, h, w], each picture for itself."""
    mean, std, gram = {}, {}, {}
    for layer, f in features.items():
        variance, mean[layer] = torch.var_mean(f, dim=(2, 3), correction=0)
        std[layer] = torch.sqrt(variance + 1e-5)
        if layer in GRAM_LAYERS:
            flat = f.flatten(2)
            gram[layer] = flat @ flat.transpose(1, 2) / flat.shape[2]
    return Manner(mean, std, gram)


def pooled(manners: Sequence[Manner]) -> Manner:
    """Average the manners of several crops of one painting into one of batch size 1."""

    def average(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        return {k: torch.cat([p[k] for p in parts]).mean(0, keepdim=True) for k in parts[0]}

    return Manner(
        average([m.mean for m in manners]),
        average([m.std for m in manners]),
        average([m.gram for m in manners]),
    )


@dataclass(frozen=True, slots=True)
class Scales:
    """Fixed divisors by layer, so that layers weigh alike and flat paintings do not weigh more.

    Measured once over the training paintings.
    """

    moments: dict[str, float]
    """mean squared standard deviation"""
    gram: dict[str, float]
    """mean squared entry of the Gram matrix"""


def scales(manners: Sequence[Manner]) -> Scales:
    """Measure the divisors over paintings."""

    def mean_square(parts: Sequence[Tensor]) -> float:
        return float(torch.stack([p.square().mean() for p in parts]).mean())

    return Scales(
        {k: mean_square([m.std[k] for m in manners]) for k in STYLE_LAYERS},
        {k: mean_square([m.gram[k] for m in manners]) for k in GRAM_LAYERS},
    )


def content_loss(painted: Tensor, photo: Tensor) -> Tensor:
    """Mean squared difference of instance-normalised features; 0 equal, 2 unrelated."""
    return functional.mse_loss(
        functional.instance_norm(painted, eps=1e-2), functional.instance_norm(photo, eps=1e-2)
    )


def style_losses(
    painted: Manner, target: Manner, divisors: Scales, *, finest: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Moment loss and Gram loss, each the mean over its layers of scaled squared differences.

    Args:
        painted: of the painted pictures.
        target: of the paintings.
        divisors: by layer.
        finest: what the first layer, whose channels are mostly colours, weighs in the mean of the
            moments; the others weigh 1.
    """
    by_layer = torch.stack(
        [
            (
                functional.mse_loss(painted.mean[k], target.mean[k])
                + functional.mse_loss(painted.std[k], target.std[k])
            )
            / divisors.moments[k]
            for k in STYLE_LAYERS
        ]
    )
    moments = (by_layer.sum() + (finest - 1) * by_layer[0]) / (len(STYLE_LAYERS) + finest - 1)
    gram = torch.stack(
        [
            functional.mse_loss(painted.gram[k], target.gram[k]) / divisors.gram[k]
            for k in GRAM_LAYERS
        ]
    ).mean()
    return moments, gram


def palette_loss(painted: Manner, target: Manner) -> Tensor:
    """Mean squared difference of means and standard deviations over the six of ``opponents``."""
    return functional.mse_loss(painted.mean[PALETTE], target.mean[PALETTE]) + functional.mse_loss(
        painted.std[PALETTE], target.std[PALETTE]
    )


def consistency_loss(painted: Tensor, expected: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute difference where ``valid`` [N, 1, H, W]: paint(W(I)) against W(paint(I))."""
    difference = (painted - expected).abs().mean(1, keepdim=True)
    return (difference * valid).sum() / valid.sum().clamp_min(1)
