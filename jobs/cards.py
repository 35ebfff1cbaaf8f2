"""Workers who say who they are before work begins: all have to be the same painter."""

from collections.abc import Sequence
from typing import TypeAlias

from actors import remote, steps
from actors.remote import Answer, Stylist
from actors.steps import Card, Hired
from jobs.board import Task
from jobs.errands import Sent
from pipeline.errors import ClusterFailed

Hand: TypeAlias = tuple[Stylist | None, str | None]
"""A stylizer; or a worker of a machine, or of any."""
_TRIES = 5


class Cards:
    """What is known of a film's painters."""

    def __init__(self) -> None:
        self._known: set[Card] = set()
        self._asked, self._rounds = 0, 0

    @property
    def missing(self) -> bool:
        """Whether nobody has said anything, and nobody is being asked."""
        return not (self._known or self._asked)

    def ask(self, hired: Sequence[Hired], hands: Sequence[Hand]) -> list[Sent]:
        """Ask who they are; ``hired`` is a painter for each of the film's styles."""
        sent = []
        step, name = steps.introduce, "introduce"
        for number, (stylist, node) in enumerate(hands):
            if stylist is not None:
                errand = remote.ask(stylist, step, *hired, name=name)
            else:
                errand = remote.errand(step, *hired, name=name, node=node, hard=node is not None)
            sent.append(Sent(Task("introduce", number), errand))
        self._asked = len(sent)
        self._rounds += bool(sent)
        return sent

    def heard(self, answer: Answer | None) -> Card | None:
        """Take an answer, None from who has died; gives the card once all are heard.

        Raises:
            ClusterFailed: If they would paint different pixels, or die again and again.
        """
        self._asked -= 1
        if answer is not None and isinstance(answer.value, Card):
            self._known.add(answer.value)
        if self._asked:
            return None
        if not self._known and self._rounds >= _TRIES:
            raise ClusterFailed("no worker of Ray lives long enough to say a word")
        if len(self._known) > 1:
            raise ClusterFailed("the machines of the cluster would paint different pixels")
        return next(iter(self._known), None)
