"""What a frame has freed, the next one takes."""

import subprocess
import sys

import pytest

from actors.heap import keep_freed

_FAULTS = """
import resource, sys
import numpy as np
from actors.heap import keep_freed
if sys.argv[1] == "kept":
    assert keep_freed()

def frame():
    planes = [np.ones(3 << 20, np.uint8) for _ in range(10)]

frame(), frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    """Pages that ten frames of 30 MB took anew of Linux."""
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not keep_freed(), reason="only glibc can be told")
def test_memory_that_a_frame_has_freed_is_taken_by_the_next() -> None:
    assert _faults("kept") < 1000 < _faults("left as it is")
