"""The working size: a region has the whole picture's samples, strokes stay, detail comes back."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.stylizer import Stylizer
from films import Size, planes_of, still
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Plane, Planes, Rect
from pipeline.needs import Window
from pipeline.paint.styles import WEIGHTS, load_code
from pipeline.paint.working import (
    Paint,
    Real,
    View,
    Working,
    paint_reduced,
    reduced,
    whole,
    working,
)

TAGS = ColorTags(1, 1, 1, full_range=False)
NET = 8
"""Apron of the net that stands in for one."""
HALF = Working(36, of=72)


def as_it_is(picture: Real, inner: Rect) -> Real:
    """Paint nothing."""
    return picture[inner.top : inner.top + inner.height, inner.left : inner.left + inner.width]


def upside(picture: Real, inner: Rect) -> Real:
    """Paint the negative."""
    return 1 - as_it_is(picture, inner)


def smears(picture: Real, inner: Rect) -> Real:
    """Mix each pixel with those at the end of the apron, as far as a tile of a net may see."""
    assert inner.top % 4 == inner.left % 4 == 0
    (height, width), part = picture.shape[:2], inner
    tall, wide = -(-part.height // 4) * 4, -(-part.width // 4) * 4
    ends = (
        (NET - part.top, part.top + tall + NET - height),
        (NET - part.left, part.left + wide + NET - width),
    )
    cut = [
        slice(max(0, -a), n - max(0, -b)) for (a, b), n in zip(ends, (height, width), strict=True)
    ]
    pad = [(max(0, a), max(0, b)) for a, b in ends]
    x = np.pad(picture[cut[0], cut[1]], (*pad, (0, 0)), mode="reflect")
    far = x[:-16, 8:-8] - x[16:, 8:-8] + x[8:-8, :-16] - x[8:-8, 16:]
    mixed = np.float32(0.5) * x[8:-8, 8:-8] + np.float32(0.25) + np.float32(0.2) * far
    return np.ascontiguousarray(mixed[: part.height, : part.width])


def painted(planes: Planes, how: Working, paint: Paint) -> Planes:
    """Paint a whole picture."""
    return paint_reduced(planes, whole(planes), how, tags=TAGS, paint=paint, apron=NET)


def noisy(size: Size, pixel_format: str, *, seed: int = 0) -> Planes:
    """Waves with noise in every plane."""
    random = np.random.default_rng(seed)
    planes = planes_of(still(size, seed=seed), pixel_format=pixel_format)
    parts = (planes.luma, planes.blue, planes.red)
    moved = (np.clip(p + random.integers(-20, 21, p.shape), 16, 235) for p in parts)
    return Planes(*(p.astype(np.uint8) for p in moved))


def flat(luma: int, *, height: int = 72, width: int = 96) -> Planes:
    """A grey picture."""
    grey = np.full((height // 2, width // 2), 128, np.uint8)
    return Planes(np.full((height, width), luma, np.uint8), grey, grey.copy())


def error(one: Plane, other: Plane) -> float:
    """RMS difference in codes, a few samples from the edge."""
    inside = one[8:-8, 8:-8].astype(float) - other[8:-8, 8:-8]
    return float(np.sqrt((inside**2).mean()))


@st.composite
def regions(draw: st.DrawFn) -> tuple[Planes, Working, Rect]:
    """Any picture, any reduction of it, any region on whole chroma samples."""
    lines, of = draw(st.sampled_from([(540, 1080), (540, 720), (540, 1440), (540, 2160), (64, 71)]))
    sides = st.integers(64, 330)
    height, width = draw(sides, label="height"), draw(sides, label="width")
    formats: list[Literal["yuv420p", "yuv422p", "yuv444p"]] = ["yuv420p", "yuv422p", "yuv444p"]
    planes = noisy((width, height), draw(st.sampled_from(formats)), seed=draw(st.integers(0, 9)))

    def span(length: int) -> tuple[int, int]:
        start = 4 * draw(st.integers(0, (length - 1) // 4))
        return start, min(length - start, 4 * draw(st.integers(1, 40)))

    (top, tall), (left, wide) = span(height), span(width)
    return planes, Working(lines, of), Rect(top, left, tall, wide)


@given(regions())
@settings(max_examples=25, deadline=None)
def test_a_region_has_bit_for_bit_the_samples_of_the_whole_picture(
    drawn: tuple[Planes, Working, Rect],
) -> None:
    planes, how, wanted = drawn
    height, width = planes.luma.shape
    around = how.apron(NET)
    top, left = max(0, wanted.top - around), max(0, wanted.left - around)
    bottom = min(height, wanted.top + wanted.height + around)
    right = min(width, wanted.left + wanted.width + around)
    held = Rect(top, left, bottom - top, right - left)
    view = View((height, width), held, wanted)
    part = paint_reduced(crop(planes, held), view, how, tags=TAGS, paint=smears, apron=NET)
    expected = crop(painted(planes, how, smears), wanted)
    for got, known in zip(
        (part.luma, part.blue, part.red), (expected.luma, expected.blue, expected.red), strict=True
    ):
        np.testing.assert_array_equal(got, known)


def test_a_region_with_too_little_around_it_is_refused() -> None:
    planes = noisy((200, 200), "yuv420p")
    held = Rect(64, 64, 64, 64)
    view = View((200, 200), held, held)
    with pytest.raises(ValueError, match="needed, 64-128 held"):
        paint_reduced(crop(planes, held), view, HALF, tags=TAGS, paint=as_it_is, apron=NET)


def test_a_film_that_is_no_larger_is_painted_as_it_is() -> None:
    assert working((1920, 1080), 540) == Working(540, of=1080)
    assert working((1080, 1920), 540) == Working(540, of=1080)
    assert working((960, 540), 540) is working((640, 360), 540) is None
    assert working((3840, 2160), "film") is None


def test_a_letterboxed_picture_is_reduced_as_its_film_is() -> None:
    how = Working(540, of=1080)
    assert (how.size(1080, 1920), how.size(800, 1920)) == ((540, 960), (400, 960))


@pytest.mark.parametrize(("lines", "of"), [(36, 72), (54, 72), (18, 72), (27, 72)])
def test_a_ramp_stays_where_it_is_at_any_size(lines: int, of: int) -> None:
    height, width = 72, 96
    planes = flat(0)
    planes.luma[...] = np.arange(width) * 2 + 20
    ramp = 128 + np.arange(width // 2) - 24
    planes.blue[...] = ramp
    how = Working(lines, of=of)
    small = reduced(planes, how, tags=ColorTags(1, 1, 1, full_range=True))
    near = 0.1  # a tent that is no whole number of samples wide
    at = (np.arange(small.shape[1]) + 0.5) * of / lines - 0.5
    # R has no blue difference in it, so it is the luma; B - Y is 1.8556 of it.
    np.testing.assert_allclose(small[9, 5:-5, 0] * 255, (at * 2 + 20)[5:-5], atol=near)
    expected = 1.8556 * ((at + 0.5) / 2 - 0.5 - 24)
    unclipped = slice(small.shape[1] // 4, small.shape[1] // 2)
    difference = (small[9, :, 2] - small[9, :, 0]) * 255
    np.testing.assert_allclose(difference[unclipped], expected[unclipped], atol=near)
    back = painted(planes, how, as_it_is)
    assert error(back.luma, planes.luma) < 0.5
    assert back.luma.shape == (height, width)


@pytest.mark.parametrize("luma", [16, 100, 235])
def test_a_flat_picture_comes_back_exactly(luma: int) -> None:
    planes = flat(luma)
    back = painted(planes, HALF, as_it_is)
    np.testing.assert_array_equal(back.luma, planes.luma)
    np.testing.assert_array_equal(back.blue, planes.blue)
    np.testing.assert_array_equal(back.red, planes.red)


def checks(contrast: int) -> Planes:
    """Patches of fine stripes on a coarse texture: fine ones are lost in a reduction."""
    planes = flat(120)
    coarse = np.kron(np.random.default_rng(1).integers(-40, 41, (18, 24)), np.ones((4, 4), int))
    planes.luma[...] = 120 + coarse + contrast * (np.arange(96) % 2)
    return planes


def test_detail_that_the_net_never_saw_comes_back() -> None:
    planes = checks(24)
    back = painted(planes, HALF, as_it_is)
    plain = painted(flat(120), HALF, as_it_is)
    assert error(back.luma, planes.luma) < 0.15 * error(plain.luma, planes.luma)


def test_a_negative_gets_the_negative_of_the_detail() -> None:
    planes = checks(24)
    back = painted(planes, HALF, upside)
    assert error(back.luma, (251 - planes.luma).astype(np.uint8)) < 5


def test_strokes_on_what_has_no_detail_stay_as_they_are() -> None:
    strokes = np.random.default_rng(2).uniform(0.2, 0.8, (36, 48, 3)).astype(np.float32)
    smooth = painted(flat(90), HALF, lambda _picture, inner: as_it_is(strokes, inner))
    from_other = painted(flat(160), HALF, lambda _picture, inner: as_it_is(strokes, inner))
    np.testing.assert_array_equal(smooth.luma, from_other.luma)
    assert smooth.luma.std() > 20


def test_strokes_that_do_not_follow_the_film_are_not_drawn_over() -> None:
    strokes = np.random.default_rng(2).uniform(0.2, 0.8, (36, 48, 3)).astype(np.float32)
    planes = checks(24)
    alone = painted(flat(120), HALF, lambda _picture, inner: as_it_is(strokes, inner))
    over = painted(planes, HALF, lambda _picture, inner: as_it_is(strokes, inner))
    added = over.luma.astype(float) - alone.luma
    assert 0 < added.std() < 0.25 * planes.luma.std()


# -- the shipped painter ---------------------------------------------------------------------------


def test_a_hole_has_the_pixels_of_the_whole_painted_frame_at_a_working_size() -> None:
    if not (WEIGHTS / "painter-S.safetensors").is_file():
        pytest.skip("no trained weights here")
    height, width = 150, 469
    planes, wanted = noisy((width, height), "yuv420p"), Rect(64, 192, 64, 64)
    stylizer = Stylizer(load_code("starry-night"), working=Working(100, of=150))
    around = stylizer.apron
    assert around % 4 == 0
    right = min(width, 256 + around)
    held = Rect(0, max(0, 192 - around), height, right - max(0, 192 - around))
    assert held.left > 0
    assert right < width
    moments = stylizer.measure([planes], TAGS)
    whole_frame = stylizer.paint({7: planes}, moments, TAGS)[7]
    window = Window(View((height, width), held, wanted), crop(planes, held))
    (tile,) = stylizer.tiles({7: [window]}, moments, TAGS)[7]
    assert tile.rect == wanted
    expected = crop(whole_frame, wanted)
    np.testing.assert_array_equal(tile.planes.luma, expected.luma)
    np.testing.assert_array_equal(tile.planes.blue, expected.blue)
    np.testing.assert_array_equal(tile.planes.red, expected.red)
