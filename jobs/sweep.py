"""A folder of films to what reelbrush does with each: painted exactly, or refused in one line.

Every film is painted by the command itself in a process of its own, so that a crash or a hang shows
as what it is. A film passes if it is painted and verified, or refused with a documented exit code,
one line and nothing under the final name.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.progress import Progressing

_CODES = (0, 2, 3, 4, 5, 6)


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


def sweep(
    films: Sequence[Path],
    *,
    style: str,
    frames: int,
    limit: float,
    progress: Progressing,
) -> list[Swept]:
    """Paint at most the first ``frames`` frames of each film, ``limit`` seconds at most."""
    progress.stage("sweep", len(films))
    found = []
    for film in films:
        with TemporaryDirectory() as folder:
            found.append(_swept(film, style, frames, limit, Path(folder)))
        progress.advance(1)
    return found


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
    return Swept(film.name, done.returncode, line, round(seconds, 2), clean)


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


if __name__ == "__main__":
    _one(*sys.argv[1:])
