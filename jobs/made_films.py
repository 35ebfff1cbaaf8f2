"""Numbers to films that move, for benchmarks: nothing is downloaded, and any length can be had.

A shot is a blurred texture that passes by, with a patch in front that passes by faster, so that
there are holes. Each shot has its own texture and speed; where it is cut is drawn from a seed.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import av
import cv2
import numpy as np

from pipeline.media.color import Plane, Planes
from pipeline.media.encode import disk
from pipeline.media.samples import picture_of

_X264 = {"preset": "ultrafast", "crf": "20", "x264-params": "threads=1:keyint=50:bframes=2"}
_FASTEST = 3
"""Luma samples a frame."""
_WAY = 240
"""Frames that a texture lasts before it comes back."""


def cuts(frames: int, *, seed: int, shortest: int = 20, longest: int = 300) -> list[int]:
    """Draw where shots begin, uneven on purpose: most are short, some are long.

    >>> cuts(100, seed=1, shortest=100)
    [0]
    """
    chance, found = Random(f"cuts {seed}"), [0]
    while True:
        length = round(shortest * (longest / shortest) ** chance.random())
        if found[-1] + length > frames - shortest:
            return found
        found.append(found[-1] + length)


def make_film(
    path: Path,
    frames: int,
    *,
    size: tuple[int, int] = (320, 180),
    rate: int = 25,
    seed: int = 0,
    longest: int = 300,
) -> Path:
    """Make a film; one that is there is left.

    Args:
        path: of the film, .mp4 or .mkv; appears whole.
        frames: how many.
        size: (width, height), both divisible by 4.
        rate: frames a second.
        seed: of textures, speeds and cuts.
        longest: frames of the longest shot.
    """
    if path.exists():
        return path
    part = path.with_name(f".{path.name}.part{path.suffix}")
    begins = cuts(frames, seed=seed, longest=longest)
    with disk(part), av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate, options=_X264)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = *size, "yuv420p"
        context.thread_count, context.time_base = 1, Fraction(1, rate)
        context.color_primaries = context.color_trc = context.colorspace = 1
        context.color_range = 1
        number = 0
        for shot, (start, stop) in enumerate(pairwise([*begins, frames])):
            for planes in _shot(stop - start, size, seed=1000 * seed + shot):
                picture = picture_of(planes, "yuv420p")
                picture.pts, picture.time_base = number, Fraction(1, rate)
                container.mux(stream.encode(picture))
                number += 1
        container.mux(stream.encode(None))
    part.replace(path)
    return path


def _shot(frames: int, size: tuple[int, int], *, seed: int) -> Iterator[Planes]:
    chance = Random(f"shot {seed}")
    slow, fast = chance.uniform(0.0, 1.0), chance.uniform(1.0, _FASTEST)
    width, height = size
    behind = _textures(seed, width + _WAY * _FASTEST, height)
    front = _textures(seed + 500, width // 4 + _WAY * _FASTEST, height // 4)
    top = chance.randrange(height // 2) // 4 * 4
    for t in range(frames):
        place = t % _WAY
        yield Planes(
            *(
                _laid(
                    plane[:, int(place * slow) // step :][:, : width // step],
                    patch[:, : width // 4 // step],
                    left=int(place * fast) % width // step,
                    top=top // step,
                )
                for plane, patch, step in zip(behind, front, (1, 2, 2), strict=True)
            )
        )


def _laid(plane: Plane, patch: Plane, *, left: int, top: int) -> Plane:
    """Lay a patch on a copy of a plane; what is beyond its edge is left out."""
    found = np.ascontiguousarray(plane).copy()
    room = found[top : top + patch.shape[0], left : left + patch.shape[1]]
    room[:] = patch[: room.shape[0], : room.shape[1]]
    return found


def _textures(seed: int, width: int, height: int) -> list[Plane]:
    """Luma and two planes of half its size, of blotches of two sizes."""
    noise = np.random.default_rng(seed)
    found: list[Plane] = []
    for step in (1, 2, 2):
        size = (width // step, height // step)
        whole = np.zeros(size[::-1], np.float32)
        for cell, weight in ((24, 0.7), (5, 0.3)):
            grid = noise.uniform(30, 220, (size[1] // cell + 2, size[0] // cell + 2))
            whole += weight * cv2.resize(
                grid.astype(np.float32), size, interpolation=cv2.INTER_CUBIC
            )
        found.append(np.clip(np.rint(whole), 16, 235).astype(np.uint8))
    return found
