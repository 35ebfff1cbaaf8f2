"""Films on a cloud that grows and shrinks: do machines come for work, and go when there is none?

Three runs on one fake cloud, with a painter that takes its time. *Many*: a film of more chunks than
GPUs may be taken. *Few*: a film of so few that more machines could come than it has use for.
*Killed*: the command is killed while one machine is at work and others are waited for. Machines are
processes, GPUs are those that Ray is told of; those with GPUs have no cores, so that nothing but a
stylizer brings them. A machine is worth seconds of work here, not minutes.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.bench_long import make
from jobs.elastic_painter import KEYS
from jobs.engine import Machines, prepare
from jobs.fake_cloud import FakeCloud, MachineType, Seen
from jobs.plan import foresee
from jobs.progress import Progressing, Silent
from pipeline.errors import ChunkFailed, ClusterFailed
from pipeline.recipe import Recipe

_MANY, _FEW = 960, 96
"""Frames."""
_IDLE = 20.0
"""Seconds after which a machine goes."""
_SURPLUS = 3.0
"""Seconds for which a stylizer is one too many before it is sent home."""
_SOON = 30.0
"""Seconds in which what is no longer wanted has to be gone, beside those for which it may idle."""
_GOODBYE = 5.0
"""Seconds in which a command ends that has nothing left to do."""
_LIMIT = 900.0
"""Seconds for a run, and for machines to go."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run asked of the cloud."""

    name: str
    chunks: int
    allowed: int
    """GPUs that it might take"""
    most: int
    """machines with a stylizer on their GPUs at a time"""
    first: float | None
    """seconds from the command's start to the first of them"""
    ended: float
    """seconds from the command's start to its end"""
    home: int
    """stylizers that were sent home while the command ran"""
    unwanted: float
    """seconds from its end until nobody waited for a GPU"""
    gone: float
    """seconds from its end until the last machine with a GPU had gone"""
    painted: bool
    """whether the film is there, which it is only if it was verified"""
    seen: tuple[Seen, ...]
    """whenever something changed"""
    ahead: float = 0.0
    """seconds before the command's end when the first stylizer had been sent home"""

    @property
    def well(self) -> bool:
        """Whether as many came as there was use for, and all went."""
        use, killed = min(self.allowed, self.chunks), self.name == "killed"
        came = self.most == use if self.name == "many" else 1 <= self.most <= use
        went = self.unwanted <= _SOON and self.gone <= _IDLE + _SOON
        home = self.home > 0 or self.name != "many"
        return came and went and home and self.painted != killed


@dataclass(frozen=True, slots=True)
class Elastic:
    """All of it."""

    seconds: float
    """for which each chunk is painted"""
    worth: float
    """seconds of work that a machine is worth"""
    machines: int
    """with GPUs that the cloud has"""
    runs: tuple[Run, ...]


def elastic(*, seconds: float, worth: float, machines: int, progress: Progressing) -> Elastic:
    """Run them all.

    Args:
        seconds: for which each chunk is painted.
        worth: seconds of work for which a machine is asked for; 600 outside of here.
        machines: with GPUs that the cloud has; *many* may take one less.
        progress: is told of runs.

    Raises:
        ClusterFailed: If the cloud does not start, or a machine does not go.
        ChunkFailed: If a film fails.
    """
    prepare(Machines())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        films = {n: make(folder / f"{n}.mp4", n, progress=progress) for n in (_MANY, _FEW)}
        kinds = (
            MachineType("cpu", cores=2, gpus=0, least=1, most=1),
            MachineType("gpu", cores=0, gpus=1, least=0, most=machines),
        )
        progress.stage("elastic", 3)
        with FakeCloud(kinds, idle_s=_IDLE) as cloud:

            def run(name: str, frames: int, allowed: int, *, kill: bool = False) -> Run:
                target = folder / f"{name}.mkv"
                recipe = Recipe(style="as it is", codec="ffv1", keys=KEYS)
                plan = foresee(films[frames], recipe, given=(), progress=Silent()).plan
                words = [cloud.address, films[frames], target, allowed, seconds, worth, _SURPLUS]
                watched = _Watched(name, len(plan.chunks), allowed, kill)
                found = _run(watched, list(map(str, words)), cloud, target)
                progress.advance(1)
                return found

            runs = (
                run("many", _MANY, machines - 1),
                run("few", _FEW, machines),
                run("killed", _MANY, machines, kill=True),
            )
    return Elastic(seconds, worth, machines, runs)


@dataclass(frozen=True, slots=True)
class _Watched:
    name: str
    chunks: int
    allowed: int
    kill: bool


def _run(watched: _Watched, words: Sequence[str], cloud: FakeCloud, target: Path) -> Run:
    """Paint a film on the cloud, and watch."""
    name, kill = watched.name, watched.kill
    said = target.with_suffix(".txt")
    began = time.monotonic()
    seen: list[Seen] = []

    def look(until: Callable[[Seen], bool]) -> float:
        """Look on until something is so; gives the seconds since the beginning."""
        limit = time.monotonic() + _LIMIT
        while time.monotonic() < limit:
            now = cloud.look(began)
            if not seen or not now.same(seen[-1]):
                seen.append(now)
            if until(now):
                return now.at
            time.sleep(0.5)
        raise ClusterFailed(f"bench elastic: {name}: nothing came of it in {_LIMIT:.0f} s")

    with said.open("wb") as file:
        command = subprocess.Popen(
            [sys.executable, "-m", "jobs.elastic_painter", *words],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        if kill:
            look(lambda now: _amid(now) or command.poll() is not None)
            command.send_signal(signal.SIGKILL)
        look(lambda _: command.poll() is not None)
    finally:
        if command.poll() is None:
            command.kill()
        command.wait()
    ended = time.monotonic() - began
    if command.returncode and not kill:
        raise ChunkFailed(f"bench elastic: {name}: {_last(said)}")
    home, since = sent_home(seen, ended=ended)
    unwanted = look(lambda now: not now.wanted) - ended
    gone = look(lambda now: not (now.machines or now.coming)) - ended
    return Run(
        name=name,
        chunks=watched.chunks,
        allowed=watched.allowed,
        most=max(now.machines - now.idle for now in seen),
        first=next((now.at for now in seen if now.machines), None),
        ended=round(ended, 1),
        home=home,
        unwanted=round(max(0.0, unwanted), 1),
        gone=round(max(0.0, gone), 1),
        painted=target.is_file(),
        seen=tuple(seen),
        ahead=round(ended - since, 1),
    )


def _amid(now: Seen) -> bool:
    """Whether one machine is at work, and others are waited for."""
    return now.machines > now.idle and now.wanted > 0


def sent_home(seen: Sequence[Seen], *, ended: float) -> tuple[int, float]:
    """Tell the stylizers that went home while the command ran: how many, and when the first did.

    What happens while it says goodbye does not count, nor what is idle because it has just come.
    """
    busy = [now.machines - now.idle for now in seen]
    most = max(busy)
    known = list(zip(seen, busy, strict=True))[busy.index(most) :]
    home = [(most - at_work, now.at) for now, at_work in known if not now.wanted]
    before = [(count, at) for count, at in home if count and at <= ended - _GOODBYE]
    return max(before, default=(0, ended))[0], min((at for _, at in before), default=ended)


def _last(said: Path) -> str:
    lines = said.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it ended without a word"


def as_json(found: Elastic) -> dict[str, object]:
    """What is stored."""
    return {"well": [run.well for run in found.runs], **asdict(found)}
