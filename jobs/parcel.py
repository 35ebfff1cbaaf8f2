"""The code of this checkout and a job file to one file that travels to a cluster.

In it are the three packages with the painter's weights and codes, and the job file in a folder of
its own. Films never are. The same code and job file give the same bytes, so that a cluster that has
them is not sent them again.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pipeline.errors import BadRequest
from pipeline.media.codecs import SUFFIXES

CODE = ("pipeline", "actors", "jobs")
CARRIED = "job"
"""The folder that the job file travels in."""
MOST = 64 << 20
"""Bytes: ours are some 8 MiB; Ray's own limit is 512 MiB, and every node gets a copy."""
_ROOT = Path(__file__).parent.parent
_FILMS = frozenset(SUFFIXES) | {
    *(".avi", ".flv", ".mpg", ".mpeg", ".m2ts", ".mts", ".ts", ".wmv"),
    *(".3gp", ".vob", ".ogv", ".asf", ".y4m", ".m1v", ".m2v", ".mj2"),
}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Parcel:
    """What travels."""

    path: Path
    files: int
    bytes: int
    """as it travels"""
    job: str
    """the job file in it"""

    def __str__(self) -> str:
        return f"{self.bytes / 2**20:.1f} MiB in {self.files} files"


def pack(job: Path, folder: Path, *, root: Path = _ROOT, most: int = MOST) -> Parcel:
    """Make the parcel.

    Args:
        job: the job file.
        folder: where to put the parcel.
        root: of the checkout.
        most: bytes that it may have before it is packed.

    Raises:
        BadRequest: If a film would travel, or it is too large.
    """
    found = sorted(_files(root))
    sizes = {path: path.stat().st_size for path in found}
    for path in found:
        if path.suffix.lower() in _FILMS:
            place = path.relative_to(root)
            raise BadRequest(f"{place} is a film, and films do not travel with code: move it away")
    if sum(sizes.values()) > most:
        large = max(found, key=lambda path: sizes[path])
        raise BadRequest(
            f"code and weights are {sum(sizes.values()) / 2**20:.0f} MiB, more than the "
            f"{most >> 20} MiB that travel; {large.relative_to(root)} alone is "
            f"{sizes[large] / 2**20:.0f} MiB"
        )
    path, name = folder / "reelbrush.zip", f"{CARRIED}/{job.name}"
    ours = version("reelbrush")
    label = f"Metadata-Version: 2.1\nName: reelbrush\nVersion: {ours}\n"
    with ZipFile(path, "w", ZIP_DEFLATED) as parcel:
        for one in found:
            _put(parcel, one.relative_to(root).as_posix(), one.read_bytes())
        _put(parcel, f"reelbrush-{ours}.dist-info/METADATA", label.encode())
        _put(parcel, name, job.read_bytes())
    return Parcel(path, len(found) + 2, path.stat().st_size, name)


def _files(root: Path) -> Iterator[Path]:
    for package in CODE:
        for folder, names, files in os.walk(root / package):
            names[:] = [name for name in names if name != "__pycache__" and name[0] != "."]
            yield from (Path(folder) / name for name in files if name[0] != ".")


def _put(parcel: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, _LONG_AGO)
    entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
    parcel.writestr(entry, content)
