"""A frame that two chunks share has one row, and it is the one that tells more."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.judge import tables
from pipeline.judge.tables import Row, join_rows, merged, read_about, read_rows, write_rows

_OPENING = Row(frame=8, pts=80, key=True)
_LOOKED_AT = replace(_OPENING, loss=0.002, content=0.001, budget=0.003, coverage=0.9)
_HARDLY_SEEN = replace(_OPENING, coverage=0.1)


def test_what_was_judged_counts_in_any_order() -> None:
    assert merged([_OPENING, _LOOKED_AT], start=0, stop=9) == [_LOOKED_AT]
    assert merged([_LOOKED_AT, _OPENING], start=0, stop=9) == [_LOOKED_AT]


def test_a_frame_of_which_too_little_could_be_judged_is_no_opening_of_a_shot() -> None:
    assert merged([_HARDLY_SEEN, _OPENING], start=0, stop=9) == [_HARDLY_SEEN]
    assert merged([_OPENING, _HARDLY_SEEN], start=0, stop=9) == [_HARDLY_SEEN]


def test_rows_outside_are_left_out_and_the_rest_come_in_order() -> None:
    rows = [replace(_LOOKED_AT, frame=frame) for frame in (9, 3, 8, 2)]
    assert [row.frame for row in merged(rows, start=3, stop=9)] == [3, 8]


@pytest.mark.parametrize("group", [4, 8192])
def test_many_files_become_one_with_one_row_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    monkeypatch.setattr(tables, "_GROUP", group)
    monkeypatch.setattr(tables, "_SHARED", 2)
    parts = []
    for first in range(0, 40, 8):
        rows = [replace(_LOOKED_AT, frame=first + k, pts=first + k) for k in range(8)]
        rows.append(replace(_OPENING, frame=first + 8, pts=first + 8))  # the next file's first
        parts.append(tmp_path / f"{first}.parquet")
        write_rows(rows, parts[-1])
    whole, shown = tmp_path / "whole.parquet", [*range(20), 19, 19, *range(22, 41)]
    join_rows(parts, whole, start=3, stop=40, about="words", shown=shown)
    expected = merged(read_rows(parts), start=3, stop=40)
    found = read_rows([whole])
    assert [replace(row, shown=None) for row in found] == expected
    assert {row.frame: row.shown for row in found if row.shown is not None} == {20: 19, 21: 19}
    assert read_about(whole) == "words"
