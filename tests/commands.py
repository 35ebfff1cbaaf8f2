"""Words to how the ``reelbrush`` command ended, in this process: for tests of what it says.

Nothing here knows which command it is, and nothing is used outside the tests.
"""

import signal
import sys
from dataclasses import dataclass

import pytest
import torch

from jobs.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[str]:
        """Lines on standard error but for those of progress."""
        return [line for line in self.err.splitlines() if line and not line.startswith("{")]


def command(*words: object, patch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ended:
    """Run the command; ``patch`` is undone by the caller."""
    patch.setattr(sys, "argv", ["reelbrush", *map(str, words)])
    patch.setenv("COLUMNS", "200")
    capfd.readouterr()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        main()
        code: object = 0
    except SystemExit as ended:
        code = ended.code
    finally:
        signal.signal(signal.SIGTERM, handler)
        torch.set_num_threads(1)
    read = capfd.readouterr()
    assert isinstance(code, int)
    return Ended(code, read.out, read.err)
