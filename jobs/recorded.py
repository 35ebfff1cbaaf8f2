"""How long steps took in a real run, by kind and frames, to be replayed.

From the log of a work folder and its receipts. What is kept of a step is its CPU time: on a machine
that does other things, too, wall clock says little. A replay draws among the recorded steps of a
kind those of chunks that come nearest in length, and goes by frames from there.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from jobs.bench_ray import Setting
from jobs.bench_runs import PROGRAM, Running, excerpt, receipts
from jobs.log import read as read_log
from jobs.parts import read_parts
from jobs.progress import Progressing
from pipeline.errors import BadRequest
from pipeline.media.container import read_film

KINDS = ("analyse", "sample", "measure", "decode", "paint", "harmonise", "fill")
SPAN = 10.0
"""Seconds of film that one analysis looks at, about."""
_PART_OF = {"fetch": "fill", "repaint": "fill", "promote": "fill"}
_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """Steps of a real run."""

    steps: dict[str, list[tuple[int, float]]]
    """by kind, (frames of the chunk, or 0 where it is about none; seconds)"""
    about: str = ""

    def seconds(self, kind: str, frames: int, chance: Random) -> float:
        """Draw how long a step takes.

        Args:
            kind: of the step.
            frames: of its chunk; 0 if it is about none.
            chance: to draw with.

        Raises:
            BadRequest: If no such step was recorded.
        """
        known = self.steps.get(kind)
        if not known:
            raise BadRequest(f"no step of the kind {kind!r} was recorded")
        near = sorted(known, key=lambda step: (abs(step[0] - frames), step))[:_NEAREST]
        length, seconds = chance.choice(near)
        return seconds * frames / length if length and frames else seconds


def record(work: Path) -> Recorded:
    """Read the steps of a work folder.

    Raises:
        BadRequest: If its log and receipts do not hold one of each kind.
    """
    lengths = {receipt.chunk: receipt.stop - receipt.start for receipt in receipts(work)}
    found = recorded_of(read_log(work), lengths)
    missing = [kind for kind in KINDS if kind not in found]
    if missing:
        raise BadRequest(f"{work}: no steps of the kinds {', '.join(missing)} in its log")
    return Recorded(found, about=work.name)


def recorded_of(
    events: Iterable[Mapping[str, object]], lengths: Mapping[int, int]
) -> dict[str, list[tuple[int, float]]]:
    """Sort the steps of a log by kind; those of chunks with their frames.

    A chunk's batches of keys count as one step, and what its gate asked for as part of its fill.
    """
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    whole: dict[tuple[str, int], float] = defaultdict(float)
    for event in events:
        seconds, chunk = event.get("cpu"), event.get("chunk")
        kind = _PART_OF.get(str(event.get("kind")), str(event.get("kind")))
        if event["event"] != "task" or kind not in KINDS or not isinstance(seconds, int | float):
            continue
        if isinstance(chunk, int):
            whole[kind, chunk] += seconds
        else:
            found[kind].append((0, float(seconds)))
    for (kind, chunk), seconds in whole.items():
        if chunk in lengths:
            found[kind].append((lengths[chunk], round(seconds, 4)))
    return {kind: sorted(steps) for kind, steps in found.items()}


def load(path: Path) -> Recorded:
    """Read the steps of a work folder, or of a stored result that holds them.

    Raises:
        BadRequest: If it holds none.
    """
    if path.is_dir():
        return record(path)
    for part in read_parts(path).values():
        known = part.get("recorded")
        if isinstance(known, dict):
            steps = {
                str(kind): [(int(frames), float(seconds)) for frames, seconds in found]
                for kind, found in known["steps"].items()
            }
            return Recorded(steps, about=str(known["about"]))
    raise BadRequest(f"{path} holds no recorded steps")


def paint_and_record(
    source: Path, *, seconds: float, style: str, progress: Progressing
) -> Recorded:
    """Paint a film's beginning on Ray with one worker, and record the steps.

    Raises:
        FilmError: If the run fails, or has not one step of each kind.
    """
    with tempfile.TemporaryDirectory() as folder:
        bench = Setting(Path(folder), style, 1, PROGRAM)
        film = excerpt(read_film(source), bench.place / "film", seconds=seconds)
        progress.stage("recording", 1)
        command = bench.command(film, bench.ray)
        with Running(command, environment=os.environ, said=bench.said) as run:
            run.wait()
        progress.advance(1)
        found = record(bench.work)
    return Recorded(found.steps, about=f"{source.name}, {film.frames} frames, {style}")


def mean(seconds: Sequence[float]) -> float:
    """The mean of some seconds; 0 of none."""
    return sum(seconds) / len(seconds) if seconds else 0.0
