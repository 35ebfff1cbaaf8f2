"""A work folder on an object store: puts under a condition, unique names, one listing.

It keeps the promises of ``jobs.stores``. Objects never change under their name, so what has been
listed stays true for whoever holds the lease.
"""

import errno
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from actors import s3
from actors.objects import ObjectPath
from actors.s3 import Version
from actors.s3_client import Spot

ATTEMPTS = "attempts"
_SIDE_BY_SIDE = 16


class ObjectStore:
    """On an S3 service. What is there was written once and never changes under its name."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self._seen: dict[str, Version] | None = None
        self._read: dict[str, bytes] = {}

    def create(self, folders: Sequence[str]) -> None:  # noqa: ARG002
        """Make sure of the bucket; there are no folders to make."""
        s3.check_bucket(self._path.spot.bucket)

    def top(self) -> list[str]:
        """List the first names of what is there."""
        return sorted({PurePosixPath(name).parts[0] for name in self._listed()})

    def names(self, folder: str) -> list[str]:
        """List what begins so."""
        return [name for name in self._listed() if name.startswith(f"{folder}/")]

    def put(self, name: str, content: bytes, *, replace: bool) -> bool:
        """Write, where nothing is if it must not replace."""
        return s3.put((self._path / name).spot, content, new=not replace) is not None

    def commit(self, part: Path, name: str, *, replace: bool) -> bool:
        """Have the service copy it, and delete the attempt."""
        version = part.version() if isinstance(part, ObjectPath) else None
        if not isinstance(part, ObjectPath) or version is None:
            raise FileNotFoundError(errno.ENOENT, "no such object", str(part))
        done = s3.copy(part.spot, (self._path / name).spot, version, new=not replace)
        part.unlink(missing_ok=True)
        return done

    def settle(self, part: Path, name: str) -> str:  # noqa: ARG002
        """Leave it under its own name, which nobody else has."""
        return f"{ATTEMPTS}/{part.name}"

    def sign(self, name: str, content: bytes, stands: Callable[[], bool]) -> bool:
        """Write where none is, or in place of one that does not stand."""
        spot = (self._path / name).spot
        mine = s3.put(spot, content, new=True)
        while mine is None:
            found = s3.head(spot)
            if found is None:
                mine = s3.put(spot, content, new=True)
                continue
            self._know(name, found)
            if stands():
                return False
            mine = s3.put(spot, content, over=found)
        self._know(name, mine)
        return True

    def read(self, name: str) -> bytes:
        """Read; the first time all that lies beside it, for it will be wanted, too."""
        if self._seen is None:
            self._seen = self._listed()
            beside = f"{PurePosixPath(name).parent}/"
            names = [one for one in self._seen if one.startswith(beside)]
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                contents = pool.map(lambda one: (self._path / one).read_bytes(), names)
                self._read = dict(zip(names, contents, strict=True))
        if name not in self._seen:  # who holds the lease knows all that was put since
            raise FileNotFoundError(errno.ENOENT, "no such object", str(self._path / name))
        if name not in self._read:
            self._read[name] = (self._path / name).read_bytes()
        return self._read[name]

    def modified(self, name: str) -> int:  # noqa: ARG002
        """Objects are named once."""
        return 0

    def whole(self, name: str, size: int, sha256: str, modified: int) -> bool:  # noqa: ARG002
        """Compare sizes; whoever joins the film compares digests."""
        version = self._now(name)
        return version is not None and version.bytes == size

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return self._now(name) is not None

    def clear(self, folder: str, *, but: Callable[[], Collection[str]]) -> None:
        """Delete what no receipt tells of."""
        found = self.names(folder)
        if found:
            kept = frozenset(but())
            self._delete([name for name in found if name not in kept])

    def remove(self, ours: Callable[[str], bool]) -> None:
        """Delete all at once."""
        self._delete([name for name in self._listed() if ours(PurePosixPath(name).parts[0])])

    def forget(self) -> None:
        """Ask the service again."""
        self._seen, self._read = None, {}

    def _know(self, name: str, version: Version) -> None:
        self._read.pop(name, None)
        if self._seen is not None:
            self._seen[name] = version

    def _now(self, name: str) -> Version | None:
        if self._seen is not None and name in self._seen:
            return self._seen[name]
        return s3.head((self._path / name).spot)

    def _listed(self) -> dict[str, Version]:
        start = self._path.spot.key + "/"
        found = s3.listed(Spot(self._path.spot.bucket, start))
        return {key.removeprefix(start): version for key, version in found.items()}

    def _delete(self, names: Sequence[str]) -> None:
        s3.delete(self._path.spot.bucket, [(self._path / name).spot.key for name in names])
