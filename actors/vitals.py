"""A machine's vital signs: what a node has and can do, found out where it runs.

Nothing here judges, prints or needs Ray, and a library that is missing is a finding, not an error:
the node that is out of order is the one that has to answer.
"""

import hashlib
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from operator import attrgetter
from pathlib import Path

from actors import sources

PACKAGES = (
    "ray",
    "torch",
    "av",
    "numba",
    "numpy",
    "opencv-python-headless",
    "openvino",
    "pyarrow",
)
"""What pixels, files and messages pass through."""
_CONTAINER = Path("/sys/fs/cgroup")
_END = 1 << 20
"""Bytes that are read at either end of a source."""
_CUDA = (
    "import torch; print(torch.cuda.get_device_name(0), float(torch.ones(8, device='cuda').sum()))"
)
_CUDA_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a machine is asked to show, besides itself."""

    source: str | None = None
    """path of a film to read"""
    work: str | None = None
    """folder in which a note waits, and an answer is expected"""
    name: str = "here"
    """of the answer"""
    folder: str = "/tmp"
    """where Ray keeps its session, and what does not fit into memory"""


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of something."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying: a value, or else a problem in a line."""

    value: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a machine says of itself. Nothing of it is secret: of a token only that it is there."""

    host: str
    python: str
    versions: dict[str, str]
    """of ``PACKAGES``; empty where one is not installed"""
    digest: str
    """of ``actors.sources``; empty where something that it is made of is missing"""
    memory: Room
    shm: Room
    disk: Room
    """where Ray spills"""
    files: int
    """that a process may have open"""
    auth: str
    """RAY_AUTH_MODE; empty where it is not set"""
    token: bool
    """whether this user has a token"""
    private: bool
    """whether nobody else may read its file"""
    devices: int
    """GPUs of the machine"""
    visible: bool
    """whether a task that asked for no GPU sees them"""
    cuda: Tried | None
    """computing on a GPU with torch; None where there is none"""
    threads: str
    """OMP_NUM_THREADS; empty where it is not set"""
    encoders: Tried
    """those that are missing, of all that ``--codec`` can ask for"""
    compiled: Tried
    """the folder that keeps what numba compiled"""
    source: Tried | None
    """size and digest of the film"""
    work: Tried | None
    """the note"""


def take(wish: Wish) -> Vitals:
    """Look at this machine from this process."""
    token, private = _token()
    devices = len(list(Path("/dev").glob("nvidia[0-9]*")))
    disk = shutil.disk_usage(wish.folder if Path(wish.folder).is_dir() else "/")
    return Vitals(
        host=platform.node(),
        python=platform.python_version(),
        versions={name: _version(name) for name in PACKAGES},
        digest=_digest(),
        memory=_memory(),
        shm=_shm(),
        disk=Room(disk.free, disk.total),
        files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        auth=os.environ.get("RAY_AUTH_MODE", "").lower(),
        token=token,
        private=private,
        devices=devices,
        visible=devices > 0 and os.environ.get("CUDA_VISIBLE_DEVICES", "all") not in ("", "-1"),
        cuda=_cuda() if devices else None,
        threads=os.environ.get("OMP_NUM_THREADS", ""),
        encoders=_encoders(),
        compiled=_compiled(),
        source=None if wish.source is None else read_ends(wish.source),
        work=None if wish.work is None else answer(Path(wish.work), wish.name),
    )


def clock() -> float:
    """Seconds since 1970, by this machine's own clock."""
    return time.time()


def read_ends(path: str) -> Tried:
    """Read a file's size and both its ends: enough to know it by, and to have reached its data."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            found = hashlib.sha256(str(size).encode())
            for start in (0, max(0, size - _END)):
                file.seek(start)
                found.update(file.read(_END))
    except OSError as error:
        return Tried(problem=_why(error))
    return Tried(found.hexdigest())


def reply(note: str, name: str) -> str:
    """What a machine of that name answers to a note."""
    return hashlib.sha256(f"{note} {name}".encode()).hexdigest()


def answer(folder: Path, name: str) -> Tried:
    """Read the note in a folder, and leave an answer of that name."""
    try:
        note = (folder / "note").read_text("ascii")
        with (folder / name).open("x", encoding="ascii") as file:
            file.write(reply(note, name))
            file.flush()
            os.fsync(file.fileno())
    except (OSError, UnicodeError) as error:
        return Tried(problem=_why(error))
    return Tried(note)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _digest() -> str:
    try:
        return sources.digest()
    except PackageNotFoundError:
        return ""


def _memory() -> Room:
    """Bytes, in a container of its share."""
    import psutil

    here = psutil.virtual_memory()
    free, total = int(here.available), int(here.total)
    try:
        limit, used = (int((_CONTAINER / n).read_text()) for n in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no container, or one without a limit
        return Room(free, total)
    return Room(max(0, min(free, limit - used)), min(total, limit))


def _shm() -> Room:
    try:
        found = shutil.disk_usage("/dev/shm")
    except OSError:
        return Room(0, 0)
    return Room(found.free, found.total)


def _token() -> tuple[bool, bool]:
    """Whether Ray would find a token, and whether it is this user's alone; it is not read."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True, True
    usual = Path.home() / ".ray" / "auth_token"
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or usual)
    try:
        found = path.stat()
    except OSError:
        return False, True
    return found.st_size > 0, not found.st_mode & 0o077


def _cuda() -> Tried:
    """Compute on a GPU, in a process of its own: this one may be forbidden to see any."""
    clear = {name: text for name, text in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    try:
        ran = subprocess.run(
            [sys.executable, "-c", _CUDA],
            env=clear,
            capture_output=True,
            text=True,
            timeout=_CUDA_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Tried(problem=_why(error))
    if ran.returncode == 0:
        return Tried(ran.stdout.strip().rpartition(" ")[0])
    lines = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
    return Tried(problem=lines[-1])


def _encoders() -> Tried:
    try:
        from av.codec import Codec
        from av.codec.codec import UnknownCodecError

        from pipeline.media.codecs import CODECS, coder
    except Exception as error:  # noqa: BLE001 - whatever keeps a library from loading
        return Tried(problem=_why(error))
    missing = []
    for name in sorted({coder(codec).encoder for codec in CODECS}):
        try:
            Codec(name, "w")
        except UnknownCodecError:
            missing.append(name)
    return Tried(" ".join(missing))


def _compiled() -> Tried:
    try:
        from numba import njit

        folder = attrgetter("_cache._cache_path")(njit(clock, cache=True))
    except Exception as error:  # noqa: BLE001 - whatever keeps it from loading or from keeping
        return Tried(problem=_why(error))
    return Tried(str(folder))


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
