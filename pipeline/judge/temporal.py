"""Two frames and the motion between them to how much they flicker.

The *warping error* (M1; Lai 2018) is the mean squared difference, in units of [0, 1]^2, between a
frame and another fetched along the motion, over what can be judged: pixels that have a counterpart,
lie off motion boundaries and are found inside the other. Between neighbours it is called E1, over
nine frames E9. The *content floor* (F1, F9) is what a painting owes to the film itself: the film's
own error, scaled by how much steeper the painting's gradients are. e_stab (M2) and the masked
difference (M3) are there to be compared with what others have published; they divide by the whole
frame, so the more is masked, the smaller they are. Blur lowers every such number, so none is worth
anything without ``detail``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane
from pipeline.motion.confidence import Mask, inside, motion_boundary, occluded
from pipeline.motion.flow import Flow, pixel_grid

Picture = Plane
"""[H, W] or [H, W, C] in 8-bit codes."""
Interpolation = Literal["nearest", "linear", "cubic"]

LEAST_COVERAGE = 0.2
"""Pairs of which less can be judged have no error."""
_HOW = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True, slots=True)
class PairError:
    """How much two frames disagree."""

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
    _comparable(at, of)
    coverage = float(judged.mean())
    if coverage < LEAST_COVERAGE:
        return PairError(None, coverage)
    squares = _over_channels(np.square(fetch(of, there).astype(np.float32) - at))
    return PairError(cv2.mean(squares, enlarged(judged, at.shape))[0] / 255.0**2, coverage)


def stability_error(now: Picture, before: Picture, *, back: Flow, judged: Mask) -> float:
    """Measure one pair of M2 (Chen 2017, Gao 2018), in [0, 1]^2.

    1/D sum M (O_t - W(O_t-1))^2, D being all samples of the frame, masked ones and channels
    included; ``e_stab`` makes one number of many.

    Args:
        now: Frame t.
        before: Frame t - 1.
        back: [h, w, 2], flow(t, t - 1) on its own grid.
        judged: [h, w], what ``counted`` says of that flow and the one against it.
    """
    _comparable(now, before)
    squares = _over_channels(np.square(fetch(before, back) - now))
    return float(_masked_mean(squares, judged) / 255.0**2)


def e_stab(pairs: Sequence[float]) -> float | None:
    """Sum up what ``stability_error`` gave for each pair: a root, so 0 to 1 and in codes / 255.

    >>> e_stab([0.01, 0.01])
    0.1
    """
    return float(np.sqrt(np.mean(pairs))) if pairs else None


def masked_difference(at: Picture, of: Picture, *, there: Flow, judged: Mask) -> float:
    """Measure M3 (Wang 2020, ReReVST; Wu 2022, CCPL), 0 to 1.

    The mean of |O_t M - W(O_u) M| over all samples, fetched from the nearest pixel as they do.

    Args:
        at: Frame t.
        of: Frame u: the next for the short term, nine frames on for the long one.
        there: [h, w, 2], flow(t, u) on its own grid.
        judged: [h, w], as for ``warping_error``.
    """
    _comparable(at, of)
    differences = _over_channels(np.abs(fetch(of, there, interpolation="nearest") - at))
    return float(_masked_mean(differences, judged) / 255.0)


def enlarged(judged: Mask, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Bring a mask to the size of pictures of ``shape`` = (H, W, ...), without blending."""
    mask, (height, width) = judged.astype(np.uint8), shape[:2]
    if mask.shape == (height, width):
        return mask
    large = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.uint8)


def fetch(
    of: Picture | NDArray[np.float32], there: Flow, *, interpolation: Interpolation = "linear"
) -> NDArray[np.float32]:
    """Fetch a picture along a flow of any size; codes stay unrounded."""
    height, width = of.shape[:2]
    scale = np.asarray((width / there.shape[1], height / there.shape[0]), np.float32)
    large = cv2.resize(there * scale, (width, height), interpolation=cv2.INTER_LINEAR)
    # One map holds x and y. The stubs want two, but with an empty one OpenCV 5 fetches rubbish.
    fetched = cv2.remap(  # type: ignore[call-overload]
        of.astype(np.float32),
        pixel_grid(height, width) + large,
        None,
        _HOW[interpolation],
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(fetched, np.float32)


def content_floor(
    content: float | None, gradient_painted: float, gradient_source: float
) -> float | None:
    """Scale the film's own error to the painting: F = C x G(painted) / G(source), [0, 1]^2.

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


def _comparable(at: Picture, of: Picture) -> None:
    if at.shape != of.shape:
        raise ValueError(f"two pictures of one shape are needed, got {at.shape} and {of.shape}")


def _over_channels(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values if values.ndim == 2 else np.asarray(values.mean(axis=2), np.float32)


def _masked_mean(values: NDArray[np.float32], judged: Mask) -> float:
    """The sum over a mask, divided by the whole."""
    mask = enlarged(judged, values.shape)
    return float(cv2.mean(values, mask)[0] * cv2.countNonZero(mask) / mask.size)
