"""A painted film's path to all that a report is made of: film, table and source, fitting together.

The *table* lies beside the film; it names the source. Rows are those of the painted film's frames,
in order: place i in the rows is frame i of the painted film and frame ``rows[i].frame`` of the
source. Nothing is decoded here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.provenance import Provenance, read_provenance
from jobs.source import stream_of
from pipeline.errors import SourceError, UnreadableFilm
from pipeline.judge.tables import SCHEMA, Row, read_about, read_rows
from pipeline.media.clock import later_timecode, rescale
from pipeline.media.container import Film, read_film

_NEEDED = ("frame", "pts", "key", "hole", "loss", "content", "budget", "coverage")


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A painted film and what is on record of it."""

    film: Film
    source: Film
    rows: tuple[Row, ...]
    """One a frame of ``film``."""
    about: Provenance | None
    """None where an earlier reelbrush kept no words beside its rows."""

    @property
    def first(self) -> int:
        """The source's frame that the painted film begins with."""
        return self.rows[0].frame

    def times(self) -> list[Fraction]:
        """Seconds from the film's first frame at which each appears, and at which the last goes."""
        ticks = [*self.film.pts.tolist(), int(self.film.pts[-1] + self.film.durations[-1])]
        return [(tick - ticks[0]) * self.film.time_base for tick in ticks]

    def clock(self, place: int) -> str:
        """When a frame appears: the film's timecode, or hours to milliseconds from its start."""
        code = self.film.timecode
        if code is not None and not self.film.variable_rate:
            try:
                return later_timecode(code, place, rate=self.film.frame_rate)
            except ValueError:
                pass
        return elapsed(
            (self.film.pts[place].item() - self.film.pts[0].item()) * self.film.time_base
        )


def read_painted(path: Path, source: Path | None) -> Painted:
    """Read a painted film, its table, and the film that it was painted from.

    Args:
        path: the painted film.
        source: where its source lies now; None is where the table says.

    Raises:
        SourceError: In one line, if one of them is not there or they do not fit together.
    """
    film = read_film(path)
    rows, about = _read_table(path)
    if len(rows) != film.frames:
        raise SourceError(
            f"{path.name} has {film.frames} frames and its table {len(rows)} rows: "
            "they are not of one film"
        )
    given = source is not None
    stream = stream_of(about.recipe) if about else None
    origin = read_film(source if source is not None else _source_of(path, about), stream=stream)
    found = Painted(film, origin, tuple(rows), about)
    _check(found)
    if not given and about is not None and about.film != origin.fingerprint:
        raise SourceError(
            f"{origin.path.name} has changed since {path.name} was painted from it; "
            "name the film that it was with --source"
        )
    return replace(found, source=_as_shown(origin, rows))


def elapsed(seconds: Fraction) -> str:
    """Write a time from the start.

    >>> elapsed(Fraction(7501, 2))
    '01:02:30.500'
    """
    thousandths = round(seconds * 1000)
    whole = thousandths // 1000
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths % 1000:03}"


def _read_table(path: Path) -> tuple[list[Row], Provenance | None]:
    table = path.with_name(path.name + ".frames.parquet")
    if not table.is_file():
        raise UnreadableFilm(
            f"{path.name} has no table {table.name} beside it: a report is of a film that "
            "reelbrush stylize painted, with its table"
        )
    try:
        said = pq.read_schema(table)
        missing = [name for name in _NEEDED if not _has(said, name)]
        rows = [] if missing else read_rows([table])
        about = read_provenance(read_about(table))
    except (pa.ArrowException, OSError, ValueError, TypeError):
        raise UnreadableFilm(f"{table.name}: not readable as a table of frames") from None
    if not rows:
        what = f"it has no {', '.join(missing)}" if missing else "it has no rows"
        raise UnreadableFilm(f"{table.name} is no table of frames: {what}")
    return rows, about


def _has(said: pa.Schema, name: str) -> bool:
    """Whether a table has a column, of the kind that it has to be and without gaps if need be."""
    return name in said.names and bool(said.field(name).equals(SCHEMA.field(name)))


def _source_of(path: Path, about: Provenance | None) -> Path:
    if about is None:
        raise UnreadableFilm(
            f"the table of {path.name} does not name the film it was painted from: give --source"
        )
    source = Path(path.absolute().parent / about.source)
    if not source.is_file():
        raise UnreadableFilm(
            f"{about.source}, which {path.name} was painted from, is not there: give --source"
        )
    return source


def _as_shown(source: Film, rows: Sequence[Row]) -> Film:
    """The source with what stood in for frames that could not be decoded."""
    if all(row.shown is None for row in rows):
        return source
    shown = np.arange(source.frames)
    for row in rows:
        shown[row.frame] = row.frame if row.shown is None else row.shown
    return replace(source, shown=shown)


def _check(found: Painted) -> None:
    """See that the rows are those of both films."""
    film, source, rows = found.film, found.source, found.rows
    frames = np.array([row.frame for row in rows])
    if np.any(np.diff(frames) != 1) or frames[0] < 0:
        raise SourceError(f"the table of {film.path.name} leaves frames out")
    expected = [rescale(row.pts - rows[0].pts, source.time_base, film.time_base) for row in rows]
    if np.any(np.abs(film.pts - film.pts[0] - expected) > 1):
        raise SourceError(f"the table of {film.path.name} has other times than its frames")
    if film.size != source.size or frames[-1] >= source.frames:
        what = f"{source.size[0]}x{source.size[1]}, {source.frames} frames"
        raise SourceError(
            f"{film.path.name} ({film.size[0]}x{film.size[1]}, frames {frames[0]} to "
            f"{frames[-1]}) was not painted from {source.path.name} ({what})"
        )
    if np.any(source.pts[frames] != [row.pts for row in rows]):
        raise SourceError(f"the table of {film.path.name} has other times than {source.path.name}")
