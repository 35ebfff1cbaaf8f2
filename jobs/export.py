"""The shipped painter to an ONNX file."""

from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import BadRequest
from pipeline.paint.runtime import read_weights
from pipeline.paint.sizes import SIZES
from pipeline.paint.stylize import painter_file


def export(target: Path, *, size: str) -> int:
    """Write a painter as ONNX and say how many bytes it has.

    Raises:
        BadRequest: If the package onnx is not installed, or the file cannot be written.
        MissingWeights: If the painter is absent or changed.
    """
    if find_spec("onnx") is None:
        raise BadRequest("export needs the package onnx, which is not installed")
    from pipeline.paint.onnx_graph import painting_model

    path, digest = painter_file(size)
    facts = {"size": size, "weights": digest}
    model = painting_model(read_weights(path), SIZES[size], facts=facts)
    try:
        target.write_bytes(model)
    except OSError as error:
        raise BadRequest(f"{target} cannot be written: {error.strerror}") from None
    return len(model)
