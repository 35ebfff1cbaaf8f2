"""Reports: what is shown follows from the rows, and nothing in a name can become a tag."""

import re
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.markup import Html, element, safe, table
from jobs.report_chart import codes, curves, even_steps
from jobs.report_choice import MOST_SHOTS, excess, shots, some, stretches, worst
from jobs.report_facts import sums
from jobs.report_video import played
from pipeline.judge.tables import Row


def row(frame: int, loss: float | None = 1e-4, *, key: bool = False, budget: float = 3e-4) -> Row:
    """A row of a frame that could be judged."""
    return Row(
        frame, 40 * frame, key, hole=0.0, loss=loss, content=1e-4, budget=budget, coverage=0.9
    )


def opening(frame: int) -> Row:
    """The first row of a shot."""
    return Row(frame, 40 * frame, key=True)


def times(count: int, *, rate: int = 25) -> list[Fraction]:
    """When the frames of a film appear."""
    return [Fraction(i, rate) for i in range(count + 1)]


# -- what is shown ---------------------------------------------------------------------------------


def test_a_shot_begins_where_nothing_could_be_compared() -> None:
    found = shots([opening(0), row(1), opening(2), row(3), row(4, key=True)])
    assert [(s.number, s.start, s.stop, s.keys) for s in found] == [(1, 0, 2, 1), (2, 2, 5, 2)]
    assert [s.worst for s in found] == [1, 3]


def test_a_frame_of_which_too_little_can_be_judged_begins_no_shot() -> None:
    dark = Row(1, 40, key=False, hole=0.9, coverage=0.1)
    assert len(shots([opening(0), dark, row(2)])) == 1


def test_the_worst_frames_are_those_furthest_over_their_budget() -> None:
    rows = [opening(0), row(1, 9e-4, budget=9e-3), row(2, 4e-4, budget=2e-4), row(3, 2e-4)]
    assert worst(rows) == [2, 3, 1]
    assert worst(rows, count=1) == [2]


def test_the_first_frame_of_a_part_of_a_film_is_never_among_the_worst() -> None:
    assert worst([row(100, 9e-1), row(101)]) == [1]


def test_what_stands_still_or_could_not_be_judged_is_not_among_the_worst() -> None:
    assert worst([opening(0), row(1, 0.0), row(2, None)]) == []


def test_a_short_film_plays_whole() -> None:
    rows = [opening(0), *(row(i) for i in range(1, 300))]
    found = stretches(rows, times(300))
    assert [(s.start, s.stop) for s in found] == [(0, 300)]


@settings(max_examples=40, deadline=None)
@given(count=st.integers(400, 3000), bad=st.integers(1, 399), rate=st.sampled_from([10, 24, 25]))
def test_a_long_film_plays_in_stretches_that_show_its_worst_frame(
    count: int, bad: int, rate: int
) -> None:
    rows = [opening(0), *(row(i, 1e-2 if i == bad else 1e-5) for i in range(1, count))]
    found = stretches(rows, times(count, rate=rate))
    assert any(s.start <= bad < s.stop for s in found)
    assert all(a.stop <= b.start for a, b in pairwise(found))
    assert found[0].start >= 0
    assert found[-1].stop <= count
    assert sum(s.stop - s.start for s in found) <= 40 * rate


def test_stretches_play_one_after_the_other() -> None:
    rows = [opening(0), *(row(i) for i in range(1, 1000))]
    found = stretches(rows, times(1000))
    heard = played(times(1000), found)
    assert len(heard) == 1 + sum(s.stop - s.start for s in found)
    assert {b - a for a, b in pairwise(heard)} == {Fraction(1, 25)}


def test_a_sheet_of_many_shots_has_the_worst_and_some_between() -> None:
    rows = [r for i in range(500) for r in (opening(2 * i), row(2 * i + 1, i % 7 * 1e-5))]
    rows[601] = row(601, 1e-2)
    found = shots(rows)
    chosen = some(found, rows)
    assert len(chosen) == len({s.number for s in chosen}) == MOST_SHOTS
    assert 301 in {s.number for s in chosen}
    assert [s.number for s in chosen] == sorted(s.number for s in chosen)
    assert some(found[:5], rows) == found[:5]


def test_sums_leave_out_what_was_not_measured() -> None:
    found = sums([opening(0), row(1, 1e-4), row(2, 5e-4), row(3, None)])
    assert (found.frames, found.keys, found.judged, found.over) == (4, 1, 2, 1)
    assert found.mean == pytest.approx(3e-4)
    assert found.worst == 5e-4


def test_nothing_measured_has_no_mean() -> None:
    found = sums([opening(0)])
    assert (found.mean, found.worst, found.hole, found.over) == (None, None, None, 0)


def test_a_frame_without_a_budget_has_no_excess() -> None:
    assert excess(opening(0)) is None


# -- chart -----------------------------------------------------------------------------------------


def test_the_floor_is_the_budget_without_the_knob_or_else_the_films_own_error() -> None:
    rows = [opening(0), row(1, budget=6e-4)]
    assert curves(rows, 3.0).floor == [None, pytest.approx(2e-4)]
    assert curves(rows, None).floor == [None, 1e-4]


def test_a_chart_is_as_high_as_its_worst_loss_and_never_flat() -> None:
    assert curves([opening(0), row(1, 1e-2)], 3.0).most > codes(1e-2)
    assert curves([opening(0)], 3.0).most > 4


@given(most=st.floats(0.01, 1e5), count=st.integers(1, 10))
def test_steps_are_even_and_not_too_many(most: float, count: int) -> None:
    step = even_steps(most, count)
    assert most / step <= count * (1 + 1e-6)
    assert re.fullmatch("[125]0*", f"{step / 1e-6:.0f}")


# -- markup ----------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    """Collects what is a tag and what is text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""
        self.values: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_stays_text(text: str) -> None:
    read = _Reader(element("p", text, attributes={"title": text}))
    assert read.tags == ["p"]
    assert read.text == text
    assert read.values == [text]


def test_names_that_no_page_can_hold_are_made_harmless() -> None:
    assert safe("a\x00b\x1b[31m\x7f") == "a?b?[31m?"
    assert safe("\udcff") == "?"


def test_what_is_html_is_not_escaped_twice() -> None:
    assert element("b", element("i", "&")) == "<b><i>&amp;</i></b>"
    assert isinstance(element("b"), Html)


def test_a_table_escapes_names_and_values() -> None:
    assert _Reader(table([("<b>", "</td><script>")])).text == "<b></td><script>"


def test_the_page_itself_loads_nothing() -> None:
    folder = Path(__file__).parent.parent / "jobs" / "page"
    for part in ("report.html", "report.css", "report.js"):
        text = (folder / part).read_text("utf-8")
        assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|innerHTML", text)
        assert set(re.findall(r"\w+://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_names_of_the_pages_parts_are_those_that_the_script_asks_for() -> None:
    folder = Path(__file__).parent.parent / "jobs"
    script = (folder / "page" / "report.js").read_text("utf-8")
    made = (folder / "page" / "report.html").read_text("utf-8")
    made += (folder / "report_chart.py").read_text("utf-8")
    asked = set(re.findall(r'(?:get|getElementById)\("([\w-]+)"\)', script))
    for name in asked:
        assert f'"{name}"' in made, name
