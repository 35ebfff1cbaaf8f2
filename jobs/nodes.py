"""The machines of a cluster, each with what it said of itself, and what all are held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.vitals import Tried, Vitals


@dataclass(frozen=True, slots=True)
class Node:
    """A machine as Ray knows it, with what it said of itself."""

    name: str
    vitals: Vitals | None = None
    """None if it did not answer"""
    problem: str = ""
    """why it did not"""
    head: bool = False
    cores: int = 1
    gpus: int = 0
    """as Ray counts them"""
    store: int = 0
    """bytes of the object store; 0 without Ray"""
    ahead: float | None = None
    """seconds by which its clock is ahead of this machine's at least; None if unknown"""
    heard: str = ""
    """what keeps its answer in the work folder from this machine; empty if nothing does"""


@dataclass(frozen=True, slots=True)
class Expected:
    """What every machine is held to."""

    python: str
    """of this machine"""
    digest: str
    """of the sources and libraries here"""
    lock: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """versions by package, of requirements.lock, where it depends on Python more than one; empty if
    it is not here"""
    cluster: bool = False
    source: Tried | None = None
    """what this machine read of it"""
    work: Tried | None = None
    """the note that this machine left"""
