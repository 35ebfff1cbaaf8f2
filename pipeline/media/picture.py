"""An image file to the planes of one of a film's frames, by the film's own size and colour tags.

The picture is final: it is not resized, cropped or laid over anything. It is taken to be meant for
a screen as the film is, so its RGB becomes planes by the film's matrix and range and nothing else.
"""

import hashlib
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.media.color import Planes, resolved, to_planes
from pipeline.media.container import Film

_CODES = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
"""The highest code of the depths that are read."""

Image = NDArray[np.uint8] | NDArray[np.uint16]
"""8 or 16 bits."""


def read_planes(path: Path, film: Film) -> Planes:
    """Read an image file, 8 or 16 bits, grey or colour, as a frame of the film.

    Raises:
        BadRequest: If it cannot be read, lets something shine through, or is not of the film's
            size.
    """
    image = _image(path)
    height, width = image.shape[:2]
    if (width, height) != film.size:
        raise BadRequest(
            f"{path} is {width}x{height} pixels; a key of this film has to be "
            f"{film.size[0]}x{film.size[1]}"
        )
    rgb = image.astype(np.float32) / np.float32(_CODES[image.dtype])
    across, down = film.chroma if film.rotation in (0, 180) else film.chroma[::-1]
    kind = np.uint8 if film.depth == 8 else np.uint16
    middle = 1 << (film.depth - 1)
    chroma = np.full((-(-height // down), -(-width // across)), middle, kind)
    like = Planes(np.zeros((height, width), kind), chroma, chroma, depth=film.depth)
    return to_planes(rgb, like=like, tags=resolved(film.color, film.height))


def digest(planes: Planes) -> str:
    """Give the sha256, in hex, of a frame's samples and their layout."""
    whole = hashlib.sha256()
    for plane in (planes.luma, planes.blue, planes.red):
        whole.update(f"{plane.dtype} {plane.shape}".encode())
        whole.update(np.ascontiguousarray(plane).data)
    return whole.hexdigest()


def _image(path: Path) -> Image:
    """Decode RGB [H, W, 3], upright if the file says how it lies."""
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise BadRequest(f"cannot read {path}: {error.strerror}") from None
    raw = _decoded(content, cv2.IMREAD_UNCHANGED)
    colour = _decoded(content, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    if raw is None or colour is None:
        raise BadRequest(f"{path} is no picture that can be read; try a PNG")
    if raw.dtype not in _CODES:
        raise BadRequest(f"{path} has samples of {raw.dtype}; 8 and 16 bits are read")
    if raw.ndim == 3 and raw.shape[2] == 4 and np.any(raw[..., 3] < _CODES[raw.dtype]):
        raise BadRequest(f"{path} is transparent in places; flatten it first")
    return colour


def _decoded(content: NDArray[np.uint8], flags: int) -> Image | None:
    try:
        found = cv2.imdecode(content, flags) if content.size else None
    except cv2.error:  # more pixels than OpenCV takes
        return None
    return None if found is None else cast("Image", found)
