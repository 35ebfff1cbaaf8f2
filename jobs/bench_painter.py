"""Photographs to how clean the painter is in each style: lattice, shift error, fine structure.

*Lattice* is high-passed luma folded at a period of 4 px, in codes RMS, beside the photograph's own.
*Shift error* is paint(shift by k px) against shift(paint) at frozen statistics, for k = 1, 2, 3, in
codes RMS, well inside the picture: a net that is locked to a grid shimmers when the film pans.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.judge.clean import shift_error
from pipeline.judge.detail import detail, lattice
from pipeline.paint.pictures import read_picture
from pipeline.paint.styles import gallery, load_code
from pipeline.paint.stylize import Brush, load_brush, measure, paint

_EDGE = 8
"""Scanned photographs have a frame of their own."""
_SHIFTS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Clean:
    """One style, the mean over the photographs."""

    style: str
    lattice: float
    lattice_photo: float
    shift: float
    detail: float
    """fine structure of luma, as a multiple of the photograph's"""


def clean(photos: Sequence[Path]) -> list[Clean]:
    """Measure every style of the gallery on photographs."""
    pictures = [read_picture(path)[_EDGE:-_EDGE, _EDGE:-_EDGE] for path in photos]
    found = []
    for caption in gallery():
        held = load_brush(load_code(caption.name))
        rows = np.mean([_measured(held, picture) for picture in pictures], axis=0)
        found.append(Clean(caption.name, *(round(float(value), 3) for value in rows)))
    return found


def _measured(held: Brush, picture: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Lattice, the photo's own, shift error and detail on one photograph [H, W, 3]."""
    rgb = np.asarray(picture / 255, np.float32)
    moments = measure(held, [rgb])
    painted = paint(held, rgb, moments)
    moved = (paint(held, np.ascontiguousarray(rgb[:, k:]), moments) for k in _SHIFTS)
    errors = [shift_error(painted, other, by=k) for k, other in zip(_SHIFTS, moved, strict=True)]
    shift = float(np.mean(errors))
    ours, theirs = _luma(painted), _luma(rgb)
    return lattice(ours), lattice(theirs), shift, detail(ours) / detail(theirs)


def _luma(rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(np.rint(rgb * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, np.uint8)


def as_json(rows: Sequence[Clean]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]
