"""An image file as people have it to the painting that is in it.

A scan or a photograph of a painting comes with things that are not paint: a *margin* is a run of
outermost lines of one colour (paper, a frame, a scanner's bed), a *caption* a margin with writing
in it, along one side. They are cropped away, and so is what is transparent; what is inside is left
as it is. Nothing here judges whether a picture makes a good style, but for two faults that none
survives: too small, and nothing in it.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.media.color import Rect

Picture = NDArray[np.uint8]
"""RGB, [H, W, 3]."""

LEAST = 32
"""Pixels of the shorter side without which there is nothing to learn from."""
FEW = 256
"""Pixels of the shorter side below which brush strokes are hardly to be seen."""

_ALIKE = 14  # codes that scanned paper and JPEG stray from its colour
_EMPTY = 0.985  # share of a line that is of the margin's colour
_WRITTEN = 0.55  # the same where there is writing on it
_STEP = 0.35  # how much less of it there is where a caption ends and paint begins
_MOST = 0.3  # of a side; more in one run is no margin but a picture's own ground
_ROUNDS = 4  # margin, mat, frame, gilt
_LEFT = 0.3  # of each side that has to be left
_UNSAID = 0.97  # of a side; what is cropped off beyond that is worth a word
_OPAQUE = 128
_FLAT = 4.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A painting without what lay around it."""

    picture: Picture
    notes: tuple[str, ...]
    """what a person should know of it, each a clause"""


def read_painting(path: Path) -> Cleaned:
    """Read an image file and crop away what is no paint.

    Raises:
        BadRequest: If it cannot be read, is no picture, or is one with nothing in it.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}") from None
    picture = _decoded(content)
    if picture is None:
        raise BadRequest(f"{path} is no picture that can be read; try a JPEG or a PNG")
    try:
        return clean(picture)
    except BadRequest as error:
        raise BadRequest(f"{path} {error}") from None


def clean(picture: NDArray[np.uint8]) -> Cleaned:
    """Crop away transparency, margins and captions.

    Args:
        picture: [H, W, 3] RGB or [H, W, 4] RGB and how opaque it is.

    Raises:
        BadRequest: If hardly anything is left.
    """
    opaque = _opaque(picture)
    if min(opaque.shape[:2]) < LEAST:
        raise BadRequest(f"shows {_size(opaque)} pixels; at least {LEAST} each way are needed")
    inner = bare(opaque)
    found = opaque[inner.top : inner.top + inner.height, inner.left : inner.left + inner.width]
    notes = []
    if any(a < b * _UNSAID for a, b in zip(found.shape, opaque.shape, strict=True)):
        notes.append(f"cropped to {_size(found)} of {_size(opaque)} pixels, without its margins")
    if min(found.shape[:2]) < FEW:
        notes.append(f"only {_size(found)} pixels; from {FEW} on brush strokes can be seen")
    if float(found.reshape(-1, 3).std(axis=0).max()) < _FLAT:
        notes.append("nearly one flat colour; it will hardly paint anything")
    return Cleaned(np.ascontiguousarray(found), tuple(notes))


def bare(picture: Picture) -> Rect:
    """Find the part of a picture that lies within its margins and captions."""
    height, width = picture.shape[:2]
    top, bottom, left, right = 0, height, 0, width
    for _ in range(_ROUNDS):
        part = picture[top:bottom, left:right]
        above, below = _margin(part), _margin(part[::-1])
        middle = part[above : part.shape[0] - below].swapaxes(0, 1)
        before, after = _margin(middle), _margin(middle[::-1])
        if not above + below + before + after:
            break
        inside = (top + above, bottom - below, left + before, right - after)
        if inside[1] - inside[0] < max(LEAST, _LEFT * height):
            break
        if inside[3] - inside[2] < max(LEAST, _LEFT * width):
            break
        top, bottom, left, right = inside
    return Rect(top, left, bottom - top, right - left)


def _margin(part: Picture) -> int:
    """Count the lines at the top of a picture that are margin, its caption included.

    Two lines more are taken where there are any: the last one is a blend of margin and paint.
    """
    ground = np.median(part[:2].reshape(-1, 3), axis=0)
    most = max(1, round(_MOST * part.shape[0]))
    outer = np.ascontiguousarray(part[: most + 3])
    share = cv2.inRange(outer, ground - _ALIKE, ground + _ALIKE).mean(axis=1) / 255
    if share[0] < _EMPTY:
        return 0
    empty = _run(share >= _EMPTY)
    written = _run(share >= _WRITTEN)
    if written > most:
        written = empty  # a ground that goes on is the painting's own
    elif written > empty:
        inked = share[empty:written]
        ends = share[written : written + 3].min() <= min(inked.min(), _EMPTY) - _STEP
        written = written if ends and share[written - 1] >= _EMPTY else empty
    return 0 if written > most else min(written + 2, part.shape[0])


def _run(true: NDArray[np.bool_]) -> int:
    """Count the True ones at the beginning."""
    return int(true.size if true.all() else np.argmin(true))


def _decoded(content: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Decode an image file to 8 bit, RGB or RGB with opacity; upright if it says how it lies."""
    try:
        raw = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
        if raw is None:
            return None
        if raw.ndim == 3 and raw.shape[2] == 4:
            eight = raw if raw.dtype == np.uint8 else (raw / 257).round()
            return np.asarray(cv2.cvtColor(eight.astype(np.uint8), cv2.COLOR_BGRA2RGBA), np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # more pixels than OpenCV takes
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def _opaque(picture: NDArray[np.uint8]) -> Picture:
    """Crop to what is opaque; holes in it take its mean colour."""
    if picture.shape[2] == 3:
        return picture
    seen = picture[..., 3] >= _OPAQUE
    if not seen.any():
        raise BadRequest("is transparent all over")
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside, found = seen[part], picture[part][..., :3].copy()
    found[~inside] = np.rint(found[inside].mean(axis=0)).astype(np.uint8)
    return found


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
