"""Plans: shots tile the film, every frame is made once, keys keep their distance."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.keys import keys
from pipeline.media.color import Rect
from pipeline.motion.rows import Analysis, first
from pipeline.plan import Plan, covering, identity, plan, settled
from pipeline.recipe import Recipe

SIZE = (640, 360)


def rows(
    n: int,
    *,
    cuts: tuple[int, ...] = (),
    hole: float = 0.0,
    still: tuple[int, ...] = (),
    gain: dict[int, float] | None = None,
    luma: float = 100.0,
    bars: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Analysis:
    """Rows of a quiet film, with what is asked for."""
    frames = np.arange(n)
    changes = np.ones(n, np.float32)
    for t, change in (gain or {}).items():
        changes[t] = change
    return Analysis(
        start=0,
        cut=np.isin(frames, cuts).astype(np.float32),
        hole=np.full(n, hole, np.float32),
        residual=np.ones(n, np.float32),
        gain=changes,
        luma=(luma * np.cumprod(changes)).astype(np.float32),
        content=np.zeros(n, np.float32),
        gradient=np.ones(n, np.float32),
        still=np.isin(frames, still),
        bars=np.tile(np.array(bars, np.int32), (n, 1)),
        colors=np.full((n, 32), 100, np.uint8),
    )


def planned(analysis: Analysis, **settings: object) -> Plan:
    return plan(analysis, Recipe.model_validate({"style": "x"} | settings), size=SIZE)


@st.composite
def films(draw: st.DrawFn) -> tuple[Analysis, Recipe]:
    """Films of cuts, holes and freezes at random."""
    n = draw(st.integers(1, 420))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    cut = random.random(n) < draw(st.sampled_from([0.0, 0.01, 0.1, 0.9]))
    still = (random.random(n) < draw(st.sampled_from([0.0, 0.3, 0.97]))) & ~cut
    still[0] = False
    base = rows(n)
    analysis = Analysis(
        start=0,
        cut=cut.astype(np.float32),
        hole=np.where(still, 0, random.random(n) * draw(st.sampled_from([0.0, 0.1, 1.0]))).astype(
            np.float32
        ),
        residual=base.residual,
        gain=np.exp(random.normal(0, draw(st.sampled_from([0.0, 0.05])), n)).astype(np.float32),
        luma=base.luma,
        content=base.content,
        gradient=base.gradient,
        still=still,
        bars=base.bars,
        colors=base.colors,
    )
    settings = {"keys": draw(st.sampled_from(["auto", 1, 2, 9, 500]))}
    settings["max_gap"] = draw(st.integers(1, 20))
    return analysis, Recipe.model_validate({"style": "x"} | settings)


@given(films())
@settings(deadline=None)
def test_shots_and_chunks_tile_the_film_and_each_frame_is_made_once(
    film: tuple[Analysis, Recipe],
) -> None:
    analysis, recipe = film
    whole = plan(analysis, recipe, size=SIZE)
    n = len(analysis)
    assert [t for s in whole.shots for t in range(s.start, s.stop)] == list(range(n))
    parts = [part for chunk in whole.chunks for part in chunk.parts]
    assert [t for p in parts for t in range(p.start, p.stop)] == list(range(n))
    assert [chunk.index for chunk in whole.chunks] == list(range(len(whole.chunks)))
    for part in parts:
        shot = whole.shots[part.shot]
        assert shot.start <= part.start < part.stop <= shot.stop
        assert part.opens == (part.start == shot.start)
        assert part.closes == (part.stop == shot.stop)
    for chunk in whole.chunks:
        assert len(chunk.parts) == 1 or all(p.opens and p.closes for p in chunk.parts)
        assert chunk.stop - chunk.start <= 144


@given(films())
@settings(deadline=None)
def test_keys_stand_at_both_ends_and_keep_their_distance(film: tuple[Analysis, Recipe]) -> None:
    analysis, recipe = film
    most = recipe.max_gap if recipe.keys == "auto" else recipe.keys
    for part in (p for c in plan(analysis, recipe, size=SIZE).chunks for p in c.parts):
        assert part.keys[0] == part.start
        assert part.keys[-1] == (part.stop - 1 if part.closes else part.stop)
        assert list(part.keys) == sorted(set(part.keys))
        for a, b in pairwise(part.keys):
            assert np.count_nonzero(~analysis.still[a + 1 : b + 1]) <= most
            if recipe.keys == "auto" and np.count_nonzero(~analysis.still[a + 1 : b + 1]) > 1:
                assert analysis.hole[a + 1 : b + 1].sum() <= 0.48 + 1e-3


@given(films())
@settings(deadline=None)
def test_a_key_within_a_freeze_is_a_key_at_its_head_too(film: tuple[Analysis, Recipe]) -> None:
    analysis, recipe = film
    chosen = {
        key for c in plan(analysis, recipe, size=SIZE).chunks for p in c.parts for key in p.keys
    }
    for key in chosen:
        head = key
        while analysis.still[head]:
            head -= 1
        assert head in chosen


@given(films())
@settings(deadline=None)
def test_what_is_measured_does_not_depend_on_the_keys(film: tuple[Analysis, Recipe]) -> None:
    analysis, _ = film
    every, few = (plan(analysis, Recipe(style="x", keys=k), size=SIZE) for k in (1, 12))
    assert every.shots == few.shots
    for shot in every.shots:
        assert 1 <= len(shot.measure) <= 4
        assert list(shot.measure) == sorted(set(shot.measure))
        assert all(shot.start <= t < shot.stop for t in shot.measure)
        assert len(shot.gains) == shot.stop - shot.start
        assert all(1 / 16 <= gain <= 1 for gain in shot.gains)


@given(st.integers(1, 300), st.integers(1, 200))
def test_the_plan_of_the_first_shots_begins_the_plan_of_the_film(first: int, rest: int) -> None:
    short, long = planned(rows(first)), planned(rows(first + rest, cuts=(first,)))
    assert long.shots[0] == short.shots[0]
    made = [p for c in long.chunks for p in c.parts if p.shot == 0]
    assert made == [p for c in short.chunks for p in c.parts]


def test_gaps_are_even_and_not_left_over_short() -> None:
    chosen = keys(
        0,
        25,
        hole=np.zeros(26, np.float32),
        still=np.zeros(26, bool),
        recipe=Recipe(style="x"),
    )
    assert len(chosen) == 4
    assert max(b - a for a, b in pairwise(chosen)) == 9


def test_fixed_keys_are_evenly_spaced_from_the_start() -> None:
    (chunk,) = planned(rows(30), keys=8).chunks
    assert chunk.parts[0].keys == (0, 8, 16, 24, 29)


def test_every_frame_is_a_key_when_every_frame_is_painted() -> None:
    (chunk,) = planned(rows(30, still=(4, 5)), keys=1).chunks
    assert chunk.parts[0].keys == tuple(range(30))


def test_holes_bring_keys_closer() -> None:
    (chunk,) = planned(rows(25, hole=0.2)).chunks
    assert max(b - a for a, b in pairwise(chunk.parts[0].keys)) == 2


def test_a_freeze_is_painted_once() -> None:
    (chunk,) = planned(rows(60, still=tuple(range(11, 60)))).chunks
    assert chunk.parts[0].keys == (0, 10, 59)


def test_animation_on_twos_counts_its_drawings() -> None:
    (chunk,) = planned(rows(48, still=tuple(range(1, 48, 2)))).chunks
    assert all(b - a <= 24 for a, b in pairwise(chunk.parts[0].keys))
    assert len(chunk.parts[0].keys) == 4


def test_short_shots_share_a_chunk_and_long_ones_are_divided() -> None:
    whole = planned(rows(400, cuts=(20, 40, 60, 80, 380)))
    made = [[(p.start, p.stop) for p in chunk.parts] for chunk in whole.chunks]
    assert made == [
        [(0, 20), (20, 40), (40, 60)],
        [(60, 80)],
        [(80, 140)],
        [(140, 200)],
        [(200, 260)],
        [(260, 320)],
        [(320, 380)],
        [(380, 400)],
    ]


def test_a_seam_moves_to_the_head_of_a_freeze() -> None:
    first, second = planned(rows(140, still=tuple(range(63, 80)))).chunks
    assert (first.stop, second.start) == (62, 62)


@pytest.mark.parametrize(
    ("frames", "lengths"), [(95, [95]), (96, [48, 48]), (144, [72, 72]), (145, [48, 48, 49])]
)
def test_a_long_shot_makes_chunks_of_48_to_95_frames(frames: int, lengths: list[int]) -> None:
    assert [chunk.stop - chunk.start for chunk in planned(rows(frames)).chunks] == lengths


def test_a_part_of_a_film_is_made_by_the_chunks_of_the_whole_film() -> None:
    whole = planned(rows(400))
    assert [chunk.index for chunk in covering(whole, 65, 67)] == [0, 1]
    assert planned(rows(400), frames=(65, 67)) == whole


def test_a_shot_without_a_fade_has_unit_gain_throughout() -> None:
    assert planned(rows(90)).shots[0].gains == (1.0,) * 90


def test_a_fade_out_has_the_gains_that_were_measured() -> None:
    fade = dict.fromkeys(range(60, 70), 0.9)
    gains = planned(rows(70, gain=fade)).shots[0].gains
    assert gains[:60] == (1.0,) * 60
    assert gains[-1] == pytest.approx(0.9**10, rel=1e-3)


def test_gains_that_drift_are_held_by_the_luma() -> None:
    analysis = rows(100, gain=dict.fromkeys(range(1, 100), 0.97))
    analysis.luma[:] = 100
    assert min(planned(analysis).shots[0].gains) == pytest.approx(1 / 1.5, rel=1e-3)


def test_bars_are_cut_off_on_even_lines_and_only_if_they_are_kept() -> None:
    barred = rows(20, bars=(45, 46, 0, 0))
    assert planned(barred).shots[0].picture == Rect(44, 0, 272, 640)
    assert planned(barred, keep_bars=False).shots[0].picture == Rect(0, 0, 360, 640)


def test_one_lit_frame_in_a_dark_shot_says_where_the_bars_are() -> None:
    dark = rows(20, bars=(-1, -1, -1, -1))
    assert planned(dark).shots[0].picture == Rect(0, 0, 360, 640)
    dark.bars[7] = (40, 40, 0, 0)
    assert planned(dark).shots[0].picture == Rect(40, 0, 280, 640)


def test_a_dark_sky_is_no_bar() -> None:
    assert planned(rows(20, bars=(120, 0, 0, 0))).shots[0].picture == Rect(0, 0, 360, 640)


def test_faint_frames_are_not_measured() -> None:
    fade = dict.fromkeys(range(10, 20), 0.8)
    assert max(planned(rows(20, gain=fade)).shots[0].measure) <= 14


def test_an_identity_moves_with_what_touches_keys_and_with_nothing_else() -> None:
    whole = planned(rows(200))

    def named(*, weights: str = "w", before: str = "b", chunk: int = 1, **settings: object) -> str:
        recipe = Recipe.model_validate({"style": "x"} | settings)
        return identity(
            whole.chunks[chunk],
            whole,
            recipe,
            film="f",
            weights=weights,
            style="s",
            before=before,
        )

    assert named() == named(crf=30, frames=(2, 9), strength=0.5, flicker_budget=1)
    changed = (
        named(weights="v"),
        named(before="c"),
        named(keys=8),
        named(rho=0),
        named(chunk=0),
    )
    assert len({named(), *changed}) == 6
    assert named(chunk=0, before="b") == named(chunk=0, before="c"), "a shot begins anew"


def test_no_frames_and_a_late_start_are_refused() -> None:
    with pytest.raises(ValueError, match="got 0 from 0"):
        planned(rows(0))


@given(
    cuts=st.sets(st.integers(1, 399), max_size=30),
    known=st.integers(1, 400),
    each=st.integers(1, 4),
)
@settings(max_examples=80, deadline=None)
def test_the_beginning_of_a_film_is_planned_as_it_is_in_the_whole(
    cuts: set[int], known: int, each: int
) -> None:
    film = rows(400, cuts=tuple(cuts))
    film.colors[:] = 40 * (np.cumsum(film.cut).astype(int) % each)[:, None]
    whole = planned(film)
    early = settled(first(film, known), Recipe(style="x"), size=SIZE)
    if early is not None:
        assert early.chunks == whole.chunks[: len(early.chunks)]
        assert early.shots == whole.shots[: len(early.shots)]


def test_a_shot_that_looks_like_one_before_has_its_set_up() -> None:
    film = rows(300, cuts=(100, 200))
    film.colors[100:200] = 40
    parts = [part for chunk in planned(film).chunks for part in chunk.parts]
    assert [(part.shot, part.setup) for part in parts] == [(0, 0)] * 2 + [(1, 1)] * 2 + [(2, 0)] * 2


def test_an_identity_moves_with_what_the_set_up_is_measured_on() -> None:
    one, other = (rows(300, cuts=(100, 200)) for _ in range(2))
    one.colors[100:200] = other.colors[:200] = 40

    def named(whole: Plan) -> list[str]:
        facts = {"film": "f", "weights": "w", "style": "s"}
        recipe = Recipe(style="x")
        return [identity(c, whole, recipe, **facts, before=None) for c in whole.chunks]

    first, second = named(planned(one)), named(planned(other))
    assert first[:2] == second[:2]
    assert first[2] != second[2], "its own shot is measured, or the first"
    assert first[4] != second[4], "the first shot is measured, or its own"


def test_a_cut_soon_after_the_wanted_frames_settles_their_plan() -> None:
    film = rows(400, cuts=(80, 160, 240))
    early = settled(first(film, 200), Recipe(style="x"), size=SIZE)
    assert early is not None
    assert early.chunks[-1].stop == 80
    assert settled(first(film, 90), Recipe(style="x"), size=SIZE) is None
