"""What a benchmark measured to a file that says where, with what and on what.

A result without its machine, versions and commit is no result.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import quantiles

from pipeline.paint.styles import manifest

_LIBRARIES = (
    "av",
    "numba",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "ray",
    "torch",
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of repeated measurements."""

    median: float
    low: float
    """first quartile"""
    high: float
    """third quartile"""
    count: int


def spread(samples: Sequence[float]) -> Spread:
    """Reduce samples, at least one, to median and quartiles.

    >>> spread([1.0, 2.0, 3.0]).median
    2.0
    """
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], 1)
    low, median, high = quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high, len(samples))


def circumstances() -> dict[str, object]:
    """Machine, versions, commit and load at this moment."""
    return {
        "command": " ".join(["reelbrush", *sys.argv[1:]]),
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": _versions(),
        "weights": manifest(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()),
    }


def store(path: Path, measured: Mapping[str, object]) -> None:
    """Write a result with its circumstances as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"circumstances": circumstances(), **measured}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    """Of the libraries that are installed; not all have to be where only the net is measured."""
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
