"""A style code to a file of its own, and back.

A *code file* (``.style``) is a safetensors file: tensor ``code`` [256]; perhaps tensors
``delta.NAME``, what training for this painting alone has added to parameter NAME; metadata name,
title, painter, year, basis, encoder, and the weights that a delta belongs to. It holds no picture,
and is all that painting needs.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from pipeline.errors import BadRequest
from pipeline.paint.styles import CODE_LENGTH, Caption, StyleCode, delta_of

SUFFIX = ".style"
_DELTA = "delta."


@dataclass(frozen=True, slots=True)
class CodeFile:
    """What is in a code file."""

    code: StyleCode
    caption: Caption
    encoder: str = ""
    """digest of the encoder that made the code; empty if none did"""


def packed(content: CodeFile) -> bytes:
    """Give the bytes of a code file."""
    tensors = {"code": np.asarray(content.code.values, np.float32)}
    if content.code.delta is not None:
        tensors |= {f"{_DELTA}{k}": v for k, v in content.code.delta.arrays.items()}
    metadata = {
        "name": content.code.name,
        "title": content.caption.title,
        "painter": content.caption.painter,
        "year": content.caption.year,
        "basis": content.code.basis,
        "encoder": content.encoder,
        "weights": content.code.delta.painter if content.code.delta else "",
    }
    return save(tensors, metadata=metadata)


def read_code_file(path: Path) -> CodeFile:
    """Read a code file.

    Raises:
        BadRequest: If it is missing, or no code file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
        tensors = load(path.read_bytes())
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror or error}") from None
    except SafetensorError:
        raise BadRequest(f"{path} is no style code") from None
    values = tensors.pop("code", np.empty(0, np.float32))
    strange = [name for name in tensors if not name.startswith(_DELTA)]
    if values.shape != (CODE_LENGTH,) or not np.isfinite(values).all() or strange:
        raise BadRequest(f"{path} is no style code: it has no tensor code [{CODE_LENGTH}] alone")
    arrays = {k.removeprefix(_DELTA): v for k, v in tensors.items()}
    delta = delta_of(arrays, painter=told.get("weights", "")) if arrays else None
    name = told.get("name") or path.stem
    code = StyleCode(name, tuple(values.tolist()), told.get("basis", ""), delta)
    title, painter, year = (told.get(key, "") for key in ("title", "painter", "year"))
    caption = Caption(name, title or name, painter, year, painting="")
    return CodeFile(code, caption, told.get("encoder", ""))
