"""Conforming: what a codec does not have is written as more, never as less unless it was asked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from films import Tags, make_film, numbered, texture
from pipeline.errors import BadRequest
from pipeline.media.codecs import CODECS, Codec, coder, quality_of, usual_suffix
from pipeline.media.color import ColorTags, Planes
from pipeline.media.conform import Conform, choose_format
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import choose_encoding, write_segment
from pipeline.media.encoders import try_encoder
from pipeline.media.samples import PIXEL_FORMATS

Make = Callable[..., Film]
SIZE = (128, 72)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    plain = read_film(make_film(tmp_path / "film.mp4", numbered(texture(3, SIZE))))

    def make(pixel_format: str, *, full: bool = False, **how: object) -> Film:
        color = ColorTags(1, 1, 1, full_range=full)
        return replace(plain, pixel_format=pixel_format, color=color, **how)  # type: ignore[arg-type]

    return make


def noise(name: str, size: tuple[int, int], *, full: bool) -> Planes:
    """Every code that a format has, in no order."""
    form, random = PIXEL_FORMATS[name], np.random.default_rng(0)
    least, most = (0, 1 << form.depth) if full else (1 << form.depth - 8, 255 << form.depth - 8)
    width, height = size
    small = (-(-height // form.subsampling[1]), -(-width // form.subsampling[0]))
    shapes = [(height, width), small, small]
    drawn = [random.integers(least, most, shape) for shape in shapes]
    luma, blue, red = (
        one.astype(np.uint8) if form.depth == 8 else one.astype(np.uint16) for one in drawn
    )
    return Planes(luma, blue, red, depth=form.depth)


@pytest.mark.parametrize("size", [(64, 48), (33, 25)])
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("yuv420p", "yuv422p10le"),
        ("yuv420p", "yuv444p10le"),
        ("yuv420p", "yuv444p"),
        ("yuv422p10le", "yuv444p12le"),
        ("yuv420p12le", "yuv420p16le"),
        ("yuv411p", "yuv422p"),
        ("yuv440p", "yuv444p10le"),
    ],
)
@pytest.mark.parametrize("ranges", [(False, False), (True, True), (True, False)])
def test_what_holds_more_gives_every_sample_back(
    name: str, other: str, size: tuple[int, int], ranges: tuple[bool, bool]
) -> None:
    a, b = PIXEL_FORMATS[name], PIXEL_FORMATS[other]
    if ranges == (True, False) and b.depth <= a.depth:
        pytest.skip("limited range has fewer codes")
    planes = noise(name, size, full=ranges[0])
    there = Conform(a, b, ranges)(planes)
    back = Conform(b, a, ranges[::-1])(there)
    assert there.depth == b.depth
    for one, two in ((planes.luma, back.luma), (planes.blue, back.blue), (planes.red, back.red)):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == two.dtype


def test_eight_bits_become_ten_by_two_zeros() -> None:
    planes = noise("yuv420p", (64, 48), full=False)
    forms = (PIXEL_FORMATS["yuv420p"], PIXEL_FORMATS["yuv422p10le"])
    there = Conform(*forms, (False, False))(planes)
    np.testing.assert_array_equal(there.luma, planes.luma.astype(np.uint16) << 2)
    np.testing.assert_array_equal(there.blue[::2], planes.blue.astype(np.uint16) << 2)
    np.testing.assert_array_equal(there.blue[1::2], there.blue[::2])


def test_alpha_goes_along_and_is_opaque_where_there_was_none() -> None:
    a, b = PIXEL_FORMATS["yuv420p"], PIXEL_FORMATS["yuva444p10le"]
    planes = noise("yuv420p", SIZE, full=False)
    opaque = Conform(a, b, (False, False))(planes).alpha
    assert opaque is not None
    assert (opaque == 1023).all()
    ramp = np.arange(SIZE[0], dtype=np.uint8)[None].repeat(SIZE[1], 0)
    clear = replace(planes, alpha=ramp)
    alpha = Conform(PIXEL_FORMATS["yuva420p"], b, (False, False))(clear).alpha
    assert alpha is not None
    np.testing.assert_array_equal(np.rint(alpha * (255 / 1023)), ramp)


@pytest.mark.parametrize(
    ("codec", "own", "written"),
    [
        ("h264", "yuv420p", "yuv420p"),
        ("h264", "yuv422p10le", "yuv422p10le"),
        ("h264", "yuv420p9le", "yuv420p10le"),
        ("h264", "yuv411p", "yuv422p"),
        ("hevc", "yuv444p12le", "yuv444p12le"),
        ("av1", "yuv420p10le", "yuv420p10le"),
        ("vp9", "yuv444p", "yuv444p"),
        ("prores", "yuv420p", "yuv422p10le"),
        ("prores-4444", "yuva444p12le", "yuva444p10le"),
        ("prores-4444", "yuv422p10le", "yuv444p10le"),
        ("dnxhr", "yuv420p10le", "yuv422p10le"),
        ("dnxhr", "yuv444p", "yuv444p10le"),
        ("ffv1", "yuva444p12le", "yuva444p12le"),
        ("ffv1", "yuv420p14le", "yuv420p14le"),
        ("ffv1", "rgb24", "bgr0"),
    ],
)
def test_the_nearest_that_loses_nothing_is_chosen_and_said(
    make: Make, codec: Codec, own: str, written: str
) -> None:
    name, notes = choose_format(make(own), codec, None)
    assert name == written
    assert len(notes) == (own not in {written, "rgb24"})
    assert not notes or written in notes[0] or "10 of the film's 12 bits" in notes[0]


@pytest.mark.parametrize(
    ("codec", "own", "lost", "named"),
    [
        ("h264", "yuv420p12le", "12 bits for 10", "yuv420p10le"),
        ("vp9", "yuv420p10le", "10 bits for 8", "yuv420p"),
        ("av1", "yuv422p", "chroma", "yuv420p"),
        ("prores", "yuv444p", "chroma", "yuv422p10le"),
        ("prores", "yuva422p10le", "alpha", "yuv422p10le"),
        ("hevc", "yuva444p12le", "alpha", "yuv444p12le"),
    ],
)
def test_what_a_codec_cannot_keep_is_given_up_by_name_only(
    make: Make, codec: Codec, own: str, lost: str, named: str
) -> None:
    film = make(own)
    with pytest.raises(BadRequest, match=f"cannot hold {own} whole") as caught:
        choose_format(film, codec, None)
    assert f"({lost})" in str(caught.value)
    assert str(caught.value).endswith(f"--pixel-format {named}")
    name, notes = choose_format(film, codec, named)
    assert name == named
    assert lost in notes[0]


def test_rgb_of_16_bits_is_written_as_it_is_and_said_to_be_near(make: Make) -> None:
    name, (note,) = choose_format(make("gbrp16le"), "ffv1", None)
    assert (name, "within 2 of 65535 codes" in note) == ("gbrp16le", True)
    assert choose_format(make("gbrp14le"), "ffv1", None) == ("gbrp14le", [])


def test_alpha_of_a_grey_film_goes_along_or_is_given_up_by_name(make: Make) -> None:
    assert choose_format(make("ya8"), "ffv1", None)[0] == "yuva420p"
    with pytest.raises(BadRequest, match=r"\(alpha\).* --pixel-format yuv420p"):
        choose_format(make("ya8"), "hevc", None)


def test_full_range_is_narrowed_for_prores_where_more_bits_hold_it(make: Make) -> None:
    assert choose_format(make("yuv422p", full=True), "prores", None)[0] == "yuv422p10le"
    with pytest.raises(BadRequest, match="full range"):
        choose_format(make("yuv422p10le", full=True), "prores", None)
    assert choose_format(make("yuv422p10le", full=True), "dnxhr", None) == ("yuv422p10le", [])


@pytest.mark.parametrize(
    ("codec", "asked", "said"),
    [
        ("h264", "yuv410p", "h264 does not take 'yuv410p'; it takes yuv420p"),
        ("prores", "yuv420p", "it takes yuv422p10le"),
        ("h264", "nonsense", "does not take"),
        ("ffv1", "gbrp10", "is not turned into"),
    ],
)
def test_formats_that_a_codec_does_not_take_are_refused(
    make: Make, codec: Codec, asked: str, said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        choose_format(make("yuv420p"), codec, asked)


def test_a_format_may_be_named_without_its_byte_order(make: Make) -> None:
    assert choose_format(make("yuv420p"), "h264", "yuv422p10") == ("yuv422p10le", [])


def test_odd_sizes_are_for_codecs_that_have_them(make: Make) -> None:
    odd = make("yuv420p", width=161, height=97)
    assert choose_format(odd, "h264", None)[0] == "yuv444p"
    assert choose_format(odd, "vp9", None) == ("yuv420p", [])
    with pytest.raises(BadRequest, match="a side is odd"):
        choose_format(odd, "hevc", "yuv420p")
    with pytest.raises(BadRequest, match="dnxhr starts at 256x120"):
        choose_encoding(odd, codec="dnxhr", target=Path("out.mov"))


@pytest.mark.parametrize("codec", CODECS)
def test_a_quality_is_the_codecs_own(codec: Codec) -> None:
    quality = coder(codec).quality
    if quality is None:
        assert quality_of(codec, None) is None
        with pytest.raises(BadRequest, match=f"{codec} has one quality"):
            quality_of(codec, 20)
        return
    assert quality_of(codec, None) == quality.usual
    for wrong in (-1, quality.most + 1):
        with pytest.raises(BadRequest, match=f"{quality.least} to {quality.most}"):
            quality_of(codec, wrong)


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [
        ("h264", "yuv420p"),
        ("h264", "yuv422p10le"),
        ("hevc", "yuv420p"),
        ("hevc", "yuv444p12le"),
        ("av1", "yuv420p10le"),
        ("vp9", "yuv444p"),
    ],
)
def test_a_quality_of_0_is_lossless(tmp_path: Path, codec: Codec, pixels: str) -> None:
    path = tmp_path / "film.mkv"
    film = read_film(
        make_film(path, numbered(texture(4, SIZE)), codec="ffv1", pixel_format=pixels, tags=Tags())
    )
    encoding, _ = choose_encoding(film, codec=codec, target=tmp_path / "made.mp4", crf=0)
    segment = write_segment(
        frames(film, 0, 4), film=film, encoding=encoding, path=tmp_path / "s.mp4", crf=0
    )
    made = read_film(segment.path)
    for a, b in zip(frames(film, 0, 4), frames(made, 0, 4), strict=True):
        np.testing.assert_array_equal(a.planes.luma, b.planes.luma)
        np.testing.assert_array_equal(a.planes.red, b.planes.red)


@pytest.mark.parametrize("codec", [codec for codec in CODECS if "nvenc" not in codec])
def test_every_codec_gives_the_same_file_again(tmp_path: Path, codec: Codec) -> None:
    size = (256, 120) if codec == "dnxhr" else SIZE
    film = read_film(make_film(tmp_path / "film.mp4", numbered(texture(5, size))))
    encoding, _ = choose_encoding(film, codec=codec, target=tmp_path / f"a{usual_suffix(codec)}")
    made = [
        write_segment(
            frames(film, 0, 5),
            film=film,
            encoding=encoding,
            path=tmp_path / f"{k}{encoding.suffix}",
        )
        for k in "ab"
    ]
    assert made[0].pixels == made[1].pixels


def test_what_a_machine_lacks_is_one_line() -> None:
    for codec in CODECS:
        if "nvenc" not in codec:
            try_encoder(codec)
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine may have what others lack")
    for codec in ("h264_nvenc", "hevc_nvenc"):
        with pytest.raises(BadRequest, match="on this machine: it needs a GPU with NVENC"):
            try_encoder(codec)


def test_every_format_that_is_written_is_known() -> None:
    for codec in CODECS:
        assert all(name in PIXEL_FORMATS for name in coder(codec).formats)
