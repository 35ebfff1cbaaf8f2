"""Objects to files on this machine: a store of films that all its processes share, and scratch.

A film is fetched once on a machine, whole, whoever asks first; the others wait for it. It stays
for whoever comes next until room is wanted: then those go that were not used for the longest time
and are not in use. Locks are the kernel's, so nothing is held by a process that died.

::

    $REELBRUSH_CACHE, or ~/.cache/reelbrush
      lock                  held while room is made
      films/
        3f9a...lock         held while its film is fetched or read; its time is that of the last use
        3f9a.../reel.mp4
      scratch/
        8c2e.../            held by a process that fetched what is in it, or will upload it
"""

import errno
import fcntl
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from actors import s3
from actors.objects import ObjectPath
from actors.s3 import Version
from pipeline.errors import BadRequest, OutOfResources, UnreadableFilm

FOLDER = "REELBRUSH_CACHE"
SIZE = "REELBRUSH_CACHE_SIZE"
_FRESH = 60.0
"""Seconds within which a new folder is held, however slow its process."""
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)(?:I?B)?")


def root() -> Path:
    """Where this machine keeps what it fetched."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reelbrush"


@contextmanager
def kept(place: ObjectPath, version: Version) -> Iterator[Path]:
    """Give the file of a film; it stays as long as the block runs.

    Raises:
        UnreadableFilm: If it is gone, or is another by now.
        OutOfResources: If there is no room for it.
        OSError: If it cannot be fetched.
    """
    name = sha256(f"{place}\n{version.etag}\n{version.bytes}".encode()).hexdigest()[:32]
    films = root() / "films"
    films.mkdir(parents=True, exist_ok=True)
    folder = films / name
    path = folder / place.name
    with (films / f"{name}.lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not path.is_file():  # named when it was whole
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.is_file():
                _bring(place, version, folder)
            fcntl.flock(lock, fcntl.LOCK_SH)  # for a moment not held: it may have to make room
        os.utime(lock.fileno())
        yield path


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give a path of that name for a file of this process, which goes after the block."""
    above = root() / "scratch"
    _clear(above)
    folder = above / uuid.uuid4().hex
    folder.mkdir(parents=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield folder / name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def journal(place: ObjectPath) -> Path:
    """Where lines are gathered that are to be added to an object."""
    folder = root() / "journals"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / sha256(str(place).encode()).hexdigest()[:32]


def _bring(place: ObjectPath, version: Version, folder: Path) -> None:
    """Fetch a film; its lock is held."""
    part = folder / "part"
    try:
        with (root() / "lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            shutil.rmtree(folder, ignore_errors=True)
            _make_room(place, version.bytes)
            folder.mkdir()
            with part.open("wb") as file:
                os.truncate(file.fileno(), version.bytes)  # counts from now on
        s3.fetch(place.spot, part, version)
        part.replace(folder / place.name)
    except FileNotFoundError:
        raise UnreadableFilm(f"{place}: no such object") from None
    except FileExistsError:
        raise UnreadableFilm(f"{place} has changed since it was first looked at") from None
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfResources(f"{place} does not fit on the disk of {root()}") from None
        raise


def _make_room(place: ObjectPath, wanted: int) -> None:
    """Delete films, the one that was not used for the longest time first, until one more fits."""
    films = root() / "films"
    sizes = {
        folder: sum(file.stat().st_size for file in folder.iterdir())
        for folder in films.iterdir()
        if folder.is_dir()
    }
    held, free = sum(sizes.values()), shutil.disk_usage(films).free
    most = _most(free + held)
    for folder in sorted(sizes, key=_last_used):
        if held + wanted <= most and wanted <= free:
            break
        if _let_go(folder):
            held, free = held - sizes[folder], free + sizes[folder]
    if held + wanted > most or wanted > free:
        raise OutOfResources(
            f"{place} is {_told(wanted)}, {_told(max(0, min(most - held, free)))} are left for it "
            f"in {root()}; {SIZE} and {FOLDER} say how much may be kept, and where"
        )


def _let_go(folder: Path) -> bool:
    """Delete a film that nobody reads."""
    with folder.with_suffix(".lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _last_used(folder: Path) -> float:
    with suppress(OSError):
        return folder.with_suffix(".lock").stat().st_mtime
    return 0.0


def _most(there: int) -> int:
    """Bytes that may be kept: as many as were named, or half of what the disk has for it."""
    named = os.environ.get(SIZE)
    if not named:
        return there // 2
    found = _SIZE.fullmatch(named.strip().upper())
    if not found:
        raise BadRequest(f"{SIZE}={named}: write a size like 200G")
    return int(float(found[1]) * _UNITS[found[2]])


def _told(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _clear(above: Path) -> None:
    """Delete the scratch of processes that are no more."""
    with suppress(FileNotFoundError):
        for folder in above.iterdir():
            if time.time() - folder.stat().st_mtime > _FRESH:
                _free(folder)


def _free(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # somebody is at it
    finally:
        os.close(handle)
