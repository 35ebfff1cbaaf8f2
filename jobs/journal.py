"""Lines that are added to an object: gathered in a file on this machine, and uploaded now and then.

An object cannot be added to. What was in it before is fetched when work begins, so the lines of all
tries follow one another; of a process that dies the lines of its last seconds are lost.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from actors import cache, s3
from actors.objects import ObjectPath

_PERIOD = 10.0
"""Seconds between uploads."""


def lines_of(place: Path) -> Path:
    """The file to which lines are to be added."""
    return cache.journal(place) if isinstance(place, ObjectPath) else place


@contextlib.contextmanager
def gathered(place: Path) -> Iterator[None]:
    """Keep an object as its file on this machine is; deleted here, it is left alone there.

    Raises:
        OSError: If it cannot be fetched.
    """
    if not isinstance(place, ObjectPath):
        yield
        return
    file = cache.journal(place)
    with contextlib.suppress(FileNotFoundError):
        file.write_bytes(place.read_bytes())
    done, sent = threading.Event(), [file.stat().st_size if file.is_file() else 0]
    thread = threading.Thread(target=_now_and_then, args=(place, file, done, sent), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _send(place, file, sent)
        file.unlink(missing_ok=True)


def dropped(place: Path) -> None:
    """Forget lines that are not to be uploaded any more."""
    if isinstance(place, ObjectPath):
        cache.journal(place).unlink(missing_ok=True)


def _now_and_then(place: ObjectPath, file: Path, done: threading.Event, sent: list[int]) -> None:
    while not done.wait(_PERIOD):
        _send(place, file, sent)


def _send(place: ObjectPath, file: Path, sent: list[int]) -> None:
    """Upload the lines if there are new ones; a log that cannot be written stops no film."""
    with contextlib.suppress(OSError):
        content = file.read_bytes()
        if len(content) != sent[0]:
            s3.put(place.spot, content)
            sent[0] = len(content)
