"""Short training runs to what each part of the recipe is for.

Every run begins with the same weights, draws the same pictures and takes as many steps; one thing
is left out of each. Judged on photographs that none of them saw: style, palette and content loss by
what trains (seen works, and held-out works with their exact codes), shift error, and power at a
period of 2 and 4 px against its neighbours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from jobs.progress import Progressing
from pipeline.judge.clean import periods, shift_error
from pipeline.paint import losses, pictures, targets
from pipeline.paint.encoder_training import Coder
from pipeline.paint.networks import Painter, load_painter, mirrored
from pipeline.paint.split import is_held_out
from pipeline.paint.workshop import Run, carry_out

VARIANTS: Mapping[str, Mapping[str, object]] = {
    "the recipe": {},
    "no temporal term": {"consistency": 0.0},
    "no phase projection": {"project": False},
    "works only": {"mix": False},
    "no Gram term": {"gram": 0.0},
    "no palette term": {"palette": 0.0},
    "filters free to grow": {"level": False},
    "heads as fast as filters": {"head_pace": 1.0},
}
_SIDE = 256
_PHOTOS = 3
_SEEN = 7


@dataclass(frozen=True, slots=True)
class Row:
    """What a run came to; means over photographs and styles."""

    variant: str
    style_seen: float
    """moment loss, divided by the run's fixed constants"""
    gram_seen: float
    style_unseen: float
    palette_seen: float
    palette_unseen: float
    content: float
    """2 is unrelated"""
    shift: float
    """codes RMS, by 1, 2 and 3 px"""
    period_2: float
    """the larger of rows and columns; 1 is none of its own"""
    period_4: float


def ablate(run: Run, *, progress: Progressing) -> list[Row]:
    """Train every variant in a folder of its own beneath the run's, and judge it."""
    progress.stage("training", run.settings.steps * len(VARIANTS), done=0)
    rows, first = [], None
    for number, (variant, change) in enumerate(VARIANTS.items()):
        settings = replace(run.settings, **change)  # type: ignore[arg-type]
        one = replace(run, folder=run.folder / str(number), settings=settings)
        one = replace(one, codes_of=run.codes_of or first)
        carry_out(one, lambda _: progress.advance(1))
        first = first or one.folder
        rows.append(_judged(variant, one))
    return rows


@torch.inference_mode()
def _judged(variant: str, run: Run) -> Row:
    net = load_painter(run.folder / f"painter-{run.settings.size}.safetensors", size="S")
    vgg = losses.load_vgg16(run.vgg)
    aims = targets.load_targets(run.folder / "targets.safetensors")
    coder = Coder.of(vgg, targets.load_basis(run.folder / "basis.safetensors"), aims)
    photos = [_photo(p) for p in sorted((run.data / "photos_eval").glob("*"))[:_PHOTOS]]
    every = [int(row) for row in np.linspace(0, len(aims.names) - 1, _SEEN)]
    own = aims.manners
    parts = (own.mean, own.std, own.gram)
    seen = [
        (aims.codes[i], losses.Manner(*({k: v[i : i + 1] for k, v in p.items()} for p in parts)))
        for i in every
    ]
    files = sorted(p for p in (run.data / "paintings").glob("*") if is_held_out(p))
    manners = [targets.manner_of(pictures.read_picture(p, short_side=512), vgg, 384) for p in files]
    unseen = [(coder.code(m), m) for m in manners]
    numbers = np.mean([_numbers(net, vgg, photos, style, aims.scales) for style in seen], axis=0)
    others = np.mean([_numbers(net, vgg, photos, style, aims.scales) for style in unseen], axis=0)
    style, palette, gram, content, shift, two, four = (round(float(n), 4) for n in numbers)
    style_unseen, palette_unseen = (round(float(n), 4) for n in others[:2])
    seen_and_not = (style, gram, style_unseen, palette, palette_unseen)
    return Row(variant, *seen_and_not, content, shift, two, four)


def _photo(path: Path) -> Tensor:
    picture = pictures.read_picture(path)[8 : 8 + _SIDE, 8 : 8 + _SIDE]
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


def _numbers(
    net: Painter,
    vgg: losses.Vgg16,
    photos: list[Tensor],
    style: tuple[Tensor, losses.Manner],
    scales: losses.Scales,
) -> list[float]:
    """Moment, palette, Gram and content loss, shift error, power at 2 and 4 px, in one style."""
    code, target = style
    found, lumas = [], []
    for photo in photos:
        painted, used = net(_framed(photo, net), code[None])
        seen, wanted = vgg(painted), vgg(photo)[losses.CONTENT_LAYER]
        own = losses.manner(seen | {losses.PALETTE: losses.opponents(painted)})
        moments, gram = losses.style_losses(own, target, scales)
        palette = losses.palette_loss(own, target)
        content = losses.content_loss(seen[losses.CONTENT_LAYER], wanted)
        ours = painted[0].permute(1, 2, 0).numpy()
        errors = []
        for by in (1, 2, 3):
            moved, _ = net(_framed(photo[..., by : _SIDE - 4 + by], net), code[None], used)
            pixels = moved[0].permute(1, 2, 0).numpy()
            errors.append(shift_error(ours[:, : _SIDE - 4 + by], pixels, by=by))
        lumas.append(np.rint(ours @ np.array([76.245, 149.685, 29.07])).astype(np.uint8))
        parts = (moments, palette, gram, content, torch.tensor(errors).mean())
        found.append([float(part) for part in parts])
    power = periods(lumas)
    two, four = (max(power[f"{way}/{n}"] for way in ("rows", "columns")) for n in (2, 4))
    return [*np.mean(found, axis=0).tolist(), two, four]


def _framed(picture: Tensor, net: Painter) -> Tensor:
    apron = net.size.apron
    return mirrored(picture, top=apron, bottom=apron, left=apron, right=apron)
