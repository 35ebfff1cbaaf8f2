"""Hands that stand in for Ray: steps run in this process, when somebody waits for them.

Whatever is asked of ``actors.remote`` is asked of them. They can be told to fail at a step, to hang
at one, or to take so long by a clock that is theirs.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import RayActorError, RayTaskError, TaskCancelledError

from actors import remote
from actors.remote import Answer, Errand
from actors.steps import Handed
from actors.stylizer import Painting
from jobs.billed import Billed
from jobs.engine import Machines
from jobs.patience import Patience
from jobs.progress import Silent
from jobs.studio import Studio
from jobs.stylize import Begun, Job, begun
from pipeline.recipe import Recipe


@dataclass(eq=False)
class Ref:
    """An answer, or a piece."""

    name: str
    run: Callable[[], object] | None = None
    value: object = None
    there: bool = False


@dataclass(eq=False)
class Actor:
    """A stylizer."""

    number: int
    alive: bool = True


@dataclass
class Hands:
    """All of them."""

    cores: int = 2
    gpus: int = 0
    seconds: Callable[[str], float] = lambda _: 1.0
    """by a clock of their own, of a step by its name"""
    falls: Callable[[str], BaseException | None] = lambda _: None
    """what goes wrong with a step, by its name"""
    hangs: Callable[[str, int], bool] = lambda _name, _time: False
    """whether a step never ends, by its name and how often it was begun before"""
    between: Callable[[str], None] = lambda _: None
    """is told of each step that has ended"""
    now: float = 0.0
    begun: Counter[str] = field(default_factory=Counter)
    done: list[str] = field(default_factory=list)
    """steps that gave an answer, in that order"""
    nodes: list[str | None] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)
    _pending: list[Ref] = field(default_factory=list)

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> "Hands":
        """Take Ray's place."""
        names = ("errand", "ask", "stylizer", "up", "put", "wait", "answer", "stop", "end")
        for name in names:
            monkeypatch.setattr(remote, name, getattr(self, name))
        return self

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def errand(
        self,
        step: Callable[..., Handed],
        *args: object,
        goods: int = 0,
        name: str,
        node: str | None = None,
        waits: bool = True,  # noqa: ARG002
        hard: bool = False,  # noqa: ARG002
    ) -> Errand:
        """Have any core carry a step."""
        self.nodes.append(node)
        return self._errand(step, args, goods, name)

    def ask(
        self, actor: Actor, step: Callable[..., Handed], *args: object, goods: int = 0, name: str
    ) -> Errand:
        """Have a stylizer carry it."""
        return self._errand(step, args, goods, name, actor)

    def stylizer(self) -> Actor:
        """Begin a stylizer."""
        self.actors.append(Actor(len(self.actors)))
        return self.actors[-1]

    def up(self, _actor: Actor) -> Ref:
        """It is up at once."""
        return Ref("up", there=True)

    def put(self, value: object) -> Ref:
        """Lay a value down."""
        return Ref("put", value=value, there=True)

    def wait(self, refs: Sequence[Ref], seconds: float) -> list[Ref]:
        """Run the step that ends first, if none has ended yet."""
        there = [ref for ref in refs if ref.there]
        if there or seconds == 0:
            return there
        able = [ref for ref in self._pending if ref in refs and not self._hanging(ref)]
        if not able:
            self.now += seconds
            time.sleep(0.02)  # threads that open and name films have no such clock
            return []
        ref = able[0]
        self._pending.remove(ref)
        self.now += self.seconds(ref.name)
        assert ref.run is not None
        ref.run()
        return [ref]

    def answer(self, ref: Ref) -> object:
        """What it gave."""
        if isinstance(ref.value, BaseException):
            raise ref.value
        return ref.value

    def stop(self, ref: Ref) -> None:
        """Give it up."""
        self.stopped.append(ref.name)
        ref.value, ref.there = TaskCancelledError(), True
        self._pending = [one for one in self._pending if one is not ref]

    def end(self, actor: Actor) -> None:
        """Send a stylizer home."""
        actor.alive = False

    def _hanging(self, ref: Ref) -> bool:
        return ref.value == "hangs"

    def _errand(
        self,
        step: Callable[..., Handed],
        args: Sequence[object],
        goods: int,
        name: str,
        actor: Actor | None = None,
    ) -> Errand:
        pieces = tuple(Ref(f"{name} piece") for _ in range(goods))
        ref = Ref(name)
        if self.hangs(name, self.begun[name]):
            ref.value = "hangs"
        self.begun[name] += 1

        def run() -> None:
            ref.there = True
            began = self.now - self.seconds(name)
            if actor is not None and not actor.alive:
                ref.value = RayActorError()
                return
            try:
                if (fault := self.falls(name)) is not None:
                    raise fault
                handed = step(*(a.value if isinstance(a, Ref) else a for a in args))
            except BaseException as error:  # noqa: BLE001 - as Ray gives it back
                ref.value = _as_ray_says(error, name)
                return
            for piece, good in zip(pieces, handed.goods, strict=True):
                piece.value, piece.there = good, True
            ref.value = Answer(handed.value, "node", 1, began, self.now, 0.0)
            self.done.append(name)
            self.between(name)

        ref.run = run
        self._pending.append(ref)
        return Errand(ref, pieces)  # type: ignore[arg-type]


def _as_ray_says(error: BaseException, name: str) -> BaseException:
    if type(error).__module__.startswith("ray."):
        return error
    made: Any = RayTaskError
    wrapped: BaseException = made(name, "Traceback", error, proctitle=name, pid=1, ip="::1")
    return wrapped.as_instanceof_cause() if isinstance(error, Exception) else wrapped  # type: ignore[attr-defined]


@dataclass
class StandInEngine:
    """A Ray of our own, as far as anybody asks."""

    hands: Hands
    store: int = 1 << 40
    machines: Machines = field(default_factory=Machines)

    @property
    def local(self) -> bool:
        """Whether nobody else has it."""
        return self.machines.address is None

    def check(self) -> None:
        """It is well."""

    def cores(self) -> int:
        """Cores."""
        return self.hands.cores

    def gpus(self) -> int:
        """GPUs."""
        return self.hands.gpus

    def nodes(self) -> list[str]:
        """One machine."""
        return ["node"]

    def stores(self) -> dict[str, int]:
        """Its memory."""
        return {"node": self.store}


@dataclass
class StandInRay:
    """What a studio begins when it needs it."""

    hands: Hands
    store: int = 1 << 40
    begun: int = 0
    left: int = 0

    def engine(self) -> Any:
        """Begin it."""
        self.begun += 1
        return StandInEngine(self.hands, self.store)

    def leave(self) -> None:
        """End it."""
        self.left += 1


def billed(
    source: Path,
    *,
    hire: Callable[[], Painting],
    recipe: Recipe | None = None,
    name: str = "",
    **how: Any,
) -> Billed:
    """A film on the bill; its result lies beside it."""
    target = source.with_name(f"{name or source.stem}.painted.mkv")
    recipe = recipe or Recipe(style="made", codec="ffv1")
    job = Job(source, target, recipe, keep_work=True, overwrite=True, backend="ray")

    def opened() -> AbstractContextManager[Begun]:
        return begun(job, progress=Silent(), hire=hire)

    return Billed(name or source.stem, opened, **how)


def studio(films: Sequence[Billed], hands: Hands, **how: Any) -> Studio:
    """A studio of these hands."""
    ray = how.pop("ray", None) or StandInRay(hands)
    how.setdefault("patience", Patience())
    return Studio(films, ray=ray, clock=hands.clock, **how)


__all__ = [
    "Actor",
    "Hands",
    "Ref",
    "StandInEngine",
    "StandInRay",
    "billed",
    "nullcontext",
    "studio",
]
