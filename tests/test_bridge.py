"""Bridges: chained motion meets the known motion, and a freeze has the same bits throughout."""

import cv2
import numpy as np
import pytest

from pipeline.motion.bridge import Bridge, bridges, key_motion, steps
from pipeline.motion.flow import Luma

SHAPE = (120, 160)


def pan(places: list[float]) -> list[Luma]:
    """Views of a texture; at place x everything has moved left by x."""
    noise = np.random.default_rng(5).normal(size=(160, 400)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 2.5)
    texture = np.clip(126 + 45 * blurred / blurred.std(), 16, 235)
    size = (SHAPE[1], SHAPE[0])
    moves = (np.array([[1, 0, -60 - x], [0, 1, -20]], np.float32) for x in places)
    return [cv2.warpAffine(texture, m, size, flags=cv2.INTER_CUBIC).astype(np.uint8) for m in moves]


def same(one: Bridge, two: Bridge) -> bool:
    names = ("to_left", "to_right", "trust_left", "trust_right")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def test_a_gap_has_a_bridge_for_each_frame_between_its_keys() -> None:
    assert len(bridges(pan([0, 2, 4, 6]))) == 2
    assert bridges(pan([0, 2])) == []


def test_every_frame_of_a_pan_reaches_both_keys() -> None:
    places = [2.5 * t for t in range(9)]
    for t, bridge in enumerate(bridges(pan(places)), start=1):
        inner = (slice(20, -20), slice(40, -40))
        assert np.abs(bridge.to_left[inner] - (places[t], 0)).mean() < 0.1
        assert np.abs(bridge.to_right[inner] - (places[t] - places[-1], 0)).mean() < 0.1
        assert np.abs(bridge.from_previous[inner] - (2.5, 0)).mean() < 0.1
        assert bridge.trust_left[inner].mean() > 0.9
        assert bridge.trust_right[inner].mean() > 0.9
        assert bridge.trust_previous[inner].mean() > 0.9


def test_the_second_key_finds_the_first() -> None:
    flow, trust = key_motion(pan([2.5 * t for t in range(9)]))
    assert np.abs(flow[20:-20, 40:-40] - (20, 0)).mean() < 0.1
    assert trust[20:-20, 40:-40].mean() > 0.9


def test_a_frozen_gap_has_no_motion_and_full_trust() -> None:
    for bridge in bridges(pan([3, 3, 3, 3])):
        assert not bridge.to_left.any()
        assert not bridge.to_right.any()
        assert (bridge.trust_left == 1).all()
        assert (bridge.trust_previous == 1).all()


def test_a_freeze_after_motion_keeps_its_bits() -> None:
    first, second, third = bridges(pan([0, 2, 4, 4, 8]))
    assert not same(first, second)
    assert same(second, third)
    assert not third.from_previous.any()


def test_a_frame_equal_to_its_key_does_not_move_even_after_motion() -> None:
    _, back = bridges(pan([0, 3, 0, 3]))
    assert not back.to_left.any()
    assert (back.trust_left == 1).all()


def test_a_key_that_freezes_before_the_next_key_is_still_registered_and_judged() -> None:
    moving = key_motion(pan([0, 2, 4, 6]))
    frozen = key_motion(pan([0, 2, 4, 6, 6, 6]))
    assert np.array_equal(moving[0], frozen[0])
    assert np.array_equal(moving[1], frozen[1])


def test_the_bits_do_not_depend_on_who_measured_the_steps() -> None:
    lumas = pan([0, 2, 5, 9])
    known = steps(lumas)
    assert all(same(a, b) for a, b in zip(bridges(lumas), bridges(lumas, known=known), strict=True))
    assert np.array_equal(key_motion(lumas)[0], key_motion(lumas, known=known)[0])


def test_a_gap_without_two_keys_or_with_wrong_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="two keys"):
        bridges(pan([0]))
    with pytest.raises(ValueError, match="2 steps, got 1"):
        bridges(pan([0, 1, 2]), known=steps(pan([0, 1])))
