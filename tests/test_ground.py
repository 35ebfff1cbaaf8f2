"""Ground: what is unchanged from key to key stands to the sample, and nothing else is held."""

from dataclasses import replace

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.between import fill_gap
from pipeline.fill.ground import ground, grounded
from pipeline.media.color import Planes
from pipeline.motion.flow import Luma

SIZE = (160, 96)


def scene(place: int | None = None, *, pixel_format: str = "yuv420p", seed: int = 0) -> Planes:
    """A still before which a square of 16 x 16 stands, its left edge at ``place``."""
    picture = still(SIZE, seed=seed).copy()
    if place is not None:
        picture[8:24, place : place + 16] = 240
    return planes_of(picture, pixel_format=pixel_format)


def inverted(planes: Planes) -> Planes:
    return replace(planes, luma=255 - planes.luma, blue=255 - planes.blue, red=255 - planes.red)


def filled(sources: list[Planes], left: Planes, right: Planes) -> list[Planes]:
    lumas: list[Luma] = [planes.luma for planes in sources]
    return [one.planes for one in fill_gap(sources, lumas=lumas, left=left, right=right)]


def test_ground_is_what_is_the_same_in_all_three_frames_and_around() -> None:
    found = ground(scene(8), scene(8))
    assert found is not None
    share = found.under(scene(100))
    assert share is not None
    assert share.shape == (12, 20)
    assert not share[:4, :4].any()
    assert not share[:4, 11:16].any()
    assert share[5:].all()
    assert share[:, 5:11].all()


@pytest.mark.parametrize("plane", ["luma", "blue", "red"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p"])
def test_one_sample_of_any_plane_is_enough_to_differ(plane: str, pixel_format: str) -> None:
    source = scene(pixel_format=pixel_format)
    changed = getattr(source, plane).copy()
    changed[-1, -1] ^= 1
    found = ground(source, replace(source, **{plane: changed}))
    assert found is not None
    assert not found.same[-1, -1]
    assert found.same.sum() == found.same.size - 1


def test_a_film_that_moves_has_no_ground() -> None:
    assert ground(scene(), planes_of(still(SIZE, offset=(1, 0)))) is None
    found = ground(scene(), scene())
    assert found is not None
    assert found.under(planes_of(still(SIZE, offset=(1, 0)))) is None


def test_ground_beside_what_moves_stands_to_the_sample() -> None:
    sources = [scene(8 + 6 * t) for t in range(9)]
    left = inverted(sources[0])
    right = inverted(sources[-1])
    for planes in filled(sources, left, right):
        assert np.array_equal(planes.luma[48:], left.luma[48:])
        assert np.array_equal(planes.blue[24:], left.blue[24:])
        assert np.array_equal(planes.red[24:], left.red[24:])


def test_ground_comes_back_from_behind_what_passed() -> None:
    sources = [scene(), *(scene(16 * t) for t in range(1, 8)), scene()]
    key = inverted(scene())
    last = filled(sources, key, key)[6]
    assert np.array_equal(last.luma[:, :88], key.luma[:, :88])


def test_keys_that_do_not_agree_fade_one_into_the_other() -> None:
    sources = [scene(8 + 6 * t) for t in range(5)]
    left, right = scene(), scene(seed=1)
    for t, planes in enumerate(filled(sources, left, right)[:-1], start=1):
        mixed = left.luma + (right.luma.astype(float) - left.luma) * t / 4
        assert np.abs(planes.luma[48:] - mixed[48:]).max() <= 0.5


def test_deep_samples_stand_too() -> None:
    def deep(planes: Planes) -> Planes:
        luma, blue, red = (
            (4 * p.astype(np.uint16)).astype(np.uint16)
            for p in (planes.luma, planes.blue, planes.red)
        )
        return Planes(luma, blue, red, depth=10)

    a, b, painted = deep(scene()), deep(scene(100)), deep(scene(seed=1))
    found = ground(a, b)
    assert found is not None
    share = found.under(a)
    assert share is not None
    laid = grounded(painted, a, b, 0.5, share)
    assert np.array_equal(laid.luma[40:], a.luma[40:])
    assert np.array_equal(laid.luma[12:20, 100:116], painted.luma[12:20, 100:116])
    assert laid.depth == 10
