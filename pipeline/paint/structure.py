"""A style code and the film's own to the codes of each layer: how much shape a painting keeps.

The layers in the middle of the net decide what becomes a stroke and what stays an edge; those at
its ends decide colour. *Structure* is the share by which the middle layers follow the code of the
film itself, as if its own pictures were the painting: faces and titles stay readable. Colours go
some of the way too: in the net as trained, the middle has its part in them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.paint.sizes import Size


def middle(size: Size) -> slice:
    """The modulations between the first down-sampling and the last residual block."""
    return slice(1, len(size.normalised) - 2)


def leaning(
    codes: NDArray[np.float32], own: NDArray[np.float32], share: float, *, size: Size
) -> NDArray[np.float32]:
    """Let the middle layers' codes lean towards the film's own.

    Args:
        codes: [L, 256], a row for each modulation.
        own: [256], the film's.
        share: 0 changes nothing, 1 is the film's own code.
        size: of the net.

    >>> from pipeline.paint.sizes import SIZES
    >>> codes = np.ones((12, 256), np.float32)
    >>> leaning(codes, np.zeros(256, np.float32), 1, size=SIZES["S"]).mean(1).tolist()
    [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """
    out = codes.copy()
    rows = middle(size)
    out[rows] += np.float32(share) * (own - out[rows])
    return out


def encoder_identity() -> str:
    """What a code of the encoder depends on: its weights and the library that runs it.

    Raises:
        MissingWeights: If no encoder ships.
    """
    import torch

    from pipeline.paint.encoder import shipped

    return f" {shipped()[1]} torch {torch.__version__}"


def own_code(pictures: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The code [256] of a shot, from some of its pictures, RGB [H, W, 3], 0 to 1.

    Raises:
        MissingWeights: If no encoder ships.
    """
    from pipeline.paint.encoder import encode_picture

    codes = [
        encode_picture(np.rint(picture.clip(0, 1) * 255).astype(np.uint8))[0]
        for picture in pictures
    ]
    return np.asarray(np.mean(codes, axis=0), np.float32)
