"""The README's table of films and codecs is what a run has stored, and a cell is a whole job."""

import json
from pathlib import Path

import pytest

from jobs import matrix
from jobs.progress import Silent
from jobs.specimens import SPECIMENS, Specimen
from pipeline.media.codecs import Codec

ROOT = Path(__file__).parent.parent
STORED = ROOT / "bench" / "results" / "matrix.json"


def cells(*wanted: tuple[str, Codec]) -> list[matrix.Cell]:
    by_name: dict[str, Specimen] = {specimen.name: specimen for specimen in SPECIMENS}
    found = []
    for name, codec in wanted:
        found += matrix.matrix((codec,), [by_name[name]], frames=8, progress=Silent())
    return found


def test_a_film_comes_out_exact_or_is_refused_with_a_reason() -> None:
    whole, alpha = cells(("MP4, H.264", "ffv1"), ("MOV, ProRes 4444 with alpha", "h264"))
    assert (whole.end, whole.said) == ("exact", ())
    assert alpha.end == "refused"
    assert "alpha" in alpha.said[0]


def test_a_table_has_a_row_a_kind_and_each_reason_once() -> None:
    stored = [
        {"kind": "A", "codec": "x", "end": "exact", "said": []},
        {"kind": "A", "codec": "y", "end": "refused", "said": ["the film: no place"]},
        {
            "kind": "B",
            "codec": "x",
            "end": "exact",
            "said": ["track 2 (audio) has no place in mov: left out"],
        },
        {"kind": "B", "codec": "y", "end": "refused", "said": ["no place"]},
    ]
    assert matrix.table(stored).splitlines() == [
        "| film | x | y |",
        "|---|---|---|",
        "| A | exact | – <sup>a</sup> |",
        "| B | exact <sup>b</sup> | – <sup>a</sup> |",
        "",
        "- a: no place",
        "- b: a track of sound has no place in that container: left out",
    ]


def test_a_page_without_markers_is_left_alone() -> None:
    with pytest.raises(ValueError, match="no lines"):
        matrix.laid_in("# A page", "a table")


def test_the_readme_shows_what_was_measured() -> None:
    stored = json.loads(STORED.read_text("utf-8"))["cells"]
    page = (ROOT / "README.md").read_text("utf-8")
    assert matrix.laid_in(page, matrix.table(stored)) == page
    assert {cell["kind"] for cell in stored} == {specimen.name for specimen in SPECIMENS}
    assert {cell["codec"] for cell in stored} == set(matrix.ANYWHERE)
    assert not [cell for cell in stored if cell["end"] not in {"exact", "refused"}]
