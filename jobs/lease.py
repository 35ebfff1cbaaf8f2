"""One coordinator at a time in a work folder.

On one machine a lock that the kernel frees with its process decides. For machines that share the
folder, and for people, the *lease* file says who works there; it is renewed every two seconds, and
one that missed three renewals is taken over with the next *epoch*. Who was taken over finds out at
its next check and stops; what it had begun has no receipt.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from pipeline.errors import BadRequest

FILES = ("lease.json", "lock")
PERIOD = 2.0
"""Seconds between renewals."""
MISSED = 3 * PERIOD
"""Seconds without one after which a lease is free."""
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease."""

    epoch: int
    pid: int
    host: str
    time: float
    """of the last renewal, in seconds since 1970; 0 when it was given back"""


@contextlib.contextmanager
def renewed(
    beat: Callable[[threading.Event], None], *, give_back: Callable[[], object]
) -> Iterator[None]:
    """Renew a lease on a thread for as long as it is held, then give it back if that can be.

    Args:
        beat: renews again and again until its event is set.
        give_back: lets others take it at once; an ``OSError`` of it does no harm.
    """
    done = threading.Event()
    thread = threading.Thread(target=beat, args=(done,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with contextlib.suppress(OSError):
            give_back()


class Lease:
    """The lease of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._epoch = 0
        self._renewed = time.monotonic()
        self._lost = threading.Event()

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """Hold the lease; gives the epoch.

        Raises:
            BadRequest: If someone else holds it.
        """
        with (self._folder / "lock").open("a", encoding="utf-8") as file:
            self._take(file)
            known = self._read()
            if known is not None and known.host != socket.gethostname() and _fresh(known):
                raise BadRequest(self._busy(known))
            self._epoch = known.epoch + 1 if known else 1
            self._write(time.time())
            with renewed(self._beat, give_back=lambda: self._write(0.0)):
                yield self._epoch

    def check(self) -> None:
        """Make sure that the lease is still ours.

        A process that stood still for longer than two renewals looks for itself: somebody may have
        taken it over before its own renewals go on.

        Raises:
            BadRequest: If another machine has taken it over.
        """
        if time.monotonic() - self._renewed > 2 * PERIOD:
            self._renew()
        if self._lost.is_set():
            raise BadRequest(f"{self._folder} was taken over by another machine")

    def _take(self, file: TextIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadRequest(self._busy(self._read())) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise

    def _busy(self, known: Holder | None) -> str:
        who = f"process {known.pid} on {known.host}" if known else "another process"
        return f"{self._folder} is being worked on by {who}"

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(PERIOD):
            with contextlib.suppress(OSError):
                self._renew()
            if self._lost.is_set():
                return

    def _renew(self) -> None:
        """Say that we are still here, unless somebody else is by now."""
        known = self._read()
        if known is not None and known.epoch > self._epoch:
            self._lost.set()
        else:
            self._write(time.time())

    def _read(self) -> Holder | None:
        try:
            return Holder(**json.loads((self._folder / "lease.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, now: float) -> None:
        if self._lost.is_set() or not self._folder.is_dir():
            return
        mine = Holder(self._epoch, os.getpid(), socket.gethostname(), now)
        part = self._folder / f".lease-{uuid.uuid4().hex[:8]}"
        part.write_text(json.dumps(asdict(mine)), encoding="utf-8")
        part.replace(self._folder / "lease.json")
        self._renewed = time.monotonic()


def _fresh(known: Holder) -> bool:
    return known.time > 0 and time.time() - known.time < MISSED
