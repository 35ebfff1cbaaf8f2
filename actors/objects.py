"""Names of objects, ``s3://bucket/films/reel.mp4``, that go wherever a path goes.

An object's path is named, joined and compared like any other. What it holds is read and written as
a whole; whoever needs a file, FFmpeg or Arrow, asks ``actors.files`` for one. A function that would
look for it on this machine's disk fails at once: it has no way there.
"""

from pathlib import Path, PosixPath
from typing import NoReturn

from actors import s3
from actors.s3 import Version
from actors.s3_client import Spot
from pipeline.errors import BadRequest

_SCHEME = "s3:"


class ObjectPath(PosixPath):
    """The name of an object, or of what objects' names begin with."""

    __slots__ = ()

    @property
    def spot(self) -> Spot:
        """Bucket and key."""
        _, bucket, *names = self.parts
        return Spot(bucket, "/".join(names))

    def __str__(self) -> str:
        return "s3://" + "/".join(self.parts[1:])

    def __fspath__(self) -> NoReturn:
        raise TypeError(f"{self} is no file on this machine")

    def __reduce__(self) -> tuple[type["ObjectPath"], tuple[str, ...]]:
        return (ObjectPath, self.parts)

    def absolute(self) -> "ObjectPath":
        """It is."""
        return self

    def resolve(self, strict: bool = False) -> "ObjectPath":  # noqa: ARG002
        """It is."""
        return self

    def expanduser(self) -> "ObjectPath":
        """It is."""
        return self

    def version(self) -> Version | None:
        """What it is now; None if there is none.

        Raises:
            OSError: If the service does not say.
        """
        return s3.head(self.spot)

    def exists(self, *_: object, **__: object) -> bool:
        """Whether there is an object of this name.

        Raises:
            OSError: If the service does not say.
        """
        return self.version() is not None

    is_file = exists

    def is_dir(self, *_: object, **__: object) -> bool:
        """Tell that it is no folder: there are none."""
        return False

    def mkdir(self, *_: object, **__: object) -> None:
        """Do nothing: objects lie in no folders."""

    def samefile(self, other: object) -> bool:
        """Whether both are one name."""
        return self == other

    def read_bytes(self) -> bytes:
        """Read all of it.

        Raises:
            FileNotFoundError: If there is none.
            OSError: If the service does not give it.
        """
        return s3.get(self.spot)[0]

    def read_text(self, encoding: str | None = None, *_: object, **__: object) -> str:
        """Read all of it as text.

        Raises:
            FileNotFoundError: If there is none.
            OSError: If the service does not give it.
        """
        return self.read_bytes().decode(encoding or "utf-8")

    def write_bytes(self, data: object) -> int:
        """Write all of it, in place of what was there.

        Raises:
            OSError: If the service does not take it.
        """
        content = bytes(memoryview(data))  # type: ignore[arg-type] # as pathlib does
        s3.put(self.spot, content)
        return len(content)

    def write_text(self, data: str, encoding: str | None = None, *_: object, **__: object) -> int:
        """Write all of it as text.

        Raises:
            OSError: If the service does not take it.
        """
        return self.write_bytes(data.encode(encoding or "utf-8"))

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete it.

        Raises:
            OSError: If the service does not do it.
        """
        if not missing_ok and not self.exists():
            raise FileNotFoundError(2, "no such object", str(self))
        s3.delete(self.spot.bucket, [self.spot.key])


def located(text: str | Path) -> Path:
    """A place as a person writes it: a path on this machine, or an object's.

    Raises:
        BadRequest: If it names no bucket or no object, or a kind of place that is not known.

    >>> located("s3://films/reels/1.mov").with_suffix(".mp4")
    ObjectPath('s3://films/reels/1.mp4')
    >>> located("reels/1.mov")
    PosixPath('reels/1.mov')
    """
    path = Path(text)
    if not path.parts or path.parts[0] != _SCHEME:
        scheme, colon, _ = str(text).partition("://")
        if colon and scheme.isalnum():
            raise BadRequest(f"{text}: paths and s3:// are known, {scheme}:// is not")
        return path
    if len(path.parts) > 1 and {"@", ":"} & set(path.parts[1]):
        raise BadRequest(
            "keys do not belong into an address: AWS_ACCESS_KEY_ID, a profile or a role"
        )
    if len(path.parts) < 3 or ".." in path.parts:
        raise BadRequest(f"{text}: name a bucket and an object, s3://bucket/film.mp4")
    return ObjectPath(*path.parts)
