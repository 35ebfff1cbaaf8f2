"""The work folder: what has been done of a painted film, as files that survive anything.

A *receipt* is the truth about one chunk: it exists if and only if the chunk's segment and table are
whole. Attempts write under unique names; a name becomes final by a hard link, which fails if the
name exists, so the first commit wins and a late one does no harm. One coordinator at a time holds
the *lease*; whoever takes it over raises its epoch.

::

    film.mp4.work/
      lease.json            who works here
      recipe.json           what was asked for, for people to read
      analysis/             one Parquet part a span
      plans/                one JSON file a plan
      moments/              a shot's statistics
      boundaries/           the last key of each chunk, lossless
      segments/  tables/    encoded frames, and one row a frame
      receipts/             one JSON file a chunk
      attempts/             unfinished; may be deleted at any time
      failed-3.txt          what went wrong in a chunk, for whoever mends the program
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from pipeline.errors import BadRequest, OutOfResources
from pipeline.media.color import Planes
from pipeline.recipe import Recipe

_FOLDERS = (
    "analysis", "plans", "moments", "boundaries", "segments", "tables", "receipts", "attempts",
)  # fmt: skip
_FILES = ("lease.json", "recipe.json")
_FAILURES = "failed-*.txt"
_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MISSED = 6.0
"""Seconds after which a lease that is not renewed is free: three renewals."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of a finished chunk."""

    identity: str
    """sha256, hex, of all that its pixels depend on"""
    chunk: int
    start: int
    stop: int
    """frames [start, stop) are in the segment"""
    segment: str
    """file name in segments/"""
    bytes: int
    sha256: str
    """of the segment's file"""
    pixels: str
    """sha256 of the decoded samples"""
    keys: int
    """frames painted whole"""
    promoted: int
    """keys that the gate asked for"""
    tiles: int
    """hole tiles painted"""
    seconds: dict[str, float]
    """wall clock by step"""
    epoch: int
    """of the lease under which it was made"""


class WorkFolder:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch = 0

    def create(self, recipe: Recipe) -> None:
        """Make the folders and note the recipe; harmless where they exist.

        Raises:
            BadRequest: If the place cannot be written, or holds what is not of a work folder.
            OSError: If the disk is full.
        """
        try:
            strangers = self._strangers()
            if strangers:
                raise BadRequest(
                    f"{self.path} is no work folder, {strangers[0]} lies there; name a new one"
                )
            for name in _FOLDERS:
                (self.path / name).mkdir(parents=True, exist_ok=True)
            self.put("recipe.json", recipe.model_dump_json(indent=2).encode(), replace=True)
        except OSError as error:
            if error.errno in _FULL_DISK:
                raise
            raise BadRequest(
                f"cannot write the work folder {self.path}: {error.strerror}"
            ) from None

    def attempt(self, suffix: str = "") -> Path:
        """A fresh name in attempts/ for something unfinished."""
        return self.path / "attempts" / f"{uuid.uuid4().hex}{suffix}"

    def put(self, name: str, content: bytes, *, replace: bool = False) -> bool:
        """Write a small file so that it appears whole; False if it was there already."""
        part = self.attempt()
        part.write_bytes(content)
        return self.commit(part, name, replace=replace)

    def commit(self, part: Path, name: str, *, replace: bool = False) -> bool:
        """Give a finished attempt its final name; the first one wins unless ``replace``."""
        final = self.path / name
        with part.open("rb") as file:
            os.fsync(file.fileno())
        if replace:
            part.replace(final)
            return True
        try:
            os.link(part, final)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    def receipt(self, identity: str) -> Receipt | None:
        """The receipt of a chunk, if its table is still there and its segment is what it was."""
        path = self.path / "receipts" / f"{identity}.json"
        try:
            found = Receipt(**json.loads(path.read_text("utf-8")))
            with (self.path / "segments" / found.segment).open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest() == found.sha256
            whole = whole and (self.path / "tables" / f"{identity}.parquet").is_file()
        except (OSError, ValueError, TypeError):
            return None
        return found if whole else None

    def sign(self, receipt: Receipt) -> None:
        """Commit a receipt; one for a segment that has since been lost is replaced."""
        content = json.dumps(asdict(receipt), indent=1).encode()
        self.put(f"receipts/{receipt.identity}.json", content, replace=True)

    def put_boundary(self, identity: str, planes: Planes) -> None:
        """Keep the last key of a chunk, losslessly."""
        part = self.attempt(".npz")
        np.savez_compressed(part, luma=planes.luma, blue=planes.blue, red=planes.red)
        self.commit(part, f"boundaries/{identity}.npz", replace=True)

    def boundary(self, identity: str) -> Planes | None:
        """Read the last key of a chunk, or None if it was not kept."""
        path = self.path / "boundaries" / f"{identity}.npz"
        try:
            with np.load(path) as kept:
                return Planes(kept["luma"], kept["blue"], kept["red"])
        except (OSError, EOFError, ValueError, KeyError, BadZipFile):
            return None

    def clear_attempts(self) -> None:
        """Delete what earlier, ended attempts left."""
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        (self.path / "attempts").mkdir()

    def remove(self) -> None:
        """Delete what this class makes, and the folder if nothing else is in it."""
        for name in _FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        with contextlib.suppress(OSError):
            for path in (*self.path.glob(_FAILURES), *(self.path / name for name in _FILES)):
                path.unlink(missing_ok=True)
            self.path.rmdir()

    def _strangers(self) -> list[str]:
        """What lies in the folder and is not of a work folder."""
        if not self.path.is_dir():
            return []
        known = {*_FOLDERS, *_FILES, *(path.name for path in self.path.glob(_FAILURES))}
        return sorted({path.name for path in self.path.iterdir()} - known)

    @contextlib.contextmanager
    def leased(self) -> Iterator[int]:
        """Hold the lease; gives the epoch.

        Raises:
            BadRequest: If another coordinator holds it.
        """
        path = self.path / "lease.json"
        held = _read_lease(path)
        if held is not None and _alive(held):
            where = f"process {held['pid']} on {held['host']}"
            raise BadRequest(f"{self.path} is being worked on by {where}")
        self.epoch = int(held["epoch"]) + 1 if held else 1
        self.renew()
        try:
            yield self.epoch
        finally:
            with contextlib.suppress(OSError):
                self.renew(ended=True)

    def renew(self, *, ended: bool = False) -> None:
        """Renew the lease; called between steps."""
        mine = {
            "epoch": self.epoch,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "time": 0.0 if ended else time.time(),
        }
        if self.path.is_dir():
            self.put("lease.json", json.dumps(mine).encode(), replace=True)


def _read_lease(path: Path) -> dict[str, str] | None:
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _alive(held: dict[str, str]) -> bool:
    """Whether the holder still works: a process of this host that runs, or a fresh renewal."""
    if float(held["time"]) == 0.0:
        return False
    if held["host"] == socket.gethostname():
        try:
            os.kill(int(held["pid"]), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return int(held["pid"]) != os.getpid()
    return time.time() - float(held["time"]) < _MISSED


def check_space(folder: Path, needed: int) -> None:
    """Make sure that ``needed`` bytes are free where ``folder`` is or will be.

    Raises:
        OutOfResources: If they are not.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutOfResources(
            f"{place}: about {needed / 2**20:.0f} MiB are needed, {free / 2**20:.0f} MiB are free"
        )
