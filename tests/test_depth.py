"""Depth: a film of more bits is filled, lit and laid as its twin of 8 bits is, only finer."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from films import make_film, planes_of, still
from pipeline.fill.between import Filled, equal, fill_gap
from pipeline.fill.boundary import read_boundary, write_boundary
from pipeline.fill.gain import apply_gain
from pipeline.fill.harmonise import harmonise
from pipeline.fill.strength import lay
from pipeline.fill.tiles import Tile
from pipeline.fill.warp import warp_planes
from pipeline.media.color import ColorTags, Planes, Rect, eight_bits, in_eight_bits, to_rgb
from pipeline.media.container import read_film
from pipeline.media.picture import read_planes
from pipeline.media.preview import DISPLAYED, displayed
from pipeline.media.samples import PIXEL_FORMATS
from pipeline.motion.bridge import bridges
from pipeline.motion.flow import Luma, small_luma
from pipeline.paint.working import Working, paint_reduced, whole

SIZE = (161, 97)
DEPTHS = (9, 10, 12, 14, 16)
HD = ColorTags(1, 1, 1, full_range=False)


def deep(planes: Planes, depth: int) -> Planes:
    """The same picture in more bits."""
    parts = (planes.luma, planes.blue, planes.red)
    scale = np.uint16(1 << (depth - 8))
    return Planes(*(part.astype(np.uint16) * scale for part in parts), depth=depth)


def apart(one: Planes, eight: Planes) -> float:
    """How far a frame is from its twin of 8 bits, in codes of 8 bits."""
    scale = 1 << (one.depth - 8)
    pairs = zip((one.luma, one.blue, one.red), (eight.luma, eight.blue, eight.red), strict=True)
    return max(float(np.abs(a / scale - b).max()) for a, b in pairs)


def scene(pixel_format: str = "yuv420p") -> list[Planes]:
    """Five frames: a texture moves to the right and down, and something dark passes over it."""
    frames = []
    for t in range(5):
        picture = still(SIZE, offset=(2 * t, t))
        picture[20:60, 12 * t : 12 * t + 40] //= 4
        frames.append(planes_of(picture, pixel_format=pixel_format))
    return frames


def painted(planes: Planes) -> Planes:
    """Stand in for paint."""
    noise = np.random.default_rng(0).integers(0, 24, planes.luma.shape).astype(np.uint8)
    return Planes(235 - planes.luma // 2 - noise, planes.red, planes.blue)


def filled(sources: Sequence[Planes], keys: tuple[Planes, Planes], tile: Tile) -> list[Filled]:
    lumas: list[Luma] = [
        small_luma(planes.luma, planes.luma.shape[::-1], depth=planes.depth) for planes in sources
    ]
    tiles = [(), (tile,), ()]
    return list(fill_gap(sources, lumas=lumas, left=keys[0], right=keys[1], tiles=tiles))


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_film_is_filled_as_its_twin_of_8_bits(pixel_format: str, depth: int) -> None:
    sources = scene(pixel_format)
    left, right = painted(sources[0]), painted(sources[-1])
    region = Rect(0, 64, 64, 64)
    across, down = PIXEL_FORMATS[pixel_format].subsampling
    chroma = (slice(0, 64 // down), slice(64 // across, 128 // across))
    laid = Planes(left.luma[:64, 64:128], left.blue[chroma], left.red[chroma])
    eight = filled(sources, (left, right), Tile(region, laid))
    more = filled(
        [deep(planes, depth) for planes in sources],
        (deep(left, depth), deep(right, depth)),
        Tile(region, deep(laid, depth)),
    )
    assert any(frame.hole > 0.01 for frame in eight)
    for one, other in zip(more, eight, strict=True):
        assert one.planes.depth == depth
        assert (one.hole, one.gradient_source) == (other.hole, other.gradient_source)
        assert one.loss.content == other.loss.content
        assert apart(one.planes, other.planes) <= 2.5
        assert one.loss.painted == pytest.approx(other.loss.painted, rel=0.02)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_key_is_harmonised_as_its_twin_of_8_bits(depth: int) -> None:
    sources = scene()
    left, right = painted(sources[0]), painted(sources[-1])
    span = bridges([planes.luma for planes in sources])[0]
    same = np.zeros(left.luma.shape, np.bool_)
    same[:48, :80] = True
    made = [
        harmonise(b, a, span.to_left, span.trust_left, rho=0.7, same=same)
        for a, b in ((left, right), (deep(left, depth), deep(right, depth)))
    ]
    assert apart(made[1], made[0]) <= 2


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("black", [0, 16])
def test_light_is_laid_on_and_taken_off_in_every_depth(depth: int, black: int) -> None:
    planes = scene()[0]
    for gain in (0.5, 1.3):
        eight, more = (apply_gain(p, gain, black=black) for p in (planes, deep(planes, depth)))
        assert apart(more, eight) < 1


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_painting_is_laid_over_a_deep_frame(depth: int) -> None:
    source, paint = scene()[0], painted(scene()[0])
    picture = Rect(8, 0, 80, SIZE[0])
    within = Planes(paint.luma[8:88], paint.blue[4:44], paint.red[4:44])
    eight, more = (
        lay(s, p, 0.4, keep_color=0.3, picture=picture)
        for s, p in ((source, within), (deep(source, depth), deep(within, depth)))
    )
    assert apart(more, eight) <= 1
    np.testing.assert_array_equal(more.luma[:8], deep(source, depth).luma[:8])


def test_no_cubic_shoots_over_the_highest_code() -> None:
    edges = np.zeros((32, 32), np.uint16)
    edges[:, 16:] = 1023
    planes = Planes(edges, edges, edges, depth=10)
    flow = np.full((32, 32, 2), 0.4, np.float32)
    fetched = warp_planes(planes, flow)
    made = list(
        fill_gap(
            [planes, fetched, planes],
            lumas=[eight_bits(p.luma, 10) for p in (planes, fetched, planes)],
            left=planes,
            right=fetched,
        )
    )
    assert max(int(one.luma.max()) for one in (fetched, *(f.planes for f in made))) == 1023


def test_alpha_is_the_source_s_own() -> None:
    alpha = np.random.default_rng(0).integers(0, 1024, SIZE[::-1]).astype(np.uint16)
    bare = deep(scene()[0], 10)
    source = Planes(bare.luma, bare.blue, bare.red, alpha=alpha, depth=10)
    paint = deep(painted(scene()[0]), 10)
    for strength in (0.0, 0.5, 1.0):
        assert lay(source, paint, strength).alpha is alpha
    assert not equal(source, bare)
    assert not equal(source, Planes(bare.luma, bare.blue, bare.red, alpha=1023 - alpha, depth=10))


def test_a_boundary_keeps_its_depth(tmp_path: Path) -> None:
    key = deep(painted(scene()[0]), 12)
    write_boundary(key, tmp_path / "key.npz")
    again = read_boundary(tmp_path / "key.npz")
    assert again is not None
    assert again.depth == 12
    assert equal(key, again)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_painter_sees_a_deep_film_as_its_twin(depth: int) -> None:
    planes = scene()[0]
    eight, more = (to_rgb(p, HD) for p in (planes, deep(planes, depth)))
    np.testing.assert_allclose(more, eight, atol=1e-5)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_deep_film_painted_small_is_enlarged_as_its_twin(depth: int) -> None:
    planes = scene()[0]
    made = [
        paint_reduced(
            one,
            whole(one),
            Working(48, of=97),
            tags=HD,
            paint=lambda rgb, part: rgb[: part.height, : part.width] ** np.float32(1.2),
            apron=4,
        )
        for one in (planes, deep(planes, depth))
    ]
    assert made[1].depth == depth
    assert apart(made[1], made[0]) <= 0.51


def test_a_ramp_of_10_bits_is_not_painted_in_steps_of_8() -> None:
    ramp = np.tile(np.arange(300, 460, dtype=np.uint16), (96, 1))
    grey = np.full((96, 160), 512, np.uint16)
    planes = Planes(ramp, grey, grey, depth=10)
    keys = [apply_gain(planes, gain) for gain in (0.9, 0.8)]
    made = list(
        fill_gap([planes] * 3, lumas=[eight_bits(ramp, 10)] * 3, left=keys[0], right=keys[1])
    )
    small = paint_reduced(
        planes, whole(planes), Working(48, of=96), tags=HD, paint=lambda rgb, _: rgb, apron=0
    )
    for frame in (*(one.planes for one in made), small):
        assert len(np.unique(frame.luma[40:56])) > 100
        assert all(b - a <= 2 for a, b in pairwise(np.unique(frame.luma[48, 8:-8]).tolist()))


def test_a_picture_of_16_bits_is_given_to_a_film_of_10_bits_without_steps(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", [scene()[0]], codec="ffv1")
    film = replace(read_film(path), pixel_format="yuv422p10le")
    ramp = np.linspace(0, 65535, SIZE[0] * SIZE[1]).reshape(SIZE[::-1]).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "key.png"), np.repeat(ramp[..., None], 3, axis=2))
    given = read_planes(tmp_path / "key.png", film)
    assert given.depth == 10
    assert np.unique(given.luma).size == 940 - 64 + 1
    assert (given.blue == 512).all()


def test_a_picture_given_to_an_hdr_film_has_the_light_of_graphics_white(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", [scene()[0]], codec="ffv1")
    tags = ColorTags(9, 16, 9, full_range=False)
    film = replace(read_film(path), pixel_format="yuv420p10le", color=tags)
    cv2.imwrite(str(tmp_path / "key.png"), np.full((*SIZE[::-1], 3), 255, np.uint8))
    given = read_planes(tmp_path / "key.png", film)
    assert (given.luma == round(64 + 876 * 0.5807)).all()  # 203 cd/m2, ITU-R BT.2408


def test_an_hdr_film_is_shown_as_its_view() -> None:
    tags = ColorTags(9, 16, 9, full_range=False)
    planes = deep(scene()[0], 10)
    shown = displayed(planes, tags)
    assert shown.depth == 8
    np.testing.assert_allclose(to_rgb(shown, DISPLAYED), to_rgb(planes, tags), atol=0.3)
    assert shown.luma.mean() > planes.luma.mean() / 4  # PQ looks dark as it is
    assert equal(displayed(deep(scene()[0], 10), HD), scene()[0])


def test_what_is_looked_at_has_8_bits() -> None:
    shown = in_eight_bits(deep(scene()[0], 12))
    assert shown.depth == 8
    assert equal(shown, scene()[0])
    full = np.full((2, 2), 1023, np.uint16)
    assert (eight_bits(full, 10) == 255).all()
