"""The numbers of an analysis, to Parquet and back.

A *row* is one frame, a *part* the rows of one span. What is in them is measured by ``analysis``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

TONES = (16, 8, 8)
"""How many quantiles of luma, blue and red difference a row of ``colors`` has."""

_SIDES = ("bar_top", "bar_bottom", "bar_left", "bar_right")


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """One row a frame, from frame ``start`` on; the film's first has neutral values."""

    start: int
    cut: NDArray[np.float32]
    """0 to 1: how sure it is that the frame is the first of a shot."""
    hole: NDArray[np.float32]
    """Share of the frame that the frame before does not explain; how far a dissolve goes in it."""
    residual: NDArray[np.float32]
    """Mean luma difference that motion and gain leave, in 8-bit codes."""
    gain: NDArray[np.float32]
    """Light as a multiple of that of the frame before; exactly 1 where nothing is sure."""
    luma: NDArray[np.float32]
    """Mean luma above black, in 8-bit codes."""
    content: NDArray[np.float32]
    """Warping error of the source itself (M1 on luma, [0, 1]^2); NaN under 20 % coverage."""
    gradient: NDArray[np.float32]
    """Mean squared gradient of luma, [0, 1]^2 per pixel^2 at analysis size."""
    still: NDArray[np.bool_]
    """Whether every sample equals that of the frame before."""
    bars: NDArray[np.int32]
    """[N, 4]: near-black rows and columns at top, bottom, left, right; -1 where all is dark."""
    colors: NDArray[np.uint8]
    """[N, 32]: quantiles of luma above black, blue and red difference, in 8-bit codes."""

    def __len__(self) -> int:
        return self.cut.size


def write(analysis: Analysis, path: Path) -> None:
    """Write one part as Parquet."""
    columns = {
        field.name: getattr(analysis, field.name)
        for field in fields(analysis)
        if field.name not in ("start", "bars", "colors")
    }
    columns["frame"] = np.arange(analysis.start, analysis.start + len(analysis), dtype=np.int64)
    columns |= {side: analysis.bars[:, i] for i, side in enumerate(_SIDES)}
    colors = pa.FixedSizeListArray.from_arrays(pa.array(analysis.colors.ravel()), sum(TONES))
    table = pa.table(columns).append_column("colors", colors)
    pq.write_table(table, path, write_page_checksum=True)


def read(path: Path) -> Analysis:
    """Read what ``write`` wrote."""
    table = pq.read_table(path, page_checksum_verification=True)
    lists = table["colors"].combine_chunks()
    colors = lists.flatten().to_numpy().reshape(len(lists), sum(TONES))
    table = table.drop_columns("colors")
    column = {name: table[name].to_numpy() for name in table.column_names}
    sides = np.stack([column.pop(side) for side in _SIDES], axis=1).astype(np.int32)
    start = int(column.pop("frame")[0])
    return Analysis(start=start, bars=sides, colors=colors, **column)


def first(analysis: Analysis, count: int) -> Analysis:
    """Keep the first ``count`` rows."""
    columns = {
        field.name: getattr(analysis, field.name)[:count]
        for field in fields(Analysis)
        if field.name != "start"
    }
    return Analysis(start=analysis.start, **columns)


def concat(parts: Iterable[Analysis]) -> Analysis:
    """Join parts, in any order, that follow each other without a gap."""
    ordered = sorted(parts, key=lambda part: part.start)
    for left, right in pairwise(ordered):
        if left.start + len(left) != right.start:
            raise ValueError(f"rows end at {left.start + len(left)}, go on at {right.start}")
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in ordered])
        for field in fields(Analysis)
        if field.name != "start"
    }
    return Analysis(start=ordered[0].start, **columns)
