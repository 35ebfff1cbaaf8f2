"""A filled frame and the one before it to whether it may pass.

The *loss* of a frame is the warping error of its luma against the frame before it, along the fill's
own small flows; its *budget* is what the film's content, measured in the same way in the same pass,
lets it have. A frame over its budget needs to be painted itself: ``NeedsKeys``. Nothing here looks
at another chunk, so the verdict does not depend on who asked first.

Both are measured at no more than 540 lines: brush strokes are still there, and 4K costs no more
than 1080p.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.fill.warp import bordered, widened_motion
from pipeline.judge.temporal import LEAST_COVERAGE, content_floor, counted
from pipeline.media.color import Plane, eight_bits
from pipeline.motion.bridge import Step

_LINES = 540
FLOOR = 1e-4
"""Loss in [0, 1]^2 that no one sees: 2.5 codes RMS."""


@dataclass(frozen=True, slots=True)
class NeedsKeys:
    """What a fill returns in place of a segment: frames that have to be painted first."""

    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """How much a frame flickers, and how much its film does."""

    painted: float | None
    """Warping error of the painted luma, [0, 1]^2; None where too little can be judged."""
    content: float | None
    """That of the film's luma, over the same pixels."""
    coverage: float
    """Share of the frame that was judged, 0 to 1."""


def gate_luma(luma: Plane, *, depth: int = 8) -> Plane:
    """Bring a luma plane of so many bits to 8, and to the size at which losses are measured."""
    luma = eight_bits(luma, depth)
    height, width = luma.shape
    short = min(height, width)
    if short <= _LINES:
        return luma
    size = (round(width * _LINES / short), round(height * _LINES / short))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def measure(
    painted: Plane, painted_before: Plane, source: Plane, source_before: Plane, *, step: Step
) -> Loss:
    """Measure a frame against the one before it.

    Args:
        painted: Luma of frame t as ``gate_luma`` gives it, and so are the others.
        painted_before: The painting of t - 1.
        source: The film's frame t, at the same light.
        source_before: The film's frame t - 1.
        step: The motion between the two.
    """
    from pipeline.fill import kernels

    judged = counted(step.back, step.forth)
    coverage = float(judged.mean())
    if coverage < LEAST_COVERAGE:
        return Loss(None, None, coverage)
    (rows, columns), (height, width) = judged.shape, painted.shape
    befores = bordered(painted_before), bordered(source_before)
    ours, theirs, count = kernels.squared_errors(
        (painted, source),
        (befores[0].ravel(), befores[1].ravel()),
        befores[0].shape[1],
        widened_motion(step.back, width, np.asarray((width / columns, height / rows), np.float32)),
        judged.view(np.uint8),
        (np.arange(width) * columns // width).astype(np.int32),
    )
    whole = max(1, int(count)) * (1024 * 255) ** 2
    return Loss(float(ours / whole), float(theirs / whole), coverage)


def budget(
    content: float | None,
    gradient_painted: float,
    gradient_source: float,
    *,
    knob: float,
    floor: float = FLOOR,
) -> float | None:
    """Give the loss that a frame may have; None where nothing could be judged.

    Args:
        content: The film's own warping error at this frame.
        gradient_painted: Mean squared gradient of the two keys, on average.
        gradient_source: That of the film's frame.
        knob: The recipe's flicker budget, a multiple.
        floor: A loss that always passes, before the knob.

    >>> budget(0.001, 0.02, 0.01, knob=3)
    0.006
    """
    own = content_floor(content, gradient_painted, gradient_source)
    return None if own is None else knob * max(own, floor)


def over(losses: Sequence[float | None], budgets: Sequence[float | None]) -> tuple[int, ...]:
    """Give the places at which a loss is over its budget; what was not judged passes.

    >>> over([0.1, 0.3, None], [0.2, 0.2, None])
    (1,)
    """
    pairs = enumerate(zip(losses, budgets, strict=True))
    return tuple(
        place
        for place, (loss, allowed) in pairs
        if loss is not None and allowed is not None and loss > allowed
    )
