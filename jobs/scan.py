"""A work folder with thousands of receipts to how long it takes to find out what is done.

The folder is made, by the job's own way of naming and signing chunks; segments and tables hold
noise. What is timed is what a command does when it goes on: identities of all chunks, and for each
the receipt with all that the receipt vouches for. *Cold* is with the files' pages given back to the
system first, as far as it takes them.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from jobs.commission import Commission
from jobs.ledger import WorkFolder
from jobs.made_films import make_film
from jobs.progress import Progressing
from jobs.results import Spread, spread
from jobs.target import encoding_of
from pipeline.errors import VerificationFailed
from pipeline.media.color import Rect
from pipeline.media.container import Film, read_film
from pipeline.media.encode import Segment
from pipeline.plan import Chunk, Part, Plan, Shot
from pipeline.recipe import Recipe

LENGTH = 86
"""Frames of a chunk: 2,000 of them are two hours at 24 frames a second."""
GOAL = 1.0
"""Seconds for 2,000 receipts."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """What scanning took."""

    receipts: int
    segment: int
    """bytes of each"""
    warm: Spread
    """seconds"""
    cold: Spread
    identities: float
    """seconds of a warm scan that went into names"""


def scan(folder: Path, *, receipts: int, size: int, repeats: int, progress: Progressing) -> Scanned:
    """Make a work folder and find out what is done, as a command that goes on does.

    Args:
        folder: where to make it; it takes ``receipts`` times ``size`` bytes, and is removed.
        receipts: how many.
        size: bytes of a segment.
        repeats: how often to scan, warm and cold.
        progress: is told of receipts.

    Raises:
        VerificationFailed: If a receipt that was signed is not found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as place:
        film = read_film(make_film(Path(place) / "film.mp4", 50, size=(64, 36)))
        plan = planned(receipts)
        job = _job(film, Path(place) / "work")
        job.work.create()
        with job.work.leased():
            progress.stage("making receipts", receipts)
            _sign_all(job, plan, size=size, progress=progress)
        names, warm, cold = 0.0, list[float](), list[float]()
        progress.stage("scans", 2 * repeats)
        for _ in range(repeats):
            for found in (warm, cold):
                if found is cold:
                    _forget(job.work.path)
                names, seconds = _scanned(_job(film, job.work.path), plan)
                found.append(seconds)
                progress.advance(1)
    return Scanned(receipts, size, spread(warm), spread(cold), names)


def planned(chunks: int) -> Plan:
    """A plan of so many chunks, two to a shot."""
    picture = Rect(0, 0, 36, 64)
    shots, made = list[Shot](), list[Chunk]()
    for number in range(-(-chunks // 2)):
        start, stop = 2 * number * LENGTH, min(2 * number + 2, chunks) * LENGTH
        shots.append(Shot(start, stop, (1.0,) * (stop - start), picture, (start,)))
        for a in range(start, stop, LENGTH):
            b, closes = a + LENGTH, a + LENGTH == stop
            keys = (*range(a, b - 1, 12), b - 1 if closes else b)
            part = Part(number, a, b, keys, a == start, closes, number)
            made.append(Chunk(len(made), (part,)))
    return Plan(tuple(shots), tuple(made))


def _job(film: Film, work: Path) -> Commission:
    """The job, with nothing known of what is done."""
    recipe = Recipe(style="adele")
    encoding = encoding_of(film, recipe, work.with_suffix(".mp4"))
    return Commission(film, recipe, encoding, WorkFolder(work), "no weights", "no style")


def _sign_all(job: Commission, plan: Plan, *, size: int, progress: Progressing) -> None:
    noise, shots = np.random.default_rng(0), dict(enumerate(plan.shots))
    for chunk, name in zip(plan.chunks, job.identities(plan), strict=True):
        order = job.order(chunk, shots, last_round=False)
        content = noise.bytes(size)
        order.segment.write_bytes(content)
        order.table.write_bytes(content[:4096])
        segment = Segment(
            path=order.segment,
            start=chunk.start,
            stop=chunk.stop,
            bytes=size,
            sha256=hashlib.sha256(content).hexdigest(),
            pixels="0" * 64,
        )
        job.sign(order, segment, name=name, keys=8, promoted=0, tiles=0, seconds={"fill": 1.0})
        progress.advance(1)


def _scanned(job: Commission, plan: Plan) -> tuple[float, float]:
    """Seconds for the names, and for all of it."""
    began = time.perf_counter()
    names = job.identities(plan)
    named = time.perf_counter() - began
    for chunk, name in zip(plan.chunks, names, strict=True):
        if job.work.receipt(job.piece(chunk, name)) is None:
            raise VerificationFailed(f"the receipt of chunk {chunk.index} is not found again")
    return named, time.perf_counter() - began


def _forget(folder: Path) -> None:
    """Have the system forget what it has read of the folder's files."""
    for path in _files(folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
