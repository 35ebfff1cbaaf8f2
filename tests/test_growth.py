"""A cluster that grows: machines are asked for early, and what is left does for those that come."""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hands import Actor, Hands, Ref, StandInEngine, StandInRay, billed, studio

from actors import remote
from films import make_film, texture
from jobs import ahead, demand
from jobs.board import Board, Course
from jobs.budget import Budget
from jobs.engine import Machines
from jobs.floor import Floor
from jobs.patience import Patience
from painters import Washes
from pipeline import plan
from pipeline.plan import Chunk, Part


@pytest.fixture(autouse=True)
def _short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_LEAST_CHUNK", 8)
    monkeypatch.setattr(plan, "_MOST_CHUNK", 20)


class Elsewhere(StandInRay):
    """A cluster that is there already."""

    def engine(self) -> Any:
        """Join it."""
        return StandInEngine(self.hands, self.store, Machines(address="there"))


def film(folder: Path, *, shots: int) -> Path:
    """Shots that are a chunk each."""
    pictures = chain.from_iterable(texture(14, (64, 48), seed=seed) for seed in range(shots))
    return make_film(folder / "film.mkv", pictures, codec="ffv1")


def test_a_second_machine_is_asked_for_before_a_first_chunk_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demand, "_WORTH", 5.0)
    hands = Hands(cores=2, gpus=1, seconds=lambda name: 9.0 if "paint" in name else 1.0)
    begun = dict[str, int]()

    def between(name: str) -> None:
        begun.setdefault(name.split()[0], len(hands.actors))

    hands.between = between
    bill = [billed(film(tmp_path, shots=4), hire=Washes)]
    studio(bill, hands.patch(monkeypatch), ray=Elsewhere(hands)).run()
    assert bill[0].status == "done", bill[0].error
    assert begun["decode"] == 1
    assert begun["fill"] > 1, "it was waited for the first chunk"


def test_who_is_up_leaves_something_to_do_for_one_that_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(cores=4, gpus=2, seconds=lambda name: 9.0 if "paint" in name else 0.1)
    hands.patch(monkeypatch)
    ups, asked, before = list[Ref](), Counter[int](), Counter[int]()

    def up(_actor: Actor) -> Ref:
        ups.append(Ref("up", there=not ups))
        return ups[-1]

    def ask(actor: Actor, *args: Any, name: str, **how: Any) -> object:
        asked[actor.number] += name.startswith("paint") and name.count(" ")
        return hands.ask(actor, *args, name=name, **how)

    def between(name: str) -> None:
        if name.startswith("paint") and not before:
            before.update(asked)
            for one in ups:
                one.there = True

    monkeypatch.setattr(remote, "up", up)
    monkeypatch.setattr(remote, "ask", ask)
    hands.between = between
    bill = [billed(film(tmp_path, shots=3), hire=Washes)]
    studio(bill, hands, ray=Elsewhere(hands)).run()
    assert bill[0].status == "done", bill[0].error
    assert before == {0: 1}, "more was sent to the one that was up"
    assert asked == {0: 2, 1: 1}


@pytest.mark.parametrize(
    ("machines", "gpus", "told"),
    [
        (Machines(address="there"), 0, True),
        (Machines(address="there", gpus=0), 0, False),
        (Machines(address="there", gpus=2), 0, False),
        (Machines(address="there"), 1, False),
        (Machines(), 0, False),
    ],
)
def test_who_asked_for_no_gpu_is_told_once_that_a_cluster_has_none(
    machines: Machines, gpus: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Any = StandInEngine(Hands(gpus=gpus).patch(monkeypatch), machines=machines)
    floor, films = Floor(engine, patience=Patience(), give_up=Mock()), [Mock(), Mock()]
    for film in films:
        floor.enter(film, weight=1)
    notes = [call.args[0] for film in films for call in film.made.progress.note.mock_calls]
    assert len(notes) == told
    assert all("painting on CPUs; --gpus N" in note for note in notes)


def test_stylizers_are_wanted_for_chunks_that_lack_paint_and_one_for_what_the_gate_may_ask() -> (
    None
):
    board = Board(budget=Budget(100), gpus=True)
    parts = [Part(i, 9 * i, 9 * i + 9, (9 * i,), True, True, i) for i in range(3)]
    board.offer(Course(Chunk(i, (part,)), batches=1, bytes=1) for i, part in enumerate(parts))
    film: Any = Mock(board=board, errands=None)

    def chunks(*, gpu: bool) -> int:
        return ahead.left([film], [], gpu=gpu, planned=True, now=0.0).chunks

    for place in range(3):
        assert chunks(gpu=True) == 3 - place
        board.open[place] = board.todo.pop(place)
        board.open[place].painted = ["painted"]
    assert (chunks(gpu=True), chunks(gpu=False)) == (1, 3)
    board.open.clear()
    assert chunks(gpu=True) == 0
