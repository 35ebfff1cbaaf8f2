"""The steps, made remote: the one place where they meet Ray.

A task or an actor carries a step and gives refs: first to the *answer*, small and for the
coordinator, then to each of the goods, which stay in the object store until the step that wants
them runs. Ray retries nothing: who lost what is for the coordinator to say, and to do again.
"""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import cv2
import ray
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors import sources
from actors.heap import keep_freed
from actors.steps import Handed
from pipeline.errors import ClusterFailed

Step = Callable[..., Handed]
Ref: TypeAlias = ray.ObjectRef[Any]
Stylist: TypeAlias = ActorHandle[Any]
_NAP = 0.05
"""Seconds to wait where nothing is waited for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step said, and what it took."""

    value: object
    node: str
    """Ray's id of the machine"""
    pid: int
    began: float
    """seconds since 1970, by the machine's own clock"""
    ended: float
    cpu: float
    """seconds of this process"""


@dataclass(frozen=True, slots=True)
class Errand:
    """A step on its way."""

    answer: Ref
    goods: tuple[Ref, ...]


def _carried(step: Step, code: str, args: Sequence[object]) -> object:
    if code != sources.digest():
        raise ClusterFailed(f"{os.uname().nodename} has other sources of reelbrush than the job")
    cv2.setNumThreads(1)  # a task has one core
    keep_freed()
    began, cpu = time.time(), time.process_time()
    handed = step(*args)
    answer = Answer(
        value=handed.value,
        node=ray.get_runtime_context().get_node_id(),
        pid=os.getpid(),
        began=began,
        ended=time.time(),
        cpu=time.process_time() - cpu,
    )
    return (answer, *handed.goods) if handed.goods else answer


def _task(step: Step, code: str, *args: object) -> object:
    """Run a step that needs a core."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Ray hides no GPU from who has asked for none
    return _carried(step, code, args)


class _Stylizer:
    """A process with a GPU, in which a painter lives on from call to call."""

    def carry(self, step: Step, code: str, *args: object) -> object:
        """Run a step."""
        return _carried(step, code, args)


# Ray's types know neither options nor how many values a call returns.
_remote = cast("Any", ray.remote)
_remote_task = _remote(num_cpus=1, max_retries=0)(_task)
_remote_stylizer = _remote(max_restarts=0, max_task_retries=0, max_concurrency=1)(_Stylizer)


def errand(
    step: Step,
    *args: object,
    goods: int = 0,
    name: str,
    node: str | None = None,
    waits: bool = True,
    hard: bool = False,
) -> Errand:
    """Have a task carry a step.

    Args:
        step: of ``actors.steps``.
        args: values and refs; refs are fetched where the task runs.
        goods: how many the step will give.
        name: for people who look at the cluster.
        node: where to run if that can be.
        waits: whether for a core there, even if others are free.
        hard: there or nowhere.
    """
    place = (
        NodeAffinitySchedulingStrategy(node, soft=not hard, _spill_on_unavailable=not waits)
        if node
        else "DEFAULT"
    )
    remote = _remote_task.options(num_returns=1 + goods, name=name, scheduling_strategy=place)
    return _errand(remote.remote(step, sources.digest(), *args))


def stylizer() -> Stylist:
    """Start a stylizer on a GPU of its own, wherever there is one, now or later."""
    options = _remote_stylizer.options(num_gpus=1, num_cpus=0, scheduling_strategy="SPREAD")
    return cast("Stylist", options.remote())


def up(actor: Stylist) -> Ref:
    """Give a ref that is there once a stylizer has found its GPU."""
    return cast("Ref", cast("Any", actor).__ray_ready__.remote())


def ask(actor: Stylist, step: Step, *args: object, goods: int = 0, name: str) -> Errand:
    """Have a stylizer carry a step."""
    call = cast("Any", actor).carry.options(num_returns=1 + goods, name=name)
    return _errand(call.remote(step, sources.digest(), *args))


def put(value: object) -> Ref:
    """Lay a value where every step finds it."""
    return cast("Ref", cast("Any", ray).put(value))


def wait(refs: Sequence[Ref], seconds: float) -> list[Ref]:
    """Wait so long at most for one of some answers, if there are any; gives all that are there."""
    known = list(refs)
    if not known:
        time.sleep(min(seconds, _NAP))
        return []
    ready, _ = ray.wait(known, num_returns=1, timeout=seconds, fetch_local=False)
    if ready and len(known) > 1:
        ready, _ = ray.wait(known, num_returns=len(known), timeout=0, fetch_local=False)
    return ready


def answer(ref: Ref) -> Answer:
    """Give an answer that is there.

    Raises:
        RayError: If there will be none.
    """
    return cast("Answer", ray.get(ref))


def stop(ref: Ref) -> None:
    """Give up a task, and end the process that is at it."""
    with contextlib.suppress(ray.exceptions.RayError, ValueError):
        ray.cancel(ref, force=True)


def end(actor: Stylist) -> None:
    """Send a stylizer home, in the middle of whatever it does."""
    with contextlib.suppress(ray.exceptions.RayError, ValueError):
        ray.kill(actor)


def _errand(refs: "Ref | list[Ref]") -> Errand:
    several = refs if isinstance(refs, list) else [refs]
    return Errand(several[0], tuple(several[1:]))
