"""Photographs and paintings to a painter's weights: the training loop, plain torch.

A *run* is a folder: settings, targets, checkpoints, the curve of losses, picture sheets. Each step
draws its pictures from (seed, step) alone, so a run that is stopped and started again from its
checkpoint takes the same steps. The loop knows nothing of who calls it: a callback gets the losses.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from pipeline.paint import losses, pictures
from pipeline.paint.networks import SIZES, Painter, mirrored
from pipeline.paint.targets import Targets


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run is made of; kept in the run's folder."""

    size: str = "S"
    steps: int = 5200
    batch: int = 4
    crop: int = 128
    """side of the judged crop in pixels"""
    wide_crop: int = 192
    """side during the last fifth of the run"""
    rate: float = 2e-3
    """learning rate at the start; falls linearly to 0"""
    content: float = 2.0
    moments: float = 1.5
    gram: float = 4.0
    consistency: float = 15.0
    """weight of the temporal term, reached by a ramp from 10 % over the first half"""
    seed: int = 1
    average: float = 0.998
    """decay of the exponential moving average of the weights"""
    half: bool = False
    """VGG16 and the net in bfloat16 (accumulation in float32)"""
    photo_side: int = 512
    painting_side: int = 512


@dataclass(frozen=True, slots=True)
class Progress:
    """Losses of one step, unweighted."""

    step: int
    content: float
    moments: float
    gram: float
    consistency: float
    seconds: float
    """wall clock of the step"""


class Trainer:
    """One training run in memory: net, its average, optimiser, step counter."""

    def __init__(self, settings: Settings, targets: Targets, vgg: losses.Vgg16) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.targets, self.vgg = settings, targets, vgg
        self.device = vgg.mean.device
        self.net = Painter(SIZES[settings.size]).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Painter(SIZES[settings.size]).to(self.device)
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.rate)
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

    def take_step(self, photos: Sequence[pictures.Picture]) -> Progress:
        """Draw a batch, take one optimiser step."""
        began = time.perf_counter()
        s, done = self.settings, self.step / self.settings.steps
        for group in self.optimiser.param_groups:
            group["lr"] = s.rate * (1 - done) * min(1.0, (self.step + 1) / 50)
        crop = s.crop if done < 0.8 else s.wide_crop
        rng = np.random.default_rng((s.seed, self.step))
        generator = torch.Generator().manual_seed(s.seed * 1_000_003 + self.step)
        ramp = s.consistency * min(1.0, 0.1 + 1.8 * done)
        self.net.train()
        parts = self._losses(photos, crop, rng, generator)
        content, moments, gram, consistency = parts
        total = s.content * content + s.moments * moments + s.gram * gram + ramp * consistency
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.net.project_phases()
        self._average_weights()
        self.step += 1
        seconds = time.perf_counter() - began
        values = torch.stack([p.detach().float() for p in parts]).tolist()
        return Progress(self.step, values[0], values[1], values[2], values[3], seconds)

    def _losses(
        self,
        photos: Sequence[pictures.Picture],
        crop: int,
        rng: np.random.Generator,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        s, apron = self.settings, self.net.size.apron
        out = crop + 8
        side = out + 2 * apron
        room = side + 16
        windows = [pictures.window(photos, side=room, rng=rng) for _ in range(s.batch)]
        big = torch.stack(windows).to(self.device)
        which = torch.from_numpy(
            rng.permutation(len(self.targets.names)).repeat(s.batch)[: s.batch]
            if len(self.targets.names) < s.batch
            else rng.permutation(len(self.targets.names))[: s.batch]
        )
        code = self.targets.codes[which].to(self.device)
        first = big[..., 8 : 8 + side, 8 : 8 + side]
        painted, used = self._paint(first, code, None)
        consistency = self._consistency(big, painted, code, used.detach(), generator)
        y, x = (int(v) for v in rng.integers(0, 8, 2))
        judged = painted[..., y : y + crop, x : x + crop]
        photo = first[..., apron + y : apron + y + crop, apron + x : apron + x + crop]
        with torch.no_grad():
            wanted = self.vgg(photo)[losses.CONTENT_LAYER]
        features = self.vgg(judged)
        m = self.targets.manners
        target = losses.Manner(
            {k: v[which] for k, v in m.mean.items()},
            {k: v[which] for k, v in m.std.items()},
            {k: v[which] for k, v in m.gram.items()},
        )
        moments, gram = losses.style_losses(losses.manner(features), target, self.targets.scales)
        content = losses.content_loss(features[losses.CONTENT_LAYER], wanted)
        return content, moments, gram, consistency

    def _paint(self, x: Tensor, code: Tensor, moments: Tensor | None) -> tuple[Tensor, Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.settings.half):
            result: tuple[Tensor, Tensor] = self.net(x, code, moments)
        return result

    def _consistency(
        self, big: Tensor, painted: Tensor, code: Tensor, used: Tensor, generator: torch.Generator
    ) -> Tensor:
        """paint(W(I) + noise) against W(paint(I)); odd steps shift by whole pixels, others warp."""
        side, out = big.shape[-1] - 16, painted.shape[-1]
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
        noise = torch.randn(other.shape, generator=generator).to(self.device) * strength
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
        sheet_every: steps between picture sheets.
        save_every: steps between checkpoints.
        stop_after: seconds after which to stop with a checkpoint; None runs to the end.

    Returns:
        True when all steps are done.

    Raises:
        ValueError: If the folder holds a run with other settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, settings, targets)
    trainer = Trainer(settings, targets, vgg)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    _forget_after(folder / "curve.jsonl", trainer.step)
    end = None if stop_after is None else time.monotonic() + stop_after
    with (folder / "curve.jsonl").open("a", encoding="utf-8") as curve:
        while trainer.step < settings.steps and (end is None or time.monotonic() < end):
            progress = trainer.take_step(photos)
            tell(progress)
            if trainer.step % 10 == 0:
                curve.write(json.dumps(asdict(progress)) + "\n")
                curve.flush()
            if trainer.step % save_every == 0 or trainer.step == settings.steps:
                trainer.save(checkpoint)
                save_weights(trainer.average, folder / f"painter-{settings.size}.safetensors")
            if trainer.step % sheet_every == 0 or trainer.step == settings.steps:
                draw_sheet(trainer.average, targets, samples, folder / f"{trainer.step:06}.png")
    trainer.save(checkpoint)
    return trainer.step >= settings.steps


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


def save_weights(net: Painter, path: Path) -> None:
    """Write a painter's weights as float16 safetensors (computing stays in float32)."""
    part = path.with_suffix(".part")
    save_file({k: v.half().contiguous() for k, v in net.state_dict().items()}, part)
    part.replace(path)


@torch.no_grad()
def draw_sheet(
    net: Painter, targets: Targets, samples: Sequence[pictures.Picture], path: Path
) -> None:
    """Paint the samples with every style into one picture: a row a sample, the photo first.

    Samples are cropped to the size that all of them have, a multiple of 4.
    """
    net.eval()
    height = min(s.shape[0] for s in samples) // 4 * 4
    width = min(s.shape[1] for s in samples) // 4 * 4
    device, apron = next(net.parameters()).device, net.size.apron
    rows = []
    for sample in samples:
        x = torch.from_numpy(sample[:height, :width].copy()).permute(2, 0, 1)[None].float() / 255
        padded = mirrored(x, top=apron, bottom=apron, left=apron, right=apron).to(device)
        codes = targets.codes.to(device)
        tiles = [x[0], *(net(padded, code[None])[0][0].cpu() for code in codes)]
        rows.append(torch.cat(tiles, dim=2))
    sheet = torch.cat(rows, dim=1).permute(1, 2, 0).mul(255).round().byte().numpy()
    cv2.imwrite(str(path), np.ascontiguousarray(sheet[..., ::-1]))
