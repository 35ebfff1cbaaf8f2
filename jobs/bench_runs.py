"""A film and options to a run of ``reelbrush stylize`` in its own process, and what it left.

The command is run as a person runs it; what it did is read from outside: its wall clock and CPU
seconds, the log and receipts in its work folder, the film that it wrote. The *excerpt* that is
painted is the beginning of a film by packet copy, so that nothing is encoded before the painter.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np

from jobs.ledger import Receipt
from pipeline.errors import BadRequest, ChunkFailed, VerificationFailed
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import disk, timescale

PROGRAM = (sys.executable, "-m", "jobs.cli")
_DRIVER, _LOADING = "driver", "introduce"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has done what it was to do."""

    began: float
    """seconds since 1970"""
    wall: float
    """seconds"""
    cpu: float
    """seconds of the process and of the children it waited for"""


@dataclass(frozen=True, slots=True)
class Cost:
    """All tasks of one kind."""

    tasks: int
    wall: float
    """seconds, summed"""
    cpu: float
    """seconds, summed"""


@dataclass(frozen=True, slots=True)
class Times:
    """When what had happened on Ray, in seconds since the command was started."""

    ray: float
    """Ray was up"""
    first_task: float
    """the first task on a worker began: loading the libraries there"""
    first_work: float
    """the first after that"""
    first_commit: float
    """the first segment was committed"""
    published: float
    ahead: float
    """CPU seconds of work that the driver had done before the first task"""
    lost: int
    """attempts that failed"""
    kinds: dict[str, Cost]
    """by kind of task, the driver's included"""


def excerpt(film: Film, target: Path, *, seconds: float) -> Film:
    """Copy the packets of a film's beginning, picture and sound; a film as short is left as it is.

    It ends where decoding and presentation agree, so that each frame has all it is coded from: up
    to a few frames early.

    Args:
        film: the source.
        target: without a suffix, which the film's container gives.
        seconds: how much, at most.

    Raises:
        BadRequest: If not one frame is that early, or none can be cut off there.
        VerificationFailed: If the copy has not the same frames at the same times.
    """
    count = closed_count(film, seconds=seconds)
    if count == film.frames:
        return film
    path = target.with_suffix(".mkv" if film.container == "matroska" else ".mov")
    with disk(path):
        _copy(film, path, count)
    found = read_film(path)
    times = (film.pts[:count] - film.pts[0]).astype(float) * float(film.time_base)
    copied = (found.pts - found.pts[0]).astype(float) * float(found.time_base)
    if found.frames != count or np.abs(copied - times).max() > float(found.time_base):
        raise VerificationFailed(f"{film.path.name}: its beginning could not be copied exactly")
    return found


def closed_count(film: Film, *, seconds: float) -> int:
    """Count the frames of a beginning that are the first in decoding order too.

    Raises:
        BadRequest: If there is none.
    """
    limit = int(film.pts[0]) + ceil(Fraction(str(seconds)) / film.time_base)
    wanted = int(np.searchsorted(film.pts, limit))
    latest = np.maximum.accumulate(film.dts)
    earliest = np.minimum.accumulate(film.dts[::-1])[::-1]
    counts = np.append(1 + np.flatnonzero(latest[:-1] < earliest[1:]), film.frames)
    counts = counts[counts <= wanted]
    if not counts.size:
        raise BadRequest(f"{film.path.name} cannot be cut within its first {seconds:g} s")
    return int(counts[-1])


def _copy(film: Film, path: Path, count: int) -> None:
    last, end = int(film.dts[:count].max()), int(film.pts[count]) * film.time_base
    options = timescale(film) if path.suffix == ".mov" else {}
    with (
        av.open(str(film.path), "r", metadata_errors="replace") as source,
        av.open(str(path), "w", options=options) as container,
    ):
        tracks = [source.streams[film.stream], *source.streams.audio]
        copies = {s.index: container.add_stream_from_template(s, opaque=True) for s in tracks}
        for packet in source.demux(tracks):
            if packet.size == 0 or packet.pts is None:
                continue
            if packet.stream.index == film.stream:
                kept = (packet.pts if packet.dts is None else packet.dts) <= last
            else:
                kept = packet.pts * packet.time_base < end
            if kept:
                packet.stream = copies[packet.stream.index]
                container.mux(packet)


class Running:
    """A process whose complaints go to the file ``said``; it does not outlive an interrupt."""

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], said: Path
    ) -> None:
        self._said = said
        self._began, self._clock = time.time(), time.perf_counter()
        with said.open("wb") as words:
            none = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, env=environment, stdin=none, stdout=none, stderr=words
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            self._process.wait()

    def wait(self) -> Ended:
        """Wait for its end.

        Raises:
            ChunkFailed: If it fails; with its own line about that, or else its last.
        """
        _, status, usage = os.wait4(self.pid, 0)
        wall = time.perf_counter() - self._clock
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        if code:
            lines = self._said.read_text("utf-8", errors="replace").strip().splitlines()
            lines = [line for line in lines if line.startswith("reelbrush: ")] or lines
            raise ChunkFailed(f"a run ended with {code}: {(lines or ['without a word'])[-1]}")
        return Ended(self._began, wall, usage.ru_utime + usage.ru_stime)


def timeline(events: Sequence[Mapping[str, object]], *, began: float) -> Times:
    """Read from the events of a run on Ray when what had happened.

    Args:
        events: of the log, in any order.
        began: the command's start, in seconds since 1970.

    Raises:
        VerificationFailed: If the log does not tell.
    """
    try:
        tasks = [e for e in events if e["event"] == "task"]
        there = [e for e in tasks if e["node"] != _DRIVER]
        first = min(_number(e["began"]) for e in there)
        return Times(
            ray=_first(events, "ray") - began,
            first_task=first - began,
            first_work=min(_number(e["began"]) for e in there if e["kind"] != _LOADING) - began,
            first_commit=_first(events, "committed") - began,
            published=_first(events, "published") - began,
            ahead=sum(_before(e, first) for e in tasks if e["node"] == _DRIVER),
            lost=sum(e["event"] == "lost" for e in events),
            kinds=_kinds(tasks),
        )
    except (KeyError, ValueError) as error:
        raise VerificationFailed(f"the log of a run on Ray does not tell all: {error}") from None


def coordinating(events: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Between which moments since 1970 a process only coordinated.

    From the first task on a worker, or the end of what it analysed itself, to the last commit.

    Raises:
        VerificationFailed: If the log does not tell.
    """
    try:
        tasks = [e for e in events if e["event"] == "task"]
        first = min(_number(e["began"]) for e in tasks if e["node"] != _DRIVER)
        own = [_number(e["ended"]) for e in tasks if e["node"] == _DRIVER]
        last = max(_number(e["time"]) for e in events if e["event"] == "committed")
    except (KeyError, ValueError) as error:
        raise VerificationFailed(f"the log of a run on Ray does not tell all: {error}") from None
    return {"start": max([first, *own]), "stop": last}


def read_log(work: Path) -> list[dict[str, object]]:
    """Read the events of a run from its work folder; none where it keeps no log."""
    path = work / "log.jsonl"
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def forecast(events: Iterable[Mapping[str, object]]) -> int | None:
    """Bytes of memory that the plan predicted."""
    said = [e["memory"] for e in events if e["event"] == "forecast"]
    return round(_number(said[-1])) if said else None


def receipts(work: Path) -> list[Receipt]:
    """Read the receipts of a work folder, in the order of their frames."""
    found = [
        Receipt(**json.loads(path.read_text("utf-8")))
        for path in (work / "receipts").glob("*.json")
    ]
    return sorted(found, key=lambda receipt: receipt.start)


def segments_digest(made: Iterable[Receipt]) -> str:
    """Digest the range and the decoded samples of each segment."""
    text = "\n".join(f"{r.start} {r.stop} {r.pixels}" for r in made)
    return hashlib.sha256(text.encode()).hexdigest()


def samples_digest(film: Film) -> str:
    """Digest what a film decodes to: each frame's time and samples."""
    digest = hashlib.sha256()
    for frame in frames(film, 0, film.frames):
        digest.update(str(frame.pts).encode())
        for plane in (frame.planes.luma, frame.planes.blue, frame.planes.red):
            digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()


def _first(events: Iterable[Mapping[str, object]], name: str) -> float:
    return min(_number(e["time"]) for e in events if e["event"] == name)


def _before(task: Mapping[str, object], moment: float) -> float:
    """CPU seconds of a task before a moment, as if it had taken them evenly."""
    began, ended, cpu = (_number(task[name]) for name in ("began", "ended", "cpu"))
    if ended <= moment:
        return cpu
    return cpu * max(0.0, moment - began) / (ended - began)


def _kinds(tasks: Iterable[Mapping[str, object]]) -> dict[str, Cost]:
    found: dict[str, Cost] = {}
    for task in tasks:
        name = str(task["kind"])
        old = found.get(name, Cost(0, 0.0, 0.0))
        wall = _number(task["ended"]) - _number(task["began"])
        found[name] = Cost(old.tasks + 1, old.wall + wall, old.cpu + _number(task["cpu"]))
    return found


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return float(value)
