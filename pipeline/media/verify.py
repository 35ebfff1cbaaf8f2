"""A film that was written, held to the film it was made from.

Nothing that is checked here is taken from how the film was written: it is opened as any film is,
and compared with the source. What the container cannot hold is checked no further than that
``assemble`` said so. Pictures are looked at only where segments meet.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import SourceError, VerificationFailed
from pipeline.media.clock import rescale
from pipeline.media.container import Film, Track, read_film
from pipeline.media.decode import pick
from pipeline.media.encode import Encoding
from pipeline.media.tracks import Cut, carried, cut_of, packets_of

_COARSE = 0.0021
"""Seconds: a tick of Matroska, the coarsest there is, for either file."""

_SILENCE = b"\0\0"
"""What MP4 and MOV put between two subtitles."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found equal."""

    frames: int
    """Every one of them at the PTS of its source, to the nearest tick."""
    worst: float
    """Seconds by which the worst PTS is off, for the container's ticks may be too coarse."""
    tracks: tuple[str, ...]
    """Hex digest of each other track's packets, in order."""
    decoded: tuple[int, ...]
    """The frames that were looked at."""


def verify_film(
    film: Film,
    target: Path,
    *,
    encoding: Encoding,
    start: int,
    stop: int,
    seams: Sequence[int] = (),
) -> Verification:
    """Compare a written film with frames ``[start, stop)`` of its source.

    ``seams`` are the source's frames at which segments begin; each is decoded, and the one before.

    Raises:
        VerificationFailed: At the first difference.
    """
    try:
        made = read_film(target)
        worst = _times(film, made, start, stop)
        _nature(film, made, encoding)
        tracks = _tracks(film, made, encoding, cut_of(film, start, stop))
        ends = {seam - start for seam in seams} | {seam - start - 1 for seam in seams}
        looked = sorted({0, made.frames - 1} | {k for k in ends if 0 <= k < made.frames})
        decoded = tuple(frame.index for frame in pick(made, looked))
    except SourceError as error:
        raise VerificationFailed(f"the written film is not in order: {error}") from error
    return Verification(made.frames, worst, tracks, decoded)


def _times(film: Film, made: Film, start: int, stop: int) -> float:
    if made.frames != stop - start:
        raise VerificationFailed(f"{made.frames} frames were written, not {stop - start}")
    origin = 0 if (start, stop) == (0, film.frames) else int(film.pts[start])
    ticks = [
        rescale(pts - origin, film.time_base, made.time_base)
        for pts in film.pts[start:stop].tolist()
    ]
    wrong = np.flatnonzero(made.pts != ticks)
    if wrong.size:
        k = int(wrong[0])
        raise VerificationFailed(f"frame {start + k} is at PTS {made.pts[k]}, not {ticks[k]}")
    exact = (film.pts[start:stop] - origin) * float(film.time_base)
    return float(np.abs(made.pts * float(made.time_base) - exact).max())


def _nature(film: Film, made: Film, encoding: Encoding) -> None:
    pairs: list[tuple[str, object, object]] = [
        ("codec", made.codec, encoding.codec),
        ("pixel format", made.pixel_format, encoding.pixel_format),
        ("size", (made.width, made.height), (film.width, film.height)),
        ("colour", made.color, film.color),
        ("rotation", made.rotation, film.rotation),
    ]
    if encoding.codec != "ffv1":  # there is no place for it in what writes Matroska here
        shape = film.sample_aspect_ratio or 1
        pairs.append(("sample aspect ratio", made.sample_aspect_ratio or 1, shape))
    for name, got, wanted in pairs:
        if got != wanted:
            raise VerificationFailed(f"the {name} was written as {got}, not {wanted}")


def _tracks(film: Film, made: Film, encoding: Encoding, cut: Cut) -> tuple[str, ...]:
    wanted = carried(film, encoding.container)
    got = [track for track in made.tracks if track.kind not in {"clock", "data", "video"}]
    if [track.kind for track in got] != [track.kind for track in wanted]:
        kinds = ", ".join(track.kind for track in got) or "nothing"
        raise VerificationFailed(f"beside the picture, {kinds} was written, not all of its tracks")
    whole = Cut(None, None)
    return tuple(
        _compare(film, a, cut, made, b, whole)
        for a, b in zip(wanted, got, strict=True)
        if a.kind != "attachment"
    )


def _compare(film: Film, a: Track, cut: Cut, made: Film, b: Track, whole: Cut) -> str:
    """Digest a track's packets in the source and in what was made of it."""
    (digest, first), (other, second) = _digest(film, a, cut), _digest(made, b, whole)
    if digest != other:
        raise VerificationFailed(f"the packets of track {a.index} ({a.kind}) were not copied whole")
    if abs(first - second) > _COARSE:
        raise VerificationFailed(f"track {a.index} ({a.kind}) starts {second - first:+.4f} s off")
    return digest


def _digest(film: Film, track: Track, cut: Cut) -> tuple[str, float]:
    """Digest payloads without their borders: PCM is grouped anew by each container."""
    digest = hashlib.sha256()
    first: float | None = None
    for due, packet in packets_of(film, track.index, cut):
        if track.kind == "subtitle" and bytes(packet) == _SILENCE:
            continue
        first = float(due) if first is None else first
        digest.update(bytes(packet))
    return digest.hexdigest(), first or 0.0
