"""What is left of a film, in seconds: by steps that have ended, by a forecast, by running calls."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from jobs.board import Board, Course
from jobs.budget import Budget
from jobs.ledger import Receipt
from jobs.workload import Guess, left, worked
from pipeline.plan import Chunk, Part

NOTHING = Guess()


def chunk(index: int, *, frames: int = 10, keys: int = 4) -> Chunk:
    start = index * frames
    part = Part(index, start, start + frames, tuple(range(start, start + keys)), True, True, index)
    return Chunk(index, (part,))


def board(count: int, *, gpus: bool = True) -> Board:
    """So many chunks of 10 frames and 4 keys; those before the last two are open."""
    found = Board(budget=Budget(100), gpus=gpus)
    found.offer(Course(chunk(index), batches=1, bytes=1) for index in range(count))
    for index in range(count - 2):
        found.open[index] = found.todo.pop(index)
    return found


def seconds(
    found: Board,
    spent: Mapping[int, Mapping[str, float]],
    *,
    gpu: bool,
    receipts: dict[int, Receipt] | None = None,
    guess: Guess = NOTHING,
) -> float | None:
    return left(found, worked(found, receipts or {}, spent), gpu=gpu, guess=guess)


def receipt(index: int, spent: dict[str, float]) -> Receipt:
    whole = chunk(index)
    return Receipt(
        identity=str(index),
        chunk=index,
        start=whole.start,
        stop=whole.stop,
        segment="",
        bytes=1,
        sha256="",
        pixels="",
        keys=4,
        promoted=0,
        tiles=0,
        seconds=spent,
        epoch=1,
    )


def test_one_painted_batch_says_how_long_gpus_have_to_paint_while_no_chunk_is_done() -> None:
    found = board(5)
    assert seconds(found, {}, gpu=True) is None
    found.open[0].painted = ["painted"]
    assert seconds(found, {0: {"paint on a GPU": 8.0, "decode": 1.0}}, gpu=True) == 4 * 8.0


def test_what_chunks_took_that_are_done_counts_too_an_earlier_runs_among_them() -> None:
    found, done = board(5), receipt(7, {"paint on a GPU": 4.0, "decode": 1.0, "fill": 3.0})
    assert seconds(found, {}, gpu=True, receipts={7: done}) == 5 * 4.0
    assert seconds(found, {}, gpu=False, receipts={7: done}) == 5 * (1.0 + 3.0)
    found.open[0].painted = ["painted"]
    spent = {0: {"paint on a GPU": 8.0}}
    assert seconds(found, spent, gpu=True, receipts={7: done}) == 4 * (8.0 + 4.0) / 2
    painted_on_cpus = replace(done, seconds={"paint": 90.0})
    assert seconds(found, {}, gpu=True, receipts={7: painted_on_cpus}) is None


def test_only_the_latest_chunks_count() -> None:
    old = {i: receipt(i, {"paint on a GPU": 900.0}) for i in range(100, 200)}
    new = {i: receipt(i, {"paint on a GPU": 4.0}) for i in range(200, 264)}
    assert seconds(board(5), {}, gpu=True, receipts=old | new) == 5 * 4.0


def test_a_step_of_which_none_has_ended_is_taken_for_its_share_of_a_chunk() -> None:
    found = board(4)
    found.open[0].decoded = ("motions", "batch")
    spent = {0: {"decode": 2.0}}
    assert seconds(found, spent, gpu=False) == pytest.approx(3 * 2.0 + 4 * 4.0), "fill is twice it"
    found.gpus = False
    assert seconds(found, spent, gpu=False) == pytest.approx(3 * 2.0 + 4 * (2.0 + 4.0))
    found.open[0].held, found.open[0].decoded = "keys", None
    found.open[0].painted = [True]
    spent = {0: {"decode": 2.0, "paint": 6.0, "harmonise": 1.0}}
    assert seconds(found, spent, gpu=False) == pytest.approx(3 * (2.0 + 6.0) + 4 * 8.0)


def test_before_anything_has_ended_the_forecast_says_it_or_a_call_that_runs_for_longer() -> None:
    found = board(5)
    assert seconds(found, {}, gpu=True, guess=Guess(frame=0.5)) == 5 * 10 * 0.5
    assert seconds(found, {}, gpu=True, guess=Guess(frame=0.5, key=0.1)) == 5 * 10 * 0.5
    assert seconds(found, {}, gpu=True, guess=Guess(frame=0.5, key=9.0)) == 5 * 4 * 9.0
    assert seconds(found, {}, gpu=False, guess=Guess(frame=0.5, key=9.0)) == 5 * 10 * 0.5
    found.open[0].painted = ["painted"]
    assert seconds(found, {0: {"paint on a GPU": 8.0}}, gpu=True, guess=Guess(9.0, 9.0)) == 32.0
