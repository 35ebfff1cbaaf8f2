"""Pictures and the codes that VGG16 gives them to the net that says the codes without VGG16.

A *lesson* is a crop with its exact code. Lessons are measured once, by VGG16; the regression then
needs neither VGG16 nor the painter, so its weakness spoils neither the gallery nor the painter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pipeline.paint import losses, styles
from pipeline.paint.encoder import StyleEncoder
from pipeline.paint.pictures import Picture
from pipeline.paint.targets import Targets
from pipeline.paint.variety import random_crop, recoloured

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the encoder learns from."""

    pictures: Tensor
    """[N, 3, side, side] uint8"""
    codes: Tensor
    """[N, 256]"""

    def save(self, path: Path) -> None:
        """Keep them."""
        part = path.with_suffix(".part")
        save_file({"pictures": self.pictures, "codes": self.codes}, part)
        part.replace(path)

    @staticmethod
    def load(path: Path) -> "Lessons":
        """Read what ``save`` wrote."""
        found = load_file(path)
        return Lessons(found["pictures"], found["codes"])


@dataclass(frozen=True, slots=True)
class Coder:
    """VGG16, a basis and its scales: what defines a code."""

    vgg: losses.Vgg16
    basis: styles.Basis
    divisors: dict[str, float]
    """by layer, as ``styles.statistics_vector`` wants them"""

    @staticmethod
    def of(vgg: losses.Vgg16, basis: styles.Basis, targets: Targets) -> "Coder":
        """The coder that a run's targets were made with."""
        works = len(targets.names)
        std = targets.manners.std
        return Coder(
            vgg, basis, {k: float(std[k][:works].square().mean()) for k in losses.CODE_LAYERS}
        )

    def code(self, manner: losses.Manner) -> Tensor:
        """The code [256] of a manner with batch size 1."""
        return torch.from_numpy(self.basis.code(styles.statistics_vector(manner, self.divisors)))


def make_lessons(
    paintings: Sequence[Picture],
    photos: Sequence[Picture],
    coder: Coder,
    *,
    count: int,
    side: int = 256,
    seed: int = 1,
) -> Lessons:
    """Cut crops and let VGG16 say their codes: a fifth photographs, a fifth in another palette."""
    rng = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        kind = rng.random()
        of = photos if photos and kind < 0.2 else paintings
        crop = random_crop(of[int(rng.integers(len(of)))], side=side, rng=rng)
        if kind > 0.8:
            like = paintings[int(rng.integers(len(paintings)))]
            crop = recoloured(crop, random_crop(like, side=64, rng=rng))
        crops.append(crop)
    pictures = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()
    codes = [_codes(pictures[i : i + _AT_ONCE], coder) for i in range(0, count, _AT_ONCE)]
    return Lessons(pictures, torch.cat(codes))


@torch.no_grad()
def _codes(pictures: Tensor, coder: Coder) -> Tensor:
    batch = pictures.to(coder.vgg.mean.device).float() / 255
    m = losses.manner(coder.vgg(batch, last="relu4_3"))
    parts = (m.mean, m.std, m.gram)
    return torch.stack(
        [
            coder.code(losses.Manner(*({k: v[i : i + 1] for k, v in p.items()} for p in parts)))
            for i in range(len(pictures))
        ]
    )


def train_encoder(
    lessons: Lessons,
    *,
    steps: int,
    tell: Callable[[int, float], None],
    batch: int = 24,
    rate: float = 2e-3,
    seed: int = 1,
    device: str = "cpu",
) -> StyleEncoder:
    """Fit the encoder by regression.

    Args:
        lessons: the crops and their codes.
        steps: of AdamW; the rate falls to 0 along a cosine.
        tell: gets the step and its loss, the mean squared error of the codes.
        batch: lessons a step.
        rate: learning rate at the start.
        seed: of the first weights and of the draws.
        device: cpu or cuda.
    """
    torch.manual_seed(seed)
    net = StyleEncoder().to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 1)
    rng = np.random.default_rng(seed)
    codes = lessons.codes.to(device)
    for step in range(steps):
        rows = torch.from_numpy(rng.permutation(len(codes))[:batch])
        pictures = lessons.pictures[rows].to(device).float() / 255
        if rng.random() < 0.5:
            pictures = pictures.flip(3)
        with torch.autocast(device, torch.bfloat16):
            statistics = net.statistics(pictures)
        loss = functional.mse_loss(net.codes(statistics.float()), codes[rows.to(device)])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        tell(step + 1, loss.item())
    return net.eval().requires_grad_(requires_grad=False)


def explained(found: Tensor, wanted: Tensor, spread: Tensor) -> float:
    """Share of the variance of statistics that an encoder's codes [N, 256] explain; 1 is all.

    Args:
        found: what the encoder says.
        wanted: exact codes.
        spread: [256], what a unit of each number stands for: codes are whitened, and their last
            numbers say little of a painting.
    """
    around = ((wanted - wanted.mean(0)) * spread).square().sum()
    return 1 - float(((found - wanted) * spread).square().sum() / around)


def save_encoder(net: StyleEncoder, path: Path, *, basis: str) -> None:
    """Write an encoder as float16, with the digest of the basis that it speaks."""
    state = {
        k: (v.half() if v.is_floating_point() else v).contiguous()
        for k, v in net.state_dict().items()
        if v.dtype != torch.int64
    }
    part = path.with_suffix(".part")
    save_file(state, part, metadata={"basis": basis})
    part.replace(path)
