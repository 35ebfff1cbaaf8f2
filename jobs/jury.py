"""A painted picture's file to its measures: the networks that judge, and what they remember.

The networks' view of a painting, and the measures of pictures that somebody else painted, are kept
in a folder under the digest of all that they depend on, so that ours can be judged again alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from jobs.exhibits import Picture
from pipeline.errors import MissingWeights
from pipeline.judge.perception import Lite0, ShiftTolerant, load_lite0, load_shift_tolerant
from pipeline.judge.styles import Measures, likeness, moment_losses, ssim, tensor
from pipeline.paint.losses import CONTENT_LAYER, Manner, Vgg16, load_vgg16, manner, pooled
from pipeline.paint.pictures import read_picture, style_crops

MEASURES = 1
"""Raised when a measure's definition changes: what was kept is then measured again."""
_PAINTING_SIDE, _CROP = 512, 384
LITE_CONSTANTS = {"stage1": 36.64, "stage2": 64.05, "stage3": 42.96, "stage5": 25.99}
"""Divisors of the second network's loss, measured as ``styles.CONSTANTS`` were."""
_LAST = "relu4_3"


@dataclass(frozen=True, slots=True)
class Target:
    """What the networks see in a painting."""

    vgg: Manner
    lite: Manner | None


@dataclass(frozen=True, slots=True)
class Original:
    """What the networks see in the photograph that was painted."""

    picture: Picture
    content: Tensor
    perceived: list[Tensor] | None


class Jury:
    """VGG16, and those of the two other networks that are at hand."""

    def __init__(
        self, vgg: Vgg16, lite: Lite0 | None, perceptual: ShiftTolerant | None, *, device: str
    ) -> None:
        self.vgg = vgg.to(device)
        self.lite = None if lite is None else lite.to(device)
        self.perceptual = None if perceptual is None else perceptual.to(device)
        self.device = device
        self.identity = _identity((self.vgg, self.lite, self.perceptual))
        """sha256 over the weights of the networks that are at hand"""

    @torch.inference_mode()
    def target(self, painting: Path, kept: Path) -> Target:
        """Look at a painting: five crops of 384 px at 512 lines, averaged."""
        seen = Kept.key([painting.read_bytes(), self.identity])
        path = kept / f"{painting.stem}-{seen}.safetensors"
        if path.is_file():
            return _unpacked(load_file(path), self.device)
        crops = style_crops(read_picture(painting, short_side=_PAINTING_SIDE), side=_CROP)
        parts = [crop[None].to(self.device) for crop in crops]
        vgg = pooled([manner(self.vgg(part, last=_LAST)) for part in parts])
        lite = None
        if self.lite is not None:
            lite = pooled([manner(self.lite(part)) for part in parts])
        found = Target(vgg, lite)
        kept.mkdir(parents=True, exist_ok=True)
        save_file(_packed(found), path)
        return found

    @torch.inference_mode()
    def original(self, photo: Picture) -> Original:
        """Look at a photograph."""
        x = tensor(photo, device=self.device)
        perceived = None if self.perceptual is None else self.perceptual.features(x)
        return Original(photo, self.vgg(x)[CONTENT_LAYER], perceived)

    @torch.inference_mode()
    def measures(
        self,
        painted: Picture | NDArray[np.float32],
        original: Original,
        target: Target,
        *,
        whole: bool = True,
    ) -> Measures:
        """Measure one painted photograph.

        Args:
            painted: RGB in codes, or 0 to 1, of the photograph's size.
            original: the photograph.
            target: the painting.
            whole: ST-LPIPS too, which takes longest.

        Returns:
            ``likeness``, "ssim", and, by networks that are at hand, "lite" with its stages and
            "stlpips".
        """
        x = tensor(painted, device=self.device)
        features = self.vgg(x, last=_LAST)
        found = likeness(features, manner(features), original.content, target.vgg)
        found["ssim"] = ssim(_luma(x), _luma(tensor(original.picture)))
        if self.lite is not None and target.lite is not None:
            stages = moment_losses(manner(self.lite(x)), target.lite, LITE_CONSTANTS)
            found["lite"] = fmean(stages.values())
            found |= {f"lite/{stage}": loss for stage, loss in stages.items()}
        if whole and self.perceptual is not None and original.perceived is not None:
            seen = self.perceptual.features(x)
            found["stlpips"] = float(self.perceptual.distance(seen, original.perceived))
        return found


def seat(vgg: Path | None, lite: Path | None, perceptual: Path | None, *, device: str) -> Jury:
    """Load the networks; a second network that was not asked for by file may be missing.

    Raises:
        MissingWeights: If VGG16 is not there, or a file that was named.
    """
    second, third = None, None
    try:
        second = load_lite0(lite)
    except MissingWeights:
        if lite is not None:
            raise
    try:
        third = load_shift_tolerant(perceptual)
    except MissingWeights:
        if perceptual is not None:
            raise
    return Jury(load_vgg16(vgg), second, third, device=device)


class Kept:
    """Numbers by name, kept in a JSON file under the digest of what they were measured on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Measures] = {}
        if path.is_file():
            self._known = json.loads(path.read_text("utf-8"))

    @staticmethod
    def key(parts: Sequence[bytes | str]) -> str:
        """Digest of everything that a result depends on."""
        whole = sha256(f"{MEASURES}".encode())
        for part in parts:
            whole.update(sha256(part.encode() if isinstance(part, str) else part).digest())
        return whole.hexdigest()[:24]

    def get(self, key: str) -> Measures | None:
        """What is known."""
        return self._known.get(key)

    def put(self, key: str, found: Measures) -> None:
        """Remember."""
        self._known[key] = found

    def save(self) -> None:
        """Write the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".part")
        partial.write_text(json.dumps(self._known), encoding="utf-8")
        partial.replace(self.path)


def _luma(x: Tensor) -> Picture:
    codes = (x[0].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY), np.uint8)


def _identity(nets: Sequence[nn.Module | None]) -> str:
    whole = sha256()
    for net in nets:
        whole.update(b"none" if net is None else b"net")
        for name, values in (net.state_dict() if net is not None else {}).items():
            whole.update(name.encode())
            whole.update(values.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return whole.hexdigest()


def _packed(target: Target) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for net, one in (("vgg", target.vgg), ("lite", target.lite)):
        if one is not None:
            for part, table in (("mean", one.mean), ("std", one.std), ("gram", one.gram)):
                tensors |= {f"{net}.{part}.{k}": v.contiguous() for k, v in table.items()}
    return tensors


def _unpacked(tensors: dict[str, Tensor], device: str) -> Target:
    def of(net: str) -> Manner | None:
        parts: dict[str, dict[str, Tensor]] = {"mean": {}, "std": {}, "gram": {}}
        for key, value in tensors.items():
            name, part, layer = key.split(".", 2)
            if name == net:
                parts[part][layer] = value.to(device)
        return Manner(**parts) if parts["mean"] else None

    vgg = of("vgg")
    if vgg is None:
        raise ValueError("a painting was kept without what VGG16 sees")
    return Target(vgg, of("lite"))
