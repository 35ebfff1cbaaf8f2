"""A batch whose command is killed in the middle and given again: what is done twice, and what not.

The command has a Ray of its own and is killed (SIGKILL) when half of the chunks are committed.
Steps that had ended are counted by kind over both runs, and compared with those of an undisturbed
one: what is more was done again. It may be at most what was *in flight*: steps that had ended, of
chunks that were not committed. A chunk that was committed is never committed again.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from jobs.batch_runs import Calm, Command, Verdict, calm, judge, run, steps
from jobs.footage import Event, Footage, Place
from jobs.progress import Progressing
from pipeline.errors import ChunkFailed

_LIMIT = 300.0
_APART = frozenset({"analyse", "introduce", "join", "assemble", "sample", "measure"})


@dataclass(frozen=True, slots=True)
class Resumed:
    """One kill and the run after it."""

    chunks: int
    committed: int
    """chunks at the kill"""
    open: int
    """chunks of which steps had ended, at the kill"""
    in_flight: int
    """steps that had ended, of chunks that were not committed"""
    steps: int
    """ended, over both runs"""
    again: dict[str, int]
    """steps that were done again, by kind"""
    kept: bool
    """whether every receipt of the first run is still there, as it was"""
    verdict: Verdict
    first: float
    """seconds until the kill"""
    second: float
    """seconds of the run after it"""
    left: bool
    """whether anything that the killed command had started outlived it by half a minute"""

    @property
    def redone(self) -> int:
        """Steps that were done again."""
        return sum(self.again.values())


def resume(footage: Footage, *, repeats: int, workers: int, progress: Progressing) -> list[Resumed]:
    """Kill a batch at half, give the command again; so often.

    Raises:
        FilmError: If an undisturbed batch does not end well.
    """
    footage.make(progress)
    machines = {"workers": workers, "gpus": 0}
    progress.stage("undisturbed", 1)
    known = calm(footage, machines, limit=_LIMIT, name="calm-own")
    progress.advance(1)
    progress.stage("kills", repeats)
    found = []
    for number in range(repeats):
        place = Place(footage.folder / f"resume-{number}", footage).prepare(machines)
        found.append(_once(place, known))
        progress.advance(1)
        shutil.rmtree(place.folder)
    return found


def _once(place: Place, known: Calm) -> Resumed:
    began, left = time.monotonic(), False

    def half(command: Command) -> bool:
        nonlocal left
        if 2 * len(place.committed()) < known.chunks:
            return True
        command.kill()
        left = not command.gone(seconds=30)
        command.finish_off()
        return False

    ran = run(place, limit=_LIMIT, tries=1, look=half)
    if ran.ends or ran.done:
        raise ChunkFailed(f"the batch was over before it could be killed: {ran.ends or 'painted'}")
    first = time.monotonic() - began
    before, events = _receipts(place), place.events()
    open_chunks, in_flight = under_way(events, committed=_committed(events))
    second = run(place, limit=_LIMIT)
    after = _receipts(place)
    total = steps(place.events())
    return Resumed(
        chunks=known.chunks,
        committed=len(before),
        open=open_chunks,
        in_flight=in_flight,
        steps=total.total(),
        again=dict(total - Counter(known.steps)),
        kept=all(after.get(name) == content for name, content in before.items()),
        verdict=judge(place, known.samples),
        first=round(first, 2),
        second=round(second.wall, 2),
        left=left,
    )


def under_way(
    events: Mapping[str, Iterable[Event]], *, committed: Mapping[str, set[object]]
) -> tuple[int, int]:
    """Count the chunks that are begun and not committed, and their steps that have ended.

    Samples of shots belong to no chunk: those count that have not been measured yet.
    """
    chunks, ended = set[tuple[str, object]](), 0
    for film, known in events.items():
        tasks = [event for event in known if event["event"] == "task"]
        kinds = Counter(event["kind"] for event in tasks)
        ended += max(0, kinds["sample"] - kinds["measure"])
        for event in tasks:
            chunk = event.get("chunk")
            if event["kind"] not in _APART and chunk is not None and chunk not in committed[film]:
                chunks.add((film, chunk))
                ended += 1
    return len(chunks), ended


def well(found: Iterable[Resumed], *, films: int) -> bool:
    """Whether no kill cost more than what was in flight."""
    return all(
        one.kept
        and one.redone <= one.in_flight
        and one.verdict.exact == one.verdict.equal == films
        and one.verdict.lost == one.verdict.duplicated == 0
        for one in found
    )


def facts(found: Iterable[Resumed], *, films: int) -> dict[str, object]:
    """What is stored."""
    found = list(found)
    runs = [{"redone": one.redone, **asdict(one)} for one in found]
    return {"well": well(found, films=films), "films": films, "runs": runs}


def _receipts(place: Place) -> dict[tuple[str, str], str]:
    return {
        (film, name): (place.work(film) / "receipts" / name).read_text("utf-8")
        for film, name in place.committed()
    }


def _committed(events: Mapping[str, Iterable[Event]]) -> dict[str, set[object]]:
    return {
        film: {event["chunk"] for event in known if event["event"] == "committed"}
        for film, known in events.items()
    }
