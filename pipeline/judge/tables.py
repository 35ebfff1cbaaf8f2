"""Per-frame rows to Parquet and back.

A *row* is what is on record of one frame of a painted film. Every frame has one; what could not be
measured, or was not asked for, is null rather than 0. Beside the rows a file can hold words *about*
them: where they come from, as one text that whoever wrote it can read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Row:
    """What is on record of a frame."""

    frame: int
    """In the film, from 0."""
    pts: int
    """In the film's time base."""
    key: bool
    """Whether the net painted it."""
    hole: float | None = None
    """Share that no key explains, 0 to 1."""
    loss: float | None = None
    """Temporal loss before the encoder, [0, 1]^2; null for the first frame of a shot."""
    content: float | None = None
    """That of the film itself, over the same pixels."""
    budget: float | None = None
    """The loss that the frame may have."""
    coverage: float | None = None
    """Share of the frame that could be judged, 0 to 1."""
    shown: int | None = None
    """The frame whose samples stand in for its own, which could not be decoded."""
    promoted: float | None = None
    """Of a key that the gate asked for: the loss that the frame had when it was filled without this
    key, as a multiple of its budget, above 1; null for planned keys and for frames between."""


SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("pts", pa.int64(), nullable=False),
        pa.field("key", pa.bool_(), nullable=False),
        *(
            pa.field(name, pa.float64())
            for name in ("hole", "loss", "content", "budget", "coverage")
        ),
        pa.field("shown", pa.int64()),
        pa.field("promoted", pa.float64()),
    ]
)


_ABOUT = b"reelbrush"
_GROUP, _SHARED = 8192, 256
"""Rows that are written in one go, and rows that wait, for the next file may tell more of them."""


def write_rows(rows: Iterable[Row], path: Path, *, about: str | None = None) -> None:
    """Write rows, in their order, and words about them as one Parquet file."""
    schema = SCHEMA if about is None else SCHEMA.with_metadata({_ABOUT: about.encode()})
    pq.write_table(_table(list(rows), schema), path, compression="zstd")


def join_rows(
    paths: Iterable[Path],
    to: Path,
    *,
    start: int,
    stop: int,
    about: str | None = None,
    shown: Sequence[int] | NDArray[np.int64] | None = None,
) -> None:
    """Write the rows of [start, stop) of many files as one; few are ever in memory.

    Args:
        paths: files of rows, in the film's order; neighbours may share a frame, see ``merged``.
        to: the file to write.
        start: the first frame.
        stop: the frame after the last.
        about: words about the rows.
        shown: for each frame of the film the one whose samples it shows, where some are held.
    """
    schema = SCHEMA if about is None else SCHEMA.with_metadata({_ABOUT: about.encode()})
    waiting: list[Row] = []
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:

        def put(rows: Sequence[Row]) -> None:
            if shown is not None:
                rows = [replace(r, shown=_other(int(shown[r.frame]), r.frame)) for r in rows]
            writer.write_table(_table(rows, schema))

        for path in paths:
            waiting = merged([*waiting, *read_rows([path])], start=start, stop=stop)
            if len(waiting) >= _GROUP:
                put(waiting[:-_SHARED])
                waiting = waiting[-_SHARED:]
        put(waiting)


def read_about(path: Path) -> str | None:
    """Read what a file says about its rows; None if it says nothing."""
    said = (pq.read_schema(path).metadata or {}).get(_ABOUT)
    return None if said is None else bytes(said).decode("utf-8", "replace")


def read_rows(paths: Sequence[Path]) -> list[Row]:
    """Read the rows of one or more files, ordered by frame."""
    rows: list[Row] = []
    for path in paths:
        table = pq.read_table(path, schema=SCHEMA)
        rows.extend(Row(**record) for record in table.to_pylist())
    return sorted(rows, key=lambda row: row.frame)


def merged(rows: Iterable[Row], *, start: int, stop: int) -> list[Row]:
    """Keep one row a frame of [start, stop).

    The key that two chunks share has a row in both; the one that was looked at counts.
    """
    best: dict[int, Row] = {}
    for row in rows:
        known = best.get(row.frame)
        if start <= row.frame < stop and (known is None or known.coverage is None):
            best[row.frame] = row
    return [best[frame] for frame in sorted(best)]


def _table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    columns = {f.name: [getattr(row, f.name) for row in rows] for f in fields(Row)}
    return pa.table(columns, schema=schema)


def _other(shown: int, frame: int) -> int | None:
    return None if shown == frame else shown
