"""One frame of a film to pictures in several styles, to choose by before painting the film.

The net's statistics are measured on that one frame, not on its shot, so tones can differ a little
from those of the painted film.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.stylizer import Stylizer
from pipeline.errors import BadRequest, OutOfResources
from pipeline.media.clock import frame_at, parse_time
from pipeline.media.color import resolved, to_rgb
from pipeline.media.container import read_film
from pipeline.media.decode import pick
from pipeline.paint.styles import StyleCode


def still(
    source: Path,
    *,
    at: str,
    codes: Sequence[StyleCode],
    target: Path,
    height: int | None = None,
    overwrite: bool = False,
) -> int:
    """Paint the frame at a time in each style and write one picture: the frame, then the styles.

    Painting is at the film's own size; ``height`` reduces each picture afterwards.

    Returns:
        The frame's number.

    Raises:
        BadRequest: If there is no such frame or the target exists.
        OutOfResources: If the disk is full.
    """
    if target.is_dir():
        raise BadRequest(f"{target} is a folder; name a file")
    if target.exists() and not overwrite:
        raise BadRequest(f"{target} exists; --overwrite replaces it")
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise BadRequest(f"{target.name}: name a .png or a .jpg")
    if not target.parent.is_dir():
        raise BadRequest(f"there is no folder {target.parent}")
    film = read_film(source)
    time = parse_time(at)
    length = int(film.pts[-1] + film.durations[-1] - film.pts[0]) * film.time_base
    if time >= length:
        raise BadRequest(f"there is no frame at {at}: the film is {float(length):.2f} s long")
    index = frame_at(film, time)
    tags = resolved(film.color, film.height)
    frame = next(iter(pick(film, [index])))
    pictures = [to_rgb(frame.planes, tags)]
    for code in codes:
        stylizer = Stylizer(code)
        moments = stylizer.measure([frame.planes], tags)
        painted = stylizer.paint({index: frame.planes}, moments, tags)[index]
        pictures.append(to_rgb(painted, tags))
    _write(_sheet([_reduced(picture, height) for picture in pictures]), target)
    return index


def _write(sheet: NDArray[np.uint8], target: Path) -> None:
    _, content = cv2.imencode(target.suffix.lower(), sheet)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content.tobytes())
        part.replace(target)
    except OSError as error:
        raise OutOfResources(f"cannot write {target}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _reduced(picture: NDArray[np.float32], height: int | None) -> NDArray[np.float32]:
    """Reduce a picture to a height; never enlarge."""
    if height is None or height >= picture.shape[0]:
        return picture
    size = (max(1, round(picture.shape[1] * height / picture.shape[0])), height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _sheet(pictures: Sequence[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Lay pictures [H, W, 3] out in rows of at most three: BGR, 8 bit."""
    columns = min(3, len(pictures))
    blank = np.ones_like(pictures[0])
    rows = [
        np.hstack([*pictures[i : i + columns], *[blank] * max(0, i + columns - len(pictures))])
        for i in range(0, len(pictures), columns)
    ]
    sheet = np.vstack(rows)[..., ::-1]
    return np.ascontiguousarray(np.rint(sheet * 255).clip(0, 255), np.uint8)
