"""A task to what is asked of a worker, and its answer to what is there now.

The board says which step is next; here it gets its arguments, and here what comes back is put where
the next step finds it: pieces on their course, files under their names. Frames pass by as refs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors import remote, steps
from actors.batches import batches_of
from actors.inbetweener import FillOrder
from actors.remote import Answer, Errand, Ref, Stylist
from actors.steps import Filled, Hired, Link, Reading
from actors.stylizer import Moments
from jobs.board import Board, Course, Task
from jobs.commission import ROUNDS, Commission, shots_of
from jobs.costs import booked
from jobs.ledger import Receipt
from jobs.measurements import Measurements
from jobs.survey import Survey
from pipeline.fill.boundary import read_boundary
from pipeline.fill.gate import NeedsKeys
from pipeline.forecast import pieces_bytes
from pipeline.media.color import resolved
from pipeline.plan import Chunk, Plan


@dataclass(frozen=True, slots=True)
class Sent:
    """A task on its way."""

    task: Task
    errand: Errand
    paper: Path | FillOrder | None = None
    """where the worker writes, or what it was ordered"""


class Errands:
    """One job's steps, as they are asked for and answered."""

    def __init__(
        self,
        job: Commission,
        survey: Survey,
        board: Board,
        *,
        hired: Hired,
        apron: int,
        film: Ref,
        others: Sequence[tuple[Hired, int]] = (),
    ) -> None:
        """Begin; ``others`` are painters and aprons of the recipe's other variants."""
        self.job, self.survey, self.board, self.film = job, survey, board, film
        self.names: list[str] = []
        self.receipts: dict[int, Receipt] = {}
        self.reused = 0
        self.seconds: dict[int, dict[str, float]] = {}
        self._painters = ((hired, apron), *others)
        self.tags = resolved(job.film.color, job.film.height)
        self._harmoniser = job.harmoniser()
        self._measurements = Measurements(job)
        self._planned: Plan | None = None
        self._seen = 0

    def offer(self) -> list[Receipt]:
        """Put newly settled chunks on the board; gives the receipts of those done earlier."""
        if self.survey.plan is None or self.survey.plan is self._planned:
            return []
        self._planned = self.survey.plan
        self.names = self.job.identities(self.survey.plan, self.names)
        chunks = self.survey.chunks()
        fresh, self._seen = chunks[self._seen :], len(chunks)
        kept = []
        for chunk in fresh:
            receipt = self.job.work.receipt(self.job.piece(chunk, self.names[chunk.index]))
            if receipt is not None:
                self.receipts[chunk.index] = receipt
                kept.append(receipt)
            else:
                self.board.offer([*self._chain_before(chunk), self._course(chunk)])
        self.reused += len(kept)
        return kept

    def _chain_before(self, chunk: Chunk) -> list[Course]:
        """Courses for the last keys that the chunk's own chain hangs on and that are not there."""
        missing: list[Course] = []
        while not chunk.parts[0].opens and not self.job.recipe.every_frame and self.survey.plan:
            chunk = self.survey.plan.chunks[chunk.index - 1]
            known = self.board.linked | self.board.todo.keys() | self.board.open.keys()
            if chunk.index in known:
                break
            if read_boundary(self.job.work.boundary(self.names[chunk.index])) is not None:
                self.board.linked.add(chunk.index)
                break
            missing.append(self._course(chunk, fills=False))
        return missing[::-1]

    def _course(self, chunk: Chunk, *, fills: bool = True) -> Course:
        wanted = frozenset(self._measurements.of(chunk))
        self.board.measured |= self._measurements.kept(wanted - self.board.measured, self._plan)
        keys = sum(len(part.keys) for part in chunk.parts)
        lines = self.job.of_chunk(chunk).recipe.style_scale
        spread = batches_of(keys, size=self.job.film.size, lines=lines)
        return Course(
            chunk,
            batches=1 if self.board.gpus else spread,
            bytes=pieces_bytes(chunk, self.job.film),
            fills=fills,
            alone=self.job.recipe.every_frame,
            measurements=wanted,
        )

    def _hired(self, chunk: Chunk) -> Hired:
        """Who paints a chunk."""
        return self._painters[self.job.variant(chunk)][0]

    def send(
        self, task: Task, *, stylist: Stylist | None, node: str | None, waits: bool = True
    ) -> Sent:
        """Ask for a step: of a stylizer, or of any core; see ``remote.errand``."""
        name = f"{task.kind} {task.place}"

        def ask(step: remote.Step, *args: object, goods: int = 0) -> Errand:
            if stylist is not None:
                return remote.ask(stylist, step, *args, goods=goods, name=name)
            return remote.errand(step, *args, goods=goods, name=name, node=node, waits=waits)

        if task.kind == "sample":
            shot = self._measurements.shot(task.place, self._plan)
            return Sent(task, ask(steps.sample, self.film, shot, goods=1))
        if task.kind == "measure":
            hired, _ = self._painters[self._measurements.variant(task.place)]
            return Sent(task, ask(steps.measure, hired, self.board.samples[task.place], self.tags))
        return self._send(task, self.board.open[task.place], ask)

    def _send(self, task: Task, course: Course, ask: Callable[..., Errand]) -> Sent:
        """Ask for a chunk's step."""
        chunk, shots = course.chunk, shots_of(course.chunk, self._plan)
        decoded = course.decoded or ()
        match task.kind:
            case "decode":
                how, goods = self._reading(course), 1 + course.batches
                return Sent(task, ask(steps.decode, self.film, chunk, shots, how, goods=goods))
            case "paint" | "repaint":
                batch, moments = self._batch(task, course)
                errand = ask(steps.paint, self._hired(chunk), batch, moments, self.tags, goods=1)
                return Sent(task, errand)
            case "harmonise":
                link = self._link(chunk)
                pieces = (link, decoded[0], *course.painted)
                errand = ask(
                    steps.harmonise, self._harmoniser, self.film, chunk, shots, *pieces, goods=1
                )
                return Sent(task, errand, link.last)
            case "fetch":
                errand = ask(steps.fetch, self.film, chunk, shots, course.asked, goods=1)
                return Sent(task, errand)
            case "promote":
                pieces = (course.held, course.repainted)
                errand = ask(
                    steps.promote, self._harmoniser, self.film, chunk, shots, *pieces, goods=1
                )
                return Sent(task, errand)
            case _:
                order = self.job.order(chunk, shots, last_round=course.rounds == ROUNDS)
                return Sent(task, ask(steps.fill, self.film, order, course.held), order)

    def _batch(self, task: Task, course: Course) -> tuple[object, dict[int, Moments]]:
        """What is to be painted, and the moments of its parts."""
        batch = course.fetched
        if task.kind == "paint" and course.decoded is not None:
            batch = course.decoded[1 + task.item]
        return batch, self._measurements.moments(course.chunk)

    def agrees(self, task: Task, other: "Errands", their: Task) -> bool:
        """Whether one call to a stylizer can paint for both tasks."""
        ours, theirs = self.board.open[task.place].chunk, other.board.open[their.place].chunk
        return self._hired(ours) == other._hired(theirs) and self.tags == other.tags

    @staticmethod
    def together(several: Sequence[tuple["Errands", Task]], stylist: Stylist) -> list[Sent]:
        """Have a stylizer paint batches of several chunks, maybe of several films, in one call."""
        first, task = several[0]
        hired = first._hired(first.board.open[task.place].chunk)
        pairs = [one._batch(task, one.board.open[task.place]) for one, task in several]
        errand = remote.ask(
            stylist,
            steps.paint_together,
            hired,
            [moments for _, moments in pairs],
            first.tags,
            *(batch for batch, _ in pairs),
            goods=len(pairs),
            name=" ".join(["paint", *(str(task.place) for _, task in several)]),
        )
        return [
            Sent(task, Errand(errand.answer, (good,)))
            for (_, task), good in zip(several, errand.goods, strict=True)
        ]

    def receive(self, sent: Sent, answer: Answer) -> Receipt | None:
        """Take a step's answer; gives a receipt if it finished a chunk."""
        task, goods = sent.task, sent.errand.goods
        if task.kind == "sample":
            self.board.samples[task.place] = goods[0]
            return None
        if task.kind == "measure":
            self._measurements.keep(task.place, answer.value, self._plan)
            self.board.measured.add(task.place)
            self.board.samples.pop(task.place, None)
            return None
        return self._receive(sent, answer, self.board.open[task.place])

    def _receive(self, sent: Sent, answer: Answer, course: Course) -> Receipt | None:
        task, goods = sent.task, sent.errand.goods
        spent, name = self.seconds.setdefault(task.place, {}), self._booked(task)
        spent[name] = spent.get(name, 0.0) + answer.ended - answer.began
        match task.kind:
            case "decode":
                course.decoded = goods
            case "paint":
                course.painted[task.item] = goods[0]
            case "fetch":
                course.fetched = goods[0]
            case "repaint":
                course.repainted = goods[0]
            case "promote":
                course.held = goods[0]
                course.asked, course.fetched, course.repainted = (), None, None
            case "harmonise":
                self._harmonised(sent, course)
            case _:
                return self._filled(sent, answer, course)
        return None

    def _harmonised(self, sent: Sent, course: Course) -> None:
        place = course.chunk.index
        if isinstance(sent.paper, Path):
            self.job.work.check()
            self.job.work.commit_boundary(sent.paper, self.names[place])
            self.board.linked.add(place)
        course.held, course.decoded = sent.errand.goods[0], None
        course.painted = [True] * course.batches  # painted, and let go
        if not course.fills:
            self.board.close(place)

    def _filled(self, sent: Sent, answer: Answer, course: Course) -> Receipt | None:
        filled, order = answer.value, sent.paper
        if not isinstance(filled, Filled) or not isinstance(order, FillOrder):
            raise TypeError(f"a fill gave {type(filled).__name__}")
        if isinstance(filled.answer, NeedsKeys):
            course.asked = filled.answer.frames
            course.rounds += 1
            course.promoted += len(course.asked)
            return None
        place = course.chunk.index
        receipt = self.job.sign(
            order,
            filled.answer,
            name=self.names[place],
            keys=filled.keys,
            promoted=course.promoted,
            tiles=filled.tiles,
            seconds=self.seconds.pop(place),
        )
        self.receipts[place] = receipt
        self.board.close(place)
        return receipt

    def _booked(self, task: Task) -> str:
        return booked(task.kind, gpu=self.board.paints(task))

    @property
    def _plan(self) -> Plan:
        if self.survey.plan is None:
            raise ValueError("nothing is planned yet")
        return self.survey.plan

    def _reading(self, course: Course) -> Reading:
        first, every_frame = course.chunk.parts[0], self.job.recipe.every_frame
        return Reading(
            apron=self._painters[self.job.variant(course.chunk)][1],
            every_frame=every_frame,
            windows=course.fills,
            without=None if first.opens or every_frame else first.keys[0],
            batches=course.batches,
            terms=self.job.recipe.terms,
        )

    def _link(self, chunk: Chunk) -> Link:
        if self.job.recipe.every_frame:
            return Link(None, None)
        work, opens = self.job.work, chunk.parts[0].opens
        return Link(
            before=None if opens else work.boundary(self.names[chunk.index - 1]),
            last=None if chunk.parts[-1].closes else work.attempt(".npz"),
        )
