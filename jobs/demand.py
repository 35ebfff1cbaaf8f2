"""Work left and hands there to the hands that are wanted: decisions without Ray or clock.

A cluster that grows does so for what waits: stylizers that wait for a GPU, steps that wait for a
core. What waits dies with the driver, so nothing is asked for by who is no longer there. A machine
takes minutes to come, and is asked for only if it then finds work for as long again.
"""

from dataclasses import dataclass
from math import ceil

_WORTH = 600.0
"""Seconds of work that each machine should have before it."""
_STEP = 8
"""Hands that may be waited for at a time, beside a quarter of those that are there."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done, of all films that are open."""

    chunks: int
    """without a receipt, as far as they are known"""
    planned: bool
    """whether no chunk can come to that"""
    seconds: float | None
    """of hands of this sort; None as long as there is nothing to go by"""


def stylizers(left: Left, *, gpus: int, grows: bool, most: int | None) -> int:
    """Say how many stylizers there should be, with a GPU or waiting for one.

    Args:
        left: work for them.
        gpus: GPUs that are there.
        grows: whether machines may come; not so where Ray is our own.
        most: GPUs to use at most; None is all.

    >>> stylizers(Left(40, True, 3000.0), gpus=2, grows=True, most=None)
    5
    >>> stylizers(Left(1, True, 20.0), gpus=2, grows=True, most=None)
    1
    """
    useful = left.chunks if left.planned else max(left.chunks, gpus, 1)
    wanted = min(gpus, useful)
    if grows:
        wanted = max(wanted, min(_waited(left, gpus), useful))
    return wanted if most is None else min(wanted, most)


def waiting(left: Left, *, cores: int) -> int:
    """Say how many steps should wait for a core beside those that have one: at least one.

    >>> waiting(Left(40, True, 1000.0), cores=4), waiting(Left(900, True, 90000.0), cores=4)
    (1, 9)
    """
    return max(1, _waited(left, cores) - cores)


def share(steps: int, *, wanted: int, up: int, deep: int) -> int | None:
    """Say how many steps of painting all stylizers that are up may have at a time.

    Those that are waited for are to find something to do when they come.

    Args:
        steps: that are not done, those on their way among them.
        wanted: stylizers that there should be.
        up: stylizers that have their GPU.
        deep: steps that one may have at a time.

    Returns:
        None if they may have as many as they can.

    >>> share(14, wanted=4, up=1, deep=6), share(5, wanted=4, up=2, deep=6)
    (3, 2)
    >>> share(90, wanted=4, up=1, deep=6), share(5, wanted=2, up=2, deep=6)
    (None, None)
    """
    if up >= wanted or steps >= wanted * deep:
        return None
    return up * max(1, steps // wanted)


def _waited(left: Left, there: int) -> int:
    """Hands for which there is work enough, some more than there are at most."""
    if left.seconds is None:
        return max(1, there)
    return min(max(1, ceil(left.seconds / _WORTH)), there + _STEP + there // 4)
