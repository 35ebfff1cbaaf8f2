"""Films and their weights to whose turn it is: fair shares without Ray, clock or files.

Each film has a *time of its own*: the seconds that hands have worked for it, divided by its weight.
Whoever is furthest behind is next, so in the long run the seconds go by weight. A film that is
*urgent* comes before all that are not, the earlier one first; nothing that runs is taken from
anybody. Whoever could have had a hand and had nothing for it to do loses that turn: neither a film
that comes late nor one that waits for its own steps gets the past back. (Start-time fair queueing:
Goyal, Vin and Cheng, 1996.)
"""

from collections.abc import Iterable
from dataclasses import dataclass

_FIRST = 1.0
"""Seconds that a step of a kind that has not ended yet is taken to last."""


@dataclass(slots=True)
class _Account:
    weight: float
    number: int
    time: float
    urgency: float | None = None


class Shares:
    """Who is next for hands of one sort: cores, or places with stylizers."""

    def __init__(self) -> None:
        self._films: dict[str, _Account] = {}
        self._count, self._now = 0, 0.0
        self._seconds: dict[tuple[str, str], tuple[int, float]] = {}

    def enter(self, film: str, *, weight: float) -> None:
        """Add a film, at the time of the others.

        Raises:
            ValueError: If its weight is not above 0.
        """
        if not weight > 0:
            raise ValueError(f"a weight is above 0, got {weight}")
        self._films[film] = _Account(weight, self._count, self._now)
        self._count += 1

    def leave(self, film: str) -> None:
        """Forget a film."""
        self._films.pop(film, None)
        self._seconds = {key: known for key, known in self._seconds.items() if key[0] != film}

    def press(self, film: str, urgency: float | None) -> None:
        """Say how urgent a film is: the lowest comes first; None if it is not."""
        if film in self._films:
            self._films[film].urgency = urgency

    def order(self) -> list[str]:
        """All films, whoever is next first."""

        def rank(film: str) -> tuple[bool, float, float, int]:
            known = self._films[film]
            urgency = known.urgency
            return urgency is None, urgency or 0.0, known.time, known.number

        return sorted(self._films, key=rank)

    def chose(self, film: str, kind: str, *, passed: Iterable[str] = ()) -> float:
        """A film got a hand for a step; gives the seconds that are charged for now.

        Args:
            film: who got it.
            kind: of the step.
            passed: who would have been next and had nothing to do.
        """
        here = self._films[film]
        if here.urgency is None:
            self._now = max(self._now, here.time)
            for other in passed:
                known = self._films[other]
                known.time = max(known.time, here.time)
        count, total = self._seconds.get((film, kind), (0, 0.0))
        seconds = total / count if count else _FIRST
        here.time += seconds / here.weight
        return seconds

    def ended(self, film: str, kind: str, *, charged: float, seconds: float | None) -> None:
        """A step has ended: charge what it took.

        Args:
            film: whose.
            kind: of the step.
            charged: what ``chose`` gave.
            seconds: of the hand; None if it gave no answer, which costs its film nothing.
        """
        if film not in self._films:
            return
        here = self._films[film]
        here.time += ((seconds or 0.0) - charged) / here.weight
        if seconds is not None:
            count, total = self._seconds.get((film, kind), (0, 0.0))
            self._seconds[film, kind] = count + 1, total + seconds


def urgency(due: float | None, *, left: float, margin: float = 1.5) -> float | None:
    """Say how urgent a film is.

    Args:
        due: seconds until its deadline, below 0 if that has passed; None if it has none.
        left: seconds that it still takes with all hands to itself.
        margin: how much of that more it may turn out to be.

    Returns:
        The seconds until the deadline if the film has to be hurried, else None.

    >>> urgency(3600.0, left=60.0) is None, urgency(80.0, left=60.0), urgency(-5.0, left=1.0)
    (True, 80.0, -5.0)
    """
    return due if due is not None and due < margin * left else None
