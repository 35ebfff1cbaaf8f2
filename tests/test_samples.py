"""Samples: every layout comes to planes and goes back without a code changed."""

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media.color import Planes
from pipeline.media.samples import PIXEL_FORMATS, picture_of, planes_of

SIZE = (38, 18)


def noise(name: str, size: tuple[int, int] = SIZE) -> av.VideoFrame:
    """A picture of random codes of the format's depth."""
    form = PIXEL_FORMATS[name]
    random = np.random.default_rng(0)
    picture = av.VideoFrame(*size, name)
    for plane in picture.planes:
        lines = lines_of(plane, form.bits)
        lines[:] = random.integers(0, 1 << form.bits, lines.shape)
    return picture


def lines_of(plane: av.video.plane.VideoPlane, bits: int) -> NDArray[np.uint8 | np.uint16]:
    """A plane's lines, with their padding."""
    kind = np.uint8 if bits <= 8 else np.uint16
    whole: NDArray[np.uint8 | np.uint16] = np.frombuffer(plane, kind)  # type: ignore[call-overload]
    return whole[: plane.height * plane.line_size // whole.itemsize].reshape(plane.height, -1)


def parts(planes: Planes) -> list[NDArray[np.uint8 | np.uint16]]:
    """All components of a frame."""
    alpha = [] if planes.alpha is None else [planes.alpha]
    return [planes.luma, planes.blue, planes.red, *alpha]


@pytest.mark.parametrize("name", sorted(PIXEL_FORMATS))
@pytest.mark.parametrize("size", [SIZE, (37, 19), (1, 1)])
def test_every_format_comes_back_sample_for_sample(name: str, size: tuple[int, int]) -> None:
    form = PIXEL_FORMATS[name]
    first = planes_of(noise(name, size))
    again = planes_of(picture_of(first, name))
    assert (first.alpha is not None) is form.alpha
    assert first.depth == again.depth == form.depth
    for one, other in zip(parts(first), parts(again), strict=True):
        np.testing.assert_allclose(one.astype(int), other, rtol=0, atol=0 if form.whole else 2)


@pytest.mark.parametrize("name", ["gbrp16le", "gbrap16le", "rgb48le", "rgba64le"])
def test_rgb_of_16_bits_comes_back_within_two_codes(name: str) -> None:
    first = noise(name, (512, 128))
    again = picture_of(planes_of(first), name)
    for one, other in zip(first.planes, again.planes, strict=True):
        wide = 512 * {"rgb48le": 3, "rgba64le": 4}.get(name, 1)
        lines = [lines_of(plane, 16)[:, :wide].astype(int) for plane in (one, other)]
        assert np.abs(lines[0] - lines[1]).max() <= 2


def test_alpha_of_a_grey_film_is_kept() -> None:
    first = noise("ya8")
    planes = planes_of(first)
    grey, alpha = (lines_of(first.planes[0], 8)[:, k : 2 * SIZE[0] : 2] for k in (0, 1))
    np.testing.assert_array_equal(planes.luma, grey)
    np.testing.assert_array_equal(planes.alpha, alpha)


@pytest.mark.parametrize(
    ("name", "bits"), [("gbrp", 8), ("gbrp9le", 9), ("gbrp10le", 10), ("gbrp14le", 14)]
)
def test_rgb_comes_back_code_for_code(name: str, bits: int) -> None:
    first = noise(name, (512, 128))
    again = picture_of(planes_of(first), name)
    for one, other in zip(first.planes, again.planes, strict=True):
        lines = [lines_of(plane, bits)[:, :512] for plane in (one, other)]
        np.testing.assert_array_equal(lines[0], lines[1])


@pytest.mark.parametrize(
    "name", ["rgb24", "bgra", "0rgb", "yuyv422", "uyvy422", "nv12", "nv21", "rgb48le"]
)
def test_a_packed_format_is_read_as_ffmpeg_reads_it(name: str) -> None:
    packed = noise(name)
    planar = {"y": "yuv422p", "u": "yuv422p", "n": "yuv420p", "b": "gbrap"}.get(name[0], "gbrp")
    planar += "16le" if name == "rgb48le" else ""
    twin = packed.reformat(format=planar)
    for one, other in zip(parts(planes_of(packed)), parts(planes_of(twin)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_grey_has_neutral_chroma_and_loses_it_again() -> None:
    planes = planes_of(noise("gray10le"))
    assert planes.blue.shape == (9, 19)
    assert (planes.blue == 512).all()
    assert (planes.red == 512).all()


def test_planes_of_another_depth_or_shape_are_refused() -> None:
    planes = planes_of(noise("yuv420p10le"))
    with pytest.raises(ValueError, match="8 bits, got 10"):
        picture_of(planes, "yuv420p")
    with pytest.raises(ValueError, match=r"plane 1 of yuv422p10le must be uint16 \(18, 19\)"):
        picture_of(planes, "yuv422p10le")
    with pytest.raises(ValueError, match="wants alpha"):
        picture_of(planes, "yuva420p10le")


def test_samples_that_do_not_have_the_bits_are_refused() -> None:
    wide = np.zeros((2, 2), np.uint16)
    with pytest.raises(ValueError, match="uint16 do not have 8 bits"):
        Planes(wide, wide, wide)
