"""A folder of films to what reelbrush does with each: painted exactly, or refused in one line.

Every film is painted by the command itself in a process of its own, so that a crash or a hang shows
as what it is. A film passes if it is painted and verified, or refused with a documented exit code,
one line and nothing under the final name. Painted exactly means: frames as the index counts them,
every PTS within a tick, tracks, tags and sound as in the source, by the checks of its sidecar.
"""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Self, cast

from jobs.progress import Progressing
from jobs.sidecar import read_sidecar

_CODES = (0, 2, 3, 4, 5, 6)
_REFUSED = (2, 3)
"""What was asked for, or the film; anything else is ours."""
_ABOUT = (
    "# Real films",
    "",
    "Made by `reelbrush bench sweep`; what is stored is in `bench/results/sweep.json`. Exact:",
    "frames as the index counts them, every PTS within one tick of the output, tracks, tags",
    "and sound as in the source, verified. Refused: one line, its exit code, nothing written.",
    "Held: refused as it stands, exact with `--on-error hold`, which shows the frame before",
    "in the place of one that cannot be decoded.",
)
_CARRIED = (
    "Each film goes whole through lossless segments without being painted, and its samples are",
    "compared; then its first frames go through the whole job, with a painter that gives keys",
    "back as they are.",
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of one film."""

    film: str
    code: int
    """exit code; -1 if it hung"""
    line: str
    """the last line on standard error"""
    seconds: float
    clean: bool
    """no traceback, no hang, and no file left after failure"""
    exact: bool = False
    """whether the film was painted and every check of its sidecar passed"""
    said: tuple[str, ...] = ()
    """what was said before work started, or could not be held"""
    frames: int = 0
    """of the film that were carried; 0 if it was refused"""
    held: int = 0
    """of them with ``--on-error hold``, for the film is damaged"""


def ended(row: Mapping[str, object]) -> str:
    """Say in a word what became of a film.

    >>> ended({"code": -1, "clean": False, "exact": False, "held": 0})
    'FAILED'
    """
    if row["exact"] and row["clean"]:
        return "held" if row["held"] else "exact"
    return "refused" if row["clean"] and row["code"] in _REFUSED else "FAILED"


def sweep(
    films: Sequence[Path],
    *,
    style: str,
    frames: int,
    limit: float,
    bare: bool,
    progress: Progressing,
) -> list[Swept]:
    """Paint at most the first ``frames`` frames of each film, ``limit`` seconds at most.

    ``bare`` leaves the painter out: all of a film is carried, and the first frames are painted by
    one that gives keys back as they are.
    """
    progress.stage("sweep", len(films))
    found = []
    with _Crew() as crew:
        for film in films:
            with TemporaryDirectory() as folder:
                place = Path(folder)
                if bare:
                    found.append(crew.swept(film, frames, limit, place))
                else:
                    found.append(_swept(film, style, frames, limit, place))
            progress.advance(1)
    return found


class _Crew:
    """A process that carries films without a painter, and is replaced if it dies or hangs."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def swept(self, film: Path, frames: int, limit: float, folder: Path) -> Swept:
        """Carry a film."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        try:
            return self._pool.submit(bare, film, frames, folder).result(limit)
        except TimeoutError:
            line = f"hung for {limit:.0f} s"
        except BrokenProcessPool:
            line = "the process died"
        self._end()
        return Swept(film.name, -1, line, limit, clean=False)

    def _end(self) -> None:
        if self._pool is not None:
            for process in multiprocessing.active_children():
                process.kill()
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _swept(film: Path, style: str, frames: int, limit: float, folder: Path) -> Swept:
    target = folder / f"{film.stem}.mkv"
    command = [
        *(sys.executable, "-m", "jobs.sweep", str(film), str(target), style, str(frames)),
    ]
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return Swept(film.name, -1, f"hung for {limit:.0f} s", limit, clean=False)
    seconds = time.monotonic() - began
    said = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    line = said[-1] if said else "painted and verified"
    left = sorted(p.name for p in folder.iterdir() if p.is_file())
    clean = done.returncode in _CODES and "Traceback" not in done.stderr
    if done.returncode != 0:
        clean = clean and len(said) == 1 and not left
    else:
        beside = [f"{target.name}{suffix}" for suffix in (".frames.parquet", ".json")]
        clean = clean and left == [target.name, *beside]
    said_of = read_sidecar(target) if done.returncode == 0 else None
    exact = said_of is not None and all(check["ok"] for check in said_of.checks)
    notes = said_of.notes if said_of else ()
    return Swept(film.name, done.returncode, line, round(seconds, 2), clean, exact, notes)


def page(rows: Sequence[Mapping[str, object]]) -> str:
    """Lay stored rows out as a Markdown page."""
    ends = [ended(row) for row in rows]
    counted = ", ".join(f"{ends.count(end)} {end}" for end in dict.fromkeys(ends))
    body = []
    for row, end in zip(rows, ends, strict=True):
        reason = str(row["line"]).removeprefix("reelbrush: ").removeprefix(f"{row['film']}: ")
        notes = "; ".join(cast(Sequence[str], row["said"]))
        said = notes if end == "exact" else reason
        body.append(f"| {row['film']} | {row['frames']} | {end} | {said.replace('|', '/')} |")
    return "\n".join(
        [
            *_ABOUT,
            *(_CARRIED if any(row["frames"] for row in rows) else ()),
            "",
            f"{len(rows)} films: {counted}.",
            "",
            "| film | frames | comes out | what was said |",
            "|---|---|---|---|",
            *body,
            "",
        ]
    )


def as_json(rows: Sequence[Swept]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]


def _one(film: str, target: str, style: str, frames: str) -> None:
    """Paint one film's first frames, as a process of its own."""
    from jobs.cli import main
    from pipeline.errors import FilmError
    from pipeline.media.container import read_film

    try:
        last = min(int(frames), read_film(Path(film)).frames) - 1
    except FilmError:
        last = 0  # the command says what is wrong
    sys.argv[1:] = [
        *("stylize", film, "--style", style, "--codec", "ffv1", "--threads", "1"),
        *("--work", f"{target}.work"),
        *("--frames", f"0-{last}", "--output", target),
    ]
    main()


def bare(film: Path, frames: int, folder: Path) -> Swept:
    """Carry a film without a painter; paint its first frames by one that changes nothing."""
    from pipeline.errors import CorruptFilm, FilmError

    began, swept = time.monotonic(), Swept(film.name, 0, "carried and verified", 0.0, clean=True)
    try:
        try:
            swept = _through(swept, film, frames, folder, on_error="fail")
        except CorruptFilm as error:
            swept = replace(swept, code=error.exit_code, line=str(error))
            swept = _through(swept, film, frames, folder, on_error="hold")
            verb = "shows" if swept.held == 1 else "show"
            line = f"{swept.line}; with --on-error hold {swept.held} of its frames {verb} another"
            swept = replace(swept, line=line)
    except FilmError as error:
        if swept.code == 0:
            swept = replace(swept, code=error.exit_code, line=str(error))
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        swept = replace(swept, code=1, line=f"{type(error).__name__}: {error}")
    clean = swept.code in _CODES and "\n" not in swept.line
    return replace(swept, clean=clean, seconds=round(time.monotonic() - began, 2))


def _through(
    swept: Swept, film: Path, frames: int, folder: Path, *, on_error: Literal["fail", "hold"]
) -> Swept:
    """Carry all of a film, and its first frames through a whole job."""
    from jobs.bench_long import AsItIs
    from jobs.carry import carry
    from jobs.progress import Silent
    from jobs.source import opened
    from jobs.stylize import Job, stylize
    from pipeline.recipe import Recipe

    whole = Recipe(style="none", codec="ffv1", on_error=on_error)
    read = opened(film, whole, progress=Silent())
    carried = carry(read, folder)
    target = folder / f"{film.stem}.mkv"
    part = whole.model_copy(update={"frames": (0, min(frames, read.frames))})
    result = stylize(Job(film, target, part), progress=Silent(), hire=AsItIs)
    said = read_sidecar(target)
    return replace(
        swept,
        exact=carried.same and result.verified.ok,
        said=said.notes if said else (),
        frames=carried.frames,
        held=carried.held,
    )


if __name__ == "__main__":
    _one(*sys.argv[1:])
