"""What a run on the fake cloud has to show before it counts as one that went well."""

from dataclasses import replace

import pytest

from jobs.bench_elastic import Run, sent_home
from jobs.fake_cloud import Seen

MANY = Run("many", 14, 2, 2, 15.0, 90.0, 1, 0.1, 10.0, True, ())
KILLED = Run("killed", 14, 3, 2, 15.0, 40.0, 0, 0.4, 11.0, False, ())


def test_runs_that_grow_and_shrink_go_well() -> None:
    assert MANY.well
    assert KILLED.well
    assert replace(MANY, name="few", chunks=2, allowed=3, most=1).well


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MANY, most=1),
        replace(MANY, most=3),
        replace(MANY, home=0),
        replace(MANY, painted=False),
        replace(MANY, gone=200.0),
        replace(MANY, name="few", chunks=1, allowed=3, most=2),
        replace(KILLED, unwanted=60.0),
        replace(KILLED, painted=True),
        replace(KILLED, most=0),
    ],
)
def test_a_run_in_which_machines_do_not_come_or_stay_too_long_does_not(wrong: Run) -> None:
    assert not wrong.well


def test_a_look_is_the_same_whenever_it_is_taken() -> None:
    seen = Seen(at=1.0, machines=2, idle=0, coming=1, wanted=1)
    assert seen.same(replace(seen, at=9.0))
    assert not seen.same(replace(seen, wanted=0))


def test_a_stylizer_was_sent_home_if_a_gpu_is_idle_that_was_not_before_the_end_comes() -> None:
    def looks(*busy: tuple[int, int]) -> list[Seen]:
        """By machines, and those among them that are idle; every ten seconds."""
        return [Seen(10.0 * at, up, idle, 0, 0) for at, (up, idle) in enumerate(busy)]

    assert sent_home(looks((1, 1), (1, 0), (2, 1), (2, 0), (2, 1), (2, 2)), ended=56) == (2, 40)
    assert sent_home(looks((1, 1), (1, 0), (2, 1), (2, 0), (2, 1), (2, 2)), ended=51) == (1, 40)
    assert sent_home(looks((1, 1), (1, 0), (2, 1), (2, 0)), ended=31) == (0, 31)
    waited_for = replace(Seen(50.0, 1, 1, 0, 1), at=20.0)
    assert sent_home([*looks((1, 1), (1, 0)), waited_for], ended=90) == (0, 90)
