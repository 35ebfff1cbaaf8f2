"""Stylizers: one a GPU, replaced when they die, sent home when they are too many for a while."""

from collections import Counter

import pytest
from hands import Hands, StandInEngine

from jobs.stylists import Stylists
from pipeline.errors import ClusterFailed


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """Two GPUs."""
    return Hands(gpus=2).patch(monkeypatch)


def stylists(hands: Hands) -> Stylists:
    return Stylists(StandInEngine(hands), clock=hands.clock)  # type: ignore[arg-type]


def alive(hands: Hands) -> list[int]:
    return [actor.number for actor in hands.actors if actor.alive]


def test_as_many_are_begun_as_are_wanted_and_the_dead_are_replaced(hands: Hands) -> None:
    found = stylists(hands)
    found.want(2)
    assert found.numbers == [0, 1]
    found.want(2)
    assert len(hands.actors) == 2
    found.lost(0)
    assert found.numbers == [1, 2]
    found.kill(1)
    assert (found.numbers, alive(hands)) == ([2, 3], [0, 2, 3])
    found.lost(0)
    assert len(hands.actors) == 4, "it was known to be dead"


def test_who_has_the_least_to_do_is_next(hands: Hands) -> None:
    found = stylists(hands)
    found.want(2)
    assert found.free(Counter()) == 4
    assert found.free(Counter({0: 2, 1: 1})) == 1
    assert found.least_busy(Counter({0: 2, 1: 1})) == 1


def test_who_is_too_many_for_a_while_and_has_nothing_to_do_goes_home(hands: Hands) -> None:
    found = stylists(hands)
    found.want(2)
    found.retire({})
    found.want(1)
    found.retire({})
    assert alive(hands) == [0, 1], "it may be wanted again in a moment"
    hands.now += 16
    found.retire({0: 1, 1: 1})
    assert alive(hands) == [0, 1], "both have something to do"
    found.retire({0: 1})
    assert alive(hands) == [0]
    found.want(2)
    assert found.numbers == [0, 2]


def test_without_a_gpu_a_job_ends_after_a_minute_or_later_where_machines_may_come(
    hands: Hands,
) -> None:
    found = stylists(hands)
    found.want(2)
    hands.gpus = 0
    hands.now += 59
    found.check(grows=False)
    hands.now += 2
    found.check(grows=True)
    with pytest.raises(ClusterFailed, match="no GPU is left"):
        found.check(grows=False)
    hands.gpus = 1
    found.check(grows=False)
