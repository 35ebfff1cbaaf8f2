"""What is asked of a cluster that grows, and which steps lag behind."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.demand import Left, share, stylizers, waiting
from jobs.stragglers import Stragglers


def test_gpus_that_are_there_are_used_as_long_as_there_is_a_chunk_for_each() -> None:
    for chunks, wanted in ((9, 3), (2, 2), (1, 1), (0, 0)):
        assert stylizers(Left(chunks, True, 1.0), gpus=3, grows=False, most=None) == wanted
    assert stylizers(Left(0, False, None), gpus=3, grows=False, most=None) == 3


def test_the_first_gpu_is_waited_for_before_anything_is_known() -> None:
    assert stylizers(Left(0, False, None), gpus=0, grows=True, most=None) == 1
    assert stylizers(Left(9, True, 0.0), gpus=0, grows=True, most=None) == 1
    assert stylizers(Left(9, True, 3000.0), gpus=0, grows=True, most=None) == 5, "by a forecast"


def test_machines_are_asked_for_only_if_they_find_work_for_minutes() -> None:
    assert stylizers(Left(500, True, 60.0), gpus=1, grows=True, most=None) == 1
    assert stylizers(Left(500, True, 6000.0), gpus=1, grows=True, most=None) == 9
    assert stylizers(Left(500, True, 6000.0), gpus=1, grows=True, most=4) == 4
    assert stylizers(Left(500, True, 6000.0), gpus=1, grows=False, most=None) == 1


@given(
    st.builds(
        Left, st.integers(0, 5000), st.booleans(), st.none() | st.floats(0, 1e7, allow_nan=False)
    ),
    st.integers(0, 100),
)
def test_never_more_is_wanted_than_there_are_chunks_and_never_too_many_at_a_time(
    left: Left, there: int
) -> None:
    found = stylizers(left, gpus=there, grows=True, most=None)
    assert found <= max(left.chunks, there if not left.planned else 0, 0 if left.planned else 1)
    assert found <= there + there // 4 + 8
    assert 1 <= waiting(left, cores=there) <= max(1, there // 4 + 8)


@given(st.integers(0, 200), st.integers(1, 20), st.integers(0, 20), st.integers(1, 9))
def test_who_is_up_leaves_as_much_for_each_that_comes_as_each_has(
    steps: int, wanted: int, up: int, deep: int
) -> None:
    found = share(steps, wanted=wanted, up=up, deep=deep)
    if found is None:
        assert up >= wanted or steps >= wanted * deep
        return
    assert up <= found <= up * deep, "each has something to do, and none too much"
    each = found // max(1, up)
    assert each <= 1 or steps - found >= (wanted - up) * each, "the rest does for the others"


def test_a_step_lags_once_it_takes_three_times_as_long_as_nearly_all() -> None:
    known = Stragglers()
    for seconds in (10.0,) * 7:
        known.note("film", "fill", seconds)
    assert known.limit("film", "fill") is None, "too few to say"
    for seconds in (10.0,) * 30:
        known.note("film", "fill", seconds)
    known.note("film", "fill", 500.0)
    assert known.limit("film", "fill") == 30.0
    assert known.limit("film", "paint") is None
    for _ in range(20):
        known.note("film", "paint", 0.1)
    assert known.limit("film", "paint") == 5.0, "shorter ones are not worth it"


def test_what_was_long_ago_does_not_count() -> None:
    known = Stragglers()
    for _ in range(300):
        known.note("film", "fill", 100.0)
    for _ in range(200):
        known.note("film", "fill", 10.0)
    assert known.limit("film", "fill") == 30.0
