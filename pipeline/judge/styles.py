"""A painted photograph, the photograph and the painting to distances: of manner, and of content.

*Style loss* is the squared difference of means and of standard deviations of VGG16 features, and of
their Gram matrices, divided by constants that are fixed here for good: the mean squares over the 21
works that the painter may learn from, five crops of 384 px each at 512 lines. *Content loss* is
that of features normalised by their own statistics, 0 for the same picture and 2 for an unrelated
one. Neither says that a painting is good; both together say what was given up for what.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipeline.paint.losses import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    Manner,
    Scales,
    content_loss,
)

CONSTANTS = Scales(
    moments={"relu1_2": 1.985e4, "relu2_2": 1.368e5, "relu3_3": 1.588e5, "relu4_3": 4.147e3},
    gram={"relu2_2": 5.274e9, "relu3_3": 3.547e9},
)
"""Divisors of the style loss by layer of VGG16."""
_SSIM_SIGMA, _SSIM_SIDE = 1.5, 11
_SSIM_FLOORS = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)


Measures = dict[str, float]
"""By name: "content", "style" and "gram" with their layers as "style/relu1_2", and so on."""


def likeness(
    painted: Mapping[str, Tensor], own: Manner, content: Tensor, target: Manner
) -> Measures:
    """Compare one painted photograph with the painting and with what it was.

    Args:
        painted: its features, [1, C, h, w] by layer, up to relu4_3.
        own: the manner of those.
        content: relu3_3 of the photograph.
        target: the painting's manner, batch size 1.

    Returns:
        All 0 and more: "style/" relu1_2 to relu4_3 and "gram/" relu2_2 and relu3_3 in multiples of
        ``CONSTANTS``; "style", the mean over relu1_2, relu2_2, relu3_3, and "gram"; "content" of
        relu3_3, where 2 is unrelated.
    """
    moments = moment_losses(own, target, CONSTANTS.moments)
    grams = {
        layer: float(functional.mse_loss(own.gram[layer], target.gram[layer])) / divisor
        for layer, divisor in CONSTANTS.gram.items()
    }
    return {
        "style": fmean(moments[layer] for layer in STYLE_LAYERS),
        "gram": fmean(grams.values()),
        "content": float(content_loss(painted[CONTENT_LAYER], content)),
        **{f"style/{layer}": loss for layer, loss in moments.items()},
        **{f"gram/{layer}": loss for layer, loss in grams.items()},
    }


def moment_losses(own: Manner, target: Manner, divisors: Mapping[str, float]) -> Measures:
    """Squared differences of means and standard deviations by layer, over fixed divisors."""
    return {
        layer: float(
            functional.mse_loss(own.mean[layer], target.mean[layer])
            + functional.mse_loss(own.std[layer], target.std[layer])
        )
        / divisor
        for layer, divisor in divisors.items()
    }


def average(parts: Sequence[Measures]) -> Measures:
    """Average several, at least one, by name; a name that one lacks is left out."""
    names = set(parts[0]).intersection(*parts)
    return {name: fmean(part[name] for part in parts) for name in parts[0] if name in names}


def at_content(sweep: Mapping[float, Measures], content: float) -> tuple[float, Measures]:
    """Find the strength at which a sweep has a given content loss, linear between its points.

    Args:
        sweep: by strength, 0 to 1; content loss grows with it.
        content: to be met.

    Returns:
        Strength and measures there; the sweep's own end where it does not reach so far.
    """
    points = sorted(sweep.items())
    for (low, first), (high, second) in pairwise(points):
        if first["content"] <= content < second["content"]:
            share = (content - first["content"]) / (second["content"] - first["content"])
            names = [name for name in first if name in second]
            there = {n: first[n] + share * (second[n] - first[n]) for n in names}
            return low + share * (high - low), there
    return points[0] if content < points[0][1]["content"] else points[-1]


def ratios(ours: Measures, theirs: Measures) -> Measures:
    """Divide by name what both have, where theirs is not 0.

    >>> ratios({"style": 1.0, "content": 2.0}, {"style": 4.0})
    {'style': 0.25}
    """
    return {name: ours[name] / theirs[name] for name in ours if theirs.get(name)}


def with_strength(
    photo: NDArray[np.uint8], painted: NDArray[np.uint8], strength: float
) -> NDArray[np.float32]:
    """Blend: photo + s (painted - photo), as RGB 0 to 1; 0 and 1 are the two, exactly."""
    one, other = photo.astype(np.float32), painted.astype(np.float32)
    return np.asarray((one + np.float32(strength) * (other - one)) / 255, np.float32)


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Structural similarity of two lumas in codes; 1 for the same (Wang 2004, eq. 13).

    Gaussian window of 11 px and 1.5 px deviation, K1 = 0.01, K2 = 0.03, only where it fits.
    """
    if min(one.shape) < _SSIM_SIDE or one.shape != other.shape:
        raise ValueError(f"two lumas of one size, 11 px or more: got {one.shape}, {other.shape}")
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = _windowed(x), _windowed(y)
    variance_x = _windowed(x * x) - mean_x**2
    variance_y = _windowed(y * y) - mean_y**2
    both = _windowed(x * y) - mean_x * mean_y
    c1, c2 = _SSIM_FLOORS
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((light * (2 * both + c2) / (variance_x + variance_y + c2)).mean())


def _windowed(field: NDArray[np.float64]) -> NDArray[np.float64]:
    half = _SSIM_SIDE // 2
    blurred = cv2.GaussianBlur(field, (_SSIM_SIDE, _SSIM_SIDE), _SSIM_SIGMA)
    return np.asarray(blurred[half:-half, half:-half], np.float64)


def tensor(picture: NDArray[np.uint8] | NDArray[np.float32], *, device: str = "cpu") -> Tensor:
    """RGB [H, W, 3], codes or 0 to 1, to [1, 3, H, W], 0 to 1."""
    scale = np.float32(255 if picture.dtype == np.uint8 else 1)
    planes = np.ascontiguousarray((picture / scale).astype(np.float32).transpose(2, 0, 1))
    return torch.from_numpy(planes)[None].to(device)
