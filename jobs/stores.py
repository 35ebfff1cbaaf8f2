"""Where a work folder lies: on a file system, or on an object store.

Both keep three promises, and need nothing else: what has a name is whole; of two who give the same
name the first wins, unless told to replace; what was unfinished has names of its own and harms
nobody. A file system keeps them by renaming and by hard links, an object store by puts under a
condition.
"""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from actors.objects import ObjectPath
from jobs.object_store import ATTEMPTS, ObjectStore

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK})


class Store(Protocol):
    """One folder; names are from there, like ``plans/3f9a.json``. What fails is an ``OSError``."""

    def create(self, folders: Sequence[str]) -> None:
        """Make the folders; harmless where they exist."""

    def top(self) -> list[str]:
        """Files and folders directly in it."""

    def names(self, folder: str) -> list[str]:
        """What lies in one of its folders."""

    def put(self, name: str, content: bytes, *, replace: bool) -> bool:
        """Write a small file so that it appears whole; False if it was there already."""

    def commit(self, part: Path, name: str, *, replace: bool) -> bool:
        """Give a finished attempt its final name; False if the name was taken."""

    def settle(self, part: Path, name: str) -> str:
        """Keep a finished attempt of which a receipt will tell; gives the name to write there."""

    def sign(self, name: str, content: bytes, stands: Callable[[], bool]) -> bool:
        """Write a receipt; False if another one is there first that still stands."""

    def read(self, name: str) -> bytes:
        """Read a small file."""

    def modified(self, name: str) -> int:
        """When a file was written, in ns since 1970; 0 where that says nothing."""

    def whole(self, name: str, size: int, sha256: str, modified: int) -> bool:
        """Whether a file is there and, as far as a look tells, is what it was."""

    def exists(self, name: str) -> bool:
        """Whether a file is there."""

    def clear(self, folder: str, *, but: Callable[[], Collection[str]]) -> None:
        """Delete what is in a folder, but for some names."""

    def remove(self, ours: Callable[[str], bool]) -> None:
        """Delete what is ours by its first name, and the folder if nothing else is in it."""

    def forget(self) -> None:
        """Look again from now on: somebody else may have been here."""


class FolderStore:
    """On a file system: of this machine, or shared by several."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self, folders: Sequence[str]) -> None:
        """Make the folders."""
        for name in folders:
            (self._path / name).mkdir(parents=True, exist_ok=True)

    def top(self) -> list[str]:
        """List the folder."""
        return [p.name for p in self._path.iterdir()] if self._path.is_dir() else []

    def names(self, folder: str) -> list[str]:
        """List one of its folders."""
        return [f"{folder}/{path.name}" for path in (self._path / folder).iterdir()]

    def put(self, name: str, content: bytes, *, replace: bool) -> bool:
        """Write under another name first."""
        part = self._path / ATTEMPTS / uuid.uuid4().hex
        part.write_bytes(content)
        return self.commit(part, name, replace=replace)

    def commit(self, part: Path, name: str, *, replace: bool) -> bool:
        """Rename, or link, which fails if the name exists."""
        final = self._path / name
        if replace:
            synced(part)
            part.replace(final)
            synced(final.parent)
            return True
        try:
            return named(part, final)
        finally:
            part.unlink(missing_ok=True)

    def settle(self, part: Path, name: str) -> str:
        """Rename."""
        self.commit(part, name, replace=True)
        return PurePosixPath(name).name

    def sign(self, name: str, content: bytes, stands: Callable[[], bool]) -> bool:  # noqa: ARG002
        """Write: the files have been renamed, so the last receipt is the true one."""
        return self.put(name, content, replace=True)

    def read(self, name: str) -> bytes:
        """Read."""
        return (self._path / name).read_bytes()

    def modified(self, name: str) -> int:
        """As the file system has it."""
        return (self._path / name).stat().st_mtime_ns

    def whole(self, name: str, size: int, sha256: str, modified: int) -> bool:
        """Compare size and time, and where the time is another one, digests: people copy and edit.

        What disks lose in between is found by who joins the film, and made again.
        """
        try:
            found = (self._path / name).stat()
            if found.st_size != size or found.st_mtime_ns == modified:
                return found.st_size == size
            with (self._path / name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._path / name).is_file()

    def clear(self, folder: str, *, but: Callable[[], Collection[str]]) -> None:  # noqa: ARG002
        """Delete all: what a receipt tells of lies elsewhere."""
        shutil.rmtree(self._path / folder, ignore_errors=True)
        (self._path / folder).mkdir(exist_ok=True)

    def remove(self, ours: Callable[[str], bool]) -> None:
        """Delete the folders first."""
        names = [name for name in self.top() if ours(name)]
        for path in sorted((self._path / name for name in names), key=lambda p: not p.is_dir()):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        self._path.rmdir()

    def forget(self) -> None:
        """Nothing is remembered."""


def store_at(path: Path) -> Store:
    """Where a work folder of that name lies."""
    return ObjectStore(path) if isinstance(path, ObjectPath) else FolderStore(path)


def synced(path: Path) -> None:
    """Make sure that a file's content, or a folder's names, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems sync no folders
            raise
    finally:
        os.close(handle)


def named(part: Path, final: Path) -> bool:
    """Give a whole file its final name too, unless the name is taken; False if it is."""
    synced(part)
    try:
        os.link(part, final)
    except FileExistsError:
        if not part.samefile(final):  # NFS may do it, lose its answer, and be asked again
            return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if final.exists():  # no links here (FAT, some shares): the lease keeps others away
            return False
        part.replace(final)
    synced(final.parent)
    return True
