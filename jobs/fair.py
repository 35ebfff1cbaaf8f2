"""Whether films get what their weights promise, and how soon an urgent film begins.

Shares are of the seconds that hands worked for each film while all of them were active: from the
first step of the film that began last to the last step of the film that ended first. The *error* is
the largest deviation of a share from its weight's, as a part of that. By recorded steps and a
virtual clock (``jobs.simulation``), or from the logs of a batch that ran on Ray.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from statistics import median

from jobs.recorded import Recorded, mean
from jobs.simulation import Done, Reel, play, reel, uneven

GOAL = 0.1
WEIGHTS = (1.0, 1.0, 2.0)
_ROOM = 3
Span = tuple[str, float, float]
"""A film, and when somebody began and ended to work for it."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What each of some films got."""

    weights: dict[str, float]
    shares: dict[str, float]
    """of the seconds of all hands while all were active; they add up to 1"""
    seconds: float
    """for which all were active"""
    error: float
    """0.1 is a share that is a tenth off"""


@dataclass(frozen=True, slots=True)
class Urgent:
    """How an urgent film began, in the middle of others."""

    seed: int
    came: float
    """seconds"""
    waited: float
    """seconds until its first step"""
    chunk: float
    """seconds of hands that a chunk takes, on average: what it may wait at most"""
    ended: float
    """seconds from its coming to its end"""
    alone: float
    """seconds that it would have taken with all hands to itself from the start"""

    @property
    def met(self) -> bool:
        """Whether it waited no longer than a chunk takes."""
        return self.waited <= self.chunk


def shared(spans: Sequence[Span], weights: Mapping[str, float]) -> Shared:
    """Say what films got while all of them were active.

    Raises:
        ValueError: If they never were, all together.
    """
    start = max(min(a for film, a, _ in spans if film == name) for name in weights)
    stop = min(max(b for film, _, b in spans if film == name) for name in weights)
    if stop <= start:
        raise ValueError("the films were never active all together")
    got = dict.fromkeys(weights, 0.0)
    for film, a, b in spans:
        if film in got:
            got[film] += max(0.0, min(b, stop) - max(a, start))
    whole, total = sum(got.values()), sum(weights.values())
    shares = {name: seconds / whole for name, seconds in got.items()}
    errors = [abs(shares[name] * total / weight - 1) for name, weight in weights.items()]
    return Shared(dict(weights), shares, stop - start, max(errors))


def simulated(
    recorded: Recorded,
    *,
    seeds: Sequence[int],
    hands: int,
    frames: int,
    weights: Sequence[float] = WEIGHTS,
) -> list[Shared]:
    """Play films of these weights and as many frames, once a seed."""
    return [
        shared(
            _spans(play(reels, hands=hands, room=_ROOM * hands)),
            {one.name: one.weight for one in reels},
        )
        for reels in (_films(recorded, seed, frames, weights) for seed in seeds)
    ]


def urgent(recorded: Recorded, *, seeds: Sequence[int], hands: int, frames: int) -> list[Urgent]:
    """Play films of which an urgent one comes in the middle, once a seed."""
    found = []
    for seed in seeds:
        reels = _films(recorded, seed, frames, WEIGHTS)
        work = sum(one.work for one in reels) / hands
        came = Random(f"urgent {seed}").uniform(0.2, 0.6) * work
        late = reel(
            "urgent",
            uneven(frames // 4, seed=100 * seed + 99),
            recorded,
            seed=seed,
            begins=came,
            urgent=True,
        )
        done = play([*reels, late], hands=hands, room=_ROOM * hands)
        own = [step for step in done if step.film == "urgent"]
        alone = play([late], hands=hands, room=_ROOM * hands)
        found.append(
            Urgent(
                seed=seed,
                came=came,
                waited=min(step.began for step in own) - came,
                chunk=mean([sum(_chunk(one)) / len(one.plan.chunks) for one in reels]),
                ended=max(step.ended for step in own) - came,
                alone=max(step.ended for step in alone) - came,
            )
        )
    return found


def facts(shares: Sequence[Shared], urgents: Sequence[Urgent]) -> dict[str, object]:
    """What is stored."""
    errors = [one.error for one in shares]
    return {
        "goal": GOAL,
        "met": max(errors) <= GOAL and all(one.met for one in urgents),
        "error": {"median": median(errors), "largest": max(errors)},
        "waited": max((one.waited for one in urgents), default=None),
        "shares": [asdict(one) for one in shares],
        "urgent": [{"met": one.met, **asdict(one)} for one in urgents],
    }


def spans_of(events: Mapping[str, Sequence[Mapping[str, object]]]) -> list[Span]:
    """When workers worked for which film, from the films' logs; introductions left out."""
    return [
        (film, float(began), float(ended))
        for film, known in events.items()
        for event in known
        if event["event"] == "task"
        and event["node"] != "driver"
        and event["kind"] not in ("introduce", "join", "assemble")
        and isinstance(began := event["began"], int | float)
        and isinstance(ended := event["ended"], int | float)
    ]


def _films(recorded: Recorded, seed: int, frames: int, weights: Sequence[float]) -> list[Reel]:
    return [
        reel(
            f"film{number}",
            uneven(frames, seed=100 * seed + number),
            recorded,
            seed=seed,
            weight=weight,
        )
        for number, weight in enumerate(weights)
    ]


def _spans(done: Sequence[Done]) -> list[Span]:
    return [(step.film, step.began, step.ended) for step in done]


def _chunk(one: Reel) -> list[float]:
    """Seconds of each step that belongs to a chunk."""
    apart = ("analyse", "sample", "measure")
    return [cost for task, cost in one.costs.items() if task.kind not in apart]
