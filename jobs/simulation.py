"""Films whose steps take recorded times, on hands by a virtual clock, with the product's decisions.

Whose turn it is and which step comes next is decided by ``Turns``, ``Board`` and ``Budget``, as on
Ray; here a step is nothing but a number of seconds, after which what it would have left is there.
Not in it: Ray's own cost (``reelbrush bench efficiency``), failures, and the gate's rounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

import numpy as np

from actors.batches import batches_of
from jobs.board import Board, Course, Task
from jobs.budget import Budget
from jobs.recorded import SPAN, Recorded
from jobs.turns import Turn, Turns
from pipeline.motion.rows import TONES, Analysis
from pipeline.plan import Plan, plan
from pipeline.recipe import Recipe

Step = tuple[str, Task]
"""Of which film."""
_RATE = 25
_SIZE = (768, 432)


@dataclass(frozen=True, slots=True)
class Reel:
    """A film to be simulated."""

    name: str
    plan: Plan
    costs: dict[Task, float]
    """seconds of each of its steps"""
    batches: tuple[int, ...]
    """into how many its keys are dealt, by chunk"""
    spans: tuple[int, ...]
    """where each span ends, in frames"""
    weight: float = 1.0
    begins: float = 0.0
    """seconds"""
    urgent: bool = False

    @property
    def work(self) -> float:
        """Seconds of all its steps."""
        return sum(self.costs.values())


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was done."""

    film: str
    task: Task
    began: float
    ended: float


@dataclass(slots=True)
class _Playing:
    """A film on the way."""

    reel: Reel
    board: Board
    analysed: set[int] = field(default_factory=set)
    offered: int = 0


def uneven(frames: int, *, seed: int, shortest: int = 12, longest: int = 2000) -> list[int]:
    """Draw the lengths of shots, log-uniform: most are short, some are very long."""
    chance, left, found = Random(f"shots {seed}"), frames, []
    while left > 0:
        length = round(shortest * (longest / shortest) ** chance.random())
        found.append(min(left, length))
        left -= found[-1]
    return found


def planned(shots: Sequence[int], *, seed: int) -> Plan:
    """Plan a film of such shots, each of its own look, as the product does."""
    count = sum(shots)
    cut = np.zeros(count, np.float32)
    cut[np.cumsum([0, *shots[:-1]])] = 1
    noise = np.random.default_rng(seed)
    looks = noise.integers(0, 256, (len(shots), sum(TONES))).astype(np.uint8)
    ones = np.ones(count, np.float32)
    analysis = Analysis(
        start=0,
        cut=cut,
        hole=ones * 0.02,
        residual=ones,
        gain=ones,
        luma=ones * 100,
        content=ones * 1e-4,
        gradient=ones * 0.01,
        still=np.zeros(count, np.bool_),
        bars=np.zeros((count, 4), np.int32),
        colors=np.repeat(looks, shots, axis=0),
    )
    return plan(analysis, Recipe(style="made"), size=_SIZE)


def reel(
    name: str,
    shots: Sequence[int],
    recorded: Recorded,
    *,
    seed: int,
    weight: float = 1.0,
    begins: float = 0.0,
    urgent: bool = False,
) -> Reel:
    """Make a film of such shots, and draw how long each of its steps takes."""
    made, chance = planned(shots, seed=seed), Random(f"costs {name} {seed}")
    count, span = sum(shots), round(SPAN * _RATE)
    spans = (*range(span, count, span), count)
    costs = {Task("analyse", i): recorded.seconds("analyse", 0, chance) for i in range(len(spans))}
    batches = []
    for chunk in made.chunks:
        keys = sum(len(part.keys) for part in chunk.parts)
        batches.append(batches_of(keys, size=_SIZE, lines=Recipe(style="made").style_scale))
        frames = chunk.stop - chunk.start
        for part in chunk.parts:
            for kind in ("sample", "measure"):
                task = Task("sample" if kind == "sample" else "measure", part.setup)
                if task not in costs:
                    costs[task] = recorded.seconds(kind, 0, chance)
        costs[Task("decode", chunk.index)] = recorded.seconds("decode", frames, chance)
        costs[Task("harmonise", chunk.index)] = recorded.seconds("harmonise", frames, chance)
        costs[Task("fill", chunk.index)] = recorded.seconds("fill", frames, chance)
        whole = recorded.seconds("paint", frames, chance)
        for item in range(batches[-1]):
            costs[Task("paint", chunk.index, item)] = whole / batches[-1]
    return Reel(name, made, costs, tuple(batches), spans, weight, begins, urgent)


def play(reels: Sequence[Reel], *, hands: int, room: int) -> list[Done]:
    """Let hands do all steps of all films; gives the steps in the order in which they ended.

    Args:
        reels: the films; each comes when it begins.
        hands: cores.
        room: chunks that may be open at a time, all films together.

    Raises:
        ValueError: If steps are left that nobody can do.
    """
    budget, turns = Budget(room), Turns()
    coming = sorted(reels, key=lambda one: one.begins)
    playing: dict[str, _Playing] = {}
    out: list[tuple[float, int, float, Turn]] = []
    found: list[Done] = []
    now = 0.0
    while coming or out or playing:
        while coming and coming[0].begins <= now:
            one = coming.pop(0)
            playing[one.name] = _entered(one, budget, turns)
        for turn in turns.take(cores=hands - len(out), places=0):
            cost = playing[turn.film].reel.costs[turn.task]
            heappush(out, (now + cost, len(found) + len(out), now, turn))
        following = [moment for moment in (out[0][0] if out else None, _next(coming)) if moment]
        if not following:
            raise ValueError("steps are left that nobody can do")
        now = min(following)
        while out and out[0][0] <= now:
            ended, _, began, turn = heappop(out)
            found.append(Done(turn.film, turn.task, began, ended))
            turns.ended(turn, seconds=ended - began)
            here = playing[turn.film]
            _ended(here, turn.task)
            if here.board.idle and here.offered == len(here.reel.plan.chunks):
                turns.leave(turn.film)
                budget.leave(here.board.open)
                del playing[turn.film]
    return found


def _next(coming: Sequence[Reel]) -> float | None:
    return coming[0].begins if coming else None


def _entered(one: Reel, budget: Budget, turns: Turns) -> _Playing:
    board = Board(budget=budget, gpus=False)
    board.spans = set(range(len(one.spans)))
    turns.enter(one.name, board, weight=one.weight)
    if one.urgent:
        turns.press(one.name, 0.0)
    return _Playing(one, board)


def _ended(here: _Playing, task: Task) -> None:
    """Put there what a step leaves, as errands do."""
    board = here.board
    board.running.discard(task)
    course = board.course(task)
    match task.kind:
        case "analyse":
            here.analysed.add(task.place)
            board.analysed(task.place, enough=len(here.analysed) == len(here.reel.spans))
            _offer(here)
        case "sample":
            board.samples[task.place] = "frames"
        case "measure":
            board.measured.add(task.place)
            board.samples.pop(task.place, None)
        case "decode" if course is not None:
            course.decoded = ("motions", *("batch",) * course.batches)
        case "paint" if course is not None:
            course.painted[task.item] = "painted"
        case "harmonise" if course is not None:
            board.linked.add(task.place)
            course.held, course.decoded = "keys", None
            course.painted = [True] * course.batches
        case _:
            board.close(task.place)


def _offer(here: _Playing) -> None:
    """Put chunks on the board as far as the film's beginning is known, and the shot behind them."""
    spans = here.reel.spans
    known = next((i for i in range(len(spans)) if i not in here.analysed), len(spans))
    plan_, whole = here.reel.plan, known == len(spans)
    seen = spans[known - 1] if known else 0
    settled = max((shot.stop for shot in plan_.shots if shot.stop < seen), default=0)
    stop = plan_.shots[-1].stop if whole else settled
    fresh = [chunk for chunk in plan_.chunks[here.offered :] if chunk.stop <= stop]
    if fresh and not whole and fresh[-1].stop == stop:
        fresh.pop()  # the last may take in shots that follow
    here.board.offer(
        Course(chunk, batches=here.reel.batches[chunk.index], bytes=1) for chunk in fresh
    )
    here.offered += len(fresh)
