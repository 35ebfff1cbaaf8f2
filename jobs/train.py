"""Photographs, paintings and VGG16 to a painter and the gallery's codes.

``--data`` is a folder with ``photos.parquet`` (and, if there are any, ``photos_more.parquet``,
``paintings_more.parquet``), ``paintings/`` and ``photos_eval/``. The same command goes on with a
run that was stopped. ``--install`` puts a finished run's weights where painting finds them.
"""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch

from jobs.progress import Progressing
from pipeline.errors import BadRequest, UnreadableFilm
from pipeline.paint import losses, pictures, styles, targets, training


def train(
    folder: Path,
    *,
    data: Path,
    vgg: Path | None,
    settings: training.Settings,
    device: str,
    threads: int,
    minutes: float | None,
    progress: Progressing,
) -> bool:
    """Begin or go on with a training run.

    Args:
        folder: of the run.
        data: see the module.
        vgg: VGG16's weights; None takes torchvision's.
        settings: of the run.
        device: cpu or cuda.
        threads: of torch on the CPU.
        minutes: after which to stop with a checkpoint.
        progress: is told of steps.

    Returns:
        True when all steps are done.
    """
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if settings.half else torch.float32
    net = losses.load_vgg16(vgg, dtype=dtype).to(device)
    folder.mkdir(parents=True, exist_ok=True)
    aims = _targets(folder, data, net, settings)
    photos = []
    for name in ("photos.parquet", "photos_more.parquet"):
        if (data / name).is_file():
            photos += pictures.read_table(data / name)
    if not photos:
        raise UnreadableFilm(f"no photographs: {data / 'photos.parquet'} is missing")
    photos = [pictures.reduced(photo, settings.photo_side) for photo in photos]
    shown = sorted((data / "photos_eval").glob("*.jpg"))[2::9][:3]
    samples = [pictures.reduced(pictures.read_picture(p)[8:-8, 8:-8], 240) for p in shown]
    progress.stage("training", settings.steps, done=_steps_done(folder))
    return training.train(
        folder,
        settings=settings,
        targets=aims,
        vgg=net,
        photos=photos,
        samples=samples or photos[:3],
        tell=lambda _: progress.advance(1),
        stop_after=None if minutes is None else minutes * 60,
    )


def install(folder: Path, *, size: str) -> None:
    """Put a finished run's painter and codes into pipeline/weights, with their digests."""
    painter = folder / f"painter-{size}.safetensors"
    if not painter.is_file():
        raise BadRequest(f"{folder} holds no finished painter of size {size}")
    aims = targets.load_targets(folder / "targets.safetensors")
    shutil.copyfile(painter, styles.WEIGHTS / painter.name)
    targets.save_codes(aims, styles.WEIGHTS / "codes.safetensors")
    manifest = {
        "basis": aims.basis,
        painter.name: hashlib.sha256(painter.read_bytes()).hexdigest(),
    }
    text = json.dumps(manifest, indent=1) + "\n"
    (styles.WEIGHTS / "manifest.json").write_text(text, encoding="utf-8")
    shutil.copyfile(folder / "settings.json", styles.WEIGHTS / f"painter-{size}.run.json")
    shutil.copyfile(folder / "curve.jsonl", styles.WEIGHTS / f"painter-{size}.curve.jsonl")


def _targets(
    folder: Path, data: Path, vgg: losses.Vgg16, settings: training.Settings
) -> targets.Targets:
    """Read the run's targets, or measure them from the gallery's paintings."""
    path = folder / "targets.safetensors"
    if path.is_file():
        return targets.load_targets(path)
    works = {
        caption.name: pictures.read_picture(
            data / "paintings" / f"{caption.painting}.jpg", short_side=settings.painting_side
        )
        for caption in styles.gallery()
    }
    more = data / "paintings_more.parquet"
    variety = pictures.read_table(more) if more.is_file() else []
    aims, _ = targets.make_targets(works, variety, vgg)
    targets.save_targets(aims, path)
    return aims


def _steps_done(folder: Path) -> int:
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return 0
    return int(torch.load(path, map_location="cpu", weights_only=True)["step"])


def quick(settings: training.Settings) -> training.Settings:
    """A few steps of the same thing, to rehearse a command before a long run."""
    return replace(settings, steps=4, batch=2, crop=64, wide_crop=64)
