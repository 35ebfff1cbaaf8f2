"""Paintings to the codes that ours paints by, and where each code comes from.

*Gallery* codes ship; the *encoder* makes a code of any picture; *exact* codes are projections of
what VGG16 sees, and need the folder of the training run that the painter came from.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from jobs.jury import Jury
from pipeline.errors import BadRequest, MissingWeights
from pipeline.paint.choice import encode
from pipeline.paint.losses import CODE_LAYERS
from pipeline.paint.styles import Basis, StyleCode, gallery, load_code, manifest, statistics_vector


def gallery_codes(paintings: Sequence[Path]) -> dict[str, StyleCode]:
    """Codes that ship, by the stem of the painting."""
    names = {caption.painting: caption.name for caption in gallery()}
    return {p.stem: load_code(names[p.stem]) for p in paintings if p.stem in names}


def encoded(paintings: Sequence[Path]) -> dict[str, StyleCode]:
    """Codes by the shipped encoder, as users' pictures get them; none without an encoder."""
    try:
        return {painting.stem: encode(painting)[0].code for painting in paintings}
    except MissingWeights:
        return {}


def exact_codes(
    paintings: Sequence[Path], *, run: Path | None, jury: Jury, kept: Path
) -> dict[str, StyleCode]:
    """Codes by VGG16 and the basis of a training run; none without one.

    Raises:
        BadRequest: If the folder has no basis, or another one than the shipped painter's.
    """
    if run is None:
        return {}
    from safetensors.numpy import load_file

    from pipeline.paint.targets import load_targets

    files = run / "basis.safetensors", run / "targets.safetensors"
    if not all(file.is_file() for file in files):
        raise BadRequest(f"{run} holds no basis.safetensors and targets.safetensors")
    basis = Basis(**load_file(files[0]))
    if basis.digest != manifest()["basis"]:
        raise BadRequest(f"{run} has another basis than the painter that ships")
    aims = load_targets(files[1])
    works = [aims.manners.std[k][: len(aims.names)] for k in CODE_LAYERS]
    divisors = {k: float(w.square().mean()) for k, w in zip(CODE_LAYERS, works, strict=True)}
    found = {}
    with torch.inference_mode():
        for painting in paintings:
            vector = statistics_vector(jury.target(painting, kept).vgg, divisors)
            values = tuple(basis.code(vector).tolist())
            found[painting.stem] = StyleCode(painting.stem, values, basis.digest)
    return found
