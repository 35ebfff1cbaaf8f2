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
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, cast

from jobs.progress import Progressing
from jobs.sidecar import read_sidecar

_CODES = (0, 2, 3, 4, 5, 6)
_ABOUT = (
    "# Real films",
    "",
    "Made by `reelbrush bench sweep`; what is stored is in `bench/results/sweep.json`. Exact:",
    "frames as the index counts them, every PTS within one tick of the output, tracks, tags",
    "and sound as in the source, verified. Refused: one line, its exit code, nothing written.",
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

    ``bare`` has keys given back as they are: the film's way is looked at, not the paint.
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
            return self._pool.submit(_bare, film, frames, folder).result(limit)
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
    painted = sum(bool(row["exact"]) for row in rows)
    body = []
    for row in rows:
        reason = str(row["line"]).removeprefix("reelbrush: ").removeprefix(f"{row['film']}: ")
        notes = "; ".join(cast(Sequence[str], row["said"]))
        ended = "exact" if row["exact"] else "refused" if row["clean"] else "FAILED"
        said = notes if row["exact"] else reason
        body.append(f"| {row['film']} | {ended} | {said.replace('|', '/')} |")
    return "\n".join(
        [
            *_ABOUT,
            "",
            f"{len(rows)} films: {painted} exact, {len(rows) - painted} refused.",
            "",
            "| film | comes out | what was said |",
            "|---|---|---|",
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


def _bare(film: Path, frames: int, folder: Path) -> Swept:
    """Carry a film's first frames through without a painter."""
    from jobs.bench_long import AsItIs
    from jobs.progress import Silent
    from jobs.stylize import Job, stylize
    from pipeline.errors import FilmError
    from pipeline.media.container import read_film
    from pipeline.recipe import Recipe

    began, code, line = time.monotonic(), 0, "painted and verified"
    exact = False
    notes: tuple[str, ...] = ()
    try:
        span = (0, min(frames, read_film(film).frames))
        target = folder / f"{film.stem}.mkv"
        recipe = Recipe(style="none", codec="ffv1", frames=span)
        result = stylize(Job(film, target, recipe), progress=Silent(), hire=AsItIs)
        said = read_sidecar(target)
        exact, notes = result.verified.ok, said.notes if said else ()
    except FilmError as error:
        code, line = error.exit_code, str(error)
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        code, line = 1, f"{type(error).__name__}: {error}"
    clean = code in _CODES and "\n" not in line
    seconds = round(time.monotonic() - began, 2)
    return Swept(film.name, code, line, seconds, clean, exact, notes)


if __name__ == "__main__":
    _one(*sys.argv[1:])
