"""Films on their boards and free hands to the steps that come next: decisions without Ray or clock.

Which film's turn it is, its share says; which of its steps, its board. Where memory keeps the film
whose turn it is from opening a chunk, no other film opens one: what is open is finished, and memory
comes free. So no film waits forever for others that take less.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.board import Board, Task
from jobs.shares import Shares


@dataclass(frozen=True, slots=True)
class Turn:
    """A step that a film has a hand for."""

    film: str
    task: Task
    paints: bool
    """whether the hand is a place with a stylizer"""
    charged: float
    """seconds that its film has been charged with for now"""


class Turns:
    """Whose turn it is."""

    def __init__(self) -> None:
        self.boards: dict[str, Board] = {}
        self._cores, self._places = Shares(), Shares()

    def enter(self, film: str, board: Board, *, weight: float) -> None:
        """Add a film."""
        self.boards[film] = board
        for shares in (self._cores, self._places):
            shares.enter(film, weight=weight)

    def leave(self, film: str) -> None:
        """Take a film off."""
        self.boards.pop(film, None)
        for shares in (self._cores, self._places):
            shares.leave(film)

    def press(self, film: str, urgency: float | None) -> None:
        """Say how urgent a film is; see ``Shares.press``."""
        for shares in (self._cores, self._places):
            shares.press(film, urgency)

    def take(
        self, *, cores: int, places: int, together: int = 1, most: int | None = None
    ) -> list[Turn]:
        """Hand out steps for free hands.

        Args:
            cores: that are free.
            places: free places with stylizers; none without GPUs.
            together: steps that may share a place.
            most: steps of painting in all; None is as many as there are places for.
        """
        taken: list[Turn] = []
        room = places * together
        while len(taken) < (room if most is None else min(room, most)):
            turn = self._next(self._places, lambda board: board.painting(), paints=True)
            if turn is None:
                break
            taken.append(turn)
        places = max(0, places - len(taken))
        while cores > 0:
            hungry = places > sum(board.coming() for board in self.boards.values())
            turn = self._core(hungry=hungry)
            if turn is None:
                break
            taken.append(turn)
            cores -= 1
        return taken

    def ended(self, turn: Turn, *, seconds: float | None) -> None:
        """A step has ended; see ``Shares.ended``."""
        shares = self._places if turn.paints else self._cores
        shares.ended(turn.film, turn.task.kind, charged=turn.charged, seconds=seconds)

    def _core(self, *, hungry: bool) -> Turn | None:
        blocked = False

        def step(board: Board) -> Task | None:
            nonlocal blocked
            found = board.next(hungry=hungry, opens=not blocked)
            blocked = blocked or board.blocked
            return found

        return self._next(self._cores, step, paints=False)

    def _next(
        self, shares: Shares, step: Callable[[Board], Task | None], *, paints: bool
    ) -> Turn | None:
        passed: list[str] = []
        for film in shares.order():
            task = step(self.boards[film])
            if task is not None:
                self.boards[film].running.add(task)
                charged = shares.chose(film, task.kind, passed=passed)
                return Turn(film, task, paints, charged)
            passed.append(film)
        return None
