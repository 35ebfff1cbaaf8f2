"""Python loops over samples to machine code, compiled once a machine.

What is compiled is kept where Python keeps its own bytecode, or else in the user's cache folder;
where neither may be written each process compiles for itself. Arithmetic is IEEE, nothing is
contracted or reordered and nothing runs in threads, so results do not depend on who compiled.

Importing numba costs a process some 0.4 s: import the modules that use it where they are called.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TypeVar, cast

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers at its first call."""
    try:
        kept = njit(loop, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # no folder to keep it in
        return cast("Loop", njit(loop, nogil=True, error_model="numpy"))
    # Numba looks at a loop's own file only, but what the loop calls is compiled into it.
    file = attrgetter("_cache._cache_file")(kept)
    file._source_stamp = _digest(Path(loop.__code__.co_filename).parent)
    return cast("Loop", kept)


@cache
def _digest(folder: Path) -> str:
    """sha256, hex, over the sources in a folder and this one."""
    found = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), Path(__file__)):
        found.update(path.read_bytes())
    return found.hexdigest()
