"""A sweep: what is painted, held, refused and failed is told apart, and counted so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, Unpack

import av
import pytest

from films import make_film, scribble, texture
from jobs import carry as carrying
from jobs import sweep
from jobs.carry import carry
from pipeline.media.color import Planes
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame
from pipeline.media.encode import Encoding, Segment, write_segment

DONE = "carried and verified"


class Written(TypedDict):
    """What a segment is written with."""

    film: Film
    encoding: Encoding
    path: Path


def less(planes: Planes) -> Planes:
    luma = planes.luma.copy()
    luma[0, 0] -= 1
    return replace(planes, luma=luma)


def row(film: str, code: int, line: str, **more: object) -> dict[str, object]:
    told = {"clean": True, "exact": False, "said": (), "frames": 0, "held": 0}
    return {"film": film, "code": code, "line": line, **told, **more}


ROWS = (
    row("a.mp4", 0, "carried and verified", exact=True, frames=30, said=("a note",)),
    row("b.mp4", 3, "b.mp4: packet 3 is damaged", exact=True, frames=30, held=1),
    row("c.mp4", 3, "c.mp4: not readable as a film"),
    row("d.mp4", -1, "hung for 400 s", clean=False),
    row("e.mp4", 5, "frame 3 is at PTS 7, not 8"),
)


def test_what_hung_or_came_out_wrong_is_no_refusal() -> None:
    assert [sweep.ended(one) for one in ROWS] == ["exact", "held", "refused", "FAILED", "FAILED"]


def test_the_page_counts_each_end_and_gives_the_reason() -> None:
    lines = sweep.page(ROWS).splitlines()
    assert "5 films: 1 exact, 1 held, 1 refused, 2 FAILED." in lines
    assert lines[-5:] == [
        "| a.mp4 | 30 | exact | a note |",
        "| b.mp4 | 30 | held | packet 3 is damaged |",
        "| c.mp4 | 0 | refused | not readable as a film |",
        "| d.mp4 | 0 | FAILED | hung for 400 s |",
        "| e.mp4 | 0 | FAILED | frame 3 is at PTS 7, not 8 |",
    ]


def test_the_page_of_real_films_is_what_was_stored() -> None:
    root = Path(__file__).parent.parent
    stored = json.loads((root / "bench/results/sweep.json").read_text("utf-8"))["rows"]
    assert sweep.page(stored) == (root / "docs/films.md").read_text("utf-8")
    assert len(stored) == 48
    assert "FAILED" not in [sweep.ended(one) for one in stored]


def test_a_film_is_carried_whole_and_a_damaged_one_with_frames_held(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", texture(12, (64, 48)), keyint=1)
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    whole = sweep.bare(film, 2, once)
    assert (whole.line, whole.exact, whole.frames, whole.held) == (DONE, True, 12, 0)
    with av.open(str(film)) as source:
        place, size = [(p.pos or 0, p.size) for p in source.demux(video=0) if p.size][5]
    scribble(film, at=place + size // 2, size=size // 2 - 8)
    again = sweep.bare(film, 2, twice)
    assert (again.code, again.exact, again.frames, again.held) == (3, True, 12, 1)
    assert "damaged; with --on-error hold 1 of its frames shows another" in again.line


def test_a_sample_that_changes_on_its_way_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def darker(given: Iterator[Frame], **more: Unpack[Written]) -> Segment:
        return write_segment((replace(one, planes=less(one.planes)) for one in given), **more)

    film = read_film(make_film(tmp_path / "film.mkv", texture(4, (64, 48))))
    assert carry(film, tmp_path).same
    monkeypatch.setattr(carrying, "write_segment", darker)
    assert not carry(film, tmp_path).same
