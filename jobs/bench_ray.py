"""A film to what Ray costs: how much of the workers' time is work, and what coordinating burns.

*Work* is the CPU seconds of the plain loop on one thread; starting Python and loading the libraries
is part of them and is stated apart, as ``imports``. *Efficiency* is work over workers x wall clock,
from the first task on a worker to the published film; in the *strict* one, what the driver had
analysed before that task is no work; in the *steady* one, neither is loading, and the clock starts
when the workers have loaded. *Extra* is what Ray with one worker takes more than the plain loop for
the same work, loading left out: 1 / steady - 1. *Equal* means that all runs decode to the same
samples.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.bench_runs import (
    PROGRAM,
    Ended,
    Running,
    Times,
    coordinating,
    excerpt,
    read_log,
    receipts,
    samples_digest,
    segments_digest,
    timeline,
)
from jobs.progress import Progressing
from jobs.pulse import Pulse, shares
from jobs.results import Spread, spread
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
    coordinator: float | None = None
    """CPU of the main thread, as a share of wall clock, from when nothing is analysed in this
    process any more to the last committed segment"""
    process: float | None = None
    """the same of all its threads"""


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
    extra: float
    """1 / steady - 1"""


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
    extra: Spread
    coordinator: Spread | None
    """CPU of the command's main thread while it coordinates, as a share of wall clock"""
    process: Spread | None
    """the same of the whole process: with Ray's own threads in it"""
    ratios: tuple[Ratios, ...]
    runs: tuple[Painted, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs of a benchmark have in common."""

    place: Path
    style: str
    workers: int
    program: Sequence[str]

    @property
    def ray(self) -> tuple[str, ...]:
        """Options of a run on Ray."""
        return ("--backend", "ray", "--workers", str(self.workers))

    @property
    def target(self) -> Path:
        """The painted film."""
        return self.place / "painted.mp4"

    @property
    def work(self) -> Path:
        """Its work folder."""
        return self.place / "work"

    @property
    def said(self) -> Path:
        """What the command complained of."""
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
        bench = Setting(Path(folder), style, workers, program)
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
        extra=spread([r.extra for r in ratios]),
        coordinator=_spread([run.coordinator for run in runs]),
        process=_spread([run.process for run in runs]),
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
    steady = (plain.cpu - times.ahead - imports) / loaded
    return Ratios(
        efficiency=plain.cpu / available,
        strict=(plain.cpu - times.ahead) / available,
        steady=steady,
        speedup=plain.wall / ray.wall,
        tax=sum(cost.cpu for cost in times.kinds.values()) / plain.cpu,
        extra=1 / steady - 1,
    )


def _painted(bench: Setting, film: Film, backend: str) -> Painted:
    plain = backend == "inline"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} if plain else os.environ
    command = bench.command(film, _INLINE if plain else bench.ray)
    with (
        Running(command, environment=environment, said=bench.said) as run,
        Pulse(run.pid) as pulse,
    ):
        ended = run.wait()
    made, events = receipts(bench.work), read_log(bench.work)
    burnt = None if plain else shares(pulse.beats, **coordinating(events))
    return Painted(
        backend=backend,
        wall=ended.wall,
        cpu=ended.cpu,
        chunks=len(made),
        segments=segments_digest(made),
        samples=samples_digest(read_film(bench.target)),
        times=None if plain else timeline(events, began=ended.began),
        coordinator=burnt[0] if burnt else None,
        process=burnt[1] if burnt else None,
    )


def _spread(shares_: Sequence[float | None]) -> Spread | None:
    known = [share for share in shares_ if share is not None]
    return spread(known) if known else None


def _loaded(bench: Setting) -> Ended:
    """Start Python and load what painting needs, as the plain loop does."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _LOAD]
    with Running(command, environment=environment, said=bench.said) as run:
        return run.wait()


def as_json(found: Efficiency) -> dict[str, object]:
    """What was found as it is stored."""
    return asdict(found)
