"""The survey: a plan grows from the film's beginning, and no more is looked at than is needed."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.ledger import WorkFolder
from jobs.survey import Survey
from pipeline.media.color import ColorTags
from pipeline.media.container import Film
from pipeline.motion.analysis import rows_of
from pipeline.motion.rows import Analysis, write
from pipeline.plan import Plan, covering, plan
from pipeline.recipe import Recipe

FRAMES, SPAN = 400, 20
"""At two frames a second, each of which is a sync frame, a span is twenty frames."""
RECIPE = Recipe(style="made")


def slow_film() -> Film:
    """A film that nobody will decode."""
    ticks = np.arange(FRAMES, dtype=np.int64)
    return Film(
        path=Path("film.mkv"),
        fingerprint="f" * 64,
        container="matroska",
        stream=0,
        codec="ffv1",
        pixel_format="yuv420p",
        width=64,
        height=36,
        sample_aspect_ratio=None,
        rotation=0,
        color=ColorTags(1, 1, 1, full_range=False),
        time_base=Fraction(1, 2),
        frame_rate=Fraction(2),
        variable_rate=False,
        pts=ticks,
        durations=np.ones_like(ticks),
        dts=ticks,
        sync=np.ones(FRAMES, bool),
        entry_pts=ticks,
        entry_dts=ticks,
        opening=0,
        tracks=(),
        timecode=None,
    )


FILM = slow_film()
SIZE = (64, 36)


def rows(cuts: Sequence[int]) -> Analysis:
    """Rows of a quiet film with cuts."""
    ones = np.ones(FRAMES, np.float32)
    return Analysis(
        start=0,
        cut=np.isin(np.arange(FRAMES), cuts).astype(np.float32),
        hole=0 * ones,
        residual=ones,
        gain=ones,
        luma=100 * ones,
        content=0 * ones,
        gradient=ones,
        still=np.zeros(FRAMES, bool),
        bars=np.zeros((FRAMES, 4), np.int32),
        colors=np.full((FRAMES, 32), 100, np.uint8),
    )


def look(survey: Survey, whole: Analysis, span: tuple[int, int]) -> None:
    """Have a span analysed."""
    start, stop = rows_of(*span, frames=FRAMES)
    columns = {
        field.name: getattr(whole, field.name)[start:stop]
        for field in fields(Analysis)
        if field.name != "start"
    }
    part = survey.work.attempt(".parquet")
    write(Analysis(start=start, **columns), part)
    survey.accept(span, part)


def look_on(survey: Survey, whole: Analysis) -> int:
    """Have spans analysed as long as any is missing; gives how many."""
    count = 0
    while missing := survey.missing():
        look(survey, whole, missing[0])
        count += 1
    return count


def planned(whole: Analysis) -> Plan:
    return plan(whole, RECIPE, size=SIZE)


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    folder = WorkFolder(tmp_path / "film.work")
    folder.create()
    return folder


@given(
    cuts=st.lists(st.integers(1, FRAMES - 1), max_size=12),
    order=st.permutations(range(FRAMES // SPAN)),
    start=st.integers(0, FRAMES - 1),
    length=st.none() | st.integers(1, 150),
)
@settings(max_examples=10, deadline=None)
def test_a_plan_grows_from_the_beginning_and_ends_as_the_whole_films(
    cuts: list[int], order: list[int], start: int, length: int | None
) -> None:
    whole, wanted = rows(cuts), None if length is None else (start, min(FRAMES, start + length))
    with TemporaryDirectory() as folder:
        work = WorkFolder(Path(folder) / "film.work")
        work.create()
        survey = Survey(FILM, RECIPE.model_copy(update={"frames": wanted}), work)
        assert survey.spans == [(a, a + SPAN) for a in range(0, FRAMES, SPAN)]
        seen: tuple[object, ...] = ()
        for number in order:
            look(survey, whole, survey.spans[number])
            assert survey.chunks()[: len(seen)] == seen, "what is settled stays"
            seen = survey.chunks()
            if survey.complete:
                break
        assert survey.complete
        assert survey.missing() == []
        assert seen == covering(planned(whole), *(wanted or (0, FRAMES)))
        assert survey.plan is not None
        count = len(survey.plan.chunks)
        assert survey.plan.chunks == planned(whole).chunks[:count]


def test_chunks_are_settled_while_the_film_is_looked_at(work: WorkFolder) -> None:
    survey, whole = Survey(FILM, RECIPE, work), rows(range(60, FRAMES, 60))
    for span in survey.spans[: FRAMES // SPAN // 2]:
        look(survey, whole, span)
    assert not survey.complete
    assert survey.frames_known == FRAMES // 2
    assert survey.chunks() == planned(whole).chunks[: len(survey.chunks())]
    assert survey.chunks()[-1].stop >= 120


def test_a_film_of_one_shot_is_planned_once_all_of_it_is_known(work: WorkFolder) -> None:
    survey, whole = Survey(FILM, RECIPE, work), rows(())
    for span in survey.spans[:-1]:
        look(survey, whole, span)
        assert survey.chunks() == ()
    look(survey, whole, survey.spans[-1])
    assert survey.plan == planned(whole)


def test_frames_need_no_more_spans_than_they_must(work: WorkFolder) -> None:
    whole = rows((50, 100, 150, 200))
    survey = Survey(FILM, RECIPE.model_copy(update={"frames": (60, 70)}), work)
    assert look_on(survey, whole) == 160 // SPAN, "until the cut at 150 is known"
    assert [(c.start, c.stop) for c in survey.chunks()] == [(50, 100)]


def test_frames_at_the_end_need_every_span(work: WorkFolder) -> None:
    survey = Survey(FILM, RECIPE.model_copy(update={"frames": (398, 400)}), work)
    assert look_on(survey, rows((50, 100))) == FRAMES // SPAN


def test_spans_of_an_earlier_run_are_not_looked_at_again(work: WorkFolder) -> None:
    whole = rows((100, 200))
    survey = Survey(FILM, RECIPE, work)
    for span in survey.spans[3:7]:
        look(survey, whole, span)
    again = Survey(FILM, RECIPE, work)
    assert again.frames_known == 4 * SPAN
    assert look_on(again, whole) == FRAMES // SPAN - 4
    last = Survey(FILM, RECIPE, work)
    assert last.complete
    assert last.missing() == []
    assert last.plan == again.plan == planned(whole)


def test_the_plan_is_left_in_the_work_folder_once(work: WorkFolder) -> None:
    survey = Survey(FILM, RECIPE, work)
    look_on(survey, rows((100,)))
    Survey(FILM, RECIPE, work)
    assert len(list((work.path / "plans").iterdir())) == 1


def _flip(content: bytes) -> bytes:
    at = len(content) // 4
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda _: b"",
        lambda _: b"no table at all",
        lambda content: content[:-200],
        lambda content: content[:300],
        lambda content: content[:300] + bytes(200) + content[500:],
        lambda content: content.replace(b"bar_top", b"bar_tap"),
        lambda content: content.replace(b"gradient", b"gradiant"),
        _flip,
    ],
    ids=["empty", "text", "no-end", "cut-off", "zeros", "column", "field", "one-bit"],
)
def test_a_part_that_is_damaged_is_looked_at_again(
    work: WorkFolder, damaged: Callable[[bytes], bytes]
) -> None:
    whole = rows((100, 200))
    survey = Survey(FILM, RECIPE, work)
    look_on(survey, whole)
    part = sorted((work.path / "analysis").iterdir())[5]
    part.write_bytes(damaged(part.read_bytes()))
    again = Survey(FILM, RECIPE, work)
    assert not again.complete
    assert len(again.missing()) == 1
    assert look_on(again, whole) == 1
    assert again.plan == planned(whole)
    assert Survey(FILM, RECIPE, work).complete
