"""Frames that somebody painted by hand to the frames that show their paintings.

A *given* key is a picture that takes the place of the net's painting of its frame and spreads like
any other key. A freeze is one picture: given anywhere in it, it is shown from the first of the
equal frames on, or else the film would not stand still where it stands. Pictures lie as whole
frames in a folder, under their digests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import OutOfResources
from pipeline.fill.boundary import read_boundary
from pipeline.media.color import Planes


@dataclass(frozen=True, slots=True)
class Given:
    """Frames [start, stop) that are equal in the film and show one picture."""

    start: int
    stop: int
    picture: str
    """Digest of its planes."""


def spans(
    pictures: Sequence[tuple[int, str]], still: NDArray[np.bool_], *, start: int, stop: int
) -> tuple[Given, ...]:
    """Say which frames of a shot show which picture.

    Args:
        pictures: Frame and digest, by frames.
        still: [N] of the film; whether a frame equals the one before.
        start: The shot's first frame.
        stop: The frame after its last.

    >>> still = np.array([False, False, True, True, False])
    >>> spans([(2, "a"), (3, "b")], still, start=0, stop=5)
    (Given(start=1, stop=3, picture='a'), Given(start=3, stop=4, picture='b'))
    """
    found: list[Given] = []
    for frame, picture in pictures:
        if not start <= frame < stop:
            continue
        head, end = frame, frame + 1
        while head > start and still[head]:
            head -= 1
        while end < stop and still[end]:
            end += 1
        if found and head < found[-1].stop:
            found[-1] = Given(found[-1].start, frame, found[-1].picture)
            head = frame
        found.append(Given(head, end, picture))
    return tuple(found)


def clipped(given: Sequence[Given], start: int, stop: int) -> tuple[Given, ...]:
    """Keep what lies in [start, stop)."""
    inside = (Given(max(g.start, start), min(g.stop, stop), g.picture) for g in given)
    return tuple(g for g in inside if g.start < g.stop)


def shown(given: Sequence[Given]) -> Mapping[int, str]:
    """Give the picture of each frame that shows one."""
    return {frame: g.picture for g in given for frame in range(g.start, g.stop)}


def file_of(folder: Path, picture: str) -> Path:
    """Where the planes of a picture lie."""
    return folder / f"{picture}.npz"


def read_picture(folder: Path | None, picture: str) -> Planes:
    """Read the planes of a picture.

    Raises:
        OutOfResources: If they are not there.
    """
    path = file_of(folder or Path(), picture)
    planes = read_boundary(path)
    if planes is None:
        raise OutOfResources(f"{path} cannot be read on this machine")
    return planes
