"""One Ray for all films, begun when the first one wants it."""

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from jobs.engine import Engine, Machines, cores, running
from pipeline.forecast import Needs


class SharedRay:
    """A Ray with room for the largest film."""

    def __init__(self, machines: Machines, needs: Sequence[Needs]) -> None:
        self._machines, self._stack = machines, ExitStack()
        self._engine: Engine | None = None
        self._needs = Needs(
            base=max((one.base for one in needs), default=0),
            worker=max((one.worker for one in needs), default=0),
            chunk=max((one.chunk for one in needs), default=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)  # which ends otherwise when a node was lost

    def engine(self) -> Engine:
        """The Ray.

        Raises:
            ClusterFailed: If it does not start, or no cluster answers.
            BadRequest: If the memory does not do for the largest film.
        """
        if self._engine is None:
            context = running(self._machines, self._needs, cores=cores())
            self._engine = self._stack.enter_context(context)
        return self._engine

    def leave(self) -> None:
        """End it, or leave the cluster; who wants it next begins it anew."""
        self._engine = None
        self._stack.close()
