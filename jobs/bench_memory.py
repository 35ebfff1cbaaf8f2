"""Films to the memory that they take on Ray at most, beside what their plan had predicted.

All processes of a run are watched: the command, what it starts, Ray's object store. The films are
a given one and its beginning, or made ones of some minutes.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.bench_ray import Setting
from jobs.bench_runs import PROGRAM, Running, excerpt, forecast, read_log
from jobs.footprint import Sampler, check_linux, marked
from jobs.made_films import make_film
from jobs.progress import Progressing
from pipeline.errors import BadRequest
from pipeline.media.container import Film, read_film

MADE = (768, 432)
"""Size of made films."""
GOAL = 1.3
"""The forecast as a multiple of the peak: never below 1, at most this."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What a run on Ray held at most, in bytes."""

    film: str
    frames: int
    style: str
    workers: int
    wall: float
    """seconds of the whole command"""
    bytes: int
    at: float
    """seconds into the run"""
    forecast: int | None
    """what the plan had predicted"""
    roles: dict[str, int]
    """at the peak, by role of process; "plasma" is the object store"""
    highest: dict[str, int]
    """the same, each at its own moment"""
    samples: int
    sampling: float
    """CPU seconds that taking them cost"""

    @property
    def over(self) -> float | None:
        """The forecast as a multiple of the peak."""
        return self.forecast / self.bytes if self.forecast is not None else None

    @property
    def met(self) -> bool:
        """Whether the forecast was never passed and is no more than it may be."""
        return self.over is not None and 1.0 <= self.over <= GOAL


def memory(
    source: Path,
    *,
    seconds: float,
    workers: int,
    style: str,
    progress: Progressing,
    program: Sequence[str] = PROGRAM,
) -> list[Peak]:
    """Paint a film's beginning, then the whole film, on Ray; watch all processes of each run.

    Raises:
        BadRequest: If the film is not longer than its beginning, or this is not Linux.
        FilmError: If a run fails.
    """
    check_linux()
    whole = read_film(source)
    with tempfile.TemporaryDirectory() as folder:
        bench = Setting(Path(folder), style, workers, program)
        short = excerpt(whole, bench.place / "film", seconds=seconds)
        if short is whole:
            raise BadRequest(f"{source.name} is not longer than {seconds:g} s")
        progress.stage("films", 2)
        peaks = []
        for film, name in ((short, f"{source.name}, {seconds:g} s"), (whole, source.name)):
            peaks.append(_watched(bench, film, name))
            progress.advance(1)
    return peaks


def memory_of_made(
    minutes: float,
    *,
    rate: int,
    workers: int,
    style: str,
    progress: Progressing,
    program: Sequence[str] = PROGRAM,
) -> Peak:
    """Make a film of so many minutes, paint it on Ray, watch all processes.

    Raises:
        BadRequest: If this is not Linux.
        FilmError: If the run fails.
    """
    check_linux()
    frames = max(1, round(60 * minutes * rate))
    progress.stage("made film", 2)
    with tempfile.TemporaryDirectory() as folder:
        bench = Setting(Path(folder), style, workers, program)
        film = read_film(make_film(bench.place / "film.mp4", frames, size=MADE, rate=rate))
        progress.advance(1)
        found = _watched(bench, film, f"{minutes:g} minutes")
        progress.advance(1)
    return found


def facts(peak: Peak) -> dict[str, object]:
    """What is stored of one film."""
    return {"unit": "bytes", "over": peak.over, "met": peak.met, **asdict(peak)}


def _watched(bench: Setting, film: Film, name: str) -> Peak:
    mark, environment = marked(os.environ)
    command = bench.command(film, bench.ray)
    with (
        Running(command, environment=environment, said=bench.said) as run,
        Sampler(run.pid, mark=mark) as sampler,
    ):
        ended = run.wait()
    return Peak(
        film=name,
        frames=film.frames,
        style=bench.style,
        workers=bench.workers,
        wall=ended.wall,
        bytes=sampler.peak.total,
        at=sampler.peak.seconds,
        forecast=forecast(read_log(bench.work)),
        roles=sampler.peak.by_role(),
        highest=dict(sampler.highest),
        samples=sampler.count,
        sampling=sampler.spent,
    )


def as_json(found: Sequence[Peak]) -> dict[str, object]:
    """What is stored of a film and its beginning."""
    short, whole = found
    ratio = whole.bytes / short.bytes
    return {"unit": "bytes", "ratio": ratio, "rows": [asdict(peak) for peak in found]}
