"""Photographs and paintings to a painter's weights: the training loop, plain torch.

A *run* is a folder: settings, targets, checkpoints, the curve of losses, picture sheets. Each step
draws its pictures from (seed, step) alone, so a run that is stopped and started again from its
checkpoint takes the same steps. The loop knows nothing of who calls it: a callback gets the losses.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.paint import losses, pictures
from pipeline.paint.content import Photographs
from pipeline.paint.crew import everyone, rank, share_gradients
from pipeline.paint.level import level_filters
from pipeline.paint.networks import Painter
from pipeline.paint.schedule import MIX, Settings
from pipeline.paint.sheets import draw_sheet, save_weights
from pipeline.paint.sizes import SIZES
from pipeline.paint.targets import Targets


@dataclass(frozen=True, slots=True)
class Progress:
    """Losses of one step, unweighted."""

    step: int
    content: float
    moments: float
    gram: float
    consistency: float
    palette: float
    seconds: float
    """wall clock of the step"""


_LOSSES = ("content", "moments", "gram", "consistency", "palette")


class Trainer:
    """One training run in memory: net, its average, optimiser, step counter."""

    def __init__(
        self,
        settings: Settings,
        targets: Targets,
        vgg: losses.Vgg16,
        photos: Sequence[pictures.Picture],
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.vgg = settings, vgg
        self.device = vgg.mean.device
        self.targets = targets.to(self.device)
        self.photos = Photographs(photos, self.device)
        self.net = Painter(SIZES[settings.size]).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Painter(SIZES[settings.size]).to(self.device)
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(_groups(self.net, settings), lr=settings.rate)
        self.step = 0

    def save(self, path: Path) -> None:
        """Write a checkpoint; the file appears whole or not at all."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def take_step(self) -> Progress:
        """Draw a batch, take one optimiser step; beside other workers, the step of all of them."""
        began = time.perf_counter()
        s, done = self.settings, self.step / self.settings.steps
        for group in self.optimiser.param_groups:
            share = min(1.0, (1 - done) / s.cooling, (self.step + 1) / 50)
            group["lr"] = s.rate * share * group.get("pace", 1.0)
        rng = np.random.default_rng((s.seed, self.step, rank()))
        ramp = s.consistency * (min(1.0, 0.1 + 0.9 * done / s.ramp) if s.ramp else 1.0)
        self.net.train()
        parts = self._losses(s.crop if done < 0.8 else s.wide_crop, rng)
        content, moments, gram, consistency, palette = parts
        total = s.content * content + s.moments * moments + s.gram * gram + ramp * consistency
        total = total + s.palette * palette
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        share_gradients(self.net)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        if s.project:
            self.net.project_phases()
        if s.level:
            level_filters(self.net)
        self._average_weights()
        self.step += 1
        seconds = time.perf_counter() - began
        values = torch.stack([p.detach().float() for p in parts]).tolist()
        return Progress(self.step, seconds=seconds, **dict(zip(_LOSSES, values, strict=True)))

    def _losses(self, crop: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Content, moments, Gram, consistency, palette."""
        s, apron = self.settings, self.net.size.apron
        side = crop + 8 + 2 * apron
        big = self.photos.windows(count=s.batch, side=side + 16, rng=rng)
        code, target = self._styles(rng)
        first = big[..., 8 : 8 + side, 8 : 8 + side]
        painted, used = self._paint(first, code, None)
        consistency = self._consistency(big, painted, code, used.detach(), rng)
        y, x = (int(v) for v in rng.integers(0, 8, 2))
        judged = painted[..., y : y + crop, x : x + crop]
        photo = first[..., apron + y : apron + y + crop, apron + x : apron + x + crop]
        with torch.no_grad():
            wanted = self.vgg(photo)[losses.CONTENT_LAYER]
        features = self.vgg(judged)
        own = losses.manner(features | {losses.PALETTE: losses.opponents(judged)})
        moments, gram = losses.style_losses(own, target, self.targets.scales, finest=s.finest)
        content = losses.content_loss(features[losses.CONTENT_LAYER], wanted)
        return content, moments, gram, consistency, losses.palette_loss(own, target)

    def _styles(self, rng: np.random.Generator) -> tuple[Tensor, losses.Manner]:
        """Draw a batch of styles: codes [N, 256] and manners."""
        rows, others, shares = [], [], []
        groups, chances = list(MIX), np.cumsum(list(MIX.values()))
        for _ in range(self.settings.batch):
            at = int(np.searchsorted(chances, rng.random())) if self.settings.mix else 0
            of = self.targets.rows(groups[at]) if at < len(groups) else None
            drawn = of or range(len(self.targets.codes))
            row, other = (int(v) for v in rng.integers(drawn.start, drawn.stop, 2))
            rows.append(row)
            others.append(other)
            shares.append(float(rng.random()) if of is None else 0.0)
        first, second = (torch.tensor(v, device=self.device) for v in (rows, others))
        return self.targets.mixed(first, second, torch.tensor(shares, device=self.device))

    def _paint(self, x: Tensor, code: Tensor, moments: Tensor | None) -> tuple[Tensor, Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.settings.half):
            result: tuple[Tensor, Tensor] = self.net(x, code, moments, frugal=self.settings.frugal)
        return result

    def _consistency(
        self, big: Tensor, painted: Tensor, code: Tensor, used: Tensor, rng: np.random.Generator
    ) -> Tensor:
        """paint(W(I) + noise) against W(paint(I)); odd steps shift by whole pixels, others warp."""
        side, out = big.shape[-1] - 16, painted.shape[-1]
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        if self.step % 2:
            dy, dx = (int(v) for v in torch.randint(-7, 8, (2,), generator=generator))
            other = big[..., 8 + dy : 8 + dy + side, 8 + dx : 8 + dx + side]
            expected = torch.roll(painted, (-dy, -dx), (2, 3))
            valid = torch.zeros(1, 1, out, out)
            valid[..., max(0, -dy) : out - max(0, dy), max(0, -dx) : out - max(0, dx)] = 1
            valid = valid.expand(len(painted), 1, out, out)
        else:
            maps = pictures.motion(len(big), generator=generator)
            other, _ = pictures.moved(big, maps, side=side)
            expected, valid = pictures.moved(painted, maps, side=out)
        strength = float(torch.rand(1, generator=generator)) * 0.015 + 0.001
        on_device = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        noise = torch.randn(other.shape, generator=on_device, device=self.device) * strength
        repainted, _ = self._paint((other + noise).clamp(0, 1), code, used)
        return losses.consistency_loss(repainted, expected, valid.to(self.device))

    @torch.no_grad()
    def _average_weights(self) -> None:
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        for kept, new in zip(
            self.average.state_dict().values(), self.net.state_dict().values(), strict=True
        ):
            kept.lerp_(new, 1 - decay)


def train(
    folder: Path,
    *,
    settings: Settings,
    targets: Targets,
    vgg: losses.Vgg16,
    photos: Sequence[pictures.Picture],
    samples: Sequence[pictures.Picture],
    tell: Callable[[Progress], None],
    start: Callable[[Painter], None] | None = None,
    sheet_every: int = 200,
    save_every: int = 100,
    stop_after: float | None = None,
) -> bool:
    """Run or go on with a training run until its steps are done.

    Args:
        folder: the run's folder; checkpoint, curve and sheets are written here.
        settings: must be those that the run began with.
        targets: the paintings.
        vgg: on the device to train on.
        photos: training content.
        samples: pictures for the sheets; never trained on.
        tell: called after each step.
        start: changes the random first weights, if the run is a new one.
        sheet_every: steps between picture sheets.
        save_every: steps between checkpoints.
        stop_after: seconds after which to stop with a checkpoint; None runs to the end.

    Returns:
        True when all steps are done.

    Raises:
        ValueError: If the folder holds a run with other settings.
    """
    chief = rank() == 0
    if chief:
        folder.mkdir(parents=True, exist_ok=True)
        _claim(folder, settings, targets)
    trainer = Trainer(settings, targets, vgg, photos)
    checkpoint, curve = folder / "checkpoint.pt", folder / "curve.jsonl"
    if checkpoint.exists():
        trainer.load(checkpoint)
    elif start is not None:
        start(trainer.net)
        trainer.average.load_state_dict(trainer.net.state_dict())
    if chief:
        _forget_after(curve, trainer.step)
    end = math.inf if stop_after is None else time.monotonic() + stop_after
    while trainer.step < settings.steps and everyone(time.monotonic() < end, trainer.device):
        progress = trainer.take_step()
        if chief:
            tell(progress)
            _keep(trainer, progress, folder, every=save_every)
            if trainer.step % sheet_every == 0 or trainer.step == settings.steps:
                _draw(trainer, samples, folder / f"{trainer.step:06}.png")
    if chief:
        trainer.save(checkpoint)
    return trainer.step >= settings.steps


def _groups(net: Painter, settings: Settings) -> list[dict[str, object]]:
    """All parameters, those that take in a style code at a pace of their own."""
    heads = [p for head in net.heads() for p in head.affine.parameters()]
    known = {id(p) for p in heads}
    others = [p for p in net.parameters() if id(p) not in known]
    return [{"params": others, "pace": 1.0}, {"params": heads, "pace": settings.head_pace}]


def _keep(trainer: Trainer, progress: Progress, folder: Path, *, every: int) -> None:
    """Note a step in the curve; now and then write a checkpoint and the weights."""
    if trainer.step % 10 == 0:
        with (folder / "curve.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(json.dumps(asdict(progress)) + "\n")
    if trainer.step % every == 0 or trainer.step == trainer.settings.steps:
        trainer.save(folder / "checkpoint.pt")
        save_weights(trainer.average, folder / f"painter-{trainer.settings.size}.safetensors")


def _draw(trainer: Trainer, samples: Sequence[pictures.Picture], path: Path) -> None:
    """Paint the samples with every third work, and with some rows that no work stands for."""
    targets = trainer.targets
    rows = [*targets.rows("works")[::3], *targets.rows("collection")[::190]]
    draw_sheet(trainer.average, targets.codes[rows], samples, path)


def _forget_after(curve: Path, step: int) -> None:
    """Drop what a killed run noted after its last checkpoint; those steps are taken again."""
    if curve.exists():
        lines = curve.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        curve.write_text("".join(kept), encoding="utf-8")


def _claim(folder: Path, settings: Settings, targets: Targets) -> None:
    """Write the run's settings, or check that the folder's are the same."""
    claim = json.dumps({**asdict(settings), "styles": targets.names, "basis": targets.basis})
    path = folder / "settings.json"
    if path.exists() and json.loads(path.read_text("utf-8")) != json.loads(claim):
        raise ValueError(f"{folder} holds a run with other settings; give another folder")
    path.write_text(claim, encoding="utf-8")
