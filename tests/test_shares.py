"""Whose turn it is: by weight in the long run, the urgent first, nobody forever last."""

from collections import Counter
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.board import Board, Course
from jobs.budget import Budget
from jobs.shares import Shares
from jobs.turns import Turn, Turns
from pipeline.plan import Chunk, Part


def worked(
    shares: Shares, *, films: dict[str, float], hands: int, seconds: float, seed: int
) -> dict[str, float]:
    """Let films that always have something to do share hands; gives seconds by film."""
    random, got = Random(seed), dict.fromkeys(films, 0.0)
    for film, weight in films.items():
        shares.enter(film, weight=weight)
    out: list[tuple[float, int, str, float, float]] = []
    now, number = 0.0, 0
    while now < seconds:
        while len(out) < hands:
            film = shares.order()[0]
            took = random.choice((0.5, 1.0, 4.0)) * random.uniform(0.5, 1.5)
            heappush(out, (now + took, number, film, shares.chose(film, "step"), took))
            number += 1
        now, _, film, charged, took = heappop(out)
        got[film] = got[film] + took
        shares.ended(film, "step", charged=charged, seconds=took)
    return got


@pytest.mark.parametrize("hands", [1, 4, 16])
def test_films_get_hands_by_their_weight(hands: int) -> None:
    films = {"one": 1.0, "other": 1.0, "double": 2.0}
    got = worked(Shares(), films=films, hands=hands, seconds=400, seed=hands)
    whole = sum(got.values())
    for film, weight in films.items():
        assert got[film] / whole == pytest.approx(weight / 4, rel=0.1)


def test_a_film_that_comes_late_does_not_get_the_past_back() -> None:
    shares = Shares()
    worked(shares, films={"early": 1.0}, hands=2, seconds=200, seed=0)
    shares.enter("late", weight=1)
    turns = Counter[str]()
    for _ in range(20):
        film = shares.order()[0]
        charged = shares.chose(film, "step")
        shares.ended(film, "step", charged=charged, seconds=1.0)
        turns[film] += 1
    assert abs(turns["early"] - turns["late"]) <= 2


def test_who_had_nothing_to_do_when_it_was_its_turn_loses_that_turn() -> None:
    shares = Shares()
    for film in ("idle", "busy"):
        shares.enter(film, weight=1)
    for _ in range(50):
        charged = shares.chose("busy", "step", passed=["idle"])
        shares.ended("busy", "step", charged=charged, seconds=1.0)
    turns = []
    for _ in range(10):
        film = shares.order()[0]
        charged = shares.chose(film, "step")
        shares.ended(film, "step", charged=charged, seconds=1.0)
        turns.append(film)
    assert 4 <= turns.count("idle") <= 6


def test_the_urgent_come_first_and_the_earliest_of_them() -> None:
    shares = Shares()
    for film in ("calm", "tonight", "soon"):
        shares.enter(film, weight=1)
    shares.press("tonight", 500.0)
    shares.press("soon", 20.0)
    assert shares.order() == ["soon", "tonight", "calm"]
    for _ in range(5):
        shares.chose("soon", "step")
    assert shares.order()[0] == "soon"
    shares.press("soon", None)
    assert shares.order() == ["tonight", "calm", "soon"]


def test_a_step_that_gave_no_answer_costs_its_film_nothing() -> None:
    shares = Shares()
    for film in ("one", "two"):
        shares.enter(film, weight=1)
    charged = shares.chose("one", "step")
    assert shares.order() == ["two", "one"]
    shares.ended("one", "step", charged=charged, seconds=None)
    assert shares.order() == ["one", "two"]


def test_a_weight_is_above_nothing() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Shares().enter("film", weight=0)


# -- films on their boards -------------------------------------------------------------------------


def course(index: int, size: int) -> Course:
    """A chunk that hangs on no other."""
    part = Part(index, 60 * index, 60 * index + 60, (60 * index,), True, True, index)
    return Course(Chunk(index, (part,)), batches=1, bytes=size, alone=True)


def on_boards(budget: Budget, **films: tuple[float, int, int]) -> Turns:
    """Films, of each the weight, how many chunks, and the bytes of one."""
    turns = Turns()
    for film, (weight, count, size) in films.items():
        board = Board(budget=budget, gpus=False)
        board.offer(course(i, size) for i in range(count))
        board.measured = set(range(count))
        turns.enter(film, board, weight=weight)
    return turns


def played(turns: Turns, *, hands: int, seed: int, until: int = 10**9) -> list[tuple[str, int]]:
    """Let steps end in any order; gives the chunks that were finished, in order."""
    random, out, done = Random(seed), list[Turn](), list[tuple[str, int]]()
    while len(done) < until:
        out += turns.take(cores=hands - len(out), places=0)
        budget = next(iter(turns.boards.values())).budget
        opened = sum(len(board.open) for board in turns.boards.values())
        assert opened <= 1 or budget.held <= budget.total
        if not out:
            break
        turn = out.pop(random.randrange(len(out)))
        turns.ended(turn, seconds=random.uniform(0.5, 2.0))
        board, task = turns.boards[turn.film], turn.task
        board.running.discard(task)
        here = board.open[task.place]
        if task.kind == "decode":
            here.decoded = ("motions", "batch")
        elif task.kind == "paint":
            here.painted = ["painted"]
        elif task.kind == "harmonise":
            here.held, here.decoded = "held", None
        else:
            board.close(task.place)
            done.append((turn.film, task.place))
    return done


@given(
    counts=st.lists(st.integers(0, 8), min_size=1, max_size=4),
    sizes=st.lists(st.integers(1, 30), min_size=4, max_size=4),
    total=st.sampled_from((0, 10, 40, 200)),
    hands=st.integers(1, 6),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=100, deadline=None)
def test_however_little_memory_there_is_every_chunk_of_every_film_is_done_once(
    counts: list[int], sizes: list[int], total: int, hands: int, seed: int
) -> None:
    films = {f"film{i}": (1.0 + i, count, sizes[i]) for i, count in enumerate(counts)}
    turns = on_boards(Budget(total), **films)
    done = played(turns, hands=hands, seed=seed)
    wanted = [(film, i) for film, (_, count, _) in films.items() for i in range(count)]
    assert sorted(done) == sorted(wanted)


def test_small_chunks_do_not_keep_a_large_one_from_memory_forever() -> None:
    turns = on_boards(Budget(10), small=(1.0, 200, 2), large=(1.0, 10, 9))
    done = played(turns, hands=4, seed=0, until=60)
    assert sum(film == "large" for film, _ in done) >= 5


def test_an_urgent_film_has_the_next_free_hand() -> None:
    turns = on_boards(Budget(1000), calm=(4.0, 50, 1))
    out = turns.take(cores=4, places=0)
    board = Board(budget=turns.boards["calm"].budget, gpus=False)
    board.offer([course(0, 1)])
    board.measured = {0}
    turns.enter("urgent", board, weight=1)
    turns.press("urgent", 60.0)
    turns.ended(out[0], seconds=1.0)
    turns.boards["calm"].running.discard(out[0].task)
    assert [turn.film for turn in turns.take(cores=1, places=0)] == ["urgent"]


def test_pieces_go_where_there_is_room() -> None:
    budget = Budget(100, nodes={"a": 50, "b": 50})
    board = Board(budget=budget, gpus=False)
    assert budget.place(10) is None, "there is room everywhere"
    held = board.open[0] = course(0, 40)
    held.node = "a"
    assert budget.place(10) == "b"
    other = board.open[1] = course(1, 40)
    other.node = "b"
    assert not budget.fits(15), "in all there would be room, but on no machine"
    assert budget.fits(10)
    budget.leave(board.open)
    assert budget.held == 0
