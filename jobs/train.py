"""Photographs, paintings and VGG16 to a painter and the gallery's codes.

``--data`` is a folder with ``photos.parquet`` (and, if there are any, ``photos_more.parquet``,
``paintings_more.parquet``), ``paintings/`` and ``photos_eval/``. The same command goes on with a
run that was stopped. ``--install`` puts a finished run's weights where painting finds them.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file

from jobs.progress import Progressing
from pipeline.errors import BadRequest, UnreadableFilm
from pipeline.paint import losses, pictures, schedule, styles, targets, training
from pipeline.paint.inherit import inherit
from pipeline.paint.networks import Painter, load_painter
from pipeline.paint.split import is_held_out, without_copies


def train(
    folder: Path,
    *,
    data: Path,
    vgg: Path | None,
    settings: schedule.Settings,
    device: str,
    threads: int,
    minutes: float | None,
    progress: Progressing,
    start: Path | None = None,
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
        start: a folder with an earlier painter and its codes, as ``pipeline/weights`` is one; the
            new painter begins with what that one knows.

    Returns:
        True when all steps are done.
    """
    torch.set_num_threads(threads)
    dtype = torch.bfloat16 if settings.half else torch.float32
    net = losses.load_vgg16(vgg, dtype=dtype).to(device)
    folder.mkdir(parents=True, exist_ok=True)
    photos = _photographs(data, settings)
    aims = _targets(folder, data, net, photos)
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
        start=None if start is None else partial(_begin_with, start, aims, settings.size),
        stop_after=None if minutes is None else minutes * 60,
    )


def _photographs(data: Path, settings: schedule.Settings) -> list[pictures.Picture]:
    photos = []
    for name in ("photos.parquet", "photos_more.parquet"):
        if (data / name).is_file():
            photos += pictures.read_table(data / name)
    if not photos:
        raise UnreadableFilm(f"no photographs: {data / 'photos.parquet'} is missing")
    return [pictures.reduced(photo, settings.photo_side) for photo in photos]


def _begin_with(folder: Path, aims: targets.Targets, size: str, net: Painter) -> None:
    """Give a new net what an earlier painter knows; ``folder`` as in ``train``."""
    painter, codes = folder / f"painter-{size}.safetensors", folder / "codes.safetensors"
    if not painter.is_file() or not codes.is_file():
        raise BadRequest(f"{folder} holds no painter of size {size} with its codes")
    older = load_painter(painter, size=size)
    known = load_file(codes)
    pairs = {n: (known[n], aims.codes[i]) for i, n in enumerate(aims.names) if n in known}
    inherit(net, older, pairs)


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
    folder: Path, data: Path, vgg: losses.Vgg16, photos: Sequence[pictures.Picture]
) -> targets.Targets:
    """Read the run's targets, or measure them: the gallery's works and the wider collection."""
    path = folder / "targets.safetensors"
    if path.is_file():
        return targets.load_targets(path)
    files = {c.name: data / "paintings" / f"{c.painting}.jpg" for c in styles.gallery()}
    if seen := [name for name, file in files.items() if is_held_out(file)]:
        raise BadRequest(f"held out of training, but in the gallery: {', '.join(seen)}")
    works = {n: pictures.read_picture(file, short_side=512) for n, file in files.items()}
    held = [pictures.read_picture(p) for p in (data / "paintings").glob("*") if is_held_out(p)]
    more = data / "paintings_more.parquet"
    collection = without_copies(pictures.read_table(more), held) if more.is_file() else []
    aims, basis = targets.make_targets(works, collection, vgg, photos=photos)
    targets.save_basis(basis, folder / "basis.safetensors")
    targets.save_targets(aims, path)
    return aims


def _steps_done(folder: Path) -> int:
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return 0
    return int(torch.load(path, map_location="cpu", weights_only=True)["step"])
