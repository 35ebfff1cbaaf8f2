"""How long steps took to which of those that run should be begun a second time.

A step that takes three times as long as nearly all of its kind has, is more likely to be with a
machine that is slow or has gone silent than to be long. Nothing here knows Ray or a clock.
"""

from bisect import insort

_FEW = 8
"""Steps of a kind that must have ended before anything is said of it."""
_MANY = 200
"""Of a kind that are remembered, the latest."""
_TIMES = 3.0
_LEAST = 5.0
"""Seconds below which a second try is not worth it."""


class Stragglers:
    """What steps have taken, by film and kind: a large film's take longer than a small one's."""

    def __init__(self) -> None:
        self._sorted: dict[tuple[str, str], list[float]] = {}
        self._order: dict[tuple[str, str], list[float]] = {}

    def note(self, film: str, kind: str, seconds: float) -> None:
        """A step has ended."""
        known = self._sorted.setdefault((film, kind), [])
        order = self._order.setdefault((film, kind), [])
        insort(known, seconds)
        order.append(seconds)
        if len(order) > _MANY:
            known.remove(order.pop(0))

    def limit(self, film: str, kind: str) -> float | None:
        """Seconds after which a step is a straggler; None if too few of its kind have ended."""
        known = self._sorted.get((film, kind), [])
        if len(known) < _FEW:
            return None
        p95 = known[min(len(known) - 1, int(0.95 * len(known)))]
        return max(_LEAST, _TIMES * p95)
