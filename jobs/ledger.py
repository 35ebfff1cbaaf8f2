"""The work folder: what has been done of a painted film, as files that survive anything.

A *receipt* is the truth about one chunk: it exists if and only if the chunk's segment and table are
whole. Attempts write under unique names; of two that are given one name the first wins, and a late
one does no harm (``jobs.stores``). One coordinator at a time holds the *lease*; whoever takes it
over raises its epoch.

::

    film.mp4.work/
      lease.json            who works here
      recipe.json           what was asked for, for people to read
      job.json              the same with film and target, for a chunk to be made again
      code.style            the style's code, so that its image is not needed again; code-1.style
                            is that of the first passage in another style
      analysis/             one Parquet part a span
      plans/                one JSON file a plan
      given/                keys that somebody painted, lossless
      moments/              a set-up's statistics
      boundaries/           the last key of each chunk, lossless
      segments/  tables/    encoded frames, and one row a frame
      receipts/             one JSON file a chunk
      attempts/             unfinished; may be deleted at any time
      log.jsonl             what happened when
      failed-3.txt          what went wrong in a chunk, for whoever mends the program

On an object store names are the same, but segments and tables stay in ``attempts/`` under the names
that they were uploaded with, which the receipts tell; what no receipt tells of may be deleted.
"""

import contextlib
import errno
import json
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from actors.objects import ObjectPath, located
from jobs import lease, log
from jobs.journal import dropped, gathered
from jobs.lease_object import ObjectLease
from jobs.object_store import ATTEMPTS
from jobs.stores import named, store_at, synced
from pipeline.errors import BadRequest, OutOfResources
from pipeline.recipe import Recipe

__all__ = ["Asked", "Receipt", "WorkFolder", "check_space", "named", "synced"]

_FOLDERS = (
    "analysis", "plans", "given", "moments", "boundaries", "segments", "tables", "receipts",
    ATTEMPTS,
)  # fmt: skip
_JOB = "job.json"
_FILES = (*lease.FILES, "recipe.json", _JOB, log.NAME)
_NUMBERED = re.compile(r"failed-.*\.txt|code(-[0-9]+)?\.style")
_DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


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
    """file name in segments/, or the name that it was uploaded with"""
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
    table: str = ""
    """the name that its table was uploaded with; "" is ``<identity>.parquet`` in tables/"""
    modified: int = 0
    """when the segment's file was written, in ns since 1970; 0 if that is not known"""

    @property
    def segment_name(self) -> str:
        """Of the segment, from the work folder."""
        return self.segment if "/" in self.segment else f"segments/{self.segment}"

    @property
    def table_name(self) -> str:
        """Of the table, from the work folder."""
        return self.table if "/" in self.table else f"tables/{self.identity}.parquet"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: enough to make any chunk of it again."""

    source: Path
    """absolute, as is ``target``"""
    target: Path
    film: str
    """fingerprint of the source"""
    recipe: Recipe


class WorkFolder:
    """The files of one job."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch = 0
        self._store = store_at(path)
        self._lease = ObjectLease(path) if isinstance(path, ObjectPath) else lease.Lease(path)

    def create(self) -> None:
        """Make the folders; harmless where they exist.

        Raises:
            BadRequest: If the place cannot be written, or holds what is not of a work folder.
            OSError: If the disk is full.
        """
        try:
            if strangers := self._strangers():
                raise BadRequest(
                    f"{self.path} is no work folder, {strangers[0]} lies there; name a new one"
                )
            self._store.create(_FOLDERS)
        except OSError as error:
            if error.errno in FULL_DISK:
                raise
            raise BadRequest(
                f"cannot write the work folder {self.path}: {error.strerror}"
            ) from None

    def note(self, asked: Asked) -> None:
        """Leave what was asked for, for people to read, and for ``asked``."""
        recipe = asked.recipe.model_dump_json(indent=2)
        facts: dict[str, object] = {"source": str(asked.source), "target": str(asked.target)}
        facts |= {"film": asked.film, "recipe": json.loads(recipe)}
        self.put("recipe.json", recipe.encode(), replace=True)
        self.put(_JOB, json.dumps(facts, indent=2).encode(), replace=True)

    def asked(self) -> Asked:
        """What was asked for.

        Raises:
            BadRequest: If no job has been begun here.
        """
        try:
            facts = json.loads((self.path / _JOB).read_text("utf-8"))
            recipe = Recipe.model_validate(facts["recipe"])
            paths = located(facts["source"]), located(facts["target"])
            return Asked(*paths, str(facts["film"]), recipe)
        except (OSError, ValueError, TypeError, LookupError):
            raise BadRequest(f"{self.path} is no work folder: it has no {_JOB} to read") from None

    def attempt(self, suffix: str = "") -> Path:
        """A fresh name in attempts/ for something unfinished."""
        return self.path / "attempts" / f"{uuid.uuid4().hex}{suffix}"

    def put(self, name: str, content: bytes, *, replace: bool = False) -> bool:
        """Write a small file so that it appears whole; False if it was there already."""
        return self._store.put(name, content, replace=replace)

    def commit(self, part: Path, name: str, *, replace: bool = False) -> bool:
        """Give a finished attempt its final name; the first one wins unless ``replace``."""
        return self._store.commit(part, name, replace=replace)

    def settle(self, part: Path, name: str) -> str:
        """Keep a finished attempt of which a receipt will tell; gives the name to write there."""
        return self._store.settle(part, name)

    def receipt(self, identity: str) -> Receipt | None:
        """The receipt of a chunk, if its table is still there and its segment is what it was."""
        try:
            content = self._store.read(f"receipts/{identity}.json")
            found = Receipt(**json.loads(content))
            known = found.segment_name, found.bytes, found.sha256, found.modified
            whole = self._store.whole(*known) and self._store.exists(found.table_name)
        except (OSError, ValueError, TypeError):
            return None
        return found if whole else None

    def sign(self, receipt: Receipt) -> Receipt:
        """Commit a receipt, in place of one whose segment has been lost; gives what counts now."""
        receipt = replace(receipt, modified=self._store.modified(receipt.segment_name))
        name, content = receipt.identity, json.dumps(asdict(receipt), indent=1).encode()
        stands = partial(self.receipt, name)
        if self._store.sign(f"receipts/{name}.json", content, lambda: stands() is not None):
            return receipt
        return stands() or receipt

    def segment(self, receipt: Receipt) -> Path:
        """Where the segment of a finished chunk lies."""
        return self.path / receipt.segment_name

    def table(self, receipt: Receipt) -> Path:
        """Where the rows of a finished chunk lie."""
        return self.path / receipt.table_name

    @property
    def given(self) -> Path:
        """Where keys that somebody painted lie, under their digests."""
        return self.path / "given"

    def boundary(self, identity: str) -> Path:
        """Where the last key of a chunk lies or will lie, lossless."""
        return self.path / "boundaries" / f"{identity}.npz"

    def commit_boundary(self, part: Path, identity: str) -> None:
        """Give the last key of a chunk its name; one that was damaged is replaced."""
        self.commit(part, f"boundaries/{identity}.npz", replace=True)

    def failed(self, chunk: int, text: str) -> Path:
        """Leave what went wrong, in a chunk or (-1) elsewhere, for whoever mends the program."""
        note = self.path / (f"failed-{chunk}.txt" if chunk >= 0 else "failed-step.txt")
        note.write_text(text, encoding="utf-8")
        return note

    def clear_attempts(self) -> None:
        """Delete what earlier, ended attempts left."""
        self._store.clear(ATTEMPTS, but=self._told_of)

    def remove(self) -> None:
        """Delete what this class makes, and the folder if nothing else is in it."""
        dropped(self.path / log.NAME)
        with contextlib.suppress(OSError):
            self._store.remove(_ours)

    def _told_of(self) -> set[str]:
        """Names that receipts tell of."""
        found = set()
        for name in self._store.names("receipts"):
            receipt = self.receipt(PurePosixPath(name).stem)
            if receipt is not None:
                found |= {receipt.segment_name, receipt.table_name}
        return found

    def _strangers(self) -> list[str]:
        """What lies in the folder and is not of a work folder."""
        known = self._store.top()
        if "recipe.json" in known:
            return []  # ours, whatever else a desktop has left in it
        return sorted(name for name in known if not _ours(name) and name not in _DESKTOP)

    @contextlib.contextmanager
    def leased(self) -> Iterator[int]:
        """Hold the lease; gives the epoch.

        Raises:
            BadRequest: If another coordinator holds it.
        """
        with self._lease.held() as self.epoch, gathered(self.path / log.NAME):
            self._store.forget()
            yield self.epoch

    def check(self) -> None:
        """Make sure that the lease is still ours; called before anything is committed for good.

        Raises:
            BadRequest: If another machine has taken it over.
        """
        self._lease.check()


def _ours(name: str) -> bool:
    """Whether it is a first name that a work folder has."""
    return name in _FOLDERS or name in _FILES or bool(_NUMBERED.fullmatch(name))


def check_space(folder: Path, needed: int) -> None:
    """Make sure that ``needed`` bytes are free where ``folder`` is or will be.

    Raises:
        OutOfResources: If they are not.
    """
    if isinstance(folder, ObjectPath):
        return  # as many as are paid for
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutOfResources(
            f"{place}: about {needed / 2**20:.0f} MiB are needed, {free / 2**20:.0f} MiB are free"
        )
