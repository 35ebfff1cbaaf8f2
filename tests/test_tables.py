"""Rows: what goes into Parquet comes out, nulls as nulls, ordered by frame."""

from pathlib import Path

import pyarrow.parquet as pq

from pipeline.judge.tables import SCHEMA, Row, read_rows, write_rows

FIRST = Row(frame=0, pts=720720, key=True)
SECOND = Row(1, 721721, False, hole=0.01, loss=2e-4, content=1e-4, budget=3e-4, coverage=0.97)


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    write_rows([FIRST, SECOND], tmp_path / "rows.parquet")
    assert read_rows([tmp_path / "rows.parquet"]) == [FIRST, SECOND]


def test_several_files_come_back_in_the_order_of_the_film(tmp_path: Path) -> None:
    write_rows([SECOND], tmp_path / "b.parquet")
    write_rows([FIRST], tmp_path / "a.parquet")
    assert read_rows([tmp_path / "b.parquet", tmp_path / "a.parquet"]) == [FIRST, SECOND]


def test_a_file_of_no_rows_has_the_columns_all_the_same(tmp_path: Path) -> None:
    write_rows([], tmp_path / "none.parquet")
    assert pq.read_schema(tmp_path / "none.parquet").equals(SCHEMA)
    assert read_rows([tmp_path / "none.parquet"]) == []
