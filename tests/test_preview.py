"""Previews: small, even, upright, both films in one picture, at the film's own times."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from films import make_film, planes_of, still, texture
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.media.preview import (
    display_size,
    preview_size,
    shrunk,
    stacked,
    write_preview,
)


def write(path: Path, pictures: list[Planes], times: list[Fraction], most: int = 10**6) -> None:
    """Write a preview of some pictures."""
    height, width = pictures[0].luma.shape
    tags = read_film(make_film(path.with_suffix(".mov"), texture(2, (32, 32)))).color
    write_preview(
        pictures, times=times, path=path, size=(width, height), tags=tags, most_bytes=most
    )


def decoded(path: Path) -> Iterator[av.VideoFrame]:
    """The frames of a preview."""
    with av.open(str(path)) as container:
        yield from container.decode(container.streams.video[0])


@pytest.mark.parametrize(
    ("size", "rotation", "shape", "shown"),
    [
        ((64, 48), 0, None, (64, 48)),
        ((64, 48), 90, None, (48, 64)),
        ((64, 48), 0, Fraction(3, 2), (96, 48)),
        ((64, 48), 270, Fraction(3, 2), (48, 96)),
    ],
)
def test_a_film_is_shown_upright_and_in_its_own_shape(
    size: tuple[int, int],
    rotation: int,
    shape: Fraction | None,
    shown: tuple[int, int],
    tmp_path: Path,
) -> None:
    path = make_film(
        tmp_path / "film.mp4", texture(2, size), rotation=rotation, sample_aspect_ratio=shape
    )
    assert display_size(read_film(path)) == shown
    assert preview_size(read_film(path)) == shown


def test_a_preview_is_even_and_has_at_most_960_by_540(tmp_path: Path) -> None:
    odd = make_film(tmp_path / "odd.mp4", texture(2, (65, 47)), pixel_format="yuv444p")
    assert preview_size(read_film(odd)) in {(64, 48), (66, 48), (64, 46), (66, 46)}
    large = make_film(tmp_path / "large.mp4", [still((1280, 720))] * 2)
    assert preview_size(read_film(large)) == (960, 540)


def test_a_preview_holds_each_picture_once_at_its_time(tmp_path: Path) -> None:
    lumas = [40, 90, 140, 190]
    grey = np.full((16, 32), 128, np.uint8)
    pictures = [Planes(np.full((32, 64), luma, np.uint8), grey, grey) for luma in lumas]
    times = [Fraction(0), Fraction(1, 25), Fraction(1, 10), Fraction(1, 8), Fraction(1, 5)]
    write(tmp_path / "p.mp4", pictures, times)
    found = list(decoded(tmp_path / "p.mp4"))
    assert [Fraction(frame.pts or 0) * (frame.time_base or 1) for frame in found] == times[:-1]
    means = [frame.to_ndarray()[:32].mean() for frame in found]
    assert np.allclose(means, lumas, atol=2)
    with av.open(str(tmp_path / "p.mp4")) as container:
        assert container.duration == 200_000
        assert container.streams.video[0].codec_context.name == "h264"
    head = (tmp_path / "p.mp4").read_bytes()
    assert head.index(b"moov") < head.index(b"mdat")


def test_a_preview_of_noise_stays_within_its_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pictures = [
        planes_of(random.integers(0, 256, (64, 96, 3), np.uint8).astype(np.uint8))
        for _ in range(50)
    ]
    write(tmp_path / "p.mp4", pictures, [Fraction(i, 25) for i in range(51)], most=60_000)
    assert (tmp_path / "p.mp4").stat().st_size < 66_000


def test_the_film_stands_above_its_painting() -> None:
    film, painting = planes_of(still((32, 16), seed=1)), planes_of(still((32, 16), seed=2))
    both = stacked(film, painting)
    assert np.array_equal(both.luma[:16], film.luma)
    assert np.array_equal(both.red[8:], painting.red)


def test_a_picture_is_brought_to_half_the_colour_whatever_it_has() -> None:
    planes = planes_of(still((64, 48)), pixel_format="yuv444p")
    small = shrunk(planes, (32, 24))
    assert small.luma.shape == (24, 32)
    assert small.blue.shape == small.red.shape == (12, 16)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    planes = planes_of(still((64, 48)))
    with pytest.raises(ValueError, match="a plane of"):
        write_preview(
            [planes],
            times=[Fraction(0), Fraction(1)],
            path=tmp_path / "p.mp4",
            size=(32, 24),
            tags=read_film(make_film(tmp_path / "f.mp4", texture(2, (32, 32)))).color,
            most_bytes=1000,
        )
