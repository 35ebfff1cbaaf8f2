"""Attempts: a batch runs once, goes on with its next attempt, and is known again by its content."""

from dataclasses import replace

import pytest

from jobs.attempts import (
    Attach,
    Attempt,
    Begin,
    Over,
    State,
    attempt_id,
    attempt_of,
    batch_of,
    labels,
    next_step,
)
from pipeline.errors import BadRequest

ONE = Attempt(
    id="night-aaaaaaaaaa-1",
    batch="aaaaaaaaaa",
    number=1,
    run="r1",
    job="night.yaml",
    folder="/srv/night.yaml.batch",
    result="/srv/night.yaml.batch/night.yaml.result.json",
    films=3,
    state="failed",
)


def step(*known: Attempt, batch: str = ONE.batch, again: bool = False) -> object:
    """What submitting means now."""
    return next_step(known, batch=batch, folder=ONE.folder, again=again)


def test_the_first_attempt_is_one_and_the_next_follows_the_last() -> None:
    two = replace(ONE, number=2, state="stopped")
    assert step() == Begin(1, None)
    assert step(two, ONE) == Begin(3, two)


@pytest.mark.parametrize("state", ["pending", "running"])
def test_a_live_attempt_is_attached_to(state: State) -> None:
    two = replace(ONE, number=2, state=state)
    assert step(ONE, two) == Attach(two)
    assert step(ONE, two, again=True) == Attach(two)


def test_a_batch_that_is_done_is_over_unless_it_is_wanted_again() -> None:
    done = replace(ONE, state="done")
    assert step(done) == Over(done)
    assert step(done, again=True) == Begin(2, done)


def test_another_version_that_runs_in_the_folder_is_in_the_way() -> None:
    with pytest.raises(BadRequest, match=r"night-aaaaaaaaaa-1 works on another version.*--replace"):
        step(replace(ONE, state="running"), batch="bbbbbbbbbb")
    assert step(ONE, batch="bbbbbbbbbb") == Begin(1, None)


def test_an_attempt_is_read_again_from_what_ray_keeps_with_it() -> None:
    kept = labels(ONE, "0.1.0")
    assert attempt_of(ONE.id, "FAILED", kept) == ONE
    assert attempt_of(ONE.id, "FAILED", {**kept, "reelbrush.number": "x"}) is None
    assert attempt_of(ONE.id, "NEVER", kept) is None
    assert attempt_of("raysubmit_x", "RUNNING", {"reelbrush.for": ONE.id}) is None


def test_a_batch_is_its_content_and_the_films_that_are_wanted() -> None:
    known = {batch_of(b"a"), batch_of(b"b"), batch_of(b"a", ["x"]), batch_of(b"a", ["x", "y"])}
    assert len(known) == 4
    assert batch_of(b"a", ["y", "x"]) == batch_of(b"a", ["x", "y", "x"])


@pytest.mark.parametrize("name", ["ünïcode.yaml", "a b/../c.yaml", "...yaml", "x" * 300 + ".yml"])
def test_an_attempts_name_is_fit_for_files_and_addresses(name: str) -> None:
    made = attempt_id(name, "aaaaaaaaaa", 12)
    assert made.endswith("-aaaaaaaaaa-12")
    assert made.replace("-", "").replace("_", "").isalnum()
    assert made.isascii()
    assert len(made) < 70
