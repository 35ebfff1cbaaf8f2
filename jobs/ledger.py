"""The work folder: what has been done of a painted film, as files that survive anything.

A *receipt* is the truth about one chunk: it exists if and only if the chunk's segment and table are
whole. Attempts write under unique names; a name becomes final by a hard link, which fails if the
name exists, so the first commit wins and a late one does no harm. One coordinator at a time holds
the *lease*; whoever takes it over raises its epoch.

::

    film.mp4.work/
      lease.json            who works here
      recipe.json           what was asked for, for people to read
      job.json              the same with film and target, for a chunk to be made again
      code.style            the style's code, so that its image is not needed again
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
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs import lease, log
from pipeline.errors import BadRequest, OutOfResources
from pipeline.recipe import Recipe

_FOLDERS = (
    "analysis", "plans", "given", "moments", "boundaries", "segments", "tables", "receipts",
    "attempts",
)  # fmt: skip
_JOB = "job.json"
CODE = "code.style"
_FILES = (*lease.FILES, "recipe.json", _JOB, CODE, log.NAME)
_FAILURES = "failed-*.txt"
_DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK})


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
        self._lease = lease.Lease(path)

    def create(self) -> None:
        """Make the folders; harmless where they exist.

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
        except OSError as error:
            if error.errno in FULL_DISK:
                raise
            raise BadRequest(
                f"cannot write the work folder {self.path}: {error.strerror}"
            ) from None

    def note(self, asked: Asked) -> None:
        """Leave what was asked for, for people to read, and for ``asked``."""
        recipe = asked.recipe.model_dump_json(indent=2)
        facts = {
            "source": str(asked.source),
            "target": str(asked.target),
            "film": asked.film,
            "recipe": json.loads(recipe),
        }
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
            paths = Path(facts["source"]), Path(facts["target"])
            return Asked(*paths, str(facts["film"]), recipe)
        except (OSError, ValueError, TypeError, LookupError):
            raise BadRequest(f"{self.path} is no work folder: it has no {_JOB} to read") from None

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
        if replace:
            synced(part)
            part.replace(final)
            synced(final.parent)
            return True
        try:
            return named(part, final)
        finally:
            part.unlink(missing_ok=True)

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
        shutil.rmtree(self.path / "attempts", ignore_errors=True)
        (self.path / "attempts").mkdir(exist_ok=True)

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
        if (self.path / "recipe.json").is_file():
            return []  # ours, whatever else a desktop has left in it
        known = {*_FOLDERS, *_FILES, *(path.name for path in self.path.glob(_FAILURES))}
        return sorted(p.name for p in self.path.iterdir() if p.name not in known | _DESKTOP)

    @contextlib.contextmanager
    def leased(self) -> Iterator[int]:
        """Hold the lease; gives the epoch.

        Raises:
            BadRequest: If another coordinator holds it.
        """
        with self._lease.held() as self.epoch:
            yield self.epoch

    def check(self) -> None:
        """Make sure that the lease is still ours; called before anything is committed for good.

        Raises:
            BadRequest: If another machine has taken it over.
        """
        self._lease.check()


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
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if final.exists():  # no links here (FAT, some shares): the lease keeps others away
            return False
        part.replace(final)
    synced(final.parent)
    return True


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
