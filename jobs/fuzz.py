"""Films that were damaged on purpose to what becomes of each: refused, or exactly what it says.

A *case* is a specimen, a seed and the damage that the seed stands for. It goes the whole way of a
film but for painting: index, decoding from a seek, lossless segments, joining, verifying. What
comes of it is one of:

- "exact": every frame, time and sample as of the sound film; the damage was elsewhere.
- "changed": as many frames at the same times, some with other samples. A codec without checksums
  cannot tell; with checksums (FFV1) this is counted as wrong.
- "other": the file now says something else, and the result is exactly that.
- "refused": one line and an exit code from 2 to 6.
- "wrong": a result that depends on how the film was divided, or samples that a checksum denies.
- "traceback", "crash", "hang": what must never be.
"""

import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from jobs.damage import damaged
from pipeline.errors import FilmError, UnsupportedFilm
from pipeline.media.assemble import assemble
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import choose_encoding, write_segment
from pipeline.media.verify import verify_film

End = Literal["exact", "changed", "other", "refused", "wrong", "traceback", "crash", "hang"]
BAD: tuple[End, ...] = ("wrong", "traceback", "crash", "hang")
_CODES = range(2, 7)
_ADDRESSES = 6 << 30
"""Bytes that a worker may ask for: a lying header must not take the machine down."""
_CHECKSUMS = frozenset({"ffv1"})


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be tried."""

    specimen: str
    path: Path
    """of the sound film"""
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    specimen: str
    seed: int
    damage: str
    end: End
    line: str
    """what was said, or what is wrong"""
    seconds: float
    memory: int
    """peak of the worker so far, bytes"""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a film is without damage."""

    pts: tuple[int, ...]
    samples: tuple[str, ...]
    """digest of each frame"""


def serve(connection: Connection, folder: Path) -> None:
    """Take cases and give outcomes until there are no more; runs as a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # FFmpeg says a lot of a damaged film
    known: dict[str, Sound | None] = {}
    while True:
        case = connection.recv()
        if case is None:
            return
        if case.specimen not in known:
            known[case.specimen] = _sound(case.path)
        connection.send(tried(case, known[case.specimen], folder))


def tried(case: Case, sound: Sound | None, folder: Path) -> Outcome:
    """Damage a film and carry it on; ``sound`` is None for a kind that is refused anyway."""
    began = time.monotonic()
    content, damage = damaged(case.path.read_bytes(), case.seed)
    path = folder / f"damaged{case.path.suffix}"
    path.write_bytes(content)
    try:
        end, line = _carried(path, sound, folder)
    except FilmError as error:
        refused = error.exit_code in _CODES and "\n" not in str(error)
        end, line = ("refused" if refused else "traceback"), f"{type(error).__name__}: {error}"
    except MemoryError:
        end, line = "refused", "OutOfResources: out of memory"
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        end, line = "traceback", f"{type(error).__name__}: {error}"
    seconds = round(time.monotonic() - began, 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Outcome(case.specimen, case.seed, damage, end, line[:300], seconds, peak)


def sound(film: Film) -> Sound:
    """Take down a film that is not damaged."""
    return Sound(tuple(film.pts.tolist()), tuple(_digests(frames(film, 0, film.frames))))


def as_json(found: Sequence[Outcome]) -> dict[str, object]:
    """All outcomes in sums, and each that must not be, in full."""
    rows = []
    for name in dict.fromkeys(one.specimen for one in found):
        here = [one for one in found if one.specimen == name]
        rows.append({"specimen": name, "cases": len(here), "ends": _count(here)})
    classes = [one.line.partition(":")[0] for one in found if one.end == "refused"]
    return {
        "cases": len(found),
        "ends": _count(found),
        "refused": {name: classes.count(name) for name in sorted(set(classes))},
        "slowest": max(one.seconds for one in found),
        "memory": max(one.memory for one in found),
        "rows": rows,
        "bad": [asdict(one) for one in found if one.end in BAD],
    }


def _count(found: Sequence[Outcome]) -> dict[str, int]:
    ends = [one.end for one in found]
    return {end: ends.count(end) for end in get_args(End) if end in ends or end in BAD}


def _sound(path: Path) -> Sound | None:
    try:
        return sound(read_film(path))
    except UnsupportedFilm:
        return None


def _carried(path: Path, sound: Sound | None, folder: Path) -> tuple[End, str]:
    film = read_film(path)
    target = folder / "made.mkv"
    encoding, _ = choose_encoding(film, codec="ffv1", target=target)
    half = max(1, film.frames // 2)
    seen: list[str] = []
    segments = []
    for start, stop in ((0, half), (half, film.frames)):
        if start < stop:
            noted = _noted(frames(film, start, stop), seen)
            to = folder / f"{start}{encoding.suffix}"
            segments.append(write_segment(noted, film=film, encoding=encoding, path=to, crf=None))
    span = {"start": 0, "stop": film.frames}
    assemble(film, segments, target=target, encoding=encoding, **span)
    verify_film(film, target, encoding=encoding, **span, seams=[half])
    if list(_digests(frames(film, 0, film.frames))) != seen:
        return "wrong", "samples depend on where decoding begins"
    if sound is None or tuple(film.pts.tolist()) != sound.pts:
        return "other", f"{film.frames} frames"
    differ = np.flatnonzero([a != b for a, b in zip(seen, sound.samples, strict=True)])
    if not differ.size:
        return "exact", ""
    said = f"{differ.size} frames differ, the first is {differ[0]}"
    return ("wrong" if film.codec in _CHECKSUMS else "changed"), said


def _noted(given: Iterator[Frame], seen: list[str]) -> Iterator[Frame]:
    for frame in given:
        seen.extend(_digests(iter([frame])))
        yield frame


def _digests(given: Iterator[Frame]) -> Iterator[str]:
    for frame in given:
        planes = frame.planes
        parts = (planes.luma, planes.blue, planes.red, planes.alpha)
        content = [np.ascontiguousarray(part).tobytes() for part in parts if part is not None]
        yield sha256(b"".join(content)).hexdigest()
