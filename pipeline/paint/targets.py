"""Paintings to what a painter is trained towards: their manners, their codes, the scales of both.

A *row* is one style: a work, a crop of one, a work in another's palette, a made texture, or a
photograph with the manner of itself. Measured once a run and kept with it, so that a resumed run
need not measure again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from pipeline.paint import losses, pictures, styles
from pipeline.paint.variety import made_texture, random_crop, recoloured

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Targets:
    """What the painter is trained towards, one row a style; the named works come first."""

    names: tuple[str, ...]
    """of the works: the first rows"""
    codes: Tensor
    """[R, 256]"""
    manners: losses.Manner
    """batch size R"""
    scales: losses.Scales
    basis: str
    groups: dict[str, int] = field(default_factory=dict)
    """rows of each kind, in the order of the rows; none: works only"""

    def rows(self, group: str) -> range:
        """The rows of a kind; empty if there are none."""
        start = 0
        for name, count in (self.groups or {"works": len(self.names)}).items():
            if name == group:
                return range(start, start + count)
            start += count
        return range(0)

    def mixed(self, first: Tensor, second: Tensor, share: Tensor) -> tuple[Tensor, losses.Manner]:
        """Codes [N, 256] and manners between rows [N] and rows [N]: share [N] of the second.

        Codes are linear in means and standard deviations, so what a code says of a mix is exact.
        """

        def between(table: Tensor) -> Tensor:
            weight = share.to(table).view(-1, *[1] * (table.ndim - 1))
            return table[first] * (1 - weight) + table[second] * weight

        m = self.manners
        return between(self.codes), losses.Manner(
            {k: between(v) for k, v in m.mean.items()},
            {k: between(v) for k, v in m.std.items()},
            {k: between(v) for k, v in m.gram.items()},
        )

    def to(self, device: torch.device) -> "Targets":
        """Move the tables to a device."""
        m = self.manners
        manners = losses.Manner(
            *({k: v.to(device) for k, v in part.items()} for part in (m.mean, m.std, m.gram))
        )
        codes = self.codes.to(device)
        return Targets(self.names, codes, manners, self.scales, self.basis, self.groups)


@dataclass(frozen=True, slots=True)
class Spread:
    """How many rows of each kind."""

    crops: int = 5
    """of each work"""
    palettes: int = 3
    """other palettes of each work"""
    recoloured: float = 0.4
    """share of the wider collection that is there in another palette too"""
    made: int = 100
    photos: int = 140
    side: int = 256
    """of the crops in pixels"""


def make_targets(
    works: dict[str, pictures.Picture],
    collection: Sequence[pictures.Picture],
    vgg: losses.Vgg16,
    *,
    photos: Sequence[pictures.Picture] = (),
    side: int = 384,
    spread: Spread | None = None,
    seed: int = 1,
) -> tuple[Targets, styles.Basis]:
    """Measure manners and fit the code basis.

    Args:
        works: by style name; each is measured whole, on five crops.
        collection: further paintings.
        vgg: runs at full precision or half, as made.
        photos: some of them become rows of their own manner.
        side: of the crops that a whole work is measured on.
        spread: how many rows of each kind; None takes what ``Spread`` says.
        seed: of the draws.
    """
    manners = [manner_of(picture, vgg, side) for picture in works.values()]
    scales = losses.scales(manners)
    divisors = {
        k: float(torch.stack([m.std[k].square().mean() for m in manners]).mean())
        for k in losses.CODE_LAYERS
    }
    groups = {"works": len(manners)}
    rng = np.random.default_rng(seed)
    for name, crops in _variety(works, collection, photos, spread or Spread(), rng).items():
        groups[name] = len(crops)
        for start in range(0, len(crops), _AT_ONCE):
            manners += _manners_of_crops(crops[start : start + _AT_ONCE], vgg)
    vectors = [styles.statistics_vector(m, divisors) for m in manners]
    basis = styles.fit_basis(vectors)
    codes = torch.from_numpy(np.stack([basis.code(v) for v in vectors]))
    stacked = losses.Manner(
        {k: torch.cat([m.mean[k] for m in manners]) for k in manners[0].mean},
        {k: torch.cat([m.std[k] for m in manners]) for k in manners[0].std},
        {k: torch.cat([m.gram[k] for m in manners]) for k in manners[0].gram},
    )
    return Targets(tuple(works), codes, stacked, scales, basis.digest, groups), basis


def _variety(
    works: dict[str, pictures.Picture],
    collection: Sequence[pictures.Picture],
    photos: Sequence[pictures.Picture],
    spread: Spread,
    rng: np.random.Generator,
) -> dict[str, list[pictures.Picture]]:
    """Square crops [side, side, 3] by kind."""
    every, side = [*works.values(), *collection], spread.side

    def crop(picture: pictures.Picture) -> pictures.Picture:
        return random_crop(picture, side=side, rng=rng)

    def other() -> pictures.Picture:
        return crop(every[int(rng.integers(len(every)))])

    swapped = [p for p in collection if rng.random() < spread.recoloured]
    shown = [photos[i] for i in rng.permutation(len(photos))[: spread.photos]]
    return {
        "crops": [crop(w) for w in works.values() for _ in range(spread.crops)],
        "palettes": [
            recoloured(crop(w), other()) for w in works.values() for _ in range(spread.palettes)
        ],
        "collection": [crop(p) for p in collection],
        "recoloured": [recoloured(crop(p), other()) for p in swapped],
        "made": [made_texture(every, side=side, rng=rng) for _ in range(spread.made)],
        "photos": [crop(p) for p in shown],
    }


@torch.no_grad()
def _manners_of_crops(
    crops: Sequence[pictures.Picture], vgg: losses.Vgg16
) -> Iterator[losses.Manner]:
    """The manner of each crop for itself; all crops are of one size."""
    batch = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).to(vgg.mean.device)
    m = _on_cpu(_manner(batch.float() / 255, vgg))
    for i in range(len(crops)):
        one = ({k: v[i : i + 1] for k, v in part.items()} for part in (m.mean, m.std, m.gram))
        yield losses.Manner(*one)


def _on_cpu(m: losses.Manner) -> losses.Manner:
    mean, std, gram = ({k: v.cpu() for k, v in part.items()} for part in (m.mean, m.std, m.gram))
    return losses.Manner(mean, std, gram)


@torch.no_grad()
def manner_of(painting: pictures.Picture, vgg: losses.Vgg16, side: int) -> losses.Manner:
    """The manner of a whole work: the mean of five crops."""
    crops = pictures.style_crops(painting, side=side).to(vgg.mean.device)
    parts = [_manner(crop[None], vgg) for crop in crops]
    return _on_cpu(losses.pooled(parts))


def _manner(x: Tensor, vgg: losses.Vgg16) -> losses.Manner:
    return losses.manner(vgg(x, last="relu4_3") | {losses.PALETTE: losses.opponents(x)})


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
        "groups": json.dumps(targets.groups),
    }
    _save(tensors, path, notes)


def _save(tensors: dict[str, Tensor], path: Path, notes: dict[str, str]) -> None:
    """Write a file whole or not at all: what is there counts as measured."""
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata=notes)
    part.replace(path)


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
    manners, groups = losses.Manner(**parts), json.loads(notes["groups"])
    return Targets(names, tensors["codes"], manners, scales, notes["basis"], groups)


def save_basis(basis: styles.Basis, path: Path) -> None:
    """Write the basis and its digest."""
    tensors = {k: torch.from_numpy(getattr(basis, k)) for k in ("mean", "directions")}
    _save(tensors, path, {"digest": basis.digest})


def load_basis(path: Path) -> styles.Basis:
    """Read what ``save_basis`` wrote."""
    found = load_file(path)
    return styles.Basis(found["mean"].numpy(), found["directions"].numpy())
