"""A folder of pictures to a training run: what is read, what is measured, where it begins.

The folder holds ``photos.parquet`` (and, if there are any, ``photos_more.parquet`` and
``paintings_more.parquet``), ``paintings/`` and ``photos_eval/``. The gallery's works are what the
painter has to know; works that are held out, and copies of them, are never read into a run.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file

from pipeline.errors import BadRequest, MissingWeights, UnreadableFilm
from pipeline.paint import encoder, losses, pictures, schedule, styles, targets, training
from pipeline.paint.crew import rank, wait_for_all
from pipeline.paint.encoder_training import (
    Coder,
    Lessons,
    explained,
    make_lessons,
    save_encoder,
    train_encoder,
)
from pipeline.paint.inherit import inherit
from pipeline.paint.networks import Painter, load_painter
from pipeline.paint.split import is_held_out, without_copies

_PHOTOGRAPHS = ("photos.parquet", "photos_more.parquet")
_BASIS, _TARGETS = "basis.safetensors", "targets.safetensors"
_FEW = 3
"""Settings that a message names at most."""


@dataclass(frozen=True, slots=True)
class Run:
    """A training run as a person asks for it."""

    folder: Path
    """begun, or gone on with"""
    data: Path
    """see the module"""
    vgg: Path | None
    """VGG16's weights; None takes torchvision's"""
    settings: schedule.Settings
    device: str = "cpu"
    """cpu or cuda"""
    threads: int = 2
    """of torch on the CPU"""
    minutes: float | None = None
    """after which to stop with a checkpoint"""
    start: Path | None = None
    """a folder with an earlier painter and its codes, as ``pipeline/weights`` is one; the new
    painter begins with what that one knows"""
    codes_of: Path | None = None
    """a run whose targets to share, so that both painters understand the same codes"""

    @property
    def steps_done(self) -> int:
        """As the checkpoint says; 0 without one."""
        return steps_of(self.folder)


def steps_of(folder: Path) -> int:
    """The steps that a run's folder has come to, by its checkpoint; 0 without one."""
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return 0
    return int(torch.load(path, map_location="cpu", weights_only=True)["step"])


def check(run: Run) -> None:
    """Refuse what can be seen to be wrong before anything is loaded, on whatever machine.

    Raises:
        BadRequest: If the folder holds another run, or what it is to begin with is not there.
        UnreadableFilm: If there are no photographs.
        MissingWeights: If there is no VGG16.
    """
    claimed = run.folder / "settings.json"
    if claimed.is_file():
        _check_settings(run, json.loads(claimed.read_text("utf-8")))
    if not any((run.data / name).is_file() for name in _PHOTOGRAPHS):
        raise UnreadableFilm(f"no photographs: {run.data / _PHOTOGRAPHS[0]} is missing")
    if run.vgg is not None and not run.vgg.is_file():
        raise MissingWeights(f"no VGG16 weights at {run.vgg}")
    measured = (run.folder / _TARGETS).is_file()
    if not measured and run.codes_of is not None:
        _check_codes(run.codes_of)
    if run.start is not None and not run.steps_done:
        _start_files(run.start, run.settings.size)


def _check_settings(run: Run, claimed: dict[str, object]) -> None:
    wanted = json.loads(json.dumps(asdict(run.settings)))
    other = [f"{k} is {claimed.get(k)}, not {v}" for k, v in wanted.items() if claimed.get(k) != v]
    if other:
        raise BadRequest(
            f"{run.folder} holds a run with other settings ({'; '.join(other[:_FEW])}); "
            "give another folder"
        )


def _check_codes(folder: Path) -> None:
    if not all((folder / name).is_file() for name in (_BASIS, _TARGETS)):
        raise BadRequest(f"{folder} has measured no targets")


def carry_out(run: Run, tell: Callable[[training.Progress], None]) -> bool:
    """Begin or go on with a run; True when all of its steps are done.

    Raises:
        BadRequest: If the folder holds another run, or the gallery a work that is held out.
        UnreadableFilm: If there are no photographs.
        MissingWeights: If there is no VGG16.
    """
    check(run)
    torch.set_num_threads(run.threads)
    dtype = torch.bfloat16 if run.settings.half else torch.float32
    vgg = losses.load_vgg16(run.vgg, dtype=dtype).to(run.device)
    run.folder.mkdir(parents=True, exist_ok=True)
    photos = photographs(run.data, run.settings)
    if rank() == 0:
        _note_data(run)
    aims = _targets(run, vgg, photos)
    shown = sorted((run.data / "photos_eval").glob("*.jpg"))[2::9][:3]
    samples = [pictures.reduced(pictures.read_picture(p)[8:-8, 8:-8], 240) for p in shown]
    begin = None if run.start is None else partial(_begin_with, run.start, aims, run.settings.size)
    try:
        return training.train(
            run.folder,
            settings=run.settings,
            targets=aims,
            vgg=vgg,
            photos=photos,
            samples=samples or photos[:3],
            tell=tell,
            start=begin,
            stop_after=None if run.minutes is None else run.minutes * 60,
        )
    except ValueError as error:
        raise BadRequest(str(error)) from None


def photographs(data: Path, settings: schedule.Settings) -> list[pictures.Picture]:
    """The photographs of a data folder, reduced.

    Raises:
        UnreadableFilm: If there are none.
    """
    photos = []
    for name in _PHOTOGRAPHS:
        if (data / name).is_file():
            photos += pictures.read_table(data / name)
    if not photos:
        raise UnreadableFilm(f"no photographs: {data / _PHOTOGRAPHS[0]} is missing")
    return [pictures.reduced(photo, settings.photo_side) for photo in photos]


def _note_data(run: Run) -> None:
    """Write down what the run reads: sha256 by file, ``data.json``."""
    files = [*run.data.glob("*.parquet"), *sorted((run.data / "paintings").glob("*"))]
    files += [run.vgg] if run.vgg else []
    digests = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    text = json.dumps(digests, indent=1, sort_keys=True) + "\n"
    (run.folder / "data.json").write_text(text, encoding="utf-8")


def _targets(run: Run, vgg: losses.Vgg16, photos: Sequence[pictures.Picture]) -> targets.Targets:
    """Read the run's targets, or measure them; of several workers, one does."""
    path = run.folder / _TARGETS
    if rank() == 0 and not path.is_file() and run.codes_of is not None:
        _check_codes(run.codes_of)
        for name in (_BASIS, path.name):
            part = path.with_suffix(".part")
            shutil.copyfile(run.codes_of / name, part)
            part.replace(run.folder / name)
    elif rank() == 0 and not path.is_file():
        works, collection = read_works(run.data)
        aims, basis = targets.make_targets(works, collection, vgg, photos=photos)
        targets.save_basis(basis, run.folder / _BASIS)
        targets.save_targets(aims, path)
    wait_for_all()
    return targets.load_targets(path)


def read_works(data: Path) -> tuple[dict[str, pictures.Picture], list[pictures.Picture]]:
    """The gallery's works by name, and the wider collection without copies of held-out works."""
    files = {c.name: data / "paintings" / f"{c.painting}.jpg" for c in styles.gallery()}
    if seen := [name for name, file in files.items() if is_held_out(file)]:
        raise BadRequest(f"held out of training, but in the gallery: {', '.join(seen)}")
    works = {n: pictures.read_picture(file, short_side=512) for n, file in files.items()}
    held = [pictures.read_picture(p) for p in (data / "paintings").glob("*") if is_held_out(p)]
    more = data / "paintings_more.parquet"
    return works, without_copies(pictures.read_table(more), held) if more.is_file() else []


def _begin_with(folder: Path, aims: targets.Targets, size: str, net: Painter) -> None:
    """Give a new net what an earlier painter knows; ``folder`` as ``Run.start``."""
    painter, codes = _start_files(folder, size)
    older = load_painter(painter, size=size)
    known = load_file(codes)
    pairs = {n: (known[n], aims.codes[i]) for i, n in enumerate(aims.names) if n in known}
    inherit(net, older, pairs)


def _start_files(folder: Path, size: str) -> tuple[Path, Path]:
    """An earlier painter and its codes.

    Raises:
        BadRequest: If they are not there.
    """
    painter, codes = folder / f"painter-{size}.safetensors", folder / "codes.safetensors"
    if not painter.is_file() or not codes.is_file():
        raise BadRequest(f"{folder} holds no painter of size {size} with its codes")
    return painter, codes


def teach_encoder(
    run: Run, tell: Callable[[int, float], None], *, lessons: int, steps: int
) -> float:
    """Train the style encoder on a run's code space: ``encoder.safetensors`` in its folder.

    Returns:
        The share of the variance of held-out paintings' statistics that it explains; nan without
        any.

    Raises:
        BadRequest: If the run has not measured its targets yet.
    """
    torch.set_num_threads(run.threads)
    if not (run.folder / _BASIS).is_file():
        raise BadRequest(f"{run.folder} has no code basis yet: train its painter first")
    dtype = torch.bfloat16 if run.settings.half else torch.float32
    vgg = losses.load_vgg16(run.vgg, dtype=dtype).to(run.device)
    basis = targets.load_basis(run.folder / _BASIS)
    aims = targets.load_targets(run.folder / _TARGETS)
    coder = Coder.of(vgg, basis, aims)
    path = run.folder / "lessons.safetensors"
    if not path.is_file():
        works, collection = read_works(run.data)
        photos = photographs(run.data, run.settings)
        make_lessons([*works.values()] * 4 + collection, photos, coder, count=lessons).save(path)
    net = train_encoder(Lessons.load(path), steps=steps, tell=tell, device=run.device)
    save_encoder(net, run.folder / encoder.FILE, basis=basis.digest)
    held = [p for p in sorted((run.data / "paintings").glob("*")) if is_held_out(p)]
    if len(held) < 2:
        return math.nan
    unseen = [pictures.read_picture(p, short_side=512) for p in held]
    exact = torch.stack([coder.code(targets.manner_of(work, vgg, 384)) for work in unseen])
    said = torch.stack([torch.from_numpy(encoder.encode(net, work)) for work in unseen])
    return explained(said, exact, torch.from_numpy(basis.spread))
