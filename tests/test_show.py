"""The table of a batch: what a person sees on wide and narrow terminals, in lines, in a file."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from jobs.show import PlainLines, Screen, standing_table
from jobs.standing import FilmStanding, Standing, facts
from jobs.standing_file import STANDING, StandingFile, read_standing

FILMS = (
    FilmStanding(name="reel1", status="done", frames=1440, done=1440, chunks=17, chunks_done=17),
    FilmStanding(
        name="a reel of a long [name] that somebody gave it in the night of 22 November",
        status="painting",
        frames=172627,
        done=99000.7,
        chunks=1800,
        chunks_done=1011,
        shots=931,
        shots_done=412,
        speed_fps=104.24,
        left_s=7062.7,
        attempts=2,
        lost=13,
    ),
    FilmStanding(name="reel3", status="waiting", frames=240),
)
STANDS = Standing(
    films=FILMS,
    running=14,
    queued=3,
    nodes=4,
    cores=48,
    gpus=1,
    cpu_duty=0.874,
    gpu_duty=0.62,
    seconds=5025.0,
    left_s=7100.0,
    in_flight=3 << 30,
    budget=12 << 30,
)


def shown(standing: Standing, width: int, most: int | None = None) -> list[str]:
    """The table as it stands on a terminal, without blanks at the ends of lines."""
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(standing_table(standing, width=width, most=most))
    return [row.rstrip() for row in console.export_text().splitlines()]


def test_a_wide_terminal_shows_all_that_is_known() -> None:
    head, _, film, _, times, machines = shown(STANDS, 140)
    assert head.split() == [
        "film", "frames", "frames/s", "left", "chunks", "shots", "tries", "lost"
    ]  # fmt: skip
    assert film.endswith(
        "painting   57%  99000/172627     104.2  1:57:42  1011/1800  412/931      2    13"
    )
    assert times == "1:23:45 so far, 1:58:20 left; 3.0 GiB of 12.0 GiB on their way"
    assert machines == "4 nodes, 48 cores 87%, 1 GPU 62%; 14 steps run, 3 wait"


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_no_film_takes_two_lines_and_none_is_wider_than_the_terminal(width: int) -> None:
    rows = shown(STANDS, width)
    assert max(map(len, rows)) <= width
    assert [row.split()[0] for row in rows[:4]] == ["film", "reel1", "a", "reel3"]
    assert ("frames/s" in rows[0]) == (width >= 80)
    assert ("shots" in rows[0]) == (width >= 110)


def test_a_low_terminal_shows_what_is_painted_and_counts_the_rest() -> None:
    many = tuple(FilmStanding(name=f"w{i}", status="waiting") for i in range(40))
    rows = shown(Standing(films=(*many, FILMS[1], FILMS[0])), 120, most=2)
    assert [row.split()[0] for row in rows[1:3]] == ["w0", "a"]
    assert rows[3] == "and 40 more: 40 waiting, 1 painting, 1 done"
    assert rows[-2] == "0:00:00 so far, time left not known"


def test_the_screen_ends_with_what_was_told_last_and_notes_stand_above() -> None:
    console = Console(width=100, height=20, file=io.StringIO(), force_terminal=True, record=True)
    with Screen(console) as screen:
        screen(Standing(films=()))
        screen(STANDS)
        screen.note("a [machine] has gone")
        screen(Standing(films=FILMS[:1], seconds=9.0))
    text = console.export_text()
    assert "note: a [machine] has gone" in text
    assert text.split("1 waiting")[-1].splitlines()[-2:] == [
        "0:00:09 so far, time left not known",
        "0 nodes, 0 cores 0%; 0 steps run, 0 wait",
    ]


def test_lines_come_every_so_often_and_when_something_becomes_of_a_film(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with PlainLines(every=30) as told:
        for seconds in (0.0, 2.0, 29.0, 31.0, 33.0):
            told(replace(STANDS, seconds=seconds))
        told(Standing(films=FILMS[:1], seconds=34.0))
        told(Standing(films=FILMS[:1], seconds=35.0))
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(";")[0] for line in lines] == [
        "1 waiting, 1 painting, 1 done", "1 waiting, 1 painting, 1 done", "1 done", "1 done"
    ]  # fmt: skip
    assert "100440/174307 frames, 104.2 frames/s" in lines[0]
    assert "0:00:35 so far" in lines[-1], "what was told last is not kept back"


def test_the_file_is_whole_and_one_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "night.yaml.batch"
    assert read_standing(folder) is None
    watch = StandingFile(folder)
    watch(STANDS)
    assert read_standing(folder) == STANDS
    assert [path.name for path in folder.iterdir()] == [STANDING]
    assert json.loads((folder / STANDING).read_text()) == json.loads(json.dumps(facts(STANDS)))
    (tmp_path / "file").write_text("")
    StandingFile(tmp_path / "file" / "below")(STANDS)
