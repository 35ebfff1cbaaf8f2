"""One painting to a style of its own: a code file with what training for it alone has added.

Nothing that ships is changed: the file is a style like any other, ``--style painting.style``.
"""

from dataclasses import replace
from pathlib import Path

import torch

from jobs.progress import Progressing
from jobs.styles import code_target, plain, save_code
from pipeline.paint import losses
from pipeline.paint.choice import encode
from pipeline.paint.hygiene import read_painting
from pipeline.paint.networks import load_painter
from pipeline.paint.only import tune
from pipeline.paint.pictures import reduced
from pipeline.paint.stylize import painter_file
from pipeline.paint.workshop import Run, photographs


def only(
    painting: Path, run: Run, *, target: Path | None, overwrite: bool, progress: Progressing
) -> tuple[Path, tuple[str, ...]]:
    """Fine-tune the shipped painter for one painting.

    Args:
        painting: an image file.
        run: data, VGG16, settings and device; its folder is not used.
        target: the code file; by default NAME.style in the working folder.
        overwrite: whether to replace one that exists.
        progress: is told of steps.

    Returns:
        The code file, and what there is to say of the painting.

    Raises:
        BadRequest: If the painting is no picture, or the target cannot be written.
        MissingWeights: If there is no painter, no encoder or no VGG16.
    """
    settings = run.settings
    name = plain(painting.stem)
    target = code_target(name, target, overwrite=overwrite)
    weights, digest = painter_file(settings.size)
    content, notes = encode(painting, name=name)
    torch.set_num_threads(run.threads)
    dtype = torch.bfloat16 if settings.half else torch.float32
    progress.stage("training", settings.steps, done=0)
    tuned = tune(
        load_painter(weights, size=settings.size),
        reduced(read_painting(painting).picture, 512),
        torch.tensor(content.code.values).numpy(),
        photographs(run.data, settings),
        losses.load_vgg16(run.vgg, dtype=dtype).to(run.device),
        weights=digest,
        settings=settings,
        tell=lambda _: progress.advance(1),
    )
    values = tuple(tuned.code.tolist())
    save_code(
        replace(content, code=replace(content.code, values=values, delta=tuned.delta)), target
    )
    return target, notes
