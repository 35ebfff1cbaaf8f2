"""A film and a recipe to a painted film on Ray: who does what next, and what if they die.

One loop: ask the board for steps, send them, hear what came back. The coordinator holds refs, paths
and receipts, never a frame, and it alone gives names to what workers leave. Everything that it
knows can be had again from the work folder: kill it, and the same command goes on.
"""

import time
from collections.abc import Callable
from pathlib import Path

import ray

from actors import remote, steps
from actors.assembler import Joined
from actors.remote import Answer
from actors.steps import Card, Hired, Joining
from actors.stylizer import Painting
from jobs.board import Board, Task
from jobs.commission import Commission, Result
from jobs.crowd import Crowd, introduce
from jobs.early import Early, Looked
from jobs.engine import Engine
from jobs.errands import Errands, Sent
from jobs.failures import Failure, Tries, bug, read
from jobs.ledger import WorkFolder, check_space
from jobs.log import Log
from jobs.meter import Meter
from jobs.patience import Patience
from jobs.progress import Progressing
from jobs.survey import Survey
from pipeline.errors import ClusterFailed, NodeLost
from pipeline.forecast import predict, predict_all
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.recipe import Recipe

_BEAT = 0.25
"""Seconds to wait for answers before looking at everything else."""
_TRIES = 5
"""Of what is asked outside the board: introductions, and the joining of the film."""


class Coordinator:
    """One film, one recipe, one work folder, many processes."""

    def __init__(
        self,
        film: Film,
        recipe: Recipe,
        *,
        encoding: Encoding,
        work: WorkFolder,
        progress: Progressing,
        patience: Patience,
    ) -> None:
        self.film, self.recipe, self.encoding = film, recipe, encoding
        self.work, self.progress, self.log = work, progress, Log(work.path)
        self._began = time.time()
        self._patience, self._tries = patience, Tries()
        self._survey = Survey(film, recipe, work)
        self._early = Early(film, self._survey.missing(), work)
        self._meter = Meter(progress, recipe.frames or (0, film.frames))

    def run(
        self,
        target: Path,
        *,
        engine: Callable[[], Engine],
        hire: Callable[[bool], Callable[[], Painting]],
    ) -> Result:
        """Make every chunk that has no receipt, join them, verify.

        Args:
            target: a temporary name; the caller gives the film its own.
            engine: starts or joins Ray. Meanwhile this process analyses.
            hire: what makes a painter, on a GPU or not.
        """
        self.log.say("begun", backend="ray")
        self.progress.stage("analysis", self.film.frames, done=self._survey.frames_known)
        self._early.start()
        try:
            ready = engine()
            return self._run(target, ready, hire(ready.gpus() > 0))
        finally:
            self._early.end()

    def _run(self, target: Path, engine: Engine, make: Callable[[], Painting]) -> Result:
        board = Board(budget=engine.store, gpus=engine.gpus() > 0)
        board.spans = {self._survey.spans.index(span) for span in self._survey.missing()}
        crowd = Crowd(engine, board, patience=self._patience)
        try:
            return self._worked(target, engine, make, board, crowd)
        except NodeLost:
            raise  # nobody is left to be sent home
        except Exception:
            crowd.dismiss()
            raise

    def _worked(
        self,
        target: Path,
        engine: Engine,
        make: Callable[[], Painting],
        board: Board,
        crowd: Crowd,
    ) -> Result:
        card = self._introduced(engine, crowd, board, Hired(make))
        seconds = round(time.time() - self._began, 3)
        self.log.say("ray", seconds=seconds, workers=crowd.cores, gpus=engine.gpus())
        job = Commission(self.film, self.recipe, self.encoding, self.work, card.weights, card.style)
        film, hired = ray.put(self.film), Hired(make, card.weights)
        errands = Errands(job, self._survey, board, hired=hired, apron=card.apron, film=film)
        self._paint(job, engine, board, crowd, errands)
        receipts = [errands.receipts[index] for index in sorted(errands.receipts)]
        check_space(target.parent, sum(receipt.bytes for receipt in receipts))
        joining = Joining(target, self.encoding, job.start, job.stop)
        joined = self._joined(film, job.segments(receipts), joining)
        return job.result(target, receipts, joined, reused=errands.reused)

    def _introduced(self, engine: Engine, crowd: Crowd, board: Board, hired: Hired) -> Card:
        """Let everybody who will work say who they are, and be who the others are."""
        cards: set[Card] = set()
        for _ in range(_TRIES):
            refs = [e.answer for e in introduce(engine, crowd, steps.introduce, hired)]
            while refs:
                self._collect(engine, board)
                ready, refs = ray.wait(refs, timeout=_BEAT)
                for ref in ready:
                    answer = self._answered(ref, "introduce")
                    if answer is not None and isinstance(answer.value, Card):
                        cards.add(answer.value)
            if cards:
                break
        if not cards:
            raise ClusterFailed("no worker of Ray lives long enough to say a word")
        if len(cards) > 1:
            raise ClusterFailed("the machines of the cluster would paint different pixels")
        self._early.stop()
        if self._early.now is not None:
            board.running.add(Task("analyse", self._survey.spans.index(self._early.now)))
        return cards.pop()

    def _paint(
        self, job: Commission, engine: Engine, board: Board, crowd: Crowd, errands: Errands
    ) -> None:
        """Go on until every wanted chunk has its receipt."""
        while True:
            self._collect(engine, board)
            for receipt in errands.offer():
                self._meter.kept(receipt)
            if self._survey.complete and not self._meter.shown:
                self._foretell(job, workers=crowd.cores)
            if board.idle and self._survey.complete:
                return
            crowd.send(errands, self._tries)
            for sent, heard in (*crowd.hear(_BEAT), *crowd.stuck()):
                if isinstance(heard, Failure):
                    self._failed(sent, heard, board)
                else:
                    self._succeeded(sent, heard, board, errands)
            self.work.check()

    def _collect(self, engine: Engine, board: Board) -> None:
        """Take what this process has analysed."""
        engine.check()
        for looked in self._early.found():
            self._survey.accept(looked.span, looked.part)
            board.analysed(self._survey.spans.index(looked.span), enough=self._survey.complete)
            self._told("analyse", None, looked, node="driver")
            self._looked(looked.span)

    def _foretell(self, job: Commission, *, workers: int) -> None:
        """All is planned: say what it takes, and begin to show painting."""
        if self._survey.plan is None:
            raise ValueError("a film that is known has a plan")
        whole = predict(self._survey.plan, self.film, self.recipe)
        left = job.stop - job.start - self._meter.frames_kept
        share = left / self._survey.plan.shots[-1].stop
        check_space(self.work.path, round(share * whole.disk_bytes))
        memory = predict_all(self._survey.plan, self.film, self.recipe, workers=workers)
        self.log.say("forecast", memory=memory, disk=whole.disk_bytes)
        self._meter.show(self._survey.plan)

    def _succeeded(self, sent: Sent, answer: Answer, board: Board, errands: Errands) -> None:
        task, course = sent.task, board.course(sent.task)
        self._told(task.kind, task.place if course else None, answer, node=answer.node, task=task)
        receipt = errands.receive(sent, answer)
        if task.kind == "analyse":
            self._looked(self._survey.spans[task.place])
        if course is not None:
            self._meter.step(course, task.kind)
        if receipt is not None:
            self.log.say("committed", chunk=task.place, start=receipt.start, stop=receipt.stop)
            self._meter.committed(receipt)

    def _failed(self, sent: Sent, failure: Failure, board: Board) -> None:
        task, course = sent.task, board.course(sent.task)
        self._lost(failure, task.kind, task.place if course else None, self._tries.number(task))
        if not self._tries.again(task, failure):
            chunk = course.chunk if course else None
            raise bug(failure, task.kind, chunk, work=self.work)
        if failure.lost:
            board.lost(task)
            if course is not None:
                self._meter.lost(course)

    def _joined(self, film: remote.Ref, segments: list[Segment], joining: Joining) -> Joined:
        """Have the film joined and verified, which is on no board."""
        for _ in range(_TRIES):
            errand = remote.errand(steps.assemble, film, segments, joining, name="assemble")
            answer = self._answered(errand.answer, "assemble")
            if answer is not None and isinstance(answer.value, Joined):
                return answer.value
        raise ClusterFailed(f"Ray's workers died {_TRIES} times over the same step: assemble")

    def _answered(self, ref: remote.Ref, kind: str) -> Answer | None:
        """Wait for an answer; None if the machine failed and the step is worth another try."""
        try:
            answer: Answer = ray.get(ref)
        except ray.exceptions.RayError as error:
            failure = read(error)
            self._lost(failure, kind, None, 1)
            if failure.kind != "machine":
                raise bug(failure, kind, None, work=self.work) from error
            return None
        self._told(kind, None, answer, node=answer.node)
        return answer

    def _looked(self, span: tuple[int, int]) -> None:
        if not self._meter.shown:
            self.progress.advance(span[1] - span[0])

    def _lost(self, failure: Failure, kind: str, chunk: int | None, attempt: int) -> None:
        facts = {"kind": kind, "chunk": chunk, "attempt": attempt, "why": failure.line}
        self.log.say("lost", **facts, **{"class": failure.kind})
        if isinstance(failure.error, ray.exceptions.LocalRayletDiedError):
            raise NodeLost("Ray on this machine died; the same command goes on from here")

    def _told(
        self,
        kind: str,
        chunk: int | None,
        took: Answer | Looked,
        *,
        node: str,
        task: Task | None = None,
    ) -> None:
        attempt = self._tries.number(task) if task else 1
        self.log.say(
            "task",
            kind=kind,
            chunk=chunk,
            node=node,
            pid=took.pid,
            attempt=attempt,
            began=round(took.began, 3),
            ended=round(took.ended, 3),
            cpu=round(took.cpu, 3),
        )
