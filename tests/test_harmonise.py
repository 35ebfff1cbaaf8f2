"""Harmonising: keys agree with those before them, what stands is kept, the others stay."""

import numpy as np

from films import planes_of, still
from pipeline.fill.between import equal
from pipeline.fill.harmonise import harmonise, harmonise_between, unchanged
from pipeline.media.color import Planes
from pipeline.motion.bridge import Bridge
from pipeline.motion.flow import Field, Flow

SIZE = (160, 96)


def standing() -> tuple[Flow, Field]:
    return np.zeros((96, 160, 2), np.float32), np.ones((96, 160), np.float32)


def distance(a: Planes, b: Planes) -> float:
    return float(np.abs(a.luma.astype(float) - b.luma).mean())


def picture(seed: int) -> Planes:
    return planes_of(still(SIZE, seed=seed))


def test_a_freeze_keeps_the_very_key() -> None:
    fresh, previous = picture(1), picture(2)
    assert harmonise(fresh, previous, *standing(), rho=0.5, same=True) is previous


def test_without_rho_a_key_stays_as_it_was_painted() -> None:
    fresh, previous = picture(1), picture(2)
    assert equal(harmonise(fresh, previous, *standing(), rho=0), fresh)


def test_rho_brings_a_key_nearer_to_the_one_before() -> None:
    fresh, previous = picture(1), picture(2)
    near = [
        distance(harmonise(fresh, previous, *standing(), rho=rho), previous)
        for rho in (0.2, 0.5, 0.8)
    ]
    assert distance(fresh, previous) > near[0] > near[1] > near[2]


def test_nothing_is_taken_where_the_motion_is_not_trusted() -> None:
    fresh, previous = picture(1), picture(2)
    flow, trust = standing()
    assert equal(harmonise(fresh, previous, flow, 0 * trust, rho=0.8), fresh)


def test_what_stands_is_kept_exactly_while_the_rest_moves_on() -> None:
    fresh, previous = picture(1), picture(2)
    same = np.zeros((96, 160), bool)
    same[:, :80] = True
    mixed = harmonise(fresh, previous, *standing(), rho=0.5, same=same)
    assert np.array_equal(mixed.luma[20:-20, 20:60], previous.luma[20:-20, 20:60])
    moved_on = harmonise(fresh, previous, *standing(), rho=0.5)
    assert np.array_equal(mixed.luma[:, 80:], moved_on.luma[:, 80:])


def test_equal_frames_are_unchanged_everywhere() -> None:
    assert unchanged(picture(1), picture(1)) is True


def test_a_change_of_colour_alone_is_a_change() -> None:
    before = picture(1)
    blue = before.blue.copy()
    blue[10, 20] += 1
    same = unchanged(Planes(before.luma, blue, before.red), before)
    assert isinstance(same, np.ndarray)
    assert np.argwhere(~same).tolist() == [[20, 40], [20, 41], [21, 40], [21, 41]]


def test_a_promoted_key_takes_from_both_and_changes_neither() -> None:
    fresh, left, right = picture(1), picture(2), picture(3)
    flow, trust = standing()
    span = Bridge(flow, flow, flow, trust, trust, trust)
    mixed = harmonise_between(fresh, left, right, span, phase=0.5, rho=0.8)
    assert distance(mixed, left) < distance(fresh, left)
    assert distance(mixed, right) < distance(fresh, right)
    assert equal(left, picture(2))
    alone = harmonise_between(fresh, left, right, span, phase=0.5, rho=0)
    assert equal(alone, fresh)
