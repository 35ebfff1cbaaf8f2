"""A painted film's path to the page that a person looks at.

From the film, its table and its source, and from nothing else: what is shown is chosen from the
rows, decoded once, and put into one HTML file. The page has its name only when it is whole.
"""

from dataclasses import dataclass
from pathlib import Path

from jobs.progress import Progressing
from jobs.report_choice import excess, shots, some, stretches, worst
from jobs.report_page import Report, page
from jobs.report_pictures import take_pictures
from jobs.report_read import read_painted
from jobs.report_video import take_video
from pipeline.errors import BadRequest, OutOfResources
from pipeline.media.preview import preview_size

MOST_BYTES = 15_000_000
"""Of a page; that of a film of hours can be a little more, by the numbers of its chart."""
_WORDS = 1_000_000
"""What of it is left to words, numbers and the style."""
_NUMBERS = 24
"""Bytes a frame has in the numbers of the chart, about."""
_LEAST_VIDEO = 2_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """A report that was written."""

    target: Path
    bytes: int
    frames: int
    over: int
    """Frames over their budget."""


def report(
    film: Path,
    *,
    target: Path,
    source: Path | None = None,
    overwrite: bool = False,
    progress: Progressing,
) -> Made:
    """Write the report of a painted film.

    Args:
        film: The painted film; its table lies beside it.
        target: The HTML file.
        source: The film that it was painted from; None is where the table says.
        overwrite: Whether to replace a file.
        progress: Is told of frames.

    Raises:
        BadRequest: If the target cannot be written or exists.
        SourceError: If film, table and source are not there or do not fit together.
        OutOfResources: If the disk is full.
    """
    _check_target(target, overwrite=overwrite)
    painted = read_painted(film, source)
    found, bad = shots(painted.rows), worst(painted.rows)
    plays = stretches(painted.rows, painted.times())
    pictures = take_pictures(painted, shots=some(found, painted.rows), worst=bad, progress=progress)
    left = (MOST_BYTES - _WORDS - _NUMBERS * len(painted.rows)) * 3 // 4 - pictures.bytes
    video = take_video(painted, plays, most_bytes=max(_LEAST_VIDEO, left), progress=progress)
    size = preview_size(painted.film)
    content = page(Report(painted, found, bad, plays, pictures, video, size)).encode()
    _write(content, target)
    over = sum((excess(row) or 0) > 1 for row in painted.rows)
    return Made(target, len(content), len(painted.rows), over)


def _check_target(target: Path, *, overwrite: bool) -> None:
    if target.is_dir():
        raise BadRequest(f"{target} is a folder; name a file")
    if target.suffix.lower() not in (".html", ".htm"):
        raise BadRequest(f"{target.name}: name a .html")
    if target.exists() and not overwrite:
        raise BadRequest(f"{target} exists; --overwrite replaces it")
    if not target.parent.is_dir():
        raise BadRequest(f"there is no folder {target.parent}")


def _write(content: bytes, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise OutOfResources(f"cannot write {target}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
