"""Two neighbouring frames of a painting to a picture of where it flickers.

A *heat map* shows the warping error of a frame against the frame before it, pixel by pixel, along
the motion that the gate measures by: how many 8-bit codes the painted luma is off what the frame
before, moved along, would have it be. Pixels that cannot be judged are hatched. It is made of films
as they were encoded; the loss on record is from before the encoder, so the two differ a little.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.judge.temporal import PairError, counted, fetch, warping_error
from pipeline.media.color import Plane
from pipeline.motion.bridge import Step, steps
from pipeline.motion.confidence import Mask, consistency
from pipeline.motion.flow import Luma, warp
from pipeline.motion.light import lit, pair_gain

_STRIPE = 12
_STRIPES = ((112, 120, 130), (146, 154, 164))


@dataclass(frozen=True, slots=True)
class Heat:
    """Where a frame differs from the frame before it."""

    difference: NDArray[np.float32]
    """[H, W], how far the luma is off, in 8-bit codes, 0 and more."""
    judged: Mask
    """[H, W], what counts."""
    pair: PairError


def heat(
    painted: Plane,
    painted_before: Plane,
    source: Luma,
    source_before: Luma,
    *,
    black: int = 16,
) -> Heat:
    """Measure a frame against the frame before it, at one light.

    Args:
        painted: [H, W], luma of frame t at gate size, as is ``painted_before`` of t - 1.
        painted_before: The painting of t - 1.
        source: [h, w], luma of the film's frame t at analysis size, as is ``source_before``.
        source_before: The film's frame t - 1.
        black: The code of black, 0 or 16.
    """
    step = steps([source_before, source])[0]
    gain = _gain(step, source, source_before, black)
    if gain != 1.0:  # a fade is no flicker
        painted_before = lit(painted_before, gain, black=black)
        step = steps([lit(source_before, gain, black=black), source])[0]
    judged = counted(step.back, step.forth)
    pair = warping_error(painted, painted_before, there=step.back, judged=judged)
    difference = np.abs(fetch(painted_before, step.back) - painted.astype(np.float32))
    size = (painted.shape[1], painted.shape[0])
    large = cv2.resize(judged.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Heat(difference, np.asarray(large, np.bool_), pair)


def colored(found: Heat, *, full: float) -> NDArray[np.uint8]:
    """Give a heat map its colours, RGB [H, W, 3]: black is none, pale yellow ``full`` and more.

    Args:
        found: What was measured.
        full: Codes above 0 at which the scale ends.
    """
    picture = scale_colors(found.difference / np.float32(full))
    rows, columns = np.indices(found.judged.shape)
    stripes = np.asarray(_STRIPES, np.uint8)[(rows + columns) // _STRIPE % 2]
    return np.where(found.judged[..., None], picture, stripes)


def scale_colors(share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Give numbers from 0 to 1, [H, W], their colours on the scale, RGB [H, W, 3]."""
    codes = np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(codes, cv2.COLORMAP_INFERNO)[..., ::-1], np.uint8)


def _gain(step: Step, source: Luma, source_before: Luma, black: int) -> float:
    fetched = warp(source_before, step.back)
    return pair_gain(source, fetched, consistency(step.back, step.forth), black=black)
