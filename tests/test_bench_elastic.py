"""What a run on the fake cloud has to show before it counts as one that went well."""

from dataclasses import replace

import pytest

from jobs.bench_elastic import Run
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
        replace(MANY, idle_before=0),
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
