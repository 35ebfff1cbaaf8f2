"""Exact film in, exact film out: what nobody paints comes out of a whole run sample for sample."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from films import Picture, Tags, make_film, still, texture
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Identity
from pipeline.fill.between import equal
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe

FORMATS = ("yuv420p", "yuv422p10le", "yuv444p12le")
"""The three that have to be exact whatever else is."""
MORE = ("yuv444p16le", "yuv411p", "yuva444p10le", "gbrp12le", "bgr0")
SIZE = (96, 64)
HD = Tags()


def moving(n: int, size: tuple[int, int] = SIZE) -> Iterator[Picture]:
    """A texture that moves, before which something passes too fast to know what it uncovers."""
    for t, picture in enumerate(texture(n, size, (0.5, 0.25))):
        picture[16:48, 7 * t % size[0] :][:, :24] = still((24, 32), seed=9)[
            :, : size[0] - 7 * t % size[0]
        ]
        yield picture


def film(path: Path, pixel_format: str, *, size: tuple[int, int] = SIZE, tags: Tags = HD) -> Path:
    """Eight frames of a pixel format, lossless."""
    return make_film(path, moving(8, size), codec="ffv1", pixel_format=pixel_format, tags=tags)


def pictures(path: Path) -> list[Planes]:
    """All frames of a film."""
    found = read_film(path)
    return [frame.planes for frame in frames(found, 0, found.frames)]


def painted(source: Path, **settings: object) -> list[Planes]:
    """Run the whole of it with a painter that changes nothing."""
    recipe = Recipe.model_validate({"style": "made", "codec": "ffv1"} | settings)
    target = source.with_name("painted.mkv")
    stylize(Job(source, target, recipe), progress=Silent(), hire=Identity)
    return pictures(target)


def check(made: Sequence[Planes], source: Sequence[Planes]) -> None:
    """Make sure that two films are equal, sample for sample, alpha too."""
    assert len(made) == len(source) == 8
    assert all(equal(a, b) for a, b in zip(made, source, strict=True))


@pytest.mark.parametrize("pixel_format", [*FORMATS, *MORE])
def test_strength_0_gives_every_sample_back(tmp_path: Path, pixel_format: str) -> None:
    source = film(tmp_path / "film.mkv", pixel_format)
    check(painted(source, strength=0), pictures(source))


@pytest.mark.parametrize("pixel_format", [*FORMATS, *MORE])
def test_every_frame_that_is_painted_as_it_was_is_as_it_was(
    tmp_path: Path, pixel_format: str
) -> None:
    source = film(tmp_path / "film.mkv", pixel_format)
    check(painted(source, keys=1), pictures(source))


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_keys_that_are_painted_as_they_were_are_as_they_were(
    tmp_path: Path, pixel_format: str
) -> None:
    source = film(tmp_path / "film.mkv", pixel_format)
    made = painted(source, keys=7, rho=0)
    theirs = pictures(source)
    assert equal(made[0], theirs[0])
    assert equal(made[7], theirs[7])
    # what is between is filled by keys that lie around it: nearly the film, in its own depth
    apart = [np.abs(a.luma.astype(int) - b.luma).mean() for a, b in zip(made, theirs, strict=True)]
    assert max(apart) < 8 << (made[0].depth - 8)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_odd_sizes_and_full_range_are_exact_too(tmp_path: Path, pixel_format: str) -> None:
    source = film(tmp_path / "film.mkv", pixel_format, size=(97, 63), tags=Tags(range=2))
    assert read_film(source).color.full_range
    check(painted(source, keys=1), pictures(source))


@pytest.mark.parametrize(("transfer", "pixel_format"), [(16, "yuv420p10le"), (18, "yuv422p10le")])
def test_hdr_is_exact_too(tmp_path: Path, transfer: int, pixel_format: str) -> None:
    source = film(tmp_path / "film.mkv", pixel_format, tags=Tags(9, transfer, 9))
    check(painted(source, keys=1), pictures(source))


def test_a_grey_film_is_painted_in_colours_and_keeps_its_depth(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mkv", "gray10le")
    theirs, made = pictures(source), painted(source, keys=1)
    assert read_film(source.with_name("painted.mkv")).pixel_format == "yuv420p10le"
    check(made, theirs)
