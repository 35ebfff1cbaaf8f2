"""Films in work and a Ray: whose step goes to which hand, and whose the answers are.

What goes wrong with one film is that film's alone. Decisions are made elsewhere: whose turn it is
by ``turns``, what comes next in a film by its board, what a failure means by its production.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from actors.remote import Answer, Stylist
from jobs import ahead, demand
from jobs.board import Task
from jobs.budget import Budget
from jobs.crowd import Call, Crowd, Out
from jobs.engine import Engine
from jobs.errands import Errands, Sent
from jobs.failures import Failure
from jobs.patience import Patience
from jobs.production import Production
from jobs.stylists import IN_FLIGHT
from jobs.turns import Turn, Turns
from pipeline.errors import NodeLost

_TOGETHER = 3
"""Steps of painting that one call to a stylizer carries, at most."""
_REMEMBERED = 10_000
"""Steps that have ended, as long as nobody asks for them."""
_NO_GPU = (
    "no GPU of the cluster is up: painting on CPUs; --gpus N (a job file's machines: {gpus: N}) "
    "waits for N"
)


class Floor:
    """Everybody and everything that is at work."""

    def __init__(
        self,
        engine: Engine,
        *,
        patience: Patience,
        give_up: Callable[[str, Exception], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            engine: the Ray.
            patience: with steps that do not end.
            give_up: is told of a film that will not succeed, and why.
            clock: seconds, never going back.
        """
        self.engine, self._give_up, self._clock = engine, give_up, clock
        most = engine.machines.gpus or 0
        self.paints_on_gpus = engine.gpus() > 0 or (most > 0 and not engine.local)
        asked = engine.local or engine.machines.gpus is not None
        self._bare = not (self.paints_on_gpus or asked)
        """Whether people do not know yet that no GPU will be waited for."""
        self.crowd = Crowd(engine, patience=patience, clock=clock)
        self.turns, self.budget = Turns(), Budget(engine.store)
        self.films: dict[str, Production] = {}
        self.idle = False
        """Whether there were hands for which no film had anything to do."""
        self._met = False
        self._alone: set[tuple[str, Task]] = set()
        """Steps that failed when others were painted with them."""
        self._worked: deque[tuple[bool, float, float]] = deque(maxlen=_REMEMBERED)
        self.refresh(planned=False)

    def enter(self, production: Production, *, weight: float) -> None:
        """Add a film."""
        self.films[production.name] = production
        if self._bare:
            self._bare = False
            production.made.progress.note(_NO_GPU)
        production.enter(self.budget, gpus=self.paints_on_gpus)
        self.turns.enter(production.name, production.board, weight=weight)

    def leave(self, film: str) -> None:
        """Take a film off; what is on its way for it is given up."""
        if self.films.pop(film, None) is not None:
            self.crowd.forget(film)
            self.turns.leave(film)

    def refresh(self, *, planned: bool) -> None:
        """Look what machines there are, and ask for those that the work left is worth.

        Args:
            planned: whether no other film will come.

        Raises:
            ClusterFailed: If nobody is left to paint.
        """
        grows, now, films = not self.engine.local, self._clock(), list(self.films.values())
        if grows:
            self.budget.nodes = self.engine.stores()
            self.budget.total = sum(self.budget.nodes.values())
            if self.engine.machines.workers is None:
                left = ahead.left(films, self.crowd.out, gpu=False, planned=planned, now=now)
                self.crowd.waiting = demand.waiting(left, cores=self.crowd.cores)
        if self.paints_on_gpus:
            gpus, most = self.engine.gpus(), self.engine.machines.gpus
            left = ahead.left(films, self.crowd.out, gpu=True, planned=planned, now=now)
            self.crowd.stylists.want(demand.stylizers(left, gpus=gpus, grows=grows, most=most))
            self.crowd.retire()
            self.crowd.stylists.check(grows=grows)

    def step(self, seconds: float, *, sends: bool) -> None:
        """Send what is ready, and hear what has come back.

        Args:
            seconds: to wait for answers, at most.
            sends: whether anything new is sent.
        """
        self.engine.check()
        for film in list(self.films.values()):
            with self._film(film.name):
                film.cores, film.gpus = self.crowd.cores, len(self.crowd.stylists.numbers)
                film.look()
                if sends and film.greets:
                    self._greet(film)
        if sends:
            self._send()
        for out, heard in (*self.crowd.hear(seconds), *self.crowd.stuck()):
            self._heard(out, heard)

    @property
    def queued(self) -> int:
        """Steps that are ready and that nobody works on."""
        return sum(film.board.ready for film in self.films.values())

    def worked(self) -> list[tuple[bool, float, float]]:
        """Steps that have ended since the last time: at a GPU, when by the clock, and seconds."""
        found = list(self._worked)
        self._worked.clear()
        return found

    def _greet(self, film: Production) -> None:
        """Let workers say who they are: all of them to the first film, to others anybody."""
        hands = self.crowd.hands()
        hands = hands[:1] if self._met else hands
        stylists = [None if n is None else self.crowd.stylists[n] for n, _ in hands]
        sents = film.greet([(who, node) for who, (_, node) in zip(stylists, hands, strict=True)])
        for sent, (number, node) in zip(sents, hands, strict=True):
            self.crowd.put(Out(film.name, sent, None, Call(number, node)))
        self._met = self._met or bool(hands)

    def _send(self) -> None:
        cores, places = (max(0, free) for free in self.crowd.free())
        most = ahead.most(self.films.values(), self.crowd, deep=IN_FLIGHT * _TOGETHER)
        taken = self.turns.take(cores=cores, places=places, together=_TOGETHER, most=most)
        painting = [turn for turn in taken if turn.paints]
        for turns in self._calls(painting, places):
            self._sent(turns)
        for turn in taken:
            if not turn.paints:
                self._sent([turn])
        cores -= len(taken) - len(painting) + self.crowd.waiting
        self.idle = cores > 0
        if self.idle:
            for out in self.crowd.late():
                self._again(out)

    def _calls(self, turns: Sequence[Turn], places: int) -> list[list[Turn]]:
        """Deal painting out to places; what one call can paint for goes together, if it must.

        Painted together, the last batch of a chunk is full of another chunk's keys, not of
        repetitions. A step that has failed in company is painted alone.
        """
        calls: list[list[Turn]] = []
        most = -(-len(turns) // max(1, places))
        for turn in turns:
            fits = [c for c in calls if len(c) < most and self._agree(c[0], turn)]
            if fits:
                fits[0].append(turn)
            else:
                calls.append([turn])
        return calls

    def _agree(self, one: Turn, other: Turn) -> bool:
        """Whether one call can paint for both."""
        ours = [self.films[turn.film].errands for turn in (one, other) if turn.film in self.films]
        kinds = {turn.task.kind for turn in (one, other)}
        if kinds != {"paint"} or {(t.film, t.task) for t in (one, other)} & self._alone:
            return False
        known = [errands for errands in ours if errands is not None]
        return len(known) == 2 and known[0].agrees(one.task, known[1], other.task)

    def _sent(self, turns: Sequence[Turn]) -> None:
        """Send a step, or several to one stylizer."""
        turns = [turn for turn in turns if turn.film in self.films]  # not given up meanwhile
        if not turns:
            return
        first = turns[0]
        with self._film(first.film):
            film, task = self.films[first.film], first.task
            number = self.crowd.least_busy() if first.paints else None
            stylist = None if number is None else self.crowd.stylists[number]
            if len(turns) > 1 and stylist is not None:
                sents = self._together(turns, stylist)
                node = None
            else:
                node, waits = self._node(film, task)
                sents = [film.send(task, stylist=stylist, node=node, waits=waits)]
            call = Call(number, node)
            outs = [Out(t.film, sent, t, call) for t, sent in zip(turns, sents, strict=True)]
            self.crowd.put(*outs)

    def _together(self, turns: Sequence[Turn], stylist: Stylist) -> list[Sent]:
        pairs = [(self.films[turn.film].errands, turn.task) for turn in turns]
        return Errands.together([(one, task) for one, task in pairs if one is not None], stylist)

    def _again(self, out: Out) -> None:
        """Send a step a second time, while hands are free."""
        film, (cores, places) = self.films.get(out.film), self.crowd.free()
        if film is None or (places if out.paints else cores - self.crowd.waiting) <= 0:
            return
        with self._film(out.film):
            number = self.crowd.least_busy() if out.paints else None
            if number is not None and number == out.call.stylist:
                return
            stylist = None if number is None else self.crowd.stylists[number]
            sent = film.send(out.sent.task, stylist=stylist, node=None)
            film.log.say("again", kind=out.sent.task.kind, chunk=out.sent.task.place)
            self.crowd.put(Out(out.film, sent, None, Call(number)))

    def _heard(self, out: Out, heard: Answer | Failure) -> None:
        film = self.films.get(out.film)
        if film is None:
            return
        seconds = heard.ended - heard.began if isinstance(heard, Answer) else None
        if out.turn is not None:
            self.turns.ended(out.turn, seconds=seconds)
        self._worked.append((out.paints, self._clock(), seconds or 0.0))
        with self._film(out.film):
            if isinstance(heard, Answer):
                film.receive(out.sent, heard, paints=out.paints)
            elif self.crowd.twins(out):
                film.missed(out.sent, heard)
            elif out.company and heard.kind in ("bug", "data"):  # it may be another's fault
                film.missed(out.sent, heard)
                film.board.running.discard(out.sent.task)
                self._alone.add(out.step)
            else:
                film.failed(out.sent, heard)

    def _node(self, film: Production, task: Task) -> tuple[str | None, bool]:
        """Choose a machine where that matters, and whether to wait for it.

        One with memory is waited for; another one for another try is taken if it is free.
        """
        course = film.board.course(task)
        if task.kind == "decode" and course is not None and course.fixed:
            return course.node, True
        number = film.number(task)
        if number == 1 or self.engine.local:
            return None, True
        nodes = self.engine.nodes()
        node = nodes[(task.place + number) % len(nodes)] if len(nodes) > 1 else None
        return node, False

    @contextmanager
    def _film(self, name: str) -> Iterator[None]:
        """Hold what goes wrong against one film alone.

        Raises:
            NodeLost: If this process will not live on.
        """
        try:
            yield
        except NodeLost:
            raise
        except Exception as error:  # noqa: BLE001 - no film stops the others
            self._give_up(name, error)
