"""Progress: what a person sees and a farm reads stays true when work is resumed or lost."""

import json
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from jobs.progress import Bar, Lines, Progressing, Silent, progress

Read = Callable[[], list[dict[str, object]]]


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("jobs.progress.time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Read:
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def shown(work: Callable[[Bar], None], *, film: str = "", width: int = 120) -> list[str]:
    """What stands on a terminal after some work."""
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=width)
    with Bar(console, film) as bar:
        work(bar)
    last = out.getvalue().rsplit("\x1b[2K", 1)[-1].removesuffix("\x1b[?25h")
    return [line.strip() for line in last.splitlines()]


def test_the_bar_shows_film_frames_speed_time_left_chunks_and_shots(clock: Clock) -> None:
    def work(bar: Bar) -> None:
        bar.stage("painting", 120)
        clock.now += 10
        bar.advance(40)
        bar.count(shots=(1, 2), chunks=(3, 6))

    title, row = shown(work, film="holiday.mp4")
    assert title.endswith("holiday.mp4")
    assert row.startswith("painting")
    assert row.endswith("40/120  4.0 frames/s  0:00:20  3/6 chunks  1/2 shots")


@pytest.mark.parametrize("width", [40, 80, 300])
def test_the_bar_keeps_to_one_line_a_stage(clock: Clock, width: int) -> None:
    def work(bar: Bar) -> None:
        bar.stage("painting", 172800)
        clock.now += 100
        bar.advance(80000)
        bar.count(shots=(10, 200), chunks=(300, 1800))

    rows = shown(work, film="a film with a long name " * 20, width=width)
    assert len(rows) == 2
    assert "80000/172800" in rows[1]


def test_a_stage_may_begin_before_the_former_is_full(clock: Clock) -> None:
    def work(bar: Bar) -> None:
        bar.stage("analysis", 50)
        clock.now += 1
        bar.advance(20)
        bar.stage("painting", 100)
        clock.now += 1
        bar.advance(10)

    analysis, painting = shown(work)
    assert analysis.endswith("20/50")
    assert "10/100  10.0 frames/s" in painting


def test_a_stage_that_comes_back_keeps_its_row(clock: Clock) -> None:
    def work(bar: Bar) -> None:
        for done in (0, 20):
            bar.stage("analysis", 50, done=done)
            clock.now += 1
            bar.advance(5)
            bar.stage("painting", 100, done=done)

    assert [row.split()[0] for row in shown(work)] == ["analysis", "painting"]


def test_work_of_an_earlier_run_counts_as_done_but_not_for_the_speed(
    clock: Clock, lines: Read
) -> None:
    def work(telling: Progressing) -> None:
        telling.stage("painting", 100, done=60)
        clock.now += 10
        telling.advance(20)

    assert "80/100  2.0 frames/s  0:00:10" in shown(work)[0]
    with Lines() as telling:
        work(telling)
    first, last = lines()
    assert (first["done"], first["frames"]) == (60, 100)
    assert (last["done"], last["per_second"], last["seconds_left"]) == (80, 2.0, 10.0)


def test_before_anything_was_done_no_time_left_is_claimed(clock: Clock, lines: Read) -> None:
    def work(telling: Progressing) -> None:
        telling.stage("painting", 100, done=60)
        clock.now += 10
        telling.count(chunks=(3, 6))

    assert shown(work)[0].endswith("60/100  3/6 chunks")
    with Lines() as telling:
        work(telling)
    assert lines()[-1]["seconds_left"] is None


def test_lines_come_once_a_second_and_at_the_end_of_a_stage(clock: Clock, lines: Read) -> None:
    with Lines("holiday.mp4") as telling:
        telling.stage("analysis", 50)
        for _ in range(24):
            clock.now += 0.25
            telling.advance(2)
        telling.advance(2)
        telling.stage("painting", 100)
        telling.advance(0.5)
        telling.count(chunks=(0, 6))
        telling.count(shots=(0, 2))
    said = lines()
    done = [line["done"] for line in said if line["stage"] == "analysis"]
    assert done == [0, 8, 16, 24, 32, 40, 48, 50]
    assert said[-1] == {
        "event": "progress",
        "stage": "painting",
        "done": 0.5,
        "frames": 100,
        "per_second": 0.5,
        "seconds_left": 199.0,
        "chunks": [0, 6],
        "shots": [0, 2],
        "film": "holiday.mp4",
    }


def test_a_run_that_fails_still_says_how_far_it_came(lines: Read) -> None:
    def fail() -> None:
        with Lines() as telling:
            telling.stage("painting", 100)
            telling.advance(30)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert lines()[-1]["done"] == 30


def test_what_was_not_said_of_chunks_and_shots_stays(clock: Clock, lines: Read) -> None:
    with Lines() as telling:
        telling.stage("painting", 100)
        telling.count(shots=(1, 2), chunks=(3, 6))
        clock.now += 2
        telling.count(chunks=(4, 6))
    last = lines()[-1]
    assert (last["shots"], last["chunks"]) == ([1, 2], [4, 6])


def test_lost_work_that_is_done_again_is_counted_once(clock: Clock, lines: Read) -> None:
    with Lines() as telling:
        telling.stage("painting", 100)
        for frames in (10, -30, 30):
            clock.now += 2
            telling.advance(frames)
    assert [line["done"] for line in lines()] == [0, 10, 0, 10]


@given(
    total=st.integers(0, 200),
    share=st.floats(0, 1),
    steps=st.lists(st.floats(-300, 300), max_size=8),
)
def test_no_work_done_or_lost_leaves_the_stage(
    total: int, share: float, steps: list[float]
) -> None:
    def work(bar: Bar) -> None:
        bar.stage("painting", total, done=int(share * total))
        for frames in steps:
            bar.advance(frames)
            assert bar.tally is not None
            assert 0 <= bar.tally.done <= total
            assert bar.tally.speed >= 0
            assert bar.tally.left is None or bar.tally.left >= 0

    shown(work)


def test_parts_of_frames_add_up_to_whole_ones() -> None:
    def work(bar: Bar) -> None:
        bar.stage("painting", 7)
        for _ in range(70):
            bar.advance(0.1)

    assert "7/7" in shown(work)[0]


def test_notes_and_progress_before_any_stage_do_no_harm(lines: Read) -> None:
    def work(telling: Progressing) -> None:
        telling.advance(3)
        telling.count(chunks=(1, 2))
        telling.note("[odd] is no markup")

    shown(work)
    work(Silent())
    with Lines() as telling:
        work(telling)
    assert lines() == [{"event": "note", "text": "[odd] is no markup"}]


def test_without_a_terminal_progress_is_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert isinstance(progress(), Lines)
    assert isinstance(progress("holiday.mp4"), Lines)
