"""The meter: what is shown is never more than there is, and what is lost is taken back."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.board import Course
from jobs.ledger import Receipt
from jobs.meter import Meter
from pipeline.media.color import Rect
from pipeline.plan import Chunk, Part, Plan, Shot, covering


@dataclass(slots=True)
class Watcher:
    """What somebody who watches has seen."""

    stages: list[tuple[str, int, float]] = field(default_factory=list)
    frames: float = 0.0
    shots: tuple[int, int] | None = None
    chunks: tuple[int, int] | None = None

    def stage(self, name: str, total: int, *, done: float = 0) -> None:
        """Begin a stage."""
        self.stages.append((name, total, done))
        self.frames = done

    def advance(self, frames: float) -> None:
        """Count frames, and see that there are not more than there are."""
        self.frames += frames
        (_, total, _) = self.stages[-1]
        assert -1e-6 <= self.frames <= total + 1e-6

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Count shots and chunks."""
        self.shots, self.chunks = shots, chunks

    def note(self, text: str) -> None:
        """Never used here."""
        raise AssertionError(text)


def made(*lengths: int) -> Plan:
    """A plan of shots of two chunks each, of one length."""
    chunks: list[Chunk] = []
    shots, at = [], 0
    for number, length in enumerate(lengths):
        for place in range(2):
            start, stop = at + place * length, at + (place + 1) * length
            part = Part(number, start, stop, (start, stop), place == 0, place == 1, number)
            chunks.append(Chunk(len(chunks), (part,)))
        shots.append(Shot(at, at + 2 * length, (1.0,), Rect(0, 0, 36, 64), (at,)))
        at += 2 * length
    return Plan(tuple(shots), tuple(chunks))


def receipt(chunk: Chunk, wanted: tuple[int, int]) -> Receipt:
    """The receipt of what is wanted of a chunk."""
    start, stop = max(chunk.start, wanted[0]), min(chunk.stop, wanted[1])
    return Receipt("", chunk.index, start, stop, "", 0, "", "", 0, 0, 0, {}, 1)


def course(chunk: Chunk, *, fills: bool = True) -> Course:
    return Course(chunk, batches=2, bytes=0, fills=fills)


def test_frames_count_as_their_steps_end_and_no_step_makes_them_whole() -> None:
    watcher, plan = Watcher(), made(50)
    meter = Meter(watcher, (0, 100))
    meter.show(plan)
    now = course(plan.chunks[0])
    seen = []
    for kind in ("decode", "paint", "paint", "harmonise", "fill"):
        meter.step(now, kind)
        seen.append(watcher.frames)
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] < 50
    assert watcher.chunks == (0, 2)
    meter.committed(receipt(plan.chunks[0], (0, 100)))
    assert watcher.frames == pytest.approx(50)
    assert (watcher.chunks, watcher.shots) == ((1, 2), (0, 1))
    meter.committed(receipt(plan.chunks[1], (0, 100)))
    assert watcher.frames == pytest.approx(100)
    assert (watcher.chunks, watcher.shots) == ((2, 2), (1, 1))


def test_what_was_done_of_a_lost_chunk_is_taken_back() -> None:
    watcher, plan = Watcher(), made(50)
    meter = Meter(watcher, (0, 100))
    meter.show(plan)
    first, second = (course(chunk) for chunk in plan.chunks)
    for one in (first, second):
        meter.step(one, "decode")
    both = watcher.frames
    meter.step(first, "paint")
    meter.lost(first)
    assert watcher.frames == pytest.approx(both / 2)
    meter.lost(first)
    assert watcher.frames == pytest.approx(both / 2)


def test_what_was_painted_before_the_film_is_planned_is_shown_at_once() -> None:
    watcher, plan = Watcher(), made(50)
    meter = Meter(watcher, (0, 100))
    meter.step(course(plan.chunks[1]), "decode")
    meter.committed(receipt(plan.chunks[0], (0, 100)))
    assert watcher.stages == []
    meter.show(plan)
    assert watcher.frames > 50
    assert watcher.chunks == (1, 2)


def test_chunks_of_an_earlier_run_count_as_done() -> None:
    watcher, plan = Watcher(), made(50, 20)
    meter = Meter(watcher, (0, 140))
    for chunk in plan.chunks[:2]:
        meter.kept(receipt(chunk, (0, 140)))
    meter.show(plan)
    assert watcher.stages == [("painting", 140, 100)]
    assert (watcher.chunks, watcher.shots) == ((2, 4), (1, 2))


def test_a_chunk_of_which_only_the_last_key_is_wanted_counts_nothing() -> None:
    watcher, plan = Watcher(), made(50)
    meter = Meter(watcher, (60, 70))
    meter.show(plan)
    meter.step(course(plan.chunks[0], fills=False), "decode")
    assert watcher.frames == 0
    meter.step(course(plan.chunks[1]), "decode")
    assert 0 < watcher.frames < 10


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    range_=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
    early=st.integers(0, 40),
    seed=st.integers(0, 2**32),
)
@settings(deadline=None)
def test_whatever_happens_no_more_is_shown_than_there_is_and_all_at_the_end(
    lengths: list[int], range_: tuple[int, int], early: int, seed: int
) -> None:
    plan, random = made(*lengths), Random(seed)
    frames = plan.shots[-1].stop
    start = range_[0] % frames
    wanted = start, start + 1 + range_[1] % (frames - start)
    watcher = Watcher()
    meter = Meter(watcher, wanted)
    left = {c.index: course(c) for c in covering(plan, *wanted)}
    for index in [i for i in left if random.random() < 0.2]:
        meter.kept(receipt(left.pop(index).chunk, wanted))
    for moment in range(1000):
        if moment == early:
            meter.show(plan)
        if not left:
            continue
        one = random.choice(list(left.values()))
        if random.random() < 0.1:
            meter.lost(one)
            one.drop()
        elif one.decoded is None:
            one.decoded = ("", "", "")
            meter.step(one, "decode")
        elif None in one.painted:
            one.painted[one.painted.index(None)] = ""
            meter.step(one, "paint")
        elif random.random() < 0.5:
            meter.step(one, random.choice(("harmonise", "fill", "fetch", "repaint", "promote")))
        else:
            meter.committed(receipt(one.chunk, wanted))
            del left[one.chunk.index]
    assert watcher.frames == pytest.approx(wanted[1] - wanted[0])
    assert watcher.chunks is not None
    assert watcher.chunks[0] == watcher.chunks[1] == len(covering(plan, *wanted))
    assert watcher.shots is not None
    assert watcher.shots[0] == watcher.shots[1]
