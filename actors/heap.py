"""How this process keeps memory: what a frame has freed, the next one takes.

A frame's planes and fields are megabytes each. glibc hands blocks of that size back to Linux as
soon as they are free, which then has to empty new pages for each frame anew.
"""

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Of ``mallopt(3)``."""
_KEPT = 64 << 20
"""Bytes that a process keeps, at most, once they are free."""
_APART = 32 << 20
"""Bytes from which a block is always Linux's own; glibc takes no more."""


@cache
def keep_freed() -> bool:
    """Keep freed memory for what comes next; says whether that can be done here.

    Once a process: with another C library than glibc nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT)) and bool(mallopt(_MMAP_THRESHOLD, _APART))
