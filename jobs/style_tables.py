"""What painters were found to be like, as tables for a terminal."""

from collections.abc import Sequence
from statistics import fmean

from rich.table import Table

from jobs.evaluate_paint import FILM, PHOTOS, CleanRow, StillRow
from jobs.evaluate_styles import Match, PhotoRow, Report

_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


def tables(report: Report) -> list[Table]:
    """Those that have rows."""
    found = []
    if report.photos:
        found.append(_photos(report.photos))
    if report.matches:
        found.append(_matches(report.matches))
    if report.still:
        found += [_still(report.still), _hardest(report.still)]
    if report.clean:
        found.append(_clean(report.clean))
    return found


def _photos(rows: Sequence[PhotoRow]) -> Table:
    table = Table("painter", "size", "paintings", "codes", "s", "style", *_LAYERS)
    for name in ("gram", "lite0", "content", "SSIM", "ST-LPIPS"):
        table.add_column(name)
    names = ("style", *(f"style/{layer}" for layer in _LAYERS), "gram", "lite", "content", "ssim")
    for row in rows:
        numbers = [_number(row.measures.get(name)) for name in (*names, "stlpips")]
        first = (row.painter, str(row.size), row.group, row.codes, f"{row.strength:.2f}")
        table.add_row(*first, *numbers)
    table.caption = "style: VGG16, mean of relu1_2 to relu3_3; content: relu3_3, 2 is unrelated"
    return table


def _matches(rows: Sequence[Match]) -> Table:
    table = Table("at the rival's content loss", "paintings", "codes", "s", "content", "theirs")
    for name in ("style", *_LAYERS, "gram", "lite0"):
        table.add_column(name)
    names = ("style", *(f"style/{layer}" for layer in _LAYERS), "gram", "lite")
    for row in rows:
        first = (f"{row.painter} / {row.rival}", row.group, row.codes, f"{row.strength:.2f}")
        contents = (f"{row.content:.3f}", f"{row.content_rival:.3f}")
        numbers = (_number(row.ratios.get(name)) for name in names)
        table.add_row(*first, *contents, *numbers)
    table.caption = "ours / theirs"
    return table


def _still(rows: Sequence[StillRow]) -> Table:
    table = Table("painter", "clip", "boil", "flicker", "HF", "pairs", "not judged")
    for painter, clip in dict.fromkeys((row.painter, row.clip) for row in rows):
        some = [row for row in rows if (row.painter, row.clip) == (painter, clip)]
        numbers = [fmean(getattr(row, n) for row in some) for n in ("boil", "flicker", "hf")]
        counts = (str(sum(row.pairs for row in some)), str(sum(row.unjudged for row in some)))
        table.add_row(painter, clip, *(f"{value:.3f}" for value in numbers), *counts)
    table.caption = "every frame by itself, mean over paintings; HF as a multiple of the film's"
    return table


def _hardest(rows: Sequence[StillRow]) -> Table:
    table = Table("painter", "painting", "boil", "flicker", "HF")
    for painter, painting in dict.fromkeys((r.painter, r.painting) for r in rows):
        some = [row for row in rows if (row.painter, row.painting) == (painter, painting)]
        numbers = [fmean(getattr(row, n) for row in some) for n in ("boil", "flicker", "hf")]
        if painter != FILM:
            table.add_row(painter, painting, *(f"{value:.3f}" for value in numbers))
    table.caption = "the same, mean over clips"
    return table


def _clean(rows: Sequence[CleanRow]) -> Table:
    table = Table("painter", "painting", "lattice", "shift", "col/4", "col/2", "row/4", "row/2")
    for name in ("edge", "interior", "ratio", "grey's chroma"):
        table.add_column(name)
    for row in rows:
        keys = ("columns/4", "columns/2", "rows/4", "rows/2")
        numbers = [row.lattice, row.shift, *(row.periods[key] for key in keys)]
        if row.painter != PHOTOS:
            numbers += [row.edge, row.interior, row.edge_ratio, row.chroma]
        table.add_row(row.painter, row.painting, *(f"{value:.2f}" for value in numbers))
    table.caption = "lattice, shift, edge, interior: codes RMS; periods: power over that beside it"
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
