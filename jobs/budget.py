"""How many bytes the pieces of chunks on their way may take: in all, and on each machine.

One budget for all films together. What is held is counted anew from the courses that are open, so
nothing that ends in any way can stay on the books.
"""

from collections.abc import Mapping
from typing import Protocol

Nodes = Mapping[str, int]
"""Bytes by machine; empty where there is one machine, or where it does not matter."""


class Held(Protocol):
    """A chunk on its way, as far as memory goes."""

    bytes: int
    """what its pieces take at most, all of them together"""
    node: str | None
    """the machine on which they lie; None if that is not known"""


class Budget:
    """Memory for pieces."""

    def __init__(self, total: int, *, nodes: Nodes | None = None) -> None:
        """Say how much there is; ``nodes`` says how much of it on which machine."""
        self.total = total
        self.nodes: Nodes = nodes or {}
        self._open: list[Mapping[int, Held]] = []

    def join(self, courses: Mapping[int, Held]) -> None:
        """Count a film's open courses from now on; the mapping changes as they come and go."""
        self._open.append(courses)

    def leave(self, courses: Mapping[int, Held]) -> None:
        """Count them no longer."""
        self._open = [one for one in self._open if one is not courses]

    @property
    def held(self) -> int:
        """Bytes that all courses take."""
        return sum(course.bytes for film in self._open for course in film.values())

    def fits(self, size: int) -> bool:
        """Whether a course of this size may be opened: beside what is open, or alone."""
        courses = [course for film in self._open for course in film.values()]
        if not courses:
            return True
        if sum(course.bytes for course in courses) + size > self.total:
            return False
        return not self.nodes or any(room >= size for room in self._room().values())

    def place(self, size: int) -> str | None:
        """Where the pieces of a course should lie; None if that does not matter.

        As long as every machine has room for two such courses, Ray may choose.
        """
        room = self._room()
        if len(room) < 2 or min(room.values()) >= 2 * size:
            return None
        return max(room, key=lambda node: (room[node], node))

    def _room(self) -> dict[str, int]:
        """Bytes that are free on each machine."""
        room = dict(self.nodes)
        for film in self._open:
            for course in film.values():
                if course.node in room:
                    room[course.node] -= course.bytes
        return room
