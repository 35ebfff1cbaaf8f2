"""Which paintings a painter may learn from, and which are kept to judge it by.

*Held out* are works that no training run ever sees, and neither does it see copies of them: works
that look like one of them at a glance are left out of the wider collection as well.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.paint.pictures import Picture

HELD_OUT = frozenset(
    {
        "cezanne_trees_houses",
        "duccio_maesta_1311",
        "gericault_raft_medusa_1819",
        "homer_canoe_watercolour",
        "limbourg_tres_riches_heures_1416",
        "monet_woman_with_parasol_1875",
        "van_gogh_wheat_field_cypresses_1889",
    }
)
"""Stems of picture files: seven of 28 works, of different centuries and techniques."""
ALIKE = 0.75
"""Correlation of thumbnails from which two pictures count as one work: copies reach 0.9, another
version of a motif by the same hand 0.77; skies and fields of others at most 0.72."""
_SIDE = 24


def is_held_out(picture: Path) -> bool:
    """Whether a picture file shows a work that is never trained on."""
    return picture.stem in HELD_OUT


def without_copies(pictures: Sequence[Picture], of: Sequence[Picture]) -> list[Picture]:
    """Leave out the pictures that look like one of others, mirrored ones too."""
    if not of:
        return list(pictures)
    known = np.stack([t for p in of for t in (thumbnail(p), thumbnail(p[:, ::-1]))])
    return [p for p in pictures if float((known @ thumbnail(p)).max()) < ALIKE]


def thumbnail(picture: Picture) -> NDArray[np.float32]:
    """A picture as a vector of length 1 and mean 0, so that products are correlations.

    >>> grey = np.arange(48 * 48 * 3, dtype=np.uint8).reshape(48, 48, 3)
    >>> round(float(thumbnail(grey) @ thumbnail(grey)), 3)
    1.0
    """
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    vector = small.astype(np.float32).ravel()
    vector -= vector.mean()
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector
