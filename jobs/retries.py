"""What went wrong with a film to whether, and when, it is tried again, and to a line about it."""

from pipeline.errors import ClusterFailed, FilmError, OutOfResources

MACHINE = (OutOfResources, ClusterFailed, OSError, MemoryError)
"""What machines do wrong, and may do right another time."""
_LONGEST = 300.0
"""Seconds between two tries, at most."""


def again(error: BaseException, *, tries: int, retries: int, pause: float) -> float | None:
    """Say after how many seconds a film is tried again; None if it is not.

    >>> again(OSError(), tries=3, retries=3, pause=5.0)
    20.0
    """
    if tries > retries or not isinstance(error, MACHINE):
        return None
    return min(_LONGEST, pause * 2.0 ** (tries - 1))


def in_a_line(error: BaseException) -> str:
    """What went wrong in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = str(error).strip().splitlines()
    if isinstance(error, FilmError) and text:
        return text[0]
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
