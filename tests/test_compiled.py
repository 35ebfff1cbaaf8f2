"""Compiling: what was compiled is kept where it can be, and works where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import compiled

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
import loops
print(int(loops.double(21)), sum(loops.double.stats.cache_hits.values()))
"""
PARTS = """
from pipeline.compiled import compiled

@compiled
def part(number):
    return 2 * number
"""
LOOPS = """
from parts import part
from pipeline.compiled import compiled

@compiled
def double(number):
    return part(number)
"""


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[bool] = []

    def njit(loop: object, *, cache: bool = False, **_: object) -> object:
        made.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return loop

    monkeypatch.setattr(compiled, "njit", njit)
    assert compiled.compiled(abs)(np.int64(-2)) == 2
    assert made == [True, False]


def test_what_was_compiled_is_kept_until_a_source_beside_it_changes(tmp_path: Path) -> None:
    (tmp_path / "loops.py").write_text(LOOPS)
    (tmp_path / "parts.py").write_text(PARTS)
    assert run(tmp_path) == "42 0\n"
    assert run(tmp_path) == "42 1\n"
    (tmp_path / "parts.py").write_text(PARTS.replace("2", "3"))
    assert run(tmp_path) == "63 0\n"


def run(folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(folder=str(folder))],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "PYTHONPATH": "."},
    ).stdout
