"""Every node of a cluster, visited: a small process each that finds out what is there.

A visitor needs no core and may not be sent elsewhere, and stays until its clock has been read: a
process that starts for that would take seconds. Who does not answer in time is told of in a line,
and waited for no longer.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import ray
from ray.actor import ActorHandle
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors import vitals
from actors.reach import Places, Reached, reach
from actors.vitals import Vitals, Wish

Visitor: TypeAlias = ActorHandle[Any]
_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class Place:
    """A node that Ray believes to be alive."""

    node: str
    """Ray's id"""
    host: str
    head: bool
    cores: int
    gpus: int
    store: int
    """bytes of its object store"""
    folder: str
    """of Ray's session there; what does not fit into memory goes there, too"""


def places() -> list[Place]:
    """List the nodes, the head first."""
    found = []
    for node in cast("Any", ray).nodes():
        has = node["Resources"]
        if node["Alive"]:
            place = Place(
                node=str(node["NodeID"]),
                host=str(node.get("NodeManagerHostname") or node["NodeManagerAddress"]),
                head="node:__internal_head__" in has,
                cores=int(has.get("CPU", 0)),
                gpus=int(has.get("GPU", 0)),
                store=int(has.get("object_store_memory", 0)),
                folder=str(Path(node["ObjectStoreSocketName"]).parent.parent),
            )
            found.append(place)
    return sorted(found, key=lambda place: (not place.head, place.host, place.node))


class _Visitor:
    def take(self, wish: Wish) -> Vitals:
        return vitals.take(wish)

    def clock(self) -> float:
        return vitals.clock()

    def reach(self, places: Places) -> Reached:
        return reach(places)


def round_trip(
    wishes: Mapping[str, Wish], *, seconds: float, rounds: int, tick: float
) -> dict[str, tuple[Vitals | str, float | None]]:
    """Send visitors, hear them, compare clocks, and have them back: none outlives this call.

    Args:
        wishes: by Ray's id of the node.
        seconds: to wait for all of them.
        rounds: how often to ask for the time.
        tick: seconds to wait for that.

    Returns:
        By Ray's id what ``visit`` and ``clocks`` found.
    """
    sent = send(wishes)
    try:
        seen = visit(sent, wishes, seconds=seconds)
        awake = {node: one for node, one in sent.items() if isinstance(seen[node], Vitals)}
        ahead = clocks(awake, rounds=rounds, seconds=tick)
        return {node: (answer, ahead.get(node)) for node, answer in seen.items()}
    finally:
        for one in sent.values():
            ray.kill(one)


def reach_all(wishes: Mapping[str, Places], *, seconds: float) -> dict[str, Reached | str]:
    """Have nodes try what they can reach, side by side; no visitor outlives this call.

    Args:
        wishes: by Ray's id of the node.
        seconds: to wait for all of them.

    Returns:
        By Ray's id what a node found, or why it said nothing.
    """
    sent = send(wishes)
    try:
        refs = {node: _calls(one).reach.remote(wishes[node]) for node, one in sent.items()}
        return _answers(refs, seconds)
    finally:
        for one in sent.values():
            ray.kill(one)


def send(nodes: Iterable[str]) -> dict[str, Visitor]:
    """Send a visitor to every node, by Ray's ids; they go when they are forgotten."""
    remote = cast("Any", ray.remote)(num_cpus=0, max_restarts=0)(_Visitor)
    found = {}
    for node in nodes:
        there = NodeAffinitySchedulingStrategy(node, soft=False)
        found[node] = remote.options(scheduling_strategy=there).remote()
    return found


def visit(
    visitors: Mapping[str, Visitor], wishes: Mapping[str, Wish], *, seconds: float
) -> dict[str, Vitals | str]:
    """Take the vital signs of nodes, side by side.

    Args:
        visitors: by Ray's id of the node.
        wishes: by the same.
        seconds: to wait for all of them.

    Returns:
        By Ray's id what a node said, or why it said nothing.
    """
    refs = {node: _calls(one).take.remote(wishes[node]) for node, one in visitors.items()}
    return _answers(refs, seconds)


def clocks(visitors: Mapping[str, Visitor], *, rounds: int, seconds: float) -> dict[str, float]:
    """Compare clocks: by how many seconds at least each is ahead of this machine's.

    Args:
        visitors: by Ray's id of the node, those who have answered.
        rounds: how often to ask; the answer that took least counts.
        seconds: to wait for an answer; who takes longer is left out.
    """
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for node, one in visitors.items():
            began = time.time()
            try:
                told: float = ray.get(_calls(one).clock.remote(), timeout=seconds)
            except ray.exceptions.RayError:
                continue
            ended = time.time()
            reading = ended - began, lead(began, told, ended)
            best[node] = min(reading, best.get(node, reading))
    return {node: ahead for node, (_, ahead) in best.items()}


def lead(began: float, told: float, ended: float) -> float:
    """By how much at least a clock is ahead that was read between two readings of one's own.

    >>> lead(100.0, 100.3, 101.0), lead(100.0, 103.0, 101.0), lead(100.0, 98.5, 101.0)
    (0.0, 2.0, -1.5)
    """
    return max(0.0, told - ended) + min(0.0, told - began)


def _answers(refs: Mapping[str, "ray.ObjectRef[_Said]"], seconds: float) -> dict[str, _Said | str]:
    answered, _ = ray.wait([*refs.values()], num_returns=len(refs), timeout=seconds)
    found: dict[str, _Said | str] = {}
    for node, ref in refs.items():
        found[node] = f"no answer in {seconds:g} s"
        if ref in answered:
            try:
                found[node] = ray.get(ref)
            except ray.exceptions.RayError as error:
                found[node] = _last_line(error)
    return found


def _calls(one: Visitor) -> Any:
    return one  # Ray's types know no calls


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
