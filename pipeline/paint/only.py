"""One painting to a code of its own and to what the painter's last layers should do otherwise.

First the code is refined with the net left alone, then the last three convolutions with the code
left alone: a *delta* to the shipped weights, 73 KB with S. The painter that ships is not changed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import MissingWeights
from pipeline.paint import losses, pictures, styles
from pipeline.paint.networks import Painter
from pipeline.paint.schedule import Settings
from pipeline.paint.targets import Targets, manner_of
from pipeline.paint.training import Progress, Trainer

LAST = ("up", "detail", "last")
"""The convolutions that a delta changes."""
_CODE_RATE, _NET_RATE = 3e-2, 7e-4
_CODE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was learned of one painting."""

    code: NDArray[np.float32]
    """[256]"""
    delta: styles.Delta


def tune(
    painter: Painter,
    painting: pictures.Picture,
    code: NDArray[np.float32],
    photos: list[pictures.Picture],
    vgg: losses.Vgg16,
    *,
    weights: str,
    settings: Settings,
    tell: Callable[[Progress], None],
) -> Tuned:
    """Fit the painter to one painting.

    Args:
        painter: the shipped one; left as it is.
        painting: RGB, margins cut away.
        code: [256] to begin with.
        photos: training content.
        vgg: on the device to train on.
        weights: sha256 of the painter's file.
        settings: batch, crops, weights of the losses and all steps; 30 % of them refine the code.
        tell: called after each step.
    """
    code_steps = max(1, round(_CODE_SHARE * settings.steps))
    aims = Targets(
        ("only",),
        torch.from_numpy(code.copy())[None],
        manner_of(painting, vgg, 384),
        shipped_scales(),
        "",
    )
    first = _changed(settings, rate=_CODE_RATE, steps=code_steps)
    trainer = _trainer(painter, first, aims, vgg, photos)
    values = trainer.targets.codes.requires_grad_()
    trainer.optimiser = torch.optim.AdamW([values], lr=first.rate, weight_decay=0)
    while trainer.step < code_steps:
        tell(trainer.take_step())
    found = values.detach().clamp(-4, 4)
    aims = Targets(("only",), found.cpu(), aims.manners, aims.scales, "")
    second = _changed(settings, rate=_NET_RATE, steps=settings.steps - code_steps)
    trainer = _trainer(painter, second, aims, vgg, photos)
    layers = torch.nn.ModuleList(getattr(trainer.net, name) for name in LAST)
    trainer.optimiser = torch.optim.AdamW(layers.parameters(), lr=second.rate, weight_decay=0)
    while trainer.step < second.steps:
        tell(trainer.take_step())
    before, after = painter.state_dict(), trainer.average.state_dict()
    delta = {
        name: (after[name].cpu() - before[name].cpu()).numpy()
        for name in before
        if name.split(".")[0] in LAST
    }
    return Tuned(found[0].cpu().numpy(), styles.delta_of(delta, painter=weights))


def shipped_scales() -> losses.Scales:
    """The fixed layer constants that the shipped painter was trained with.

    Raises:
        MissingWeights: If no run is told of beside the weights.
    """
    path = styles.WEIGHTS / "painter-S.run.json"
    try:
        return losses.Scales(**json.loads(path.read_text("utf-8"))["scales"])
    except (OSError, KeyError, ValueError):
        raise MissingWeights(f"{path} does not tell the layer constants of a run") from None


def _changed(settings: Settings, *, rate: float, steps: int) -> Settings:
    return replace(settings, rate=rate, steps=steps, mix=False, cooling=0.6, average=0.98)


def _trainer(
    painter: Painter,
    settings: Settings,
    aims: Targets,
    vgg: losses.Vgg16,
    photos: list[pictures.Picture],
) -> Trainer:
    """A trainer that begins with the painter's weights and leaves its typical variances alone."""
    trainer = Trainer(settings, aims, vgg, photos)
    trainer.net.load_state_dict(painter.state_dict())
    trainer.average.load_state_dict(painter.state_dict())
    trainer.net.settled = True
    return trainer
