"""Filling: what stands stands, what moves moves with the film, holes are closed and carried on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.between import Filled, equal, fill_gap, meet
from pipeline.fill.tiles import Tile, close_holes, find_tiles
from pipeline.fill.warp import crop
from pipeline.judge.detail import detail
from pipeline.media.color import Planes, Rect
from pipeline.motion.bridge import Bridge, bridges
from pipeline.motion.flow import Luma

SIZE = (320, 192)


def moving(count: int, *, shift: tuple[float, float] = (2, 1), seed: int = 0) -> list[Planes]:
    return [
        planes_of(still(SIZE, offset=(shift[0] * t, shift[1] * t), seed=seed)) for t in range(count)
    ]


def inverted(planes: Planes) -> Planes:
    """Stand in for paint where only its being something else matters."""
    return Planes(255 - planes.luma, 255 - planes.blue, 255 - planes.red)


def lumas(sources: Sequence[Planes]) -> list[Luma]:
    return [planes.luma for planes in sources]


def filled(sources: Sequence[Planes], left: Planes, right: Planes) -> list[Filled]:
    return list(fill_gap(sources, lumas=lumas(sources), left=left, right=right))


def bridge(*, trust: float, previous: float, size: tuple[int, int] = SIZE) -> Bridge:
    none = np.zeros((size[1], size[0], 2), np.float32)
    one = np.ones((size[1], size[0]), np.float32)
    return Bridge(none, none, none, one * trust, one * trust, one * previous)


def rms(a: Planes, b: Planes) -> float:
    inner = (slice(16, -16), slice(16, -16))
    return float(np.sqrt(np.square(a.luma[inner].astype(float) - b.luma[inner]).mean()))


def test_a_still_film_stands_still() -> None:
    source = moving(1)[0]
    key = inverted(source)
    again = Planes(source.luma.copy(), source.blue.copy(), source.red.copy())
    frames = filled([source, again, again, source], key, key)
    assert [frame.place for frame in frames] == [1, 2, 3]
    assert all(frame.planes is key for frame in frames)
    assert [frame.loss.painted for frame in frames] == [0, 0, 0]


def test_a_freeze_inside_a_gap_stands_still() -> None:
    a, b, c = moving(3)
    frames = filled([a, b, b, b, c], inverted(a), inverted(c))
    assert frames[0].planes is frames[1].planes is frames[2].planes
    assert frames[1].loss.painted == frames[2].loss.painted == 0
    assert not equal(frames[0].planes, inverted(a))


def test_what_moves_moves_with_the_film() -> None:
    sources = moving(7)
    painted = [inverted(planes) for planes in sources]
    frames = filled(sources, painted[0], painted[-1])
    for frame, wanted in zip(frames[:-1], painted[1:-1], strict=True):
        assert rms(frame.planes, wanted) < 4
        assert detail(frame.planes.luma) > 0.9 * detail(wanted.luma)
        assert frame.hole < 0.05
        assert frame.loss.painted is not None
        assert frame.loss.painted < 1e-3


def test_the_last_frame_is_the_right_key_itself() -> None:
    sources = moving(3)
    right = inverted(sources[-1])
    frames = filled(sources, inverted(sources[0]), right)
    assert frames[-1].planes is right
    assert frames[-1].hole == 0


def test_neighbouring_keys_have_nothing_between_but_the_loss() -> None:
    a, b = moving(2)
    frames = filled([a, b], inverted(a), inverted(b))
    assert [frame.place for frame in frames] == [1]
    assert frames[0].loss.painted is not None


def test_two_keys_of_different_paint_are_crossed_without_a_jump() -> None:
    source = moving(1)[0]
    bright = replace(source, luma=np.full_like(source.luma, 160))
    dark = replace(source, luma=np.full_like(source.luma, 100))
    sources = [replace(source, luma=source.luma.copy()) for _ in range(7)]
    for t, planes in enumerate(sources):
        planes.luma[0, 0] = t  # no two frames are sample-equal, and nothing moves
    levels = [f.planes.luma.mean() for f in filled(sources, bright, dark)]
    drops = -np.diff([160.0, *levels])
    assert (drops >= 0).all()
    assert drops.max() < 25


def test_the_same_inputs_give_the_same_samples() -> None:
    sources = moving(4)
    twice = [filled(sources, inverted(sources[0]), inverted(sources[-1])) for _ in range(2)]
    assert all(equal(a.planes, b.planes) for a, b in zip(*twice, strict=True))


def test_the_trusted_key_is_the_one_that_is_seen() -> None:
    left, right = moving(1, seed=1)[0], moving(1, seed=2)[0]
    span = bridge(trust=0, previous=0)
    one_sided = replace(span, trust_left=np.ones_like(span.trust_left))
    assert rms(meet(left, right, one_sided, 0.5), left) < 3


def test_a_frame_that_keys_explain_needs_no_tiles() -> None:
    sources = moving(5)
    assert find_tiles(bridges(lumas(sources)), SIZE, apron=48) == [(), (), ()]


def test_a_hole_is_covered_by_tiles_on_the_grid() -> None:
    span = bridge(trust=1, previous=0)
    for field in (span.trust_left, span.trust_right):
        field[70:120, 200:250] = 0
    (rects,) = find_tiles([span], SIZE, apron=48)
    assert rects == (Rect(64, 192, 64, 64),)


def test_tiles_end_at_the_edge_of_an_odd_frame() -> None:
    span = bridge(trust=0, previous=0, size=(99, 71))
    assert find_tiles([span], (99, 71), apron=48) == [(Rect(0, 0, 71, 99),)]


def test_a_hole_that_the_frame_before_explains_orders_nothing() -> None:
    assert find_tiles([bridge(trust=0, previous=1)], SIZE, apron=48) == [()]


def test_tiles_are_laid_into_holes_and_nowhere_else() -> None:
    met, fresh = moving(1, seed=1)[0], moving(1, seed=2)[0]
    span = bridge(trust=1, previous=0)
    for field in (span.trust_left, span.trust_right):
        field[70:120, 200:250] = 0
    (rects,) = find_tiles([span], SIZE, apron=48)
    closed = close_holes(met, met, span, [Tile(rect, crop(fresh, rect)) for rect in rects])
    assert np.array_equal(closed.luma[75:115, 205:245], fresh.luma[75:115, 205:245])
    assert np.array_equal(closed.luma[:60], met.luma[:60])
    assert np.array_equal(closed.blue[:, :96], met.blue[:, :96])


def test_what_was_laid_once_is_carried_on() -> None:
    met, before = moving(1, seed=1)[0], moving(1, seed=2)[0]
    closed = close_holes(met, before, bridge(trust=0, previous=1), ())
    assert rms(closed, before) < 0.5 * rms(closed, met)


def test_a_closed_hole_is_the_same_whatever_else_is_closed() -> None:
    met, before = moving(1, seed=1)[0], moving(1, seed=2)[0]
    flow = np.random.default_rng(0).normal(0, 1, (SIZE[1], SIZE[0], 2)).astype(np.float32)
    whole = replace(bridge(trust=0, previous=0.5), from_previous=flow)
    left = replace(whole, trust_left=whole.trust_left + np.float32(1))
    left.trust_left[:, :160] = 0
    one, other = (close_holes(met, before, span, ()) for span in (whole, left))
    assert np.array_equal(one.luma[:, :160], other.luma[:, :160])
    assert np.array_equal(one.red[:, :79], other.red[:, :79])
    assert np.array_equal(other.luma[:, 160:], met.luma[:, 160:])


def test_a_gap_and_its_tiles_have_to_agree() -> None:
    sources = moving(4)
    with pytest.raises(ValueError, match="as many tiles"):
        list(fill_gap(sources, lumas=lumas(sources), left=sources[0], right=sources[3], tiles=[()]))
