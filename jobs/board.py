"""What is there of a film to the steps that come next: decisions without Ray, clock or files.

A *course* is one chunk on its way: which of its pieces lie in the object store. What has to be done
next follows from what is there, so a loss needs no story: the piece is gone, and its step comes up
again. The *board* holds all courses, opens them as memory allows, longest chain first, and hands
out steps: finish before paint before decode, so that what is begun leaves memory soon. Once nothing
is left to open, the step with the longest way behind it comes first, so that all end together.

Pieces are opaque here: refs, or anything that is not None.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from jobs.budget import Budget
from pipeline.plan import Chunk

Kind = Literal[
    "analyse", "sample", "measure", "decode", "paint", "harmonise", "fill", "fetch", "repaint",
    "promote", "introduce", "assemble",
]  # fmt: skip
PAINTING: frozenset[Kind] = frozenset({"measure", "paint", "repaint"})
"""Kinds that need a painter."""
_ORDER: Mapping[Kind, int] = {
    "assemble": 0, "harmonise": 0, "promote": 0, "fill": 1, "repaint": 1, "fetch": 1,
    "measure": 2, "paint": 2, "sample": 3, "analyse": 4, "decode": 5,
}  # fmt: skip
SHARE: Mapping[Kind, float] = {"decode": 0.25, "paint": 0.25, "fill": 0.5}
"""Of a chunk's work, as measured on a CPU; for progress and for what is left."""
_FEEDING: frozenset[Kind] = frozenset({"decode", "sample", "fetch"})
"""Kinds after which there is something to paint."""
_APART: frozenset[Kind] = frozenset({"analyse", "sample", "measure", "introduce", "assemble"})
"""Kinds that belong to no chunk."""
_LAST = 6
"""Where analysis stands as long as no segment is there."""


@dataclass(frozen=True, slots=True)
class Task:
    """One step that can be done now."""

    kind: Kind
    place: int
    """Index of the span or the chunk; the number of the measurement."""
    item: int = 0
    """Which batch of the chunk."""


@dataclass(slots=True)
class Course:
    """A chunk on its way."""

    chunk: Chunk
    batches: int
    bytes: int
    """what its pieces take in memory at most, all of them together"""
    fills: bool = True
    """False where only the last key is wanted, for the chunk after"""
    alone: bool = False
    """True where chunks hand no key on: every frame is painted"""
    decoded: tuple[object, ...] | None = None
    """motions, then the batches"""
    painted: list[object] = field(default_factory=list)
    held: object = None
    """harmonised keys"""
    asked: tuple[int, ...] = ()
    """frames that the gate wants painted"""
    fetched: object = None
    repainted: object = None
    rounds: int = 0
    promoted: int = 0
    node: str | None = None
    """the machine on which its pieces lie, or should; None if that is not known"""
    fixed: bool = False
    """whether it has to be decoded there, for others have no room"""
    measurements: frozenset[int] = frozenset()
    """numbers of those that it is painted by; by default its set-ups' shots"""

    def __post_init__(self) -> None:
        self.measurements = self.measurements or frozenset(p.setup for p in self.chunk.parts)
        self.drop()

    @property
    def heads(self) -> bool:
        """Whether it needs no key of the chunk before it."""
        return self.alone or self.chunk.parts[0].opens

    def drop(self) -> None:
        """Forget all pieces: they lay on a machine that is gone."""
        self.decoded, self.held = None, None
        self.painted = [None] * self.batches
        self.asked, self.fetched, self.repainted = (), None, None
        self.rounds = self.promoted = 0

    def place(self, node: str | None) -> None:
        """Say where its pieces should lie; None if that does not matter."""
        self.node, self.fixed = node, node is not None

    def next(self, *, measured: bool, linked: bool) -> list[Task]:
        """Name the steps that can be done now, running ones among them.

        Args:
            measured: whether the moments of all its set-ups are known.
            linked: whether the key that the chunk before leaves is there.
        """
        place = self.chunk.index
        if self.held is not None:
            if not self.asked:
                return [Task("fill", place)] if self.fills else []
            if self.fetched is None:
                return [Task("fetch", place)]
            return [Task("promote" if self.repainted is not None else "repaint", place)]
        if self.decoded is None:
            return [Task("decode", place)]
        waiting = [i for i, piece in enumerate(self.painted) if piece is None]
        if waiting:
            return [Task("paint", place, i) for i in waiting] if measured else []
        return [Task("harmonise", place)] if linked else []

    def lacks(self) -> dict[Kind, float]:
        """Give how much of each large step is left, 0 to 1."""
        unpainted = sum(piece is None for piece in self.painted) / max(1, self.batches)
        return {
            "decode": 1.0 if self.decoded is None and unpainted else 0.0,
            "paint": unpainted,
            "fill": 1.0 if self.fills else 0.0,
        }

    def left(self) -> float:
        """Work that is left of it, in frames."""
        frames = self.chunk.stop - self.chunk.start
        return frames * sum(SHARE[kind] * lacking for kind, lacking in self.lacks().items())


class Board:
    """All that is to be done, and what is being done."""

    def __init__(self, *, budget: Budget, gpus: bool) -> None:
        """Begin with nothing to do.

        Args:
            budget: memory for the pieces of all open courses, other films' too.
            gpus: whether painting goes to stylizers instead of to any core.
        """
        self.budget, self.gpus = budget, gpus
        self.spans: set[int] = set()
        """To be analysed."""
        self.todo: dict[int, Course] = {}
        """Not opened yet, by chunk."""
        self.open: dict[int, Course] = {}
        budget.join(self.open)
        self.blocked = False
        """Whether ``next`` would have opened a chunk, had there been memory."""
        self.samples: dict[int, object] = {}
        """By measurement, of a shot that is measured for its set-up."""
        self.measured: set[int] = set()
        self.linked: set[int] = set()
        """Chunks whose last key is there for the chunk after."""
        self.apart: set[Task] = set()
        """Ready, and no chunk's: what comes once all chunks are there."""
        self.running: set[Task] = set()
        self.first = True
        """Whether no segment is there yet: then chunks come before analysis."""

    @property
    def idle(self) -> bool:
        """Whether nothing is left that this board knows of."""
        return not (self.spans or self.todo or self.open or self.running)

    @property
    def ready(self) -> int:
        """How many steps nobody works on yet; of analyses, one."""
        return len(self._ready())

    def offer(self, courses: Iterable[Course]) -> None:
        """Add chunks to be made."""
        self.todo.update((course.chunk.index, course) for course in courses)

    def analysed(self, span: int, *, enough: bool) -> None:
        """A span's rows are there; ``enough`` if no other span is needed."""
        self.spans.discard(span)
        self.running.discard(Task("analyse", span))
        if enough:
            self.spans.clear()

    def course(self, task: Task) -> Course | None:
        """The course that a task belongs to, if it is a chunk's."""
        return None if task.kind in _APART else self.open.get(task.place)

    def lost(self, task: Task) -> None:
        """Forget the pieces that a task needed."""
        if task.kind == "measure":
            self.samples.pop(task.place, None)
        elif (course := self.course(task)) is not None:
            course.drop()

    def close(self, chunk: int) -> None:
        """Take a finished chunk off."""
        course = self.open.pop(chunk)
        self.first = self.first and not course.fills

    def painting(self) -> Task | None:
        """Choose the next step for a free place with a stylizer."""
        ready = [task for task in self._ready() if self.paints(task)]
        return min(ready, key=lambda task: self._rank(task, hungry=False), default=None)

    def next(self, *, hungry: bool = False, opens: bool = True) -> Task | None:
        """Choose the next step for a free core; opens chunks as needed.

        Args:
            hungry: whether there are stylizers for which nothing will be there to paint.
            opens: whether chunks may be opened.
        """
        self.blocked = False
        while True:
            ready = [task for task in self._ready() if not self.paints(task)]
            task = min(ready, key=lambda task: self._rank(task, hungry=hungry), default=None)
            if not (opens and self._wants_more(task, hungry=hungry) and self._open_one()):
                return task

    def _wants_more(self, task: Task | None, *, hungry: bool) -> bool:
        """Whether a chunk should be opened before ``task`` is done."""
        if task is None or (task.kind == "analyse" and self.first):
            return True
        return hungry and task.kind not in _FEEDING

    def paints(self, task: Task) -> bool:
        """Whether a stylizer does it, not a core."""
        return self.gpus and task.kind in PAINTING

    def _rank(self, task: Task, *, hungry: bool) -> tuple[float, float, int, int]:
        order, way = float(_ORDER[task.kind]), 0.0
        if task.kind == "analyse" and self.first:
            order = _LAST
        elif hungry and task.kind in _FEEDING:
            order = -1.0
        elif not self.todo and not self.spans:  # the tail: nothing is left to open
            if task.kind in ("sample", "measure"):
                order = 0.0
            elif order > 0:
                order, way = 1.0, -self.open[task.place].left()
        return order, way, task.place, task.item

    def coming(self) -> int:
        """How much there is to paint for who has nothing yet, or soon will be."""
        waiting = sum(task.kind in PAINTING for task in self._ready())
        return waiting + sum(task.kind in _FEEDING for task in self.running)

    def _ready(self) -> list[Task]:
        at_work = {task.place for task in self.running if task.kind == "analyse"}
        span = min(self.spans - at_work, default=None)  # one of them is enough to choose from
        found = [*self.apart] if span is None else [Task("analyse", span), *self.apart]
        wanted: set[int] = set()
        for course in self.open.values():
            wanted |= course.measurements - self.measured
            found += course.next(
                measured=course.measurements <= self.measured,
                linked=course.heads or course.chunk.index - 1 in self.linked,
            )
        found += [Task("measure" if s in self.samples else "sample", s) for s in wanted]
        return [task for task in found if task not in self.running]

    def _open_one(self) -> bool:
        """Open the head of the longest chain, if it fits beside what is open."""
        heads = [i for i, course in self.todo.items() if self._is_head(course)]
        if not heads:
            return False
        head = max(heads, key=lambda i: (self._chain(i), -i))
        size = self.todo[head].bytes
        self.blocked = not self.budget.fits(size)
        if self.blocked:
            return False
        course = self.open[head] = self.todo.pop(head)
        course.place(self.budget.place(size))
        return True

    def _is_head(self, course: Course) -> bool:
        return course.heads or course.chunk.index - 1 not in self.todo

    def _chain(self, head: int) -> int:
        """Frames that wait along the chain behind a head, its own among them."""
        last = head
        while (after := self.todo.get(last + 1)) and not after.heads:
            last += 1
        return self.todo[last].chunk.stop - self.todo[head].chunk.start
