"""Confidence: high on what both frames show, none on what only one shows."""

import cv2
import numpy as np

from pipeline.motion.confidence import (
    confidence,
    consistency,
    hole_weight,
    inside,
    motion_boundary,
    occluded,
    photometric,
)
from pipeline.motion.flow import Flow, Luma, estimate

SHAPE = (240, 320)


def constant(dx: float, dy: float) -> Flow:
    return np.full((*SHAPE, 2), (dx, dy), np.float32)


def textured(seed: int) -> Luma:
    noise = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.asarray(np.clip(126 + 45 * blurred / blurred.std(), 16, 235), np.uint8)


def behind(column: int) -> Luma:
    """Put a textured square of 80 px, at ``column``, before another texture."""
    picture = textured(1)
    picture[80:160, column : column + 80] = textured(2)[:80, :80]
    return picture


def test_a_pixel_is_inside_up_to_the_outer_rim_of_the_last_pixel() -> None:
    assert inside(constant(0, 0)).all()
    assert inside(constant(0.5, -0.5)).all()
    assert inside(constant(0.75, 0))[:, :-1].all()
    assert not inside(constant(0.75, 0))[:, -1].any()


def test_a_way_there_and_back_that_closes_is_trusted_fully() -> None:
    assert np.array_equal(consistency(constant(3, 1), constant(-3, -1)), np.ones(SHAPE))
    assert consistency(constant(3, 1), constant(3, 1)).max() < 0.01


def test_looks_count_in_eight_bit_codes() -> None:
    grey = np.full(SHAPE, 100, np.uint8)
    assert np.allclose(photometric(grey, grey), 1)
    assert np.allclose(photometric(grey, grey + np.uint8(12)), np.exp(-1))


def test_a_still_picture_is_trusted_everywhere() -> None:
    trust = confidence(constant(0, 0), constant(0, 0), textured(1), textured(1))
    assert trust.min() > 0.999
    assert trust.max() <= 1


def test_unrelated_pictures_are_trusted_nowhere_much() -> None:
    here, there = textured(1), textured(3)
    trust = confidence(estimate(here, there), estimate(there, here), here, there)
    assert trust.mean() < 0.1


def test_uncovered_ground_is_a_hole_of_the_frame_before_and_the_rest_is_not() -> None:
    before, now = behind(80), behind(92)
    trust = confidence(estimate(now, before), estimate(before, now), now, before)
    assert trust[90:150, 81:91].mean() < 0.3, "covered a frame ago"
    assert trust[95:145, 110:150].mean() > 0.8, "the square itself"
    assert trust[:, 220:300].mean() > 0.9, "the ground far from it"


def test_a_hole_is_what_neither_side_explains() -> None:
    none, some, much = (np.full(SHAPE, x, np.float32) for x in (0.0, 0.125, 0.9))
    assert np.array_equal(hole_weight(none, none), np.ones(SHAPE))
    assert np.allclose(hole_weight(some, none), 0.5)
    assert not hole_weight(none, much).any()


def test_the_published_masks_are_met_to_the_letter() -> None:
    assert not occluded(constant(5, 0), constant(-5, 0)).any()
    # |gap|^2 = 1.21 against 0.01 * (25 + 15.21) + 0.5
    assert occluded(constant(5, 0), constant(-3.9, 0)).all()
    # |gap|^2 = 0.81 against 0.01 * (25 + 16.81) + 0.5
    assert not occluded(constant(5, 0), constant(-4.1, 0)).any()


def test_a_motion_boundary_lies_on_the_pixel_before_the_step() -> None:
    flow = constant(0, 0)
    flow[:, 80:, 0] = 0.1  # its square, 0.01, is above 0.002
    expected = np.zeros(SHAPE, bool)
    expected[:, 79] = True
    assert np.array_equal(motion_boundary(flow), expected)
