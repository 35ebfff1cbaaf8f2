"""What is measured for whom: moments of a shot, in each style that is painted by them.

A *measurement* is a shot, the first of its set-up, in one variant of the recipe; its number is the
shot's index, and ``_SHOTS`` more for each variant. So a film in one style has its shots' indices.
"""

from collections.abc import Iterable

import numpy as np

from actors.stylizer import Moments
from jobs.commission import Commission
from pipeline.plan import Chunk, Plan, Shot

_SHOTS = 1 << 32
"""More than a film has."""


class Measurements:
    """Of one job, as far as they are known."""

    def __init__(self, job: Commission) -> None:
        self._job = job
        self._known: dict[int, Moments] = {}

    def of(self, chunk: Chunk) -> list[int]:
        """The measurement that each of a chunk's parts is painted by."""
        base = _SHOTS * self._job.variant(chunk)
        return [base + part.setup for part in chunk.parts]

    def moments(self, chunk: Chunk) -> dict[int, Moments]:
        """What is known, by index of the chunk's parts."""
        return {i: self._known[number] for i, number in enumerate(self.of(chunk))}

    def shot(self, number: int, plan: Plan) -> Shot:
        """What is measured."""
        return plan.shots[number % _SHOTS]

    def variant(self, number: int) -> int:
        """For which variant."""
        return number // _SHOTS

    def kept(self, numbers: Iterable[int], plan: Plan) -> set[int]:
        """Read those that lie in the work folder; gives their numbers."""
        found = set()
        for number in numbers:
            known = self._job.of(self.variant(number)).moments(self.shot(number, plan))
            if known is not None:
                self._known[number] = known
                found.add(number)
        return found

    def keep(self, number: int, moments: object, plan: Plan) -> None:
        """Take what was measured, and leave it in the work folder."""
        self._known[number] = np.asarray(moments, np.float32)
        job = self._job.of(self.variant(number))
        job.keep_moments(self.shot(number, plan), self._known[number])
