"""Batches of films under fire: workers, stylizers and nodes are killed for minutes, as a seed says.

Three nodes on this machine, each with a core and a GPU that only Ray believes in; a batch of three
made films, by the light painter, begun again on fresh results until the time is over. A node that
was killed comes back after some seconds. The time over, nobody is killed any more and the batch
that runs is finished. It *hangs* if for a minute or more no log and no film changes.
"""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from jobs.batch_runs import Calm, Command, Ran, Verdict, calm, judge, run
from jobs.engine import Machines, prepare
from jobs.footage import Footage, Place
from jobs.progress import Progressing
from jobs.raylets import AS_SHIPPED, Raylets
from jobs.strikes import Killer, draw

NODES = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a soak is."""

    seconds: float = 300.0
    mean: float = 20.0
    """seconds between two kills"""
    back: float = 5.0
    """seconds after which a dead node is replaced"""
    limit: float = 120.0
    """seconds without anything going on that are a hang"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch in it."""

    ran: Ran
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Soaked:
    """What came of one seed."""

    seed: int
    plan: Plan
    films: int
    """of a batch"""
    frames: int
    """of a film"""
    chunks: int
    """of a batch"""
    kills: dict[str, int]
    """that struck somebody, by who was struck"""
    struck: list[dict[str, object]]
    missed: int
    """kills that found nobody to strike before the end"""
    batches: tuple[Batch, ...]
    calm: float
    """seconds of an undisturbed batch"""

    def facts(self) -> dict[str, object]:
        """All of it, with the sums that a reader looks for."""
        verdicts = [one.verdict for one in self.batches]
        lost = sum((Counter(one.steps_lost) for one in verdicts), Counter[str]())
        return {
            "well": well(self),
            "films_painted": self.films * len(self.batches),
            "films_exact": sum(one.exact for one in verdicts),
            "films_equal": sum(one.equal for one in verdicts),
            "frames_lost": sum(one.lost for one in verdicts),
            "chunks_duplicated": sum(one.duplicated for one in verdicts),
            "faults": sorted({fault for one in verdicts for fault in one.faults}),
            "hangs": sum(one.ran.hangs for one in self.batches),
            "commands": sum(one.ran.commands for one in self.batches),
            "steps_lost": dict(lost),
            **asdict(self),
        }


def soak(
    footage: Footage, *, seed: int, plan: Plan, progress: Progressing, keep: bool = False
) -> Soaked:
    """Paint under fire, once.

    Args:
        footage: of which batches are made; what is known of them undisturbed is kept there.
        seed: of kills and victims.
        plan: how long, and how hard.
        progress: is told of seconds.
        keep: leave batches that did not go well for people to look at.

    Raises:
        FilmError: If not even an undisturbed batch ends well.
    """
    prepare(Machines())
    footage.make(progress)
    with Raylets(NODES, gpus=1, health=AS_SHIPPED) as nodes:
        machines = {"address": nodes.address}
        progress.stage("undisturbed", 1)
        known = calm(footage, machines, limit=plan.limit)
        progress.advance(1)
        progress.stage("seconds under fire", round(plan.seconds))
        strikes = draw(seed, seconds=plan.seconds, mean=plan.mean)
        killer = Killer(nodes, strikes, back=plan.back, seed=seed)
        batches: list[Batch] = []
        while not batches or killer.seconds < plan.seconds:
            place = Place(footage.folder / f"seed-{seed}-{len(batches)}", footage)
            one = _batch(place, machines, known, killer, plan=plan, progress=progress)
            batches.append(one)
            if fine(one, films=footage.count) or not keep:
                shutil.rmtree(place.folder)
        killer.end()
    return Soaked(
        seed=seed,
        plan=plan,
        films=footage.count,
        frames=footage.frames,
        chunks=known.chunks,
        kills=killer.count(),
        struck=[asdict(one) for one in killer.struck],
        missed=len(killer.missed),
        batches=tuple(batches),
        calm=known.wall,
    )


def fine(one: Batch, *, films: int) -> bool:
    """Whether a batch is whole by one command, and nothing was done twice or hung."""
    found = one.verdict
    whole = found.exact == found.equal == films and found.lost == found.duplicated == 0
    return whole and one.ran.done and not one.ran.ends and one.ran.hangs == 0


def well(found: Soaked) -> bool:
    """Whether all batches are."""
    return all(fine(one, films=found.films) for one in found.batches)


def _batch(
    place: Place,
    machines: Mapping[str, object],
    known: Calm,
    killer: Killer,
    *,
    plan: Plan,
    progress: Progressing,
) -> Batch:
    told = killer.seconds

    def look(_command: Command) -> bool:
        nonlocal told
        killer.look()
        if killer.seconds - told >= 1:
            progress.advance(min(killer.seconds, plan.seconds) - min(told, plan.seconds))
            told = killer.seconds
        return True

    ran = run(place.prepare(machines), limit=plan.limit, look=look)
    ran = replace(ran, wall=round(ran.wall, 2))
    return Batch(ran, judge(place, known.samples))
