"""Neighbouring frames and the motion between them to how much they flicker.

The *warping error* (M1; Lai 2018) is the mean squared difference, in units of [0, 1]^2, between a
frame and its neighbour fetched along the motion, over what can be judged: pixels that have a
counterpart, lie off motion boundaries and are found inside the neighbour. The *content floor* F1 is
what a painting owes to the film itself: the film's own error, scaled by how much steeper the
painting's gradients are. Blur lowers every such number, so none is worth anything without
``detail``.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.motion.confidence import Mask, inside, motion_boundary, occluded
from pipeline.motion.flow import Flow, pixel_grid

Picture = NDArray[np.uint8]
"""[H, W] or [H, W, C] in 8-bit codes."""

LEAST_COVERAGE = 0.2
"""Pairs of which less can be judged have no error."""


@dataclass(frozen=True, slots=True)
class PairError:
    """How much two neighbouring frames disagree."""

    error: float | None
    """Mean squared difference in [0, 1]^2; None where too little can be judged."""
    coverage: float
    """Share of the frame that was judged, 0 to 1."""


def counted(there: Flow, back: Flow) -> Mask:
    """Say which pixels of t can be judged against u: M of M1, and found inside u.

    Args:
        there: flow(t, u).
        back: flow(u, t).
    """
    return ~(occluded(there, back) | motion_boundary(there)) & inside(there)


def warping_error(at: Picture, of: Picture, *, there: Flow, judged: Mask) -> PairError:
    """Measure M1 at the pictures' own size, fetched bilinearly.

    Args:
        at: Frame t (with Lai 2018, the earlier of the two).
        of: Frame u.
        there: [h, w, 2], flow(t, u) on its own grid; brought to the pictures' size here.
        judged: [h, w], what ``counted`` says; brought to the pictures' size without blending.
    """
    if at.shape != of.shape:
        raise ValueError(f"two pictures of one shape are needed, got {at.shape} and {of.shape}")
    height, width = at.shape[:2]
    coverage = float(judged.mean())
    if coverage < LEAST_COVERAGE:
        return PairError(None, coverage)
    squares = np.square(fetch(of, there).astype(np.float32) - at)
    if squares.ndim == 3:
        squares = squares.mean(axis=2)
    mask = judged.astype(np.uint8)
    if mask.shape != (height, width):
        mask = np.asarray(
            cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8
        )
    return PairError(cv2.mean(squares, mask)[0] / 255.0**2, coverage)


def fetch(
    of: Picture | NDArray[np.float32], there: Flow, *, cubic: bool = False
) -> NDArray[np.float32]:
    """Fetch a picture along a flow of any size, bilinearly or bicubically; codes stay unrounded."""
    height, width = of.shape[:2]
    scale = np.asarray((width / there.shape[1], height / there.shape[0]), np.float32)
    large = cv2.resize(there * scale, (width, height), interpolation=cv2.INTER_LINEAR)
    columns, rows = pixel_grid(height, width)
    return np.asarray(
        cv2.remap(
            of.astype(np.float32),
            columns + large[..., 0],
            rows + large[..., 1],
            cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def content_floor(
    content: float | None, gradient_painted: float, gradient_source: float
) -> float | None:
    """Scale the film's own error to the painting: F1 = C1 x G(painted) / G(source).

    Args:
        content: The film's warping error over the same pixels and motion.
        gradient_painted: Mean squared gradient of the painting, as in ``detail``.
        gradient_source: That of the film's frame.
    """
    if content is None:
        return None
    if content == 0:
        return 0.0
    # A flat frame has no gradient to scale by: one code over eight pixels stands in for it.
    return content * gradient_painted / max(gradient_source, (1 / 255 / 8) ** 2)
