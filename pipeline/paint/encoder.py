"""A picture of a painting to its style code, without VGG16.

A code is defined by VGG16 statistics (``styles.Basis``); this small net was trained to say the same
from the picture alone, so that any painting becomes a style with what ships. It looks at five crops
and averages, as the definition does.
"""

import hashlib
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import MissingWeights
from pipeline.paint.pictures import Picture, reduced, style_crops
from pipeline.paint.styles import CODE_LENGTH, WEIGHTS

FILE = "encoder.safetensors"
_WIDTHS = (32, 64, 128, 160)
_HIDDEN = 384
_SHORT_SIDE = 512
_CROP = 384


class StyleEncoder(nn.Module):
    """Strided convolutions; the mean and spread of every stage; two linear layers. 0.9 million."""

    def __init__(self) -> None:
        super().__init__()
        before = 12
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        for width in _WIDTHS:
            self.first.append(nn.Conv2d(before, width, 3, padding=1))
            if width < _WIDTHS[-1]:
                self.second.append(nn.Conv2d(width, width, 3, padding=1))
            before = width
        length = 2 * sum(_WIDTHS)
        self.scale = nn.BatchNorm1d(length)
        self.hidden = nn.Linear(length, _HIDDEN)
        self.out = nn.Linear(_HIDDEN, CODE_LENGTH)
        self.straight = nn.Linear(length, CODE_LENGTH, bias=False)

    def statistics(self, pictures: Tensor) -> Tensor:
        """[N, 3, H, W] in 0..1, H and W multiples of 16, to what the stages hold: [N, 768]."""
        y = functional.pixel_unshuffle(pictures - 0.5, 2)
        found = []
        for stage, first in enumerate(self.first):
            y = functional.relu(first(y))
            if stage < len(self.second):
                y = functional.relu(self.second[stage](y))
            variance, mean = torch.var_mean(y.float(), dim=(2, 3), correction=0)
            found += [mean, torch.sqrt(variance + 1e-4)]
            y = functional.avg_pool2d(y, 2)
        return torch.cat(found, dim=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """[N, 3, H, W] in 0..1 to codes [N, 256]."""
        return self.codes(self.statistics(pictures))

    def codes(self, statistics: Tensor) -> Tensor:
        """Statistics [N, 768] to codes [N, 256]."""
        known = self.scale(statistics)
        bent: Tensor = self.out(functional.relu(self.hidden(known))) + self.straight(known)
        return bent


@torch.inference_mode()
def encode(encoder: StyleEncoder, painting: Picture) -> NDArray[np.float32]:
    """A painting RGB [H, W, 3] to its code [256]: the statistics of five crops, averaged."""
    crops = style_crops(reduced(painting, _SHORT_SIDE), side=_CROP)
    crops = crops.to(next(encoder.parameters()).device)
    statistics = torch.cat([encoder.statistics(crop[None]) for crop in crops])
    code = encoder.codes(statistics.mean(0, keepdim=True))[0]
    return np.asarray(code.clamp(-4, 4).cpu().numpy(), np.float32)


def encode_picture(painting: Picture) -> tuple[NDArray[np.float32], str]:
    """A painting RGB [H, W, 3], margins cut away, to its code [256] and the encoder's digest.

    Raises:
        MissingWeights: If no encoder ships.
    """
    encoder, digest = shipped()
    return encode(encoder, painting), digest


@cache
def shipped() -> tuple[StyleEncoder, str]:
    """Read the encoder that ships, and the digest of its file.

    Raises:
        MissingWeights: If there is none.
    """
    path = WEIGHTS / FILE
    if not path.is_file():
        raise MissingWeights(f"no style encoder at {path}")
    encoder = StyleEncoder()
    with safe_open(path, framework="pt") as file:
        state = {k: file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118 - no mapping
    state["scale.num_batches_tracked"] = torch.zeros((), dtype=torch.long)  # is not kept
    encoder.load_state_dict(state)
    encoder.eval().requires_grad_(requires_grad=False)
    return encoder, hashlib.sha256(path.read_bytes()).hexdigest()


def basis_of_shipped() -> str:
    """The digest of the code basis that the shipped encoder speaks."""
    with safe_open(WEIGHTS / FILE, framework="pt") as file:
        return str((file.metadata() or {}).get("basis", ""))
