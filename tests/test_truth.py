"""Truth: flow, masks, whole pixels and films that move perfectly, against what is known of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.between import meet
from pipeline.fill.warp import warp_planes
from pipeline.judge.referee import careful_search
from pipeline.judge.temporal import (
    counted,
    masked_difference,
    stability_error,
    warping_error,
)
from pipeline.media.color import Planes
from pipeline.motion.bridge import Bridge, bridges
from pipeline.motion.confidence import confidence, occluded
from pipeline.motion.flow import Flow, analysis_size, estimate, small_luma
from truth import Mask, Scene

RIM = 3
"""Pixels: masks agree if they agree this far off."""
INNER = (slice(16, -16), slice(16, -16))


def grown(mask: Mask, by: int) -> Mask:
    """Grow a mask by so many pixels all around, or shrink it."""
    box = np.ones((2 * abs(by) + 1, 2 * abs(by) + 1), np.uint8)
    change = cv2.dilate if by > 0 else cv2.erode
    return np.asarray(change(mask.astype(np.uint8), box) > 0)


def end_point_error(found: Flow, known: Flow, where: Mask) -> float:
    return float(np.linalg.norm(found - known, axis=-1)[where].mean())


def f1(found: Mask, known: Mask) -> float:
    """Harmonic mean of precision and recall, both forgiving ``RIM`` pixels."""
    precision = (found & grown(known, RIM)).sum() / max(1, found.sum())
    recall = (known & grown(found, RIM)).sum() / max(1, known.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_the_known_flow_fetches_one_frame_from_the_other(scene: Scene) -> None:
    seen = ~scene.hidden(3, 7)
    pair = warping_error(scene.luma(3), scene.luma(7), there=scene.flow(3, 7), judged=seen)
    assert pair.error is not None
    assert np.sqrt(pair.error) * 255 < 3, "codes"


@pytest.mark.parametrize("apart", [1, -1, 2])
def test_estimated_flow_is_near_the_known_flow_of_all_that_is_seen(
    scene: Scene, apart: int
) -> None:
    found, known = estimate(scene.luma(5), scene.luma(5 + apart)), scene.flow(5, 5 + apart)
    seen = ~scene.hidden(5, 5 + apart)
    assert end_point_error(found, known, seen) < 0.3
    assert end_point_error(found, known, seen & grown(scene.covered(5), -8)) < 0.5
    assert end_point_error(found, known, seen & ~grown(scene.covered(5), 20)) < 0.15


def test_the_referee_is_three_times_as_near(scene: Scene) -> None:
    known, seen = scene.flow(5, 6), ~scene.hidden(5, 6)
    pictures = [np.repeat(scene.luma(t)[..., None], 3, axis=2) for t in (5, 6)]
    assert end_point_error(careful_search(pictures[0], pictures[1]), known, seen) < 0.1


def test_flow_chained_to_a_key_has_not_drifted_after_eight_frames(scene: Scene) -> None:
    found = bridges([scene.luma(t) for t in range(10)])[7].to_left
    known, seen = scene.flow(8, 0), ~scene.hidden(8, 0)
    assert end_point_error(found, known, seen) < 1.0
    assert np.median(np.linalg.norm(found - known, axis=-1)[seen]) < 0.3


@pytest.mark.parametrize(("t", "u"), [(5, 6), (6, 5), (5, 9)])
def test_known_flow_gives_the_known_mask_of_what_is_hidden(scene: Scene, t: int, u: int) -> None:
    found = occluded(scene.flow(t, u), scene.flow(u, t))
    assert f1(found[INNER], scene.hidden(t, u)[INNER]) > 0.97


@pytest.mark.parametrize(("t", "u"), [(5, 7), (7, 5)])
def test_what_is_hidden_is_found_by_estimated_flow_too(scene: Scene, t: int, u: int) -> None:
    here, there = (np.repeat(scene.luma(n)[..., None], 3, axis=2) for n in (t, u))
    found = occluded(careful_search(here, there), careful_search(there, here))
    assert f1(found[INNER], scene.hidden(t, u)[INNER]) > 0.75


@pytest.mark.parametrize(("t", "u"), [(5, 6), (6, 5), (5, 9)])
def test_nothing_that_is_hidden_is_trusted_and_little_else_is_distrusted(
    scene: Scene, t: int, u: int
) -> None:
    here, there = scene.luma(t), scene.luma(u)
    trust = confidence(estimate(here, there), estimate(there, here), here, there)[INNER]
    hidden = scene.hidden(t, u)
    assert trust[grown(hidden, -1)[INNER]].max() < 0.25
    assert (trust[~hidden[INNER]] < 0.25).mean() < 0.12


# -- whole pixels are exact to the sample ----------------------------------------------------------


def shifted(by: tuple[int, int], size: tuple[int, int] = (160, 96)) -> Planes:
    """A part of a large picture; ``by`` are even, so that chroma moves by whole samples too."""
    whole = still((320, 256), seed=4)
    left, top = 80 - by[0], 80 - by[1]
    return planes_of(whole[top : top + size[1], left : left + size[0]])


def constant(by: tuple[float, float], size: tuple[int, int] = (160, 96)) -> Flow:
    return np.full((size[1], size[0], 2), by, np.float32)


@pytest.mark.parametrize("by", [(2, 0), (4, -8), (-12, 6)])
def test_a_fetch_by_whole_pixels_is_a_shift_exact_to_the_sample(by: tuple[int, int]) -> None:
    moved = warp_planes(shifted((0, 0)), constant((-by[0], -by[1])))
    wanted = shifted(by)
    inner, half = (slice(16, -16), slice(16, -16)), (slice(8, -8), slice(8, -8))
    assert np.array_equal(moved.luma[inner], wanted.luma[inner])
    assert np.array_equal(moved.blue[half], wanted.blue[half])
    assert np.array_equal(moved.red[half], wanted.red[half])


def test_a_frame_between_two_keys_moved_by_whole_pixels_is_the_painting_moved() -> None:
    keys = [Planes(255 - p.luma, p.red, p.blue) for p in (shifted((0, 0)), shifted((16, 8)))]
    wanted = shifted((4, 2))
    sure = np.ones((96, 160), np.float32)
    span = Bridge(constant((-4, -2)), constant((12, 6)), constant((-4, -2)), sure, sure, sure)
    met = meet(keys[0], keys[1], span, 0.25)
    inner = (slice(24, -24), slice(24, -24))
    assert np.array_equal(met.luma[inner], 255 - wanted.luma[inner])


# -- a film that moves perfectly has no error ------------------------------------------------------


def test_a_perfectly_moved_film_has_no_error_by_any_definition() -> None:
    still_ground = Scene(drift=0, turn=0.0, growth=1.0)
    for apart in (1, 9):
        before, now = still_ground.luma(0), still_ground.luma(apart)
        forth, back = still_ground.flow(0, apart), still_ground.flow(apart, 0)
        judged, returned = counted(forth, back), counted(back, forth)
        pair = warping_error(before, now, there=forth, judged=judged)
        assert pair.error == 0
        assert 0.7 < pair.coverage < 1
        assert masked_difference(before, now, there=forth, judged=judged) == 0
        assert stability_error(now, before, back=back, judged=returned) == 0


def test_paint_that_moves_with_the_film_but_for_its_light_has_the_error_of_the_light() -> None:
    scene = Scene(drift=2 + 0j, turn=0.0, growth=1.0, disc=2 + 0j)
    before, now = scene.luma(0) // 2, scene.luma(1) // 2 + np.uint8(5)
    forth, back = scene.flow(0, 1), scene.flow(1, 0)
    judged = counted(forth, back)
    pair = warping_error(before, now, there=forth, judged=judged)
    assert pair.error == pytest.approx((5 / 255) ** 2, rel=1e-5)
    found = masked_difference(before, now, there=forth, judged=judged)
    assert found == pytest.approx(5 / 255 * pair.coverage, rel=1e-5)


# -- other people's pairs --------------------------------------------------------------------------


def known_flow(path: Path) -> Flow:
    """Read Middlebury's .flo: a magic number, width, height, (dx, dy); over 1e9 is unknown."""
    with path.open("rb") as file:
        assert np.fromfile(file, "<f4", 1)[0] == np.float32(202021.25)
        width, height = np.fromfile(file, "<i4", 2).tolist()
        flow = np.fromfile(file, "<f4", 2 * width * height)
    return np.asarray(flow.reshape(height, width, 2), np.float32)


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "most"), [("Grove2", 0.7), ("RubberWhale", 0.7), ("Urban3", 2.0), ("Venus", 1.0)]
)
def test_flow_at_analysis_size_is_near_middleburys(clips: Path, name: str, most: float) -> None:
    folder = clips.parent / "flow" / name
    if not folder.is_dir():
        pytest.skip("Middlebury's pairs are not beside the checkout")
    here, there = (
        np.asarray(cv2.imread(str(folder / f"frame{n}.png"), cv2.IMREAD_GRAYSCALE), np.uint8)
        for n in (10, 11)
    )
    known = known_flow(folder / "flow10.flo")
    height, width = here.shape
    size = analysis_size(width, height)
    small = estimate(small_luma(here, size), small_luma(there, size))
    scale = np.asarray((width / size[0], height / size[1]), np.float32)
    found = np.asarray(cv2.resize(small * scale, (width, height)), np.float32)
    assert end_point_error(found, known, np.abs(known).max(-1) < 1e9) < most
