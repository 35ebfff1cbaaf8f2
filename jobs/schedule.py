"""How near scheduling comes to what no scheduling can beat, on many hands, with uneven shots.

Recorded steps are replayed by a virtual clock; see ``jobs.simulation``. Two bounds: the *ideal* is
the greater of all work shared out evenly and the *longest chain*: steps of which each waits for the
one before. *LPT* is the greater of that chain and what longest-processing-time-first makes of
whole chunks that wait for nothing. A bound over the time it took is at most 1 for the ideal.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from heapq import heapreplace
from statistics import median

from jobs.board import Task
from jobs.recorded import Recorded
from jobs.simulation import Reel, play, reel, uneven

GOAL = 0.95
_ROOM = 3
"""Open chunks for each hand: as the object store of a machine has room."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One run."""

    seed: int
    films: int
    frames: int
    """of all films"""
    longest_shot: int
    """frames"""
    chunks: int
    hands: int
    took: float
    """seconds of the virtual clock"""
    work: float
    """seconds of all steps"""
    chain: float
    """seconds of the longest chain"""
    lpt: float
    """seconds that longest-processing-time-first makes of the chunks"""

    @property
    def ideal_score(self) -> float:
        """Of the ideal."""
        return max(self.work / self.hands, self.chain) / self.took

    @property
    def lpt_score(self) -> float:
        """Of LPT."""
        return max(self.lpt, self.chain) / self.took


def schedule(
    recorded: Recorded,
    *,
    seeds: Sequence[int],
    hands: int,
    films: int,
    frames: int,
    longest: int = 2000,
) -> list[Scheduled]:
    """Schedule films of uneven shots, once a seed."""
    found = []
    for seed in seeds:
        shots = [uneven(frames, seed=100 * seed + i, longest=longest) for i in range(films)]
        reels = [reel(f"film{i}", one, recorded, seed=seed) for i, one in enumerate(shots)]
        done = play(reels, hands=hands, room=_ROOM * hands)
        found.append(
            Scheduled(
                seed=seed,
                films=films,
                frames=films * frames,
                longest_shot=max(max(one) for one in shots),
                chunks=sum(len(one.plan.chunks) for one in reels),
                hands=hands,
                took=max(step.ended for step in done),
                work=sum(one.work for one in reels),
                chain=max(longest_chain(one) for one in reels),
                lpt=lpt([cost for one in reels for cost in jobs_of(one)], hands=hands),
            )
        )
    return found


def lpt(costs: Sequence[float], *, hands: int) -> float:
    """When all is done if the longest job left goes to the hand that is free first (Graham, 1969).

    >>> lpt([3, 3, 2, 2, 2], hands=2)
    7.0
    """
    free = [0.0] * hands
    for cost in sorted(costs, reverse=True):
        heapreplace(free, free[0] + cost)
    return max(free)


def jobs_of(one: Reel) -> list[float]:
    """A film as jobs that wait for nothing: each chunk with all its steps, each other step."""
    by_chunk = [0.0] * len(one.plan.chunks)
    others = []
    for task, cost in one.costs.items():
        if task.kind in ("analyse", "sample", "measure"):
            others.append(cost)
        else:
            by_chunk[task.place] += cost
    return [*by_chunk, *others]


def longest_chain(one: Reel) -> float:
    """Seconds that a film takes however many hands there are.

    A chunk waits for a look at its frames, for its keys, its shots' statistics, and for the last
    key of the chunk before it, if that is of the same shot.
    """
    costs, latest, linked = one.costs, 0.0, 0.0
    for chunk, batches in zip(one.plan.chunks, one.batches, strict=True):
        place = chunk.index
        spans = [i for i, stop in enumerate(one.spans) if stop > chunk.start]
        seen = costs[Task("analyse", spans[0])]
        decoded = seen + costs[Task("decode", place)]
        setups = {part.setup for part in chunk.parts}
        measured = seen + max(
            costs[Task("sample", setup)] + costs[Task("measure", setup)] for setup in setups
        )
        painted = max(decoded, measured) + max(
            costs[Task("paint", place, item)] for item in range(batches)
        )
        before = 0.0 if chunk.parts[0].opens else linked
        linked = max(painted, before) + costs[Task("harmonise", place)]
        latest = max(latest, linked + costs[Task("fill", place)])
    return latest


def well(found: Sequence[Scheduled]) -> bool:
    """Whether the goal is met in every run, by LPT."""
    return all(one.lpt_score >= GOAL for one in found)


def facts(found: Sequence[Scheduled], recorded: Recorded) -> dict[str, object]:
    """What is stored."""
    ideal, scores = [one.ideal_score for one in found], [one.lpt_score for one in found]
    return {
        "met": well(found),
        "goal": GOAL,
        "lpt": {"median": median(scores), "least": min(scores)},
        "ideal": {"median": median(ideal), "least": min(ideal)},
        "runs": [
            {"lpt_score": one.lpt_score, "ideal_score": one.ideal_score, **asdict(one)}
            for one in found
        ],
        "recorded": {"about": recorded.about, "steps": recorded.steps},
    }
