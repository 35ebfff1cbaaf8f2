"""One film in work on Ray: what is known of it, which steps are ready, what their answers mean.

It holds refs, paths and receipts, never a frame, and it alone gives names to what workers leave.
Everything that it knows can be had again from the work folder. Who does the steps, and when it is
this film's turn, is decided elsewhere.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ray.exceptions import LocalRayletDiedError

from actors import remote, steps
from actors.assembler import Joined
from actors.remote import Answer, Stylist
from actors.steps import Card, Hired, Joining
from actors.stylizer import Painting
from jobs.board import Board, Task
from jobs.budget import Budget
from jobs.cards import Cards, Hand
from jobs.commission import Commission, Result
from jobs.costs import Spent, in_a_line
from jobs.early import Early, Looked
from jobs.errands import Errands, Sent
from jobs.failures import Failure, Tries, bug
from jobs.ledger import Receipt, check_space
from jobs.log import Log, place
from jobs.meter import Meter
from jobs.stylize import Begun
from jobs.survey import Span, Survey
from pipeline.errors import ClusterFailed, NodeLost
from pipeline.plan import Chunk

JOIN = Task("assemble", 0)
_TRIES = 5
"""Of what is asked outside the board: introductions, and the joining of the film."""


class Production:
    """One film, one recipe, one work folder, many processes."""

    def __init__(self, name: str, made: Begun, *, whole: Log | None = None) -> None:
        """Look at what the work folder has.

        Args:
            name: of the film, in logs.
            made: the film, opened, its work folder held.
            whole: the batch's log.
        """
        self.name, self.made, self.work = name, made, made.work
        self.log = Log(made.work.path, film=name, whole=whole)
        self.survey = Survey(made.film, made.job.recipe, made.work)
        self.meter = Meter(made.progress, made.job.recipe.frames or (0, made.film.frames))
        self.spent = Spent()
        self.lost = 0
        self.cores = self.gpus = 0
        """That there are, for all films together."""
        self.forecast: dict[str, float] = {}
        self.result: Result | None = None
        """There once the film is joined and verified."""
        self.board = Board(budget=Budget(0), gpus=False)
        self._tries, self._began = Tries(), time.time()
        self._early = Early(made.film, self.survey.missing(), made.work)
        self._makers: tuple[Callable[[], Painting], ...] = ()
        self._film: remote.Ref | None = None
        self.errands: Errands | None = None
        self._cards, self._joined = Cards(), 0

    def begin(self, *, early: bool) -> None:
        """Say so; ``early`` if this process is to analyse for as long as there is no Ray."""
        self.log.say("begun", backend="ray")
        made = self.made
        made.progress.stage("analysis", made.film.frames, done=self.survey.frames_known)
        if early:
            self._early.start()

    def enter(self, budget: Budget, *, gpus: bool) -> None:
        """There is a Ray: say how much memory it has, and whether GPUs paint."""
        self.board = Board(budget=budget, gpus=gpus)
        self.board.spans = {self.survey.spans.index(span) for span in self.survey.missing()}
        self._makers = self.made.makers(device="cuda" if gpus else "cpu", threads=1)

    @property
    def joining(self) -> bool:
        """Whether its pieces are being joined."""
        return JOIN in self.board.running

    @property
    def greets(self) -> bool:
        """Whether somebody should be asked who they are."""
        return bool(self._makers) and self._cards.missing

    def greet(self, hands: Sequence[Hand]) -> list[Sent]:
        """Let who will work say who they are."""
        return self._cards.ask([Hired(make) for make in self._makers], hands)

    def _met(self, card: Card) -> None:
        """It is known who paints."""
        self._early.stop()
        if self._early.now is not None:
            self.board.running.add(Task("analyse", self.survey.spans.index(self._early.now)))
        seconds = round(time.time() - self._began, 3)
        self.log.say("ray", seconds=seconds, workers=self.cores, gpus=self.gpus)
        made, cards = self.made, (card, *card.others)
        first, *others = [(one.weights, one.style) for one in cards]
        job = Commission(
            made.film, made.job.recipe, made.encoding, self.work, *first, others=tuple(others)
        )
        pairs = zip(self._makers, cards, strict=True)
        (hired, apron), *more = [(Hired(make, one.weights), one.apron) for make, one in pairs]
        self.errands = Errands(
            job, self.survey, self.board, hired=hired, apron=apron, film=self._put(), others=more
        )

    def look(self) -> None:
        """Take what this process has analysed, and see what that makes ready.

        Raises:
            FilmError: If the film cannot be painted.
        """
        for looked in self._early.found():
            self._told(Task("analyse", 0), looked, node="driver", chunk=None)
            self._analysed(looked.span, looked.part)
        self.work.check()
        if self.errands is None:
            return
        for receipt in self.errands.offer():
            self.meter.kept(receipt)
            self.spent.kept(receipt)
        if self.survey.complete and not self.meter.shown:
            self._foretell(self.errands.job)
        done = self.survey.complete and self.board.idle and self.result is None
        self.board.apart = {JOIN} if done else set()

    def send(
        self, task: Task, *, stylist: Stylist | None, node: str | None, waits: bool = True
    ) -> Sent:
        """Ask for a step: of a stylizer, or of any core; see ``remote.errand``."""
        if task.kind == "analyse":
            return self._analyse(task, node)
        errands = self._known()
        if task != JOIN:
            return errands.send(task, stylist=stylist, node=node, waits=waits)
        job, target = errands.job, self.made.job.unnamed
        receipts = self._receipts()
        check_space(target.parent, sum(receipt.bytes for receipt in receipts))
        joining = Joining(target, job.encoding, job.start, job.stop)
        segments = job.segments(receipts)
        step = steps.assemble
        return Sent(task, remote.errand(step, self._put(), segments, joining, name=task.kind))

    def receive(self, sent: Sent, answer: Answer, *, paints: bool) -> None:
        """Take a step's answer; ``paints`` if a stylizer gave it."""
        task, course = sent.task, self.board.course(sent.task)
        self.board.running.discard(task)
        self.spent.took(answer.ended - answer.began, gpu=paints)
        chunk = course.chunk if course else None
        self._told(task, answer, node=answer.node, chunk=chunk)
        if task.kind == "introduce":
            card = self._cards.heard(answer)
            if card is not None:
                self._met(card)
            return
        if task == JOIN and isinstance(answer.value, Joined):
            job, reused = self._known().job, self._known().reused
            target, receipts = self.made.job.unnamed, self._receipts()
            self.result = job.result(target, receipts, answer.value, reused=reused)
            return
        if task.kind == "analyse":
            self._analysed(self.survey.spans[task.place], sent.paper)
            return
        receipt = self._known().receive(sent, answer)
        if course is not None:
            course.node = answer.node if task.kind == "decode" else course.node
            self.meter.step(course, task.kind)
        if receipt is not None:
            self._committed(receipt, chunk)

    def failed(self, sent: Sent, failure: Failure) -> None:
        """A step gave no answer.

        Raises:
            FilmError: If the film will not succeed.
            NodeLost: If this process will not live on.
        """
        task, course = sent.task, self.board.course(sent.task)
        self.board.running.discard(task)
        self.missed(sent, failure)
        chunk = course.chunk if course else None
        if task == JOIN or task.kind == "introduce":
            self._failed_apart(task, failure)
        elif not self._tries.again(task, failure):
            raise bug(failure, task.kind, chunk, work=self.work)
        elif failure.lost:
            self.board.lost(task)
            if course is not None:
                self.meter.lost(course)

    def missed(self, sent: Sent, failure: Failure) -> None:
        """Note that a step gave no answer, whatever comes of that.

        Raises:
            NodeLost: If this process will not live on.
        """
        task, course = sent.task, self.board.course(sent.task)
        self.lost += 1
        attempt, why = self._tries.number(task), failure.line
        about = place(course.chunk if course else None)
        facts = {**about, "attempt": attempt, "why": why, "class": failure.kind}
        self.log.say("lost", kind=task.kind, **facts)
        if isinstance(failure.error, LocalRayletDiedError):
            raise NodeLost("Ray on this machine died; the same command goes on from here")

    def number(self, task: Task) -> int:
        """Which try of a step the next one is, from 1."""
        return self._tries.number(task)

    def leave(self) -> None:
        """Nothing more is done for it."""
        self._early.end()
        self.board.budget.leave(self.board.open)
        self.board.open.clear()
        self.errands = None

    def _failed_apart(self, task: Task, failure: Failure) -> None:
        if failure.kind not in ("machine", "stuck"):
            raise bug(failure, task.kind, None, work=self.work) from failure.error
        if task.kind == "introduce":
            card = self._cards.heard(None)
            if card is not None:
                self._met(card)
            return
        self._joined += 1
        if self._joined >= _TRIES:
            raise ClusterFailed(
                f"Ray's workers died {_TRIES} times over the same step: {task.kind}"
            )

    def _committed(self, receipt: Receipt, chunk: Chunk | None) -> None:
        start, stop = receipt.start, receipt.stop
        self.log.say("committed", **place(chunk), start=start, stop=stop)
        self.meter.committed(receipt)
        self.spent.committed(receipt)

    def _foretell(self, job: Commission) -> None:
        """All is planned: say what it takes, and begin to show painting."""
        film, recipe, plan = self.made.film, self.made.job.recipe, self.survey.plan
        if plan is None:
            raise ValueError("a film that is known has a plan")
        wanted, gpu = (job.start, job.stop), self.board.gpus
        self.forecast = in_a_line(plan, film, recipe, wanted=wanted, gpu=gpu, hands=self.cores)
        left = 1 - self.meter.frames_kept / (job.stop - job.start)
        check_space(self.work.path, round(left * self.forecast["disk"]))
        self.log.say("forecast", **self.forecast)
        self.made.say(self.survey.changes_inside())
        self.meter.show(plan)

    def _put(self) -> remote.Ref:
        """The film, where every step finds it."""
        if self._film is None:
            self._film = remote.put(self.made.film)
        return self._film

    def _analyse(self, task: Task, node: str | None) -> Sent:
        """Have a span looked at, which needs no painter."""
        span, part = self.survey.spans[task.place], self.work.attempt(".parquet")
        asked, name = (steps.analyse, self._put(), *span, part), f"analyse {task.place}"
        return Sent(task, remote.errand(*asked, name=name, node=node, waits=False), part)

    def _analysed(self, span: Span, part: object) -> None:
        if not isinstance(part, Path):
            raise TypeError(f"an analysis lies in a file, not in {part!r}")
        self.survey.accept(span, part)
        self.board.analysed(self.survey.spans.index(span), enough=self.survey.complete)
        if not self.meter.shown:
            self.made.progress.advance(span[1] - span[0])

    def _told(self, task: Task, took: Answer | Looked, *, node: str, chunk: Chunk | None) -> None:
        self.log.say(
            "task",
            kind=task.kind,
            **place(chunk),
            node=node,
            pid=took.pid,
            attempt=self._tries.number(task),
            began=round(took.began, 3),
            ended=round(took.ended, 3),
            cpu=round(took.cpu, 3),
        )

    def _receipts(self) -> list[Receipt]:
        """All of them, as chunks follow."""
        found = self._known().receipts
        return [found[index] for index in sorted(found)]

    def _known(self) -> Errands:
        if self.errands is None:
            raise ValueError("nobody has said yet who paints")
        return self.errands
