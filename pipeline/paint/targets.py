"""Paintings to what a painter is trained towards: their manners, their codes, the scales of both.

Measured once a run and kept with it, so that a resumed run need not measure again.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.paint import losses, pictures, styles


@dataclass(frozen=True, slots=True)
class Targets:
    """What the painter is trained towards, one row a painting."""

    names: tuple[str, ...]
    codes: Tensor
    """[P, 256]"""
    manners: losses.Manner
    """batch size P"""
    scales: losses.Scales
    basis: str


def make_targets(
    paintings: dict[str, pictures.Picture],
    variety: Sequence[pictures.Picture],
    vgg: losses.Vgg16,
    *,
    side: int = 384,
) -> tuple[Targets, styles.Basis]:
    """Measure the paintings' manners and fit the code basis.

    Args:
        paintings: by style name; each becomes a target.
        variety: further paintings, for the basis only.
        vgg: runs at full precision or half, as made.
        side: of the crops that a manner is measured on; the basis takes half of it.
    """
    manners = {name: _manner_of(picture, vgg, side) for name, picture in paintings.items()}
    divisors = {
        k: float(torch.stack([m.std[k].square().mean() for m in manners.values()]).mean())
        for k in losses.CODE_LAYERS
    }
    vectors = [styles.statistics_vector(m, divisors) for m in manners.values()]
    with torch.no_grad():
        for picture in [*paintings.values(), *variety]:
            crops = pictures.style_crops(pictures.reduced(picture, 2 * side // 3), side=side // 2)
            count = 5 if len(variety) < 300 else 1
            features = vgg(crops[-count:], last="relu4_3")
            for i in range(count):
                one = losses.manner({k: v[i : i + 1] for k, v in features.items()})
                vectors.append(styles.statistics_vector(one, divisors))
    basis = styles.fit_basis(vectors)
    codes = torch.from_numpy(np.stack([basis.code(v) for v in vectors[: len(manners)]]))
    every = list(manners.values())
    stacked = losses.Manner(
        {k: torch.cat([m.mean[k] for m in every]) for k in every[0].mean},
        {k: torch.cat([m.std[k] for m in every]) for k in every[0].std},
        {k: torch.cat([m.gram[k] for m in every]) for k in every[0].gram},
    )
    scales = losses.scales(every)
    return Targets(tuple(manners), codes, stacked, scales, basis.digest), basis


@torch.no_grad()
def _manner_of(painting: pictures.Picture, vgg: losses.Vgg16, side: int) -> losses.Manner:
    crops = pictures.style_crops(painting, side=side)
    return losses.pooled([losses.manner(vgg(crop[None], last="relu4_3")) for crop in crops])


def save_codes(targets: Targets, path: Path) -> None:
    """Write the style codes with their basis' digest."""
    codes = {n: targets.codes[i].contiguous() for i, n in enumerate(targets.names)}
    save_file(codes, path, metadata={"basis": targets.basis})


def save_targets(targets: Targets, path: Path) -> None:
    """Keep what ``make_targets`` measured, so that a resumed run need not measure again."""
    tensors = {"codes": targets.codes}
    for part in ("mean", "std", "gram"):
        tensors |= {f"{part}.{k}": v for k, v in getattr(targets.manners, part).items()}
    notes = {
        "names": json.dumps(targets.names),
        "basis": targets.basis,
        "scales": json.dumps(asdict(targets.scales)),
    }
    save_file(tensors, path, metadata=notes)


def load_targets(path: Path) -> Targets:
    """Read what ``save_targets`` wrote."""
    with safe_open(path, framework="pt") as file:
        notes = file.metadata()
    tensors = load_file(path)
    parts: dict[str, dict[str, Tensor]] = {"mean": {}, "std": {}, "gram": {}}
    for key, value in tensors.items():
        part, _, layer = key.partition(".")
        if layer:
            parts[part][layer] = value
    scales = losses.Scales(**json.loads(notes["scales"]))
    names = tuple(json.loads(notes["names"]))
    return Targets(names, tensors["codes"], losses.Manner(**parts), scales, notes["basis"])
