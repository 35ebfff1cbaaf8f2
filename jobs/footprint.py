"""A process to what it and all that came of it hold in memory, from /proc, on Linux.

The *tree* of a process: itself, its descendants, and whoever carries its *mark*, a variable in the
environment. Descent is lost when a parent ends first, and a process that gives itself a title (as
Ray's agents do) may write it over its environment; whoever was once found is therefore kept in
mind.

What counts: of each process Pss_Anon + Pss_File (a page that n processes map counts 1/n in each),
and shared memory once. The object store of Ray is one file in /dev/shm, deleted while open: the
blocks of each such file are what it holds, also where no living process has touched the page. Other
shared memory has no file; so the greater of these blocks and the sum of Pss_Shmem is taken.
Processes are read one after the other: a shared page that comes to another process meanwhile, or
leaves one, may count twice or half.
"""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.errors import BadRequest

MARK = "REELBRUSH_FOOTPRINT"
_PROC = Path("/proc")
_SHARED = "/dev/shm/"
_BLOCK = 512
"""bytes of a block as stat counts them"""


class Role(StrEnum):
    """What a process is for."""

    DRIVER = "driver"
    WORKER = "worker"
    RAYLET = "raylet"
    GCS = "gcs"
    AGENTS = "agents"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Member:
    """One process of a tree at one moment."""

    pid: int
    role: Role
    private: int
    """bytes: Pss_Anon + Pss_File"""
    shared: int
    """bytes: Pss_Shmem"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """A tree at one moment."""

    seconds: float
    """since sampling began"""
    members: tuple[Member, ...]
    files: int
    """bytes that the tree's open files in /dev/shm hold, each file once"""

    @property
    def plasma(self) -> int:
        """Bytes of shared memory: on Ray the object store."""
        return max(self.files, sum(m.shared for m in self.members))

    @property
    def total(self) -> int:
        """Bytes of all."""
        return self.plasma + sum(m.private for m in self.members)

    def by_role(self) -> dict[str, int]:
        """Bytes by role, and of "plasma"; they add up to the total."""
        found = {role.value: 0 for role in Role}
        for member in self.members:
            found[member.role] += member.private
        return {**found, "plasma": self.plasma}


def marked(environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Give an environment a fresh mark, which every process started with it inherits."""
    mark = uuid.uuid4().hex
    return mark, {**environment, MARK: mark}


def check_linux(proc: Path = _PROC) -> None:
    """Make sure that this system tells what its processes hold.

    Raises:
        BadRequest: If it does not.
    """
    if not (proc / "self" / "smaps_rollup").is_file():
        raise BadRequest("memory is measured through /proc/PID/smaps_rollup, which only Linux has")


class Tree:
    """The processes that come of one; ask often, so that none gets away unseen."""

    def __init__(self, root: int, *, mark: str) -> None:
        self.root = root
        self._mark = f"{MARK}={mark}".encode()
        self._known: dict[int, int] = {}

    def members(self) -> list[int]:
        """Who lives now, the root included, ascending."""
        living = _living()
        found = {pid for pid, born in self._known.items() if _is(living, pid, born)}
        found |= {self.root} & living.keys()
        found |= {pid for pid in living.keys() - found if self._carries(pid)}
        while True:
            children = {pid for pid, (parent, _) in living.items() if parent in found} - found
            if not children:
                break
            found |= children
        self._known = {pid: living[pid][1] for pid in found}
        return sorted(found)

    def _carries(self, pid: int) -> bool:
        try:
            return self._mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:  # ended, or another person's
            return False


def measure(tree: Tree, *, seconds: float = 0.0) -> Footprint:
    """Take what a tree holds now; who ends meanwhile holds nothing."""
    pids = tree.members()
    members = []
    for pid in pids:
        with contextlib.suppress(OSError):
            members.append(_member(pid, root=tree.root))
    return Footprint(seconds, tuple(members), shared_files(pids))


def shared_files(pids: Iterable[int]) -> int:
    """Bytes that the open files of these processes in /dev/shm hold, each file once."""
    held: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(_PROC / str(pid) / "fd"):  # noqa: PTH208 (many, often)
                path = f"/proc/{pid}/fd/{name}"
                with contextlib.suppress(OSError):
                    if os.readlink(path).startswith(_SHARED):  # noqa: PTH115 (the same)
                        seen = os.stat(path)  # noqa: PTH116 (the same)
                        held[seen.st_dev, seen.st_ino] = seen.st_blocks * _BLOCK
    return sum(held.values())


def role(command: str) -> Role:
    """Tell what a process of Ray is for by its command line.

    >>> role("ray::paint"), role("ray::DashboardAgent")
    (<Role.WORKER: 'worker'>, <Role.AGENTS: 'agents'>)
    """
    name = Path(command.split(" ", 1)[0]).name
    if name in (Role.RAYLET, "gcs_server"):
        return Role.RAYLET if name == Role.RAYLET else Role.GCS
    if command.startswith("ray::"):
        return Role.AGENTS if command.split(" ", 1)[0].endswith("Agent") else Role.WORKER
    if "default_worker.py" in command or "setup_worker.py" in command:
        return Role.WORKER
    if "/ray/" in command or command.startswith("ray-"):
        return Role.AGENTS  # dashboard, log monitor, autoscaler, and agents that have no title yet
    return Role.OTHER


class Sampler:
    """Takes a tree's footprint at even intervals, on a thread; keeps the greatest."""

    def __init__(self, root: int, *, mark: str, interval: float = 0.2) -> None:
        check_linux()
        self.peak = Footprint(0.0, (), 0)
        self.count = 0
        self.highest: dict[str, int] = {}
        """by role, each at its own moment"""
        self.spent = 0.0
        """CPU seconds that sampling took"""
        self._tree = Tree(root, mark=mark)
        self._interval = interval
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="footprint", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        began = time.monotonic()
        try:
            while not self._ended.is_set():
                now = time.monotonic()
                self._take(measure(self._tree, seconds=now - began))
                self._ended.wait(max(0.0, now + self._interval - time.monotonic()))
        except Exception as error:  # noqa: BLE001 (raised again where the thread is joined)
            self._failure = error
        self.spent = time.thread_time()

    def _take(self, found: Footprint) -> None:
        self.count += 1
        if found.total > self.peak.total:
            self.peak = found
        for name, size in found.by_role().items():
            self.highest[name] = max(size, self.highest.get(name, 0))


def _living() -> dict[int, tuple[int, int]]:
    """Parent and time of birth of each living process."""
    found = {}
    for name in os.listdir(_PROC):  # noqa: PTH208 (five times a second)
        if name.isdigit():
            with contextlib.suppress(OSError):
                # the name in parentheses may hold anything; what follows it does not
                rest = (_PROC / name / "stat").read_text().rpartition(")")[2].split()
                found[int(name)] = (int(rest[1]), int(rest[19]))
    return found


def _is(living: Mapping[int, tuple[int, int]], pid: int, born: int) -> bool:
    """Tell whether the process of that number is still the one that was seen."""
    return pid in living and living[pid][1] == born


def _member(pid: int, *, root: int) -> Member:
    folder = _PROC / str(pid)
    sizes = {"Pss_Anon": 0, "Pss_File": 0, "Pss_Shmem": 0}
    for line in (folder / "smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0]) << 10  # the file says kB
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return Member(
        pid=pid,
        role=Role.DRIVER if pid == root else role(command),
        private=sizes["Pss_Anon"] + sizes["Pss_File"],
        shared=sizes["Pss_Shmem"],
    )
