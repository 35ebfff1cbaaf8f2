"""A film to what Ray costs: how much of the workers' time is work, how much memory it all holds.

*Work* is the CPU seconds of the plain loop on one thread; starting Python and loading the libraries
is part of them and is stated apart, as ``imports``. *Efficiency* is work over workers x wall clock,
from the first task on a worker to the published film; in the *strict* one, what the driver had
analysed before that task is no work; in the *steady* one, neither is loading, and the clock starts
when the workers have loaded. *Equal* means that all runs decode to the same samples.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.bench_runs import (
    PROGRAM,
    Ended,
    Running,
    Times,
    excerpt,
    forecast,
    read_log,
    receipts,
    samples_digest,
    segments_digest,
    timeline,
)
from jobs.footprint import Sampler, check_linux, marked
from jobs.progress import Progressing
from jobs.results import Spread, spread
from pipeline.errors import BadRequest
from pipeline.media.container import Film, read_film

_INLINE = ("--backend", "inline", "--threads", "1")
_LOAD = "import av, cv2, torch, jobs.cli, jobs.stylize"


@dataclass(frozen=True, slots=True)
class Painted:
    """One run of the command."""

    backend: str
    wall: float
    """seconds from start to end of the command"""
    cpu: float
    """seconds of its process and of the children it waited for; on Ray that is not all"""
    chunks: int
    segments: str
    """sha256 over the range and the samples of each chunk's segment, in order"""
    samples: str
    """sha256 over the decoded film"""
    times: Times | None
    """None on the plain loop"""


@dataclass(frozen=True, slots=True)
class Ratios:
    """A run on Ray against the run of the plain loop before it."""

    efficiency: float
    strict: float
    steady: float
    speedup: float
    """wall clock of the whole command, the plain loop's over Ray's"""
    tax: float
    """CPU seconds of all tasks on Ray over those of the plain loop"""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What all runs came to."""

    film: str
    frames: int
    style: str
    workers: int
    equal_segments: bool
    equal_films: bool
    imports: float
    """CPU seconds"""
    efficiency: Spread
    strict: Spread
    steady: Spread
    speedup: Spread
    tax: Spread
    ratios: tuple[Ratios, ...]
    runs: tuple[Painted, ...]


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


@dataclass(frozen=True, slots=True)
class _Bench:
    """What all runs of a benchmark have in common."""

    place: Path
    style: str
    workers: int
    program: Sequence[str]

    @property
    def ray(self) -> tuple[str, ...]:
        return ("--backend", "ray", "--workers", str(self.workers))

    @property
    def target(self) -> Path:
        return self.place / "painted.mp4"

    @property
    def work(self) -> Path:
        return self.place / "work"

    @property
    def said(self) -> Path:
        return self.place / "said.txt"

    def command(self, film: Film, options: Sequence[str]) -> list[str]:
        """The command that paints a film from the beginning."""
        shutil.rmtree(self.work, ignore_errors=True)
        named = ("--style", self.style, "-o", str(self.target), "--work", str(self.work))
        kept = ("--keep-work", "--overwrite")
        return [*self.program, "stylize", str(film.path), *named, *kept, *options]


def efficiency(
    source: Path,
    *,
    seconds: float,
    workers: int,
    repeats: int,
    style: str,
    progress: Progressing,
    program: Sequence[str] = PROGRAM,
) -> Efficiency:
    """Paint a film's beginning by the plain loop and on Ray, in turns, never at once.

    Raises:
        FilmError: If a run fails, or its log does not tell enough.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), style, workers, program)
        film = excerpt(read_film(source), bench.place / "film", seconds=seconds)
        runs: list[Painted] = []
        progress.stage("runs", 2 * repeats)
        for _ in range(repeats):
            for backend in ("inline", "ray"):
                runs.append(_painted(bench, film, backend))
                progress.advance(1)
        imports = _loaded(bench).cpu
    pairs = zip(runs[::2], runs[1::2], strict=True)
    ratios = tuple(compared(plain, ray, workers=workers, imports=imports) for plain, ray in pairs)
    return Efficiency(
        film=source.name,
        frames=film.frames,
        style=style,
        workers=workers,
        equal_segments=len({run.segments for run in runs}) == 1,
        equal_films=len({run.samples for run in runs}) == 1,
        imports=imports,
        efficiency=spread([r.efficiency for r in ratios]),
        strict=spread([r.strict for r in ratios]),
        steady=spread([r.steady for r in ratios]),
        speedup=spread([r.speedup for r in ratios]),
        tax=spread([r.tax for r in ratios]),
        ratios=ratios,
        runs=tuple(runs),
    )


def compared(plain: Painted, ray: Painted, *, workers: int, imports: float) -> Ratios:
    """Compare a run on Ray with one of the plain loop."""
    times = ray.times
    if times is None:
        raise ValueError("a run on Ray must have its times")
    available = workers * (times.published - times.first_task)
    loaded = workers * (times.published - times.first_work)
    return Ratios(
        efficiency=plain.cpu / available,
        strict=(plain.cpu - times.ahead) / available,
        steady=(plain.cpu - times.ahead - imports) / loaded,
        speedup=plain.wall / ray.wall,
        tax=sum(cost.cpu for cost in times.kinds.values()) / plain.cpu,
    )


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
        bench = _Bench(Path(folder), style, workers, program)
        short = excerpt(whole, bench.place / "film", seconds=seconds)
        if short is whole:
            raise BadRequest(f"{source.name} is not longer than {seconds:g} s")
        progress.stage("films", 2)
        peaks = []
        for film, name in ((short, f"{source.name}, {seconds:g} s"), (whole, source.name)):
            peaks.append(_watched(bench, film, name))
            progress.advance(1)
    return peaks


def _painted(bench: _Bench, film: Film, backend: str) -> Painted:
    plain = backend == "inline"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} if plain else os.environ
    command = bench.command(film, _INLINE if plain else bench.ray)
    ended = _ran(bench, command, environment)
    made = receipts(bench.work)
    return Painted(
        backend=backend,
        wall=ended.wall,
        cpu=ended.cpu,
        chunks=len(made),
        segments=segments_digest(made),
        samples=samples_digest(read_film(bench.target)),
        times=None if plain else timeline(read_log(bench.work), began=ended.began),
    )


def _watched(bench: _Bench, film: Film, name: str) -> Peak:
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


def _loaded(bench: _Bench) -> Ended:
    """Start Python and load what painting needs, as the plain loop does."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return _ran(bench, [sys.executable, "-c", _LOAD], environment)


def _ran(bench: _Bench, command: Sequence[str], environment: Mapping[str, str]) -> Ended:
    with Running(command, environment=environment, said=bench.said) as run:
        return run.wait()


def as_json(found: Efficiency | Sequence[Peak]) -> dict[str, object]:
    """What was found as it is stored."""
    if isinstance(found, Efficiency):
        return asdict(found)
    short, whole = found
    ratio = whole.bytes / short.bytes
    return {"unit": "bytes", "ratio": ratio, "rows": [asdict(peak) for peak in found]}
