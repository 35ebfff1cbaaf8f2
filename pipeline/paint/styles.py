"""Paintings to style codes, and the gallery that ships with the project.

A *style code* is a whitened projection of a painting's VGG16 statistics (mean and standard
deviation at four layers) onto 256 principal directions, the *basis*; codes of one basis can be
mixed linearly. The gallery holds codes and captions, no pictures. Painting needs codes only; the
basis and VGG16 are needed to make new ones.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from pipeline.errors import MissingWeights, UnknownStyle

if TYPE_CHECKING:
    from pipeline.paint.losses import Manner

WEIGHTS = Path(__file__).parent.parent / "weights"
CODE_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Delta:
    """What training for one painting alone has added to the painter's weights.

    Equal, and hashed, by its digest.
    """

    digest: str
    """sha256 over names, shapes and values, hex"""
    arrays: Mapping[str, NDArray[np.float32]] = field(compare=False, repr=False)
    """by the parameter's name"""
    painter: str = ""
    """sha256 of the weights that it is to be added to; empty if nobody has said"""


def delta_of(arrays: Mapping[str, NDArray[np.float32]], *, painter: str = "") -> Delta:
    """Put arrays by parameter names together with their digest."""
    found = sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], "<f4")
        found.update(f"{name} {array.shape} ".encode())
        found.update(array.tobytes())
    kept = {k: np.asarray(v, np.float32) for k, v in arrays.items()}
    return Delta(found.hexdigest(), kept, painter)


@dataclass(frozen=True, slots=True)
class StyleCode:
    """What the painter knows of a painting."""

    name: str
    values: tuple[float, ...]
    """256 floats, each about -3 to 3"""
    basis: str
    """sha256 of the basis that made it; a painter understands codes of its own basis only"""
    delta: Delta | None = None
    """of a painter that was trained for this painting alone"""

    @property
    def digest(self) -> str:
        """sha256 over the values, the basis and the delta, if there is one; hex."""
        values = np.asarray(self.values, "<f4").tobytes()
        beside = self.basis + (self.delta.digest if self.delta else "")
        return sha256(values + beside.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Caption:
    """A work of the gallery."""

    name: str
    title: str
    painter: str
    year: str
    painting: str
    """stem of the picture file that the code was made from"""


def gallery() -> list[Caption]:
    """All works whose codes ship with the project, by name."""
    return [Caption(**entry) for entry in json.loads((WEIGHTS / "gallery.json").read_text("utf-8"))]


def manifest() -> dict[str, str]:
    """Digests of what ships: the painter's weights by file name, and the codes' ``basis``.

    Raises:
        MissingWeights: If nothing ships.
    """
    try:
        found: dict[str, str] = json.loads((WEIGHTS / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise MissingWeights(f"there are no trained weights in {WEIGHTS}") from None
    return found


def size_for(asked: str, device: str) -> str:
    """The painter's size: "auto" is M on a GPU if it ships, else S."""
    if asked != "auto":
        return asked
    return "M" if device.startswith("cuda") and "painter-M.safetensors" in manifest() else "S"


def load_code(name: str) -> StyleCode:
    """Read a code of the gallery.

    Raises:
        UnknownStyle: If there is none of that name; the message names the nearest.
        MissingWeights: If the codes are not there.
    """
    names = [caption.name for caption in gallery()]
    if name not in names:
        near = get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnknownStyle(f"no style {name!r}{hint} (reelbrush styles lists all)")
    path = WEIGHTS / "codes.safetensors"
    if not path.is_file():
        raise MissingWeights(f"no style codes at {path}")
    with safe_open(path, framework="numpy") as file:
        basis = (file.metadata() or {}).get("basis", "")
    return StyleCode(name, tuple(load_file(path)[name].tolist()), basis)


@dataclass(frozen=True, slots=True)
class Basis:
    """Principal directions of painting statistics."""

    mean: NDArray[np.float32]
    """[D]"""
    directions: NDArray[np.float32]
    """[256, D], divided by the standard deviation along each"""

    @property
    def digest(self) -> str:
        """sha256 over both arrays, hex."""
        return sha256(self.mean.tobytes() + self.directions.tobytes()).hexdigest()

    @property
    def spread(self) -> NDArray[np.float32]:
        """[256]: how much of the statistics a unit of each code number stands for."""
        return np.asarray(1 / np.linalg.norm(self.directions, axis=1), np.float32)

    def code(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project a statistics vector [D] to a code [256], limited to 4 standard deviations."""
        return np.clip(self.directions @ (vector - self.mean), -4, 4).astype(np.float32)


def statistics_vector(painting: "Manner", divisors: dict[str, float]) -> NDArray[np.float32]:
    """Mean and log of the standard deviation at each code layer, one after the other: [D].

    Args:
        painting: with batch size 1 and all of ``CODE_LAYERS``.
        divisors: by layer, the mean squared standard deviation over the training paintings.
    """
    parts = []
    for layer, divisor in divisors.items():
        scale = 1 / (divisor * painting.mean[layer].shape[1]) ** 0.5
        parts += [painting.mean[layer][0] * scale, painting.std[layer][0] * scale]
    return np.concatenate([p.cpu().numpy() for p in parts]).astype(np.float32)


def fit_basis(vectors: Sequence[NDArray[np.float32]]) -> Basis:
    """Fit the basis to statistics vectors [D] of more than 256 crops of paintings.

    The weakest directions are whitened to the level of the 64th, so that noise is not blown up.

    Raises:
        ValueError: If there are too few vectors.
    """
    table = np.stack(vectors).astype(np.float64)
    if len(table) <= CODE_LENGTH:
        raise ValueError(f"more than {CODE_LENGTH} vectors are needed, got {len(table)}")
    mean = table.mean(0)
    _, singular, directions = np.linalg.svd(table - mean, full_matrices=False)
    spread = singular[:CODE_LENGTH] / np.sqrt(len(table) - 1)
    spread = np.maximum(spread, spread[63])
    scaled = directions[:CODE_LENGTH] / spread[:, None]
    return Basis(mean.astype(np.float32), scaled.astype(np.float32))
