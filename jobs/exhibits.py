"""Photographs and clips to the pictures that every painter is judged by, as files.

A painter of any origin is judged by a folder. What it is given lies in ``inputs``::

    photos-384/PHOTO.png         the middle square, cropped by 8 px (scans have a frame), 384 px
    photos-540/PHOTO.png         the whole, cropped by 8 px, 540 lines
    clean/PHOTO.WHAT.png         the whole (whole), without its first 1, 2, 3 columns (shift1..3),
                                 without 65, 66, 67 px at its top and left and 64 px at its bottom
                                 and right (part1..3), without its colour (grey)
    clips/CLIP/000000.png        consecutive frames

and what it made of them lies in a folder of its own, one folder deeper, by the painting's stem:
``photos-384/PAINTING/PHOTO.png``, ``clips/CLIP/PAINTING/000000.png``, of the size of its input.
An input is kept as long as it was made of the photograph or clip that has its name now
(``jobs/origins.py``), and written anew otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.origins import digest, file_digest, origin_of, stamped
from pipeline.errors import BadRequest, UnreadableFilm
from pipeline.paint.pictures import read_picture

Picture = NDArray[np.uint8]
"""[H, W, 3], RGB."""

INPUTS = 1
"""Raised when what is made of a photograph or a clip changes: inputs are then written anew."""
SQUARE, LINES = 384, 540
SHIFTS = (1, 2, 3)
MARGIN = 64
CLEAN = ("whole", "shift1", "shift2", "shift3", "part1", "part2", "part3", "grey")
_FRAME = 8
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Clip:
    """Consecutive frames of a film."""

    file: Path
    start: int
    """first frame, from 0"""

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"{self.file.stem}@{self.start}"


def parse_clip(text: str) -> Clip:
    """Read FILE or FILE@START.

    >>> parse_clip("dog.mp4@108").name, parse_clip("dog.mp4").start
    ('dog@108', 0)
    """
    file, at, start = text.rpartition("@")
    if not at:
        return Clip(Path(text), 0)
    if not start.isdecimal():
        raise BadRequest(f"a clip is FILE or FILE@FRAME, got {text!r}")
    return Clip(Path(file), int(start))


def pictures_in(folder: Path, *, limit: int | None = None) -> list[Path]:
    """List a folder's pictures; with a limit that many, spread, and more for a larger limit.

    Raises:
        BadRequest: If there are none, or two that would get the same name.
    """
    kinds = {".jpg", ".jpeg", ".png", ".webp"}
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in kinds)
    if not found:
        raise BadRequest(f"no pictures in {folder}")
    stems = [path.stem for path in found]
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise BadRequest(f"{folder} has two pictures called {twice}: rename one")
    spread = sorted(range(len(found)), key=lambda index: index * _GOLDEN % 1)
    return [found[index] for index in sorted(spread[:limit])]


def painted_path(folder: Path, inputs: Path, picture: Path, painting: str) -> Path:
    """Say where a painter leaves what it made of an input.

    >>> painted_path(Path("o"), Path("i"), Path("i/clips/dog/000000.png"), "wave").as_posix()
    'o/clips/dog/wave/000000.png'
    """
    return folder / picture.parent.relative_to(inputs) / painting / picture.name


def photo_inputs(photos: Sequence[Path], folder: Path) -> None:
    """Write what is made of photographs into ``folder``, as far as it is not there and current."""
    for photo in photos:
        wanted = [folder / f"photos-{n}" / f"{photo.stem}.png" for n in (SQUARE, LINES)]
        wanted += [folder / "clean" / f"{photo.stem}.{what}.png" for what in CLEAN]
        origin = digest(INPUTS, file_digest(photo))
        if all(origin_of(path) == origin for path in wanted):
            continue
        whole = read_picture(photo)[_FRAME:-_FRAME, _FRAME:-_FRAME]
        for path, picture in zip(wanted, [*_sized(whole), *_varied(whole)], strict=True):
            write_picture(picture, path, origin=origin)


def clip_inputs(clip: Clip, folder: Path, *, count: int) -> list[Path]:
    """Write a clip's frames into ``folder``, as far as they are not there and current.

    Raises:
        UnreadableFilm: If OpenCV cannot read so many frames.
    """
    paths = [folder / "clips" / clip.name / f"{i:06d}.png" for i in range(count)]
    source = file_digest(clip.file) if clip.file.is_file() else ""
    origins = [digest(INPUTS, source, clip.start + i) for i in range(count)]
    if [origin_of(path) for path in paths] == origins:
        return paths
    film = cv2.VideoCapture(str(clip.file))
    try:
        for index in range(clip.start + count):
            read, frame = film.read()
            if not read:
                raise UnreadableFilm(f"{clip.file} has no frame {index}")
            if index >= clip.start:
                rgb = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
                place = index - clip.start
                write_picture(rgb, paths[place], origin=origins[place])
    finally:
        film.release()
    return paths


def write_picture(picture: Picture, path: Path, *, origin: str = "") -> None:
    """Write RGB as PNG, and what it was made of; the file is there whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fast = [int(cv2.IMWRITE_PNG_COMPRESSION), 1]
    coded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), fast)[1]
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(stamped(coded.tobytes(), origin))
    partial.replace(path)


def _sized(whole: Picture) -> list[Picture]:
    height, width = whole.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = whole[top : top + side, left : left + side]
    return [
        _resized(square, SQUARE, SQUARE),
        _resized(whole, round(width * LINES / side), round(height * LINES / side)),
    ]


def _resized(picture: Picture, width: int, height: int) -> Picture:
    how = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _varied(whole: Picture) -> list[Picture]:
    grey = cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY)
    return [
        whole,
        *(np.ascontiguousarray(whole[:, k:]) for k in SHIFTS),
        *(np.ascontiguousarray(whole[MARGIN + k : -MARGIN, MARGIN + k : -MARGIN]) for k in SHIFTS),
        np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8),
    ]
