"""Keys under a cap: as few as allowed, where they leave least; the best places are known."""

from collections.abc import Collection, Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import BadRequest
from pipeline.keys import required
from pipeline.motion.rows import Analysis, first
from pipeline.outlook import expected_loss
from pipeline.placement import allot, ways
from pipeline.plan import Plan, plan, settled
from pipeline.recipe import Recipe, digest, read_recipe

SIZE = (640, 360)


def rows(
    hole: Sequence[float], *, still: Collection[int] = (), cuts: Collection[int] = ()
) -> Analysis:
    """Rows of a film with such holes."""
    n, frames = len(hole), np.arange(len(hole))
    stands = np.isin(frames, list(still))
    return Analysis(
        start=0,
        cut=np.isin(frames, list(cuts)).astype(np.float32),
        hole=np.where(stands, 0, hole).astype(np.float32),
        residual=np.ones(n, np.float32),
        gain=np.ones(n, np.float32),
        luma=np.full(n, 100, np.float32),
        content=np.where(stands, 0, 1e-4).astype(np.float32),
        gradient=np.ones(n, np.float32),
        still=stands,
        bars=np.zeros((n, 4), np.int32),
        colors=np.full((n, 32), 100, np.uint8),
    )


def planned(analysis: Analysis, **chosen: object) -> Plan:
    return plan(analysis, Recipe.model_validate({"style": "x"} | chosen), size=SIZE)


def keys_of(whole: Plan) -> list[int]:
    return sorted({key for c in whole.chunks for part in c.parts for key in part.keys})


def loss_of(whole: Plan, analysis: Analysis) -> float:
    parts = [part for chunk in whole.chunks for part in chunk.parts]
    return sum(float(expected_loss(analysis, part.keys).sum()) for part in parts)


def brute(fixed: Sequence[int], analysis: Analysis, more: int) -> float:
    """The least loss of any choice of so many more keys, or fewer, tried one by one."""
    free = [t for t in range(fixed[0], fixed[-1] + 1) if not analysis.still[t] and t not in fixed]
    counts = range(min(more, len(free)) + 1)
    return min(
        float(expected_loss(analysis, sorted({*fixed, *chosen})).sum())
        for count in counts
        for chosen in combinations(free, count)
    )


@st.composite
def short_parts(draw: st.DrawFn) -> tuple[Analysis, tuple[int, ...]]:
    """A part of at most 11 frames, and keys that stand already."""
    n = draw(st.integers(2, 11))
    hole = draw(st.lists(st.sampled_from([0.0, 0.05, 0.3, 0.9]), min_size=n, max_size=n))
    analysis = rows(hole, still=draw(st.sets(st.integers(1, n - 1), max_size=n // 2)))
    forced = draw(st.sets(st.integers(0, n - 1), max_size=2))
    return analysis, required(0, n - 1, still=analysis.still, forced=sorted(forced))


@given(short_parts(), st.integers(0, 5))
@settings(deadline=None, max_examples=60)
def test_in_a_short_part_no_choice_of_keys_is_better(
    part: tuple[Analysis, tuple[int, ...]], more: int
) -> None:
    analysis, fixed = part
    found = ways(fixed, analysis, most=more)
    chosen = found.keys(found.left.size - 1)
    assert set(fixed) <= set(chosen)
    assert len(chosen) <= len(fixed) + more
    least = brute(fixed, analysis, more)
    assert float(expected_loss(analysis, chosen).sum()) == pytest.approx(least, abs=1e-12)


@given(short_parts(), short_parts(), st.integers(0, 6))
@settings(deadline=None, max_examples=40)
def test_two_parts_share_their_keys_as_no_other_sharing_betters_by_much(
    one: tuple[Analysis, tuple[int, ...]], other: tuple[Analysis, tuple[int, ...]], total: int
) -> None:
    curves = [ways(fixed, analysis, most=total).left for analysis, fixed in (one, other)]
    shares = allot(curves, total)
    assert shares is not None
    assert sum(shares) <= total
    left = sum(curve[share] for curve, share in zip(curves, shares, strict=True))
    every = [
        curves[0][a] + curves[1][b]
        for a in range(curves[0].size)
        for b in range(curves[1].size)
        if a + b <= total
    ]
    largest = max(float(curve[0]) for curve in curves)
    assert min(every) <= left <= min(every) + 0.5 * largest


def test_convex_curves_are_shared_as_well_as_can_be() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        curves = [
            np.concatenate([[0.0], -np.cumsum(np.sort(random.random(5))[::-1])]) + 9
            for _ in range(3)
        ]
        for total in range(9):
            shares = allot(curves, total)
            assert shares is not None
            left = sum(c[s] for c, s in zip(curves, shares, strict=True))
            gains = np.sort(np.concatenate([-np.diff(c) for c in curves]))[::-1]
            assert left == pytest.approx(27 - gains[:total].sum())


def test_keys_go_to_the_shot_that_moves() -> None:
    film = rows([0.01] * 60 + [0.3] * 60, cuts=[60])
    chosen = keys_of(planned(film, max_keys="10%"))
    assert len(chosen) == 12
    assert sum(key < 60 for key in chosen) <= 4


def test_keys_stand_closer_in_the_half_of_a_shot_that_moves() -> None:
    chosen = keys_of(planned(rows([0.01] * 30 + [0.4] * 31), max_keys=8))
    assert len(chosen) == 8
    assert sum(key > 30 for key in chosen) >= 5


def test_quiet_film_has_even_gaps() -> None:
    chosen = keys_of(planned(rows([0.0] * 41), max_keys=5))
    assert chosen == [0, 10, 20, 30, 40]


@given(
    st.integers(1, 260),
    st.sets(st.integers(1, 259), max_size=6),
    st.sets(st.integers(1, 259), max_size=60),
    st.integers(0, 2**32),
    st.sampled_from(["8%", "15%", "40%", "100%", 12, 40]),
)
@settings(deadline=None, max_examples=40)
def test_a_capped_plan_keeps_the_cap_and_the_rules(
    n: int, cuts: set[int], still: set[int], seed: int, cap: str | int
) -> None:
    hole = np.random.default_rng(seed).random(n) * 0.3
    film = rows(hole.tolist(), still=sorted(still - cuts), cuts=sorted(cuts))
    recipe = Recipe(style="x", max_keys=cap)
    try:
        whole = plan(film, recipe, size=SIZE)
    except BadRequest as error:
        needed = int(str(error).split("needs ")[1].split(":")[0])
        assert needed > (recipe.most_keys(n) or 0)
        whole = planned(film, max_keys=needed)
        recipe = Recipe(style="x", max_keys=needed)
    free = planned(film)
    chosen = keys_of(whole)
    assert len(chosen) <= (recipe.most_keys(n) or 0)
    assert whole.shots == free.shots
    for ours, theirs in zip(whole.chunks, free.chunks, strict=True):
        for part, other in zip(ours.parts, theirs.parts, strict=True):
            assert (part.start, part.stop, part.keys[0]) == (other.start, other.stop, part.start)
            assert part.keys[-1] == other.keys[-1]
            for a, b in pairwise(part.keys):
                assert np.count_nonzero(~film.still[a + 1 : b + 1]) <= 48
    for key in chosen:
        head = key
        while film.still[head]:
            head -= 1
        assert head in chosen
    if len(keys_of(free)) <= len(chosen):
        assert loss_of(whole, film) <= loss_of(free, film) + 1e-12


def test_given_keys_stand_under_a_cap() -> None:
    film = rows([0.1] * 60)
    chosen = keys_of(planned(film, max_keys=5, given=((7, "a"), (31, "b"))))
    assert {0, 7, 31, 59} < set(chosen)
    assert len(chosen) == 5


def test_a_cap_needs_all_of_the_film() -> None:
    film = rows([0.1] * 400, cuts=[80, 160, 240])
    assert settled(first(film, 300), Recipe(style="x"), size=SIZE) is not None
    assert settled(first(film, 300), Recipe(style="x", max_keys="15%"), size=SIZE) is None


def test_too_low_a_cap_is_refused_with_what_is_needed() -> None:
    film = rows([0.1] * 400, cuts=range(10, 400, 10))
    with pytest.raises(BadRequest, match=r"--max-keys 5% is 20 of 400 frames, and .* needs 80: "):
        planned(film, max_keys="5%")
    assert len(keys_of(planned(film, max_keys="20%"))) == 80


@pytest.mark.parametrize(
    ("given", "kept"), [("15%", "15%"), ("2.5 %", "2.5%"), (30, 30), ("30", 30), ("100%", "100%")]
)
def test_a_cap_is_a_share_or_a_number(given: object, kept: object) -> None:
    recipe = read_recipe({"style": "x", "max_keys": given})
    assert recipe.max_keys == kept
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("given", ["0%", "101%", "0", -3, "few", True, 0.15, "15 percent", "%"])
def test_other_caps_are_refused(given: object) -> None:
    with pytest.raises(BadRequest, match=r"max_keys: should be .* as 15%"):
        read_recipe({"style": "x", "max_keys": given})


def test_a_cap_and_a_distance_exclude_each_other() -> None:
    with pytest.raises(BadRequest, match="leave keys at auto"):
        read_recipe({"style": "x", "max_keys": "15%", "keys": 8})


def test_a_cap_touches_only_chunks_whose_keys_it_moves() -> None:
    assert digest(Recipe(style="x"), "plan") == digest(Recipe(style="x", max_keys=9), "plan")
