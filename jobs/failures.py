"""What went wrong with a step to what is done about it.

A *machine* failure (a worker, an actor or a node died, memory ran out, an object was lost) is
nobody's fault: the step is done again, elsewhere if there is an elsewhere. *Data* (a frame that
does not decode) gets one more try elsewhere, for a machine can be at fault there too. A *bug* stops
the job at once and leaves what is needed to see it again.
"""

import re
import shlex
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from ray import exceptions as ray_errors

from jobs.board import Task
from jobs.commission import named
from jobs.ledger import FULL_DISK, WorkFolder
from pipeline.errors import ChunkFailed, ClusterFailed, FilmError, SourceError
from pipeline.plan import Chunk

Class = Literal["machine", "data", "bug", "stuck"]
_MACHINE_TRIES = 10
_DATA_TRIES = 2
_MACHINE = (
    ray_errors.WorkerCrashedError,
    ray_errors.RayActorError,
    ray_errors.NodeDiedError,
    ray_errors.OutOfMemoryError,
    ray_errors.OutOfDiskError,
    ray_errors.ObjectLostError,
    ray_errors.ObjectStoreFullError,
    ray_errors.LocalRayletDiedError,
    ray_errors.RaySystemError,
    ray_errors.RpcError,
    ray_errors.TaskCancelledError,
    ray_errors.TaskUnschedulableError,
    ray_errors.RuntimeEnvSetupError,
)
"""They have no root of their own among Ray's errors."""
_COLORS = re.compile(r"\x1b\[\d*m")
_LOST = (ray_errors.ObjectLostError, ray_errors.NodeDiedError)


@dataclass(frozen=True, slots=True)
class Failure:
    """One step that gave no answer."""

    kind: Class
    error: BaseException
    """What to tell: the step's own error where there is one."""
    lost: bool
    """Whether pieces that it needed may be gone."""
    trace: str = ""
    """where it happened, for whoever mends the program"""

    @property
    def line(self) -> str:
        """The error in one line."""
        text = str(self.error).strip().splitlines()
        return f"{type(self.error).__name__}: {text[0] if text else ''}"[:300]


def read(error: BaseException) -> Failure:
    """Read what Ray raised for a step."""
    own, trace = error, _COLORS.sub("", str(error))
    if isinstance(error, ray_errors.RayTaskError):
        own = getattr(error, "cause", None) or error
    if isinstance(own, _MACHINE):
        return Failure("machine", own, lost=isinstance(own, _LOST), trace=trace)
    if isinstance(own, MemoryError) or (isinstance(own, OSError) and own.errno not in FULL_DISK):
        return Failure("machine", own, lost=False, trace=trace)
    if isinstance(own, SourceError):
        return Failure("data", own, lost=False, trace=trace)
    return Failure("bug", own, lost=False, trace=trace)


def bug(failure: Failure, kind: str, chunk: Chunk | None, *, work: WorkFolder) -> Exception:
    """What to raise for a step that will not succeed; a traceback is left in the work folder."""
    if isinstance(failure.error, FilmError | OSError):
        return failure.error
    where = named(chunk) if chunk else f"the step {kind!r}"
    note = work.failed(chunk.index if chunk else -1, failure.trace)
    place = shlex.quote(str(work.path))
    again = f"; see it again: reelbrush replay {place} {chunk.index}" if chunk else ""
    return ChunkFailed(f"{where} failed: {failure.line} (see {note}){again}")


class Tries:
    """How often each step has failed, and how."""

    def __init__(self) -> None:
        self._count: Counter[tuple[Task, Class]] = Counter()

    def number(self, task: Task) -> int:
        """Which try the next one is, from 1."""
        return 1 + sum(count for (known, _), count in self._count.items() if known == task)

    def again(self, task: Task, failure: Failure) -> bool:
        """Note a failure; whether to try again.

        Raises:
            ClusterFailed: If machines have failed it too often.
        """
        self._count[task, failure.kind] += 1
        most = {"machine": _MACHINE_TRIES, "stuck": _MACHINE_TRIES, "data": _DATA_TRIES, "bug": 1}
        if self._count[task, failure.kind] < most[failure.kind]:
            return True
        own = isinstance(failure.error, OSError) and not isinstance(failure.error, TimeoutError)
        if failure.kind in ("machine", "stuck") and not own:
            raise ClusterFailed(
                f"{task.kind} {task.place} failed {_MACHINE_TRIES} times on Ray's machines, "
                f"at last with {failure.line}"
            )
        return False
