"""Painted pictures to one file to look at: tiles in rows, with a line of text under each.

Nothing is painted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest, OutOfResources

RGB = NDArray[np.float32]
_BAND = 24
"""Lines under a tile that its text has."""
_GAP = 8
_MOST_PIXELS = 1 << 26
"""Of a sheet; one as large takes a gigabyte to make."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture and what it is."""

    picture: RGB
    """[H, W, 3], 0 to 1"""
    text: str


def check_target(target: Path, *, overwrite: bool) -> None:
    """See that a picture can be written.

    Raises:
        BadRequest: If it cannot.
    """
    if target.is_dir():
        raise BadRequest(f"{target} is a folder; name a file")
    if target.exists() and not overwrite:
        raise BadRequest(f"{target} exists; --overwrite replaces it")
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise BadRequest(f"{target.name}: name a .png or a .jpg")
    if not target.parent.is_dir():
        raise BadRequest(f"there is no folder {target.parent}")


def reduced(picture: RGB, height: int | None) -> RGB:
    """Reduce a picture to a height; never enlarge."""
    if height is None or height >= picture.shape[0]:
        return picture
    size = (max(1, round(picture.shape[1] * height / picture.shape[0])), height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def reduced_to(picture: RGB, lines: int) -> RGB:
    """Reduce a picture to so many lines of its shorter side, as films are; never enlarge.

    >>> reduced_to(np.zeros((1920, 1080, 3), np.float32), 540).shape
    (960, 540, 3)
    """
    height, width = picture.shape[:2]
    return reduced(picture, max(lines, round(height * lines / width)))


def in_rows(pictures: Sequence[RGB], *, columns: int = 3) -> RGB:
    """Lay pictures of one size out in rows of at most so many."""
    blank = np.ones_like(pictures[0])
    columns = min(columns, len(pictures))
    rows = [
        np.hstack([*pictures[i : i + columns], *[blank] * max(0, i + columns - len(pictures))])
        for i in range(0, len(pictures), columns)
    ]
    return np.vstack(rows)


def check_size(picture: RGB, *, rows: int, columns: int) -> None:
    """See that a sheet of tiles like this one stays of any use.

    Raises:
        BadRequest: If it does not.
    """
    height, width = picture.shape[0] + _BAND + _GAP, picture.shape[1] + _GAP
    if rows * height * columns * width > _MOST_PIXELS:
        raise BadRequest(
            f"a sheet of {columns * width}x{rows * height} is too large; "
            "take less on it, or a smaller --height"
        )


def labelled(rows: Sequence[Sequence[Tile | None]]) -> RGB:
    """Lay tiles of one size out on white, each over its text; None leaves a place empty."""
    height, width = next(t.picture.shape[:2] for row in rows for t in row if t is not None)
    tall, wide = height + _BAND + _GAP, width + _GAP
    columns = max(len(row) for row in rows)
    sheet = np.ones((len(rows) * tall + _GAP, columns * wide + _GAP, 3), np.float32)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            if tile is not None:
                top, left = y * tall + _GAP, x * wide + _GAP
                sheet[top : top + height, left : left + width] = tile.picture
                band = sheet[top + height : top + height + _BAND, left : left + width]
                band[...] = _written(tile.text, width)
    return sheet


def write(picture: RGB, target: Path) -> None:
    """Write a picture, 0 to 1, as a PNG or JPEG; it has its name only when it is whole.

    Raises:
        OutOfResources: If the disk is full.
    """
    codes = np.ascontiguousarray(np.rint(picture[..., ::-1] * 255).clip(0, 255), np.uint8)
    _, content = cv2.imencode(target.suffix.lower(), codes)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content.tobytes())
        part.replace(target)
    except OSError as error:
        raise OutOfResources(f"cannot write {target}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _written(text: str, width: int) -> RGB:
    """Write a line in grey on white, [_BAND, width, 3], smaller if it does not fit."""
    plain = text.encode("ascii", "replace").decode()
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.5
    needed = cv2.getTextSize(plain, font, scale, 1)[0][0]
    scale *= min(1.0, (width - 4) / max(1, needed))
    band = np.full((_BAND, width, 3), 255, np.uint8)
    cv2.putText(band, plain, (2, _BAND - 8), font, scale, (40, 40, 40), 1, cv2.LINE_AA)
    return np.asarray(band, np.float32) / np.float32(255)
