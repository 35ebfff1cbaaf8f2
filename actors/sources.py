"""The code that runs here to a digest, so that no worker paints with other code than the job's.

Classes travel by name: a worker that has another version of them would use it without a word.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PACKAGES = ("pipeline", "actors", "jobs")


@cache
def digest() -> str:
    """sha256, hex, over sources, the manifest of weights, and what else pixels pass through."""
    found = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix == ".py" or path.name == "manifest.json":
                found.update(path.relative_to(_ROOT).as_posix().encode())
                found.update(path.read_bytes())
    for name in ("av", "numba", "numpy", "opencv-python-headless"):
        found.update(f"{name} {version(name)}".encode())
    return found.hexdigest()
