"""A batch's log as it grows, to whoever looks on; the batch does not depend on anybody who does."""

import asyncio
import time
from collections.abc import Callable

from jobs.attempts import Attempt
from jobs.credentials import covered
from jobs.head import Head
from pipeline.errors import BatchFailed, ClusterFailed

_AGAIN = 2.0
"""Seconds between two tries to hear on."""
_SILENT = 120.0
"""Seconds without an answer after which nobody listens any more."""
_SETTLE = 15.0
"""Seconds from the end of a log to the end of its job."""


def follow(head: Head, attempt: Attempt, write: Callable[[str], None]) -> Attempt:
    """Write a log from its beginning until its job has ended; gives what became of it.

    Raises:
        ClusterFailed: If the head is silent for long.
    """
    heard, since = 0, time.monotonic()
    while True:
        try:
            heard = asyncio.run(_listen(head, attempt.id, heard, write))
            attempt = _settled(head, attempt)
            if not attempt.live:
                return attempt
        except _Lost as lost:
            since = time.monotonic() if lost.heard > heard else since
            heard = lost.heard
            if time.monotonic() - since > _SILENT:
                raise ClusterFailed(
                    f"{lost}; the batch may well go on: reelbrush logs {attempt.id} --follow"
                ) from None
            time.sleep(_AGAIN)


def raise_if_bad(attempt: Attempt) -> int:
    """Say what became of an attempt; gives the exit code that says the same.

    Raises:
        ClusterFailed: If the cluster did not carry it to its end.
        BatchFailed: If films are not painted.
    """
    if attempt.state == "done":
        return 0
    if attempt.state == "stopped" or attempt.exit_code == 130:
        return 130
    if attempt.exit_code == BatchFailed.exit_code:
        raise BatchFailed(f"{attempt.id}: some films are not painted; see {attempt.result}")
    if attempt.exit_code is not None and attempt.exit_code > 0:
        return attempt.exit_code
    lines = [line.strip() for line in attempt.message.splitlines() if line.strip()]
    why = lines[-1] if lines else "it ended, and nobody knows why"
    raise ClusterFailed(f"{attempt.id}: {why}; the same command begins the next attempt")


class _Lost(Exception):
    """The head does not answer; it was heard so far."""

    def __init__(self, heard: int, why: object) -> None:
        super().__init__(str(why))
        self.heard = heard


async def _listen(head: Head, job: str, heard: int, write: Callable[[str], None]) -> int:
    """Write what was not heard before; gives how many characters there are."""
    said = 0
    try:
        async for text in head.tail(job):
            said += len(text)
            fresh = text[max(0, len(text) - (said - heard)) :] if said > heard else ""
            if fresh:
                write(covered(fresh))
            heard = max(heard, said)
    except ClusterFailed as error:
        raise _Lost(heard, error) from None
    return heard


def _settled(head: Head, attempt: Attempt) -> Attempt:
    until = time.monotonic() + _SETTLE
    found = head.attempt(attempt.id)
    while found.live and time.monotonic() < until:
        time.sleep(0.3)
        found = head.attempt(attempt.id)
    return found
