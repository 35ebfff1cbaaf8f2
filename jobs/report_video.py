"""A painted film to the bytes that its report plays: film above painting, stretch after stretch."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.progress import Progressing
from jobs.report_choice import Stretch
from jobs.report_read import Painted
from pipeline.media.color import Planes, resolved
from pipeline.media.decode import frames
from pipeline.media.preview import (
    DISPLAYED,
    displayed,
    preview_size,
    shrunk,
    stacked,
    write_preview,
)


def take_video(
    painted: Painted, stretches: Sequence[Stretch], *, most_bytes: int, progress: Progressing
) -> bytes:
    """Decode both films along some stretches and encode them as one MP4, of about so many bytes.

    Raises:
        CorruptFilm: If a frame cannot be decoded.
        OutOfResources: If the disk is full.
    """
    progress.stage("video", sum(stretch.stop - stretch.start for stretch in stretches))
    size = preview_size(painted.film)
    with TemporaryDirectory(prefix="reelbrush-report-") as folder:
        path = Path(folder) / "preview.mp4"
        write_preview(
            _pairs(painted, stretches, size, progress),
            times=played(painted.times(), stretches),
            path=path,
            size=(size[0], 2 * size[1]),
            tags=DISPLAYED,
            most_bytes=most_bytes,
        )
        return path.read_bytes()


def played(times: Sequence[Fraction], stretches: Sequence[Stretch]) -> list[Fraction]:
    """Give when each frame of the stretches plays, one after the other, and when the last goes.

    Args:
        times: N + 1 seconds of the film's N frames.
        stretches: What plays.
    """
    found = [Fraction(0)]
    for stretch in stretches:
        begin = found[-1] - times[stretch.start]
        found += [begin + time for time in times[stretch.start + 1 : stretch.stop + 1]]
    return found


def _pairs(
    painted: Painted,
    stretches: Sequence[Stretch],
    size: tuple[int, int],
    progress: Progressing,
) -> Iterator[Planes]:
    film = painted.source
    tags = resolved(painted.film.color, painted.film.height)
    for stretch in stretches:
        first, last = painted.first + stretch.start, painted.first + stretch.stop
        ours = frames(painted.film, stretch.start, stretch.stop)
        for own, one in zip(frames(painted.source, first, last), ours, strict=True):
            above = displayed(shrunk(own.planes, size), resolved(film.color, film.height))
            yield stacked(above, displayed(shrunk(one.planes, size), tags))
            progress.advance(1)
