"""A chunk's last key to a file and back, without loss.

The *boundary* key is the next chunk's first. It is all that one chunk of a shot hands to the next.
"""

from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from pipeline.media.color import Planes


def write_boundary(planes: Planes, to: Path) -> None:
    """Write a harmonised key; ``to`` ends in ``.npz``."""
    np.savez_compressed(to, luma=planes.luma, blue=planes.blue, red=planes.red, depth=planes.depth)


def read_boundary(path: Path) -> Planes | None:
    """Read a harmonised key, or None if the file is not there or not whole."""
    try:
        with BytesIO(path.read_bytes()) as file, np.load(file) as kept:
            return Planes(kept["luma"], kept["blue"], kept["red"], depth=int(kept["depth"]))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None
