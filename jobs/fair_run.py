"""Shares and an urgent film for real: batches of made films on Ray, by the light painter.

Once three films of weights 1, 1 and 2. Once four films, which is as many as are open at a time,
and a fifth whose deadline passes while they are painted: then it is opened, and comes first.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jobs.batch_runs import run
from jobs.fair import WEIGHTS, Shared, shared, spans_of
from jobs.footage import Event, Footage, Place
from jobs.progress import Progressing
from jobs.recorded import mean
from pipeline.errors import ChunkFailed

_LIMIT = 300.0
_OTHERS = 4


@dataclass(frozen=True, slots=True)
class Begun:
    """How an urgent film began on Ray, in the middle of others."""

    waited: float
    """seconds from when it was begun to its first step, but for workers' saying who they are"""
    chunk: float
    """seconds of hands that a chunk of the others takes on average"""
    others: int
    """films that were being painted when it began"""

    @property
    def met(self) -> bool:
        """Whether it waited no longer than a chunk takes."""
        return self.waited <= self.chunk


def real_shares(footage: Footage, *, workers: int, progress: Progressing) -> Shared:
    """Paint three films of weights 1, 1 and 2.

    Raises:
        ChunkFailed: If that does not end well.
    """
    weights = dict(zip(footage.names, WEIGHTS, strict=True))
    settings = {name: {"priority": weight} for name, weight in weights.items()}
    events = _painted(replace(footage, settings=settings), "shares", workers, progress)
    return shared(spans_of(events), weights)


def real_urgent(footage: Footage, *, workers: int, after: float, progress: Progressing) -> Begun:
    """Paint four films, and one whose deadline passes after some seconds.

    Raises:
        ChunkFailed: If that does not end well, or the others were painted before.
    """
    whole = replace(footage, count=_OTHERS + 1)
    late = whole.names[-1]
    due = datetime.now().astimezone() + timedelta(seconds=after)
    settings = {late: {"deadline": due.isoformat(), "priority": 0.5}}
    events = _painted(replace(whole, settings=settings), "urgent", workers, progress)
    return begun_late(events, late)


def begun_late(events: Mapping[str, Sequence[Event]], late: str) -> Begun:
    """Read from the logs how a film began in the middle of others.

    Raises:
        ChunkFailed: If it did not.
    """
    came = min(_number(event["time"]) for event in events[late] if event["event"] == "begun")
    spans = spans_of(events)
    first = min(began for film, began, _ in spans if film == late)
    before = {film for film, began, _ in spans if film != late and began < came}
    others = {film for film, _, ended in spans if film in before and ended > came}
    if not others:
        raise ChunkFailed("the urgent film did not come in the middle of others; choose --after")
    chunks = [event for name, known in events.items() if name != late for event in known]
    seconds = [
        _number(event["ended"]) - _number(event["began"])
        for event in chunks
        if event["event"] == "task" and "chunk" in event
    ]
    committed = sum(event["event"] == "committed" for event in chunks)
    return Begun(
        waited=round(max(0.0, first - came), 3),
        chunk=round(mean(seconds) * len(seconds) / max(1, committed), 3),
        others=len(others),
    )


def _painted(
    footage: Footage, name: str, workers: int, progress: Progressing
) -> dict[str, list[Event]]:
    footage.make(progress)
    progress.stage(name, 1)
    place = Place(footage.folder / name, footage).prepare({"workers": workers, "gpus": 0})
    ran = run(place, limit=_LIMIT, tries=1)
    if not ran.done:
        raise ChunkFailed(f"a batch ended with {ran.ends or 'nothing going on'}")
    progress.advance(1)
    events = place.events()
    shutil.rmtree(place.folder)
    return events


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
