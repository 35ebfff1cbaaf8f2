"""A film of which some frames cannot be decoded, with others shown in their place.

A frame is *held* if the one before it stands in for it, or, where the film begins with damage, the
first one that can be decoded. What is held is found out once, group by group of frames that share
an entry, each decoded by itself: so it depends on the file alone, never on how work is divided.
Within a group a frame is held if it, or one that is coded before it and may be part of it, does not
come out of the decoder; the rest of a group falls with the frame that it is built on. After that a
held frame is to everybody else a frame that stands still.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CorruptFilm

if TYPE_CHECKING:
    from pipeline.media.container import Film
    from pipeline.media.decode import Frame
    from pipeline.media.index import Ticks

_PIECE = 1000
"""Frames that are looked at in one go, at least."""


def with_held(film: "Film", *, told: Callable[[int], None] | None = None) -> "Film":
    """Decode all of a film, and hold what cannot be.

    Args:
        film: as it was read.
        told: is called with numbers of frames that have been looked at.

    Raises:
        CorruptFilm: If no frame can be decoded.
        UnreadableFilm: If the file went away.
    """
    held = np.zeros(film.frames, np.bool_)
    with ThreadPoolExecutor(os.cpu_count()) as crew:
        pieces = list(pairwise(_borders(film)))
        for (start, stop), found in zip(
            pieces, crew.map(lambda p: _look(film, *p), pieces), strict=True
        ):
            held[start:stop] = found
            if told is not None:
                told(stop - start)
    if film.fields:  # of which whole pictures are made with the fields of their neighbours
        held[1:] |= held[:-1].copy()
        held[:-1] |= held[1:].copy()
    return film if not held.any() else replace(film, shown=_standing_in(film, held))


def held_of(film: "Film", start: int, stop: int) -> tuple[int, ...]:
    """List the frames of ``[start, stop)`` that show another one."""
    if film.shown is None:
        return ()
    frames = np.arange(start, stop)
    return tuple(frames[film.shown[start:stop] != frames].tolist())


def standing(
    film: "Film",
    wanted: Sequence[int],
    decode: "Callable[[Film, Sequence[int]], Iterator[Frame]]",
) -> "Iterator[Frame]":
    """Yield the wanted frames, ascending, with the samples of what is shown in their place.

    Args:
        film: with ``shown``.
        wanted: frames.
        decode: decodes ascending frames of a film that holds none.
    """
    if film.shown is None:
        raise ValueError("a film that holds no frame needs nobody to stand in")
    sources = film.shown[list(wanted)]
    come = _sources(film, np.unique(sources), decode)
    now: Frame | None = None
    for index, source in zip(wanted, sources.tolist(), strict=True):
        while now is None or now.index < source:
            now = next(come)
        yield replace(now, index=index, pts=int(film.pts[index]))


def _sources(
    film: "Film",
    frames: "Ticks",
    decode: "Callable[[Film, Sequence[int]], Iterator[Frame]]",
) -> "Iterator[Frame]":
    """Decode sound frames; a damaged group always from its own entry, as it was looked at."""
    strict, entries = replace(film, shown=None), film.entry_pts[frames]
    damaged = np.isin(entries, _damaged(film))
    new = (entries[1:] != entries[:-1]) & (damaged[1:] | damaged[:-1])
    for run in np.split(frames, np.flatnonzero(new) + 1):
        yield from decode(strict, run.tolist())


def _damaged(film: "Film") -> "Ticks":
    """The entries of groups that have a held frame."""
    return np.unique(film.entry_pts[film.shown != np.arange(film.frames)])


def _borders(film: "Film") -> list[int]:
    """Divide a film where groups begin: the same for every machine."""
    entries = film.entry_pts
    later = np.minimum.accumulate(entries[::-1])[::-1]
    begins = 1 + np.flatnonzero((np.diff(entries) > 0) & (later[1:] == entries[1:]))
    borders = [0]
    for frame in begins.tolist():
        if frame - borders[-1] >= _PIECE:
            borders.append(frame)
    return [*borders, film.frames]


def _look(film: "Film", start: int, stop: int) -> NDArray[np.bool_]:
    """Find what is held of whole groups, [stop - start]."""
    held = np.zeros(stop - start, np.bool_)
    at = start
    while at < stop:
        came = _delivered(film, at, stop)
        if at + came == stop:
            break
        group = film.entry_pts[start:stop] == film.entry_pts[at + came]
        held[group] = _of_group(film, start + np.flatnonzero(group))
        at = start + int(np.flatnonzero(group)[-1]) + 1
    return held


def _of_group(film: "Film", frames: "Ticks") -> NDArray[np.bool_]:
    """Find what is held of the frames of one group, decoded by itself."""
    came = _delivered(film, int(frames[0]), int(frames[-1]) + 1)
    if came >= frames.size:  # sound by itself, but not after what comes before: not to be trusted
        came = 0
    turn = film.dts[frames] if film.packets is None else film.packets.shown[frames]
    lost: NDArray[np.bool_] = turn >= turn[came:].min()
    return lost


def _delivered(film: "Film", start: int, stop: int) -> int:
    """Count the frames that come until one does not."""
    from pipeline.media.decode import frames  # which knows this module

    came = 0
    try:
        for _ in frames(film, start, stop):
            came += 1
    except CorruptFilm:
        return came
    return came


def _standing_in(film: "Film", held: NDArray[np.bool_]) -> "Ticks":
    """Find the frame that each one shows."""
    sound = np.flatnonzero(~held)
    if not sound.size:
        raise CorruptFilm(f"{film.path.name}: no frame can be decoded")
    before = np.searchsorted(sound, np.arange(film.frames), side="right") - 1
    shown: Ticks = sound[np.maximum(before, 0)].astype(np.int64)
    return shown
