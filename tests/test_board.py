"""The board: what comes first, what has to wait, and that everything is done once, come what may.

A *play* is a job on a made plan whose workers take as long as a random number says, fail, and lose
pieces. It knows what each step needs, does with answers what the errands do, and refuses whatever
breaks a rule.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.board import PAINTING, Board, Course, Task
from jobs.budget import Budget
from jobs.turns import Turns
from pipeline.media.color import Rect
from pipeline.plan import Chunk, Part, Plan, Shot, covering

ROUNDS = 2
PICTURE = Rect(0, 0, 36, 64)


def made(*shots: Sequence[int], setups: Sequence[int] = ()) -> Plan:
    """A plan of shots, of each the lengths of its chunks, and the shot whose set-up it has."""
    chunks: list[Chunk] = []
    wholes, at = [], 0
    for number, lengths in enumerate(shots):
        start, last = at, len(lengths) - 1
        for place, length in enumerate(lengths):
            ends = place == 0, place == last
            keys = (at, at + length - ends[1])
            setup = setups[number] if setups else number
            part = Part(number, at, at + length, keys, *ends, setup)
            chunks.append(Chunk(len(chunks), (part,)))
            at += length
        wholes.append(Shot(start, at, (1.0,) * (at - start), PICTURE, (start,)))
    return Plan(tuple(wholes), tuple(chunks))


def courses(plan: Plan, *, batches: int = 1, size: int = 1, alone: bool = False) -> list[Course]:
    """A course for each chunk."""
    return [Course(c, batches=batches, bytes=size, alone=alone) for c in plan.chunks]


def board(
    offered: Iterable[Course], *, budget: int = 100, gpus: bool = False, measured: bool = True
) -> Board:
    """A board with chunks on it."""
    found = Board(budget=Budget(budget), gpus=gpus)
    found.offer(offered)
    if measured:
        found.measured = {p.setup for c in found.todo.values() for p in c.chunk.parts}
    return found


def opened(found: Board, *indices: int) -> list[Course]:
    """Open chunks by hand."""
    for index in indices:
        found.open[index] = found.todo.pop(index)
    return [found.open[index] for index in indices]


def decoded(course: Course) -> None:
    course.decoded = ("motions", *("batch",) * course.batches)


def painted(course: Course) -> None:
    decoded(course)
    course.painted = ["painted"] * course.batches


def held(course: Course) -> None:
    painted(course)
    course.held, course.decoded = "harmonised", None


def refused(course: Course) -> None:
    held(course)
    course.asked, course.rounds, course.promoted = (7, 9), 1, 2


def taken(found: Board, *, cores: int = 1, painters: int = 0) -> list[tuple[str, int]]:
    """What the board hands out."""
    return [(task.kind, task.place) for task in tasks(found, cores=cores, painters=painters)]


def tasks(found: Board, *, cores: int = 1, painters: int = 0) -> list[Task]:
    """What the board hands out, for places with stylizers first."""
    turns = Turns()
    turns.enter("film", found, weight=1)
    return [turn.task for turn in turns.take(cores=cores, places=painters)]


# -- what comes first ------------------------------------------------------------------------------


def test_what_is_begun_is_finished_before_more_is_painted_and_painted_before_more_is_decoded() -> (
    None
):
    found = board(courses(made((60,), (60,), (60,), (60,), (60,))), budget=4)
    first, second, third, _ = opened(found, 0, 1, 2, 3)
    decoded(first)
    held(second)
    painted(third)
    wanted = [("harmonise", 2), ("fill", 1), ("paint", 0), ("decode", 3)]
    assert [taken(found)[0] for _ in wanted] == wanted
    assert taken(found) == []


def test_the_longest_chain_is_begun_first_and_its_chunks_in_order() -> None:
    found = board(courses(made((100,), (50, 50, 50), (100,))))
    assert taken(found, cores=9) == [("decode", i) for i in (1, 0, 2, 4, 3)]


def test_once_nothing_is_left_to_open_the_longest_way_comes_first() -> None:
    whole = made((60,), (60,), (90,))
    found = board(courses(whole), budget=2)
    first, _ = opened(found, 0, 1)
    held(first)
    assert taken(found) == [("fill", 0)], "there is another chunk to be opened"
    found = board(courses(whole))
    first, _, _ = opened(found, 0, 1, 2)
    held(first)
    assert taken(found, cores=3) == [("decode", 2), ("decode", 1), ("fill", 0)]


def test_in_the_tail_what_others_wait_for_still_comes_first() -> None:
    found = board(courses(made((60,), (90,))), measured=False)
    found.measured = {1}
    first, second = opened(found, 0, 1)
    decoded(first)
    painted(second)
    assert taken(found, cores=2) == [("sample", 0), ("harmonise", 1)]


# -- memory ----------------------------------------------------------------------------------------


def test_chunks_are_opened_as_long_as_their_pieces_fit() -> None:
    found = board(courses(made(*[(60,)] * 5), size=4), budget=12)
    assert taken(found, cores=9) == [("decode", i) for i in range(3)]
    found.running.clear()
    held(found.open[1])
    found.close(1)
    assert taken(found, cores=9) == [("decode", i) for i in (0, 2, 3)]


def test_a_chunk_that_is_too_large_is_opened_alone() -> None:
    found = board(courses(made((60,), (60,)), size=1000), budget=1)
    assert taken(found, cores=9) == [("decode", 0)]
    assert list(found.open) == [0]


# -- analysis --------------------------------------------------------------------------------------


def test_analysis_waits_for_the_first_segment() -> None:
    found = board(courses(made((60,), (60,))))
    found.spans = {0, 1}
    assert taken(found, cores=3) == [("decode", 0), ("decode", 1), ("analyse", 0)]


def test_chunks_that_do_not_fit_yet_leave_the_cores_to_analysis() -> None:
    found = board(courses(made((60,), (60,))), budget=1)
    found.spans = {0}
    assert taken(found, cores=2) == [("decode", 0), ("analyse", 0)]


def test_after_the_first_segment_a_film_is_analysed_before_more_is_begun() -> None:
    found = board(courses(made((60,), (60,), (60,))), budget=2)
    found.spans = {3, 4}
    first, _ = opened(found, 0, 1)
    held(first)
    found.close(0)
    assert taken(found, cores=3) == [("analyse", 3), ("analyse", 4), ("decode", 1)]


def test_a_last_key_alone_is_no_segment() -> None:
    found = board(Course(c, batches=1, bytes=1, fills=False) for c in made((60, 60)).chunks)
    opened(found, 0)
    found.close(0)
    assert found.first


def test_once_enough_is_known_no_more_is_analysed() -> None:
    found = board(())
    found.spans = {0, 1, 2}
    assert taken(found, cores=2) == [("analyse", 0), ("analyse", 1)]
    found.analysed(0, enough=True)
    assert taken(found, cores=2) == []
    assert not found.idle, "a span is still being looked at"
    found.analysed(1, enough=True)
    assert found.idle


# -- what has to wait ------------------------------------------------------------------------------


def test_keys_are_harmonised_when_the_key_before_them_is_there() -> None:
    found = board(courses(made((60, 60))))
    for course in opened(found, 0, 1):
        painted(course)
    assert taken(found, cores=9) == [("harmonise", 0)]
    held(found.open[0])
    found.linked.add(0)
    assert ("harmonise", 1) in taken(found, cores=9)


def test_no_chunk_waits_for_another_where_every_frame_is_painted() -> None:
    found = board(courses(made((60, 60, 60)), alone=True)[1:])
    for course in opened(found, 1, 2):
        painted(course)
    assert taken(found, cores=9) == [("harmonise", 1), ("harmonise", 2)]


def test_painting_waits_for_its_shots_to_be_measured_which_is_done_once() -> None:
    found = board(courses(made((60, 60)), batches=2), measured=False)
    for course in opened(found, 0, 1):
        decoded(course)
    assert taken(found, cores=9) == [("sample", 0)]
    found.running.clear()
    found.samples[0] = "frames"
    assert taken(found, cores=9) == [("measure", 0)]
    found.running.clear()
    found.measured.add(0)
    assert taken(found, cores=9) == [("paint", 0)] * 2 + [("paint", 1)] * 2


def test_shots_of_one_set_up_wait_for_one_measurement() -> None:
    found = board(courses(made((60,), (60,), (60,), setups=(0, 1, 0))), measured=False)
    for course in opened(found, 0, 1, 2):
        decoded(course)
    assert taken(found, cores=9) == [("sample", 0), ("sample", 1)]
    found.running.clear()
    found.measured.add(0)
    assert taken(found, cores=9) == [("sample", 1), ("paint", 0), ("paint", 2)]


def test_keys_that_the_gate_wants_are_fetched_painted_and_set_among_the_others() -> None:
    found = board(courses(made((60,))))
    (course,) = opened(found, 0)
    held(course)
    assert taken(found) == [("fill", 0)]
    found.running.clear()
    refused(course)
    assert taken(found) == [("fetch", 0)]
    found.running.clear()
    course.fetched = "frames"
    assert taken(found) == [("repaint", 0)]
    found.running.clear()
    course.repainted = "painted"
    assert taken(found) == [("promote", 0)]
    found.running.clear()
    course.asked, course.fetched, course.repainted = (), None, None
    assert taken(found) == [("fill", 0)]


def test_a_chunk_of_which_only_the_last_key_is_wanted_is_not_filled() -> None:
    (course, _) = (Course(c, batches=1, bytes=1, fills=False) for c in made((60, 60)).chunks)
    painted(course)
    assert [t.kind for t in course.next(measured=True, linked=True)] == ["harmonise"]
    held(course)
    assert course.next(measured=True, linked=True) == []


# -- losses ----------------------------------------------------------------------------------------


def test_a_chunk_whose_pieces_are_lost_begins_again() -> None:
    found = board(courses(made((60,)), batches=2))
    (course,) = opened(found, 0)
    refused(course)
    found.lost(Task("fetch", 0))
    assert taken(found, cores=9) == [("decode", 0)]
    assert not course.asked
    assert course.rounds == course.promoted == 0


def test_what_is_painted_meanwhile_is_not_painted_again() -> None:
    found = board(courses(made((60,)), batches=3))
    (course,) = opened(found, 0)
    decoded(course)
    assert taken(found, cores=3) == [("paint", 0)] * 3
    found.running.discard(Task("paint", 0, 1))
    found.lost(Task("paint", 0, 1))
    assert taken(found) == [("decode", 0)]
    found.running.discard(Task("paint", 0, 2))
    course.painted[2] = "painted"
    found.running.discard(Task("decode", 0))
    decoded(course)
    assert tasks(found, cores=9) == [Task("paint", 0, 1)], "the first is still at it"


def test_samples_that_are_lost_are_decoded_again_and_no_others() -> None:
    found = board(courses(made((60,), (60,))), measured=False)
    opened(found, 0, 1)
    found.samples = {0: "frames", 1: "frames"}
    found.lost(Task("analyse", 0))
    assert found.samples.keys() == {0, 1}
    found.lost(Task("measure", 1))
    assert found.samples.keys() == {0}


# -- stylizers -------------------------------------------------------------------------------------


def test_with_gpus_painting_takes_places_with_stylizers_and_no_cores() -> None:
    found = board(courses(made((60,), (60,), (60,))), gpus=True)
    first, second, third = opened(found, 0, 1, 2)
    decoded(first)
    decoded(second)
    held(third)
    assert taken(found, cores=9, painters=0) == [("fill", 2)]
    assert taken(found, cores=0, painters=1) == [("paint", 0)]
    assert taken(found, cores=0, painters=9) == [("paint", 1)]


def test_a_hungry_stylizer_is_fed_before_anything_is_filled() -> None:
    found = board(courses(made(*[(60,)] * 6)), gpus=True, budget=5)
    (filling,) = opened(found, 0)
    held(filling)
    assert taken(found, cores=3, painters=2) == [("decode", 1), ("decode", 2), ("fill", 0)]


def test_a_stylizer_with_enough_before_it_is_not_fed() -> None:
    found = board(courses(made(*[(60,)] * 6)), gpus=True, budget=4)
    first, second, third = opened(found, 0, 1, 2)
    held(first)
    decoded(second)
    decoded(third)
    wanted = [("paint", 1), ("paint", 2), ("fill", 0), ("decode", 3)]
    assert taken(found, cores=2, painters=2) == wanted


def test_each_of_many_stylizers_is_fed() -> None:
    found = board(courses(made(*[(60,)] * 20)), gpus=True, budget=20)
    for course in opened(found, *range(8)):
        held(course)
    fed = [kind for kind, _ in taken(found, cores=8, painters=16)]
    assert fed == ["decode"] * 8


# -- whole plays -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scene:
    """A film, what is wanted of it, and who works on it."""

    plan: Plan
    start: int
    stop: int
    spans: int
    batches: int
    alone: bool
    budget: int
    cores: int
    stylizers: int
    done: frozenset[int]
    """chunks that an earlier run filled"""
    keyed: frozenset[int]
    """chunks whose last key an earlier run left"""
    trouble: int
    """how many times something goes wrong"""
    seed: int


@dataclass(slots=True)
class Play:
    """One job from begin to end."""

    scene: Scene
    random: Random = field(init=False)
    board: Board = field(init=False)
    turns: Turns = field(init=False)
    cores: int = field(init=False)
    trouble: int = field(init=False)
    now: float = 0.0
    out: list[tuple[float, int, Task, list[object]]] = field(default_factory=list)
    """tasks on their way: when they end, a number, and the pieces that they use"""
    names: "count[int]" = field(default_factory=count)
    gone: set[object] = field(default_factory=set)
    """pieces that lay on a machine that has died"""
    analysed: set[int] = field(default_factory=set)
    offered: set[int] = field(default_factory=set)
    filled: Counter[int] = field(default_factory=Counter)
    handed: int = 0

    def __post_init__(self) -> None:
        scene = self.scene
        self.random, self.trouble, self.cores = Random(scene.seed), scene.trouble, scene.cores
        self.board = Board(budget=Budget(scene.budget), gpus=scene.stylizers > 0)
        self.turns = Turns()
        self.turns.enter("film", self.board, weight=1)
        self.board.spans = set(range(scene.spans))

    @property
    def wanted(self) -> set[int]:
        """Chunks that make any wanted frame."""
        return {c.index for c in covering(self.scene.plan, self.scene.start, self.scene.stop)}

    def settled(self) -> set[int]:
        """Wanted chunks that are planned for good."""
        known = next(i for i in count() if i not in self.analysed)
        chunks = len(self.scene.plan.chunks)
        return {i for i in self.wanted if i < chunks * known // self.scene.spans}

    def run(self) -> None:
        """Play to the end."""
        while True:
            self.offer()
            if self.board.idle and self.settled() == self.wanted:
                return
            self.send()
            assert self.out, "nothing is being done, and not everything is done"
            self.hear()

    def offer(self) -> None:
        """Put newly settled chunks on the board, and what their chains hang on."""
        for index in sorted(self.settled() - self.offered - self.scene.done):
            self.offered.add(index)
            self.board.offer([*self.chain_before(index), self.course(index)])

    def chain_before(self, index: int) -> list[Course]:
        """Courses for last keys that are not there."""
        missing: list[Course] = []
        board, chunks = self.board, self.scene.plan.chunks
        while not chunks[index].parts[0].opens and not self.scene.alone:
            index -= 1
            if index in board.linked | board.todo.keys() | board.open.keys():
                break
            if index in self.scene.keyed:
                board.linked.add(index)
                break
            missing.append(self.course(index, fills=False))
        return missing[::-1]

    def course(self, index: int, *, fills: bool = True) -> Course:
        """A course that takes a byte a frame."""
        chunk = self.scene.plan.chunks[index]
        size = chunk.stop - chunk.start
        return Course(
            chunk, batches=self.scene.batches, bytes=size, fills=fills, alone=self.scene.alone
        )

    def send(self) -> None:
        """Have the board hand out steps, and hold it to its rules."""
        if self.random.random() < 0.05:  # machines come and go
            self.cores = self.random.randint(0, self.scene.cores)
        self.cores = self.cores if self.out else max(1, self.cores)  # else nobody is left
        painting = sum(self.board.paints(task) for _, _, task, _ in self.out)
        cores = self.cores - (len(self.out) - painting)
        painters = 2 * self.scene.stylizers - painting
        tasks = [t.task for t in self.turns.take(cores=cores, places=painters)]
        assert sum(self.board.paints(task) for task in tasks) <= max(0, painters)
        assert sum(not self.board.paints(task) for task in tasks) <= max(0, cores)
        opened = self.board.open.values()
        if len(opened) > 1:
            assert sum(course.bytes for course in opened) <= self.scene.budget
        for task in tasks:
            assert task not in [other for _, _, other, _ in self.out]
            self.handed += 1
            assert self.handed < 10000, "it goes on forever"
            ends = self.now + self.random.choice((0.1, 1.0, 1.0, 30.0)) * self.random.random()
            heappush(self.out, (ends, next(self.names), task, self.used(task)))

    def used(self, task: Task) -> list[object]:
        """The pieces that a task uses; all of them have to be there."""
        if task.kind in ("analyse", "sample"):
            assert task.place not in (self.analysed if task.kind == "analyse" else ())
            return []
        if task.kind == "measure":
            assert task.place not in self.board.measured
            return [self.board.samples[task.place]]
        course = self.board.open[task.place]
        pieces = course.decoded or (None,) * (1 + course.batches)
        setups = {part.setup for part in course.chunk.parts}
        assert task.kind not in PAINTING or setups <= self.board.measured
        needed: dict[str, list[object]] = {
            "decode": [],
            "paint": [pieces[1 + task.item]],
            "harmonise": [pieces[0], *course.painted],
            "fill": [course.held],
            "fetch": [course.held, course.asked or None],
            "repaint": [course.held, course.fetched],
            "promote": [course.held, course.repainted],
        }
        assert None not in needed[task.kind]
        chained = not course.chunk.parts[0].opens and not self.scene.alone
        if task.kind == "harmonise" and chained:
            assert task.place - 1 in self.board.linked
        return needed[task.kind]

    def hear(self) -> None:
        """Let the task end that ends first, one way or the other."""
        self.now, _, task, used = heappop(self.out)
        self.board.running.discard(task)
        if self.trouble and self.random.random() < 0.2:
            self.trouble -= 1
            if self.random.random() < 0.5:
                self.die()
            return  # unrun: the worker was killed
        if any(piece in self.gone for piece in used):
            self.board.lost(task)
        else:
            self.receive(task)

    def die(self) -> None:
        """Lose what a machine held."""
        for course in self.board.open.values():
            held = (*(course.decoded or ()), *course.painted)
            for piece in (*held, course.held, course.fetched, course.repainted):
                if isinstance(piece, str) and self.random.random() < 0.5:
                    self.gone.add(piece)
        self.gone |= set(self.board.samples.values())

    def piece(self) -> str:
        """Something new."""
        return f"piece {next(self.names)}"

    def receive(self, task: Task) -> None:
        """Put what comes back where the next step finds it."""
        board, place = self.board, task.place
        if task.kind == "analyse":
            self.analysed.add(place)
            board.analysed(place, enough=self.settled() == self.wanted)
        elif task.kind == "sample":
            board.samples[place] = self.piece()
        elif task.kind == "measure":
            board.measured.add(place)
            board.samples.pop(place, None)
        else:
            self.receive_chunk(task, board.open[place])

    def receive_chunk(self, task: Task, course: Course) -> None:
        """The same for a chunk's steps."""
        match task.kind:
            case "decode":
                course.decoded = tuple(self.piece() for _ in range(1 + course.batches))
            case "paint":
                course.painted[task.item] = self.piece()
            case "fetch":
                course.fetched = self.piece()
            case "repaint":
                course.repainted = self.piece()
            case "promote":
                course.held = self.piece()
                course.asked, course.fetched, course.repainted = (), None, None
            case "harmonise":
                if not course.chunk.parts[-1].closes and not self.scene.alone:
                    self.board.linked.add(task.place)
                course.held, course.decoded = self.piece(), None
                course.painted = [True] * course.batches
                if not course.fills:
                    self.board.close(task.place)
            case _:
                self.fill(course)

    def fill(self, course: Course) -> None:
        """A chunk is filled, or its gate wants more keys."""
        assert course.fills
        assert course.rounds <= ROUNDS
        if course.rounds < ROUNDS and self.random.random() < 0.3:
            course.asked = (course.chunk.start,)
            course.rounds += 1
            course.promoted += 1
            return
        self.filled[course.chunk.index] += 1
        self.board.close(course.chunk.index)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Any film, any part of it, any machines."""
    lengths = st.lists(st.integers(1, 120), min_size=1, max_size=5)
    shots = draw(st.lists(lengths, min_size=1, max_size=6))
    plan = made(*shots, setups=[draw(st.sampled_from((i, i // 2))) for i in range(len(shots))])
    frames, chunks = plan.shots[-1].stop, range(len(plan.chunks))
    start = draw(st.integers(0, frames - 1))
    return Scene(
        plan=plan,
        start=start if draw(st.booleans()) else 0,
        stop=draw(st.integers(start + 1, frames)),
        spans=draw(st.integers(1, 5)),
        batches=draw(st.integers(1, 3)),
        alone=draw(st.booleans()),
        budget=draw(st.sampled_from((0, 100, 200, 500, 10000))),
        cores=draw(st.integers(1, 6)),
        stylizers=draw(st.sampled_from((0, 0, 1, 3))),
        done=draw(st.frozensets(st.sampled_from(chunks), max_size=3)),
        keyed=draw(st.frozensets(st.sampled_from(chunks), max_size=3)),
        trouble=draw(st.sampled_from((0, 0, 3, 20))),
        seed=draw(st.integers(0, 2**32)),
    )


@given(scenes())
@settings(max_examples=200, deadline=None)
def test_whatever_happens_every_wanted_chunk_is_filled_once(scene: Scene) -> None:
    play = Play(scene)
    play.run()
    assert play.filled == Counter(play.wanted - scene.done)
    assert not play.board.open
    assert not play.board.samples
