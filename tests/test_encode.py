"""Encoding: a segment holds exactly its frames, says what it means, and is always the same."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from films import Tags, make_film, number_of, numbered, planes_of, texture
from pipeline.errors import BadRequest, OutOfResources
from pipeline.media.codecs import Codec
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import Encoding, choose_encoding, write_segment

Make = Callable[..., Film]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(size: tuple[int, int] = (160, 96), **how: object) -> Film:
        pictures = numbered(texture(20, size))
        return read_film(make_film(tmp_path / "film.mp4", pictures, **how))  # type: ignore[arg-type]

    return make


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow over ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
@pytest.mark.parametrize(("start", "stop"), [(0, 20), (7, 8), (7, 20)])
def test_a_segment_holds_its_frames_from_time_zero(
    make: Make, tmp_path: Path, codec: Codec, start: int, stop: int
) -> None:
    film = make(bframes=3, rate=Fraction(25))
    encoding, notes = choose_encoding(film, codec=codec, target=tmp_path / "out.mkv")
    path = tmp_path / f"segment{encoding.suffix}"
    segment = write_segment(
        frames(film, start, stop), film=film, encoding=encoding, path=path, crf=16
    )
    made = read_film(path)
    assert notes == []
    assert (segment.start, segment.stop, segment.bytes) == (start, stop, path.stat().st_size)
    assert [number_of(f.planes.luma) for f in frames(made, 0, made.frames)] == [*range(start, stop)]
    assert made.pts[0] == 0
    assert made.sync[0]
    assert made.color == film.color


def test_ffv1_gives_every_sample_back(make: Make, tmp_path: Path) -> None:
    film = make(size=(161, 97), pixel_format="yuv444p")
    encoding, _ = choose_encoding(film, codec="ffv1", target=tmp_path / "out.mkv")
    source = list(frames(film, 0, 20))
    write_segment(source, film=film, encoding=encoding, path=tmp_path / "s.mkv", crf=0)
    for a, b in zip(source, frames(read_film(tmp_path / "s.mkv"), 0, 20), strict=True):
        np.testing.assert_array_equal(a.planes.luma, b.planes.luma)
        np.testing.assert_array_equal(a.planes.blue, b.planes.blue)
        np.testing.assert_array_equal(a.planes.red, b.planes.red)


def test_odd_sizes_go_out_in_444_with_a_note_and_keep_their_samples(tmp_path: Path) -> None:
    pictures = [planes_of(picture) for picture in texture(3, (161, 97))]
    film = read_film(make_film(tmp_path / "film.mkv", pictures, codec="ffv1"))
    encoding, notes = choose_encoding(film, codec="h264", target=tmp_path / "out.mp4")
    assert encoding.pixel_format == "yuv444p"
    assert len(notes) == 1
    assert "yuv444p" in notes[0]
    path = tmp_path / "s.mp4"
    write_segment(frames(film, 0, 3), film=film, encoding=encoding, path=path, crf=0)
    for frame, planes in zip(frames(read_film(path), 0, 3), pictures, strict=True):
        np.testing.assert_array_equal(frame.planes.luma, planes.luma)
        np.testing.assert_array_equal(frame.planes.blue[::2, ::2], planes.blue)


@pytest.mark.parametrize("tags", [None, Tags(6, 6, 6, 1), Tags(1, 1, 1, 2)])
@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_the_meaning_of_the_samples_is_written(
    make: Make, tmp_path: Path, codec: Codec, tags: Tags | None
) -> None:
    film = make(tags=tags, sample_aspect_ratio=Fraction(4, 3))
    encoding, notes = choose_encoding(film, codec=codec, target=tmp_path / "out.mkv")
    path = tmp_path / f"s{encoding.suffix}"
    write_segment(frames(film, 0, 2), film=film, encoding=encoding, path=path, crf=16)
    assert read_film(path).color == film.color
    assert notes == []
    if codec == "h264":
        assert read_film(path).sample_aspect_ratio == Fraction(4, 3)


def test_the_same_frames_are_always_the_same_file(make: Make, tmp_path: Path) -> None:
    film = make(bframes=2)
    encoding, _ = choose_encoding(film, codec="h264", target=tmp_path / "out.mp4")
    a, b = (
        write_segment(
            frames(film, 3, 17), film=film, encoding=encoding, path=tmp_path / name, crf=16
        )
        for name in ("a.mp4", "b.mp4")
    )
    assert (a.pixels, a.sha256) == (b.pixels, b.sha256)


@pytest.mark.parametrize(
    ("codec", "name"),
    [("ffv1", "out.mp4"), ("ffv1", "out.mov"), ("h264", "out.avi"), ("h264", "o")],
)
def test_pairs_that_do_not_go_together_are_refused(make: Make, codec: Codec, name: str) -> None:
    with pytest.raises(BadRequest, match=name):
        choose_encoding(make(), codec=codec, target=Path(name))


def test_frames_that_do_not_follow_each_other_are_refused(make: Make, tmp_path: Path) -> None:
    film = make()
    encoding = Encoding("h264", "yuv420p", "mp4")
    a, b, c = frames(film, 0, 3)
    for wrong in ([a, c], [a, replace(b, pts=b.pts + 1)]):
        with pytest.raises(ValueError, match="expected frame 1"):
            write_segment(wrong, film=film, encoding=encoding, path=tmp_path / "s.mp4", crf=16)
    with pytest.raises(ValueError, match="needs a frame"):
        write_segment([], film=film, encoding=encoding, path=tmp_path / "s.mp4", crf=16)


def test_planes_of_another_size_are_refused(make: Make, tmp_path: Path) -> None:
    film = make()
    frame = next(frames(film, 0, 1))
    small = replace(frame.planes, blue=frame.planes.blue[:-1])
    with pytest.raises(ValueError, match="plane 1 of yuv420p must be"):
        write_segment(
            [replace(frame, planes=small)],
            film=film,
            encoding=Encoding("h264", "yuv420p", "mp4"),
            path=tmp_path / "s.mp4",
            crf=16,
        )


@pytest.mark.parametrize("codec", ["h264", "ffv1"])
def test_a_full_disk_is_said_so(make: Make, tmp_path: Path, codec: Codec) -> None:
    film = make()
    encoding, _ = choose_encoding(film, codec=codec, target=tmp_path / "out.mkv")
    path = tmp_path / f"s{encoding.suffix}"
    with full_disk(4096), pytest.raises(OutOfResources, match="disk is full"):
        write_segment(frames(film, 0, 20), film=film, encoding=encoding, path=path, crf=1)


def test_a_folder_that_is_not_there_is_a_bad_request(make: Make, tmp_path: Path) -> None:
    film = make()
    path = tmp_path / "nowhere" / "s.mp4"
    with pytest.raises(BadRequest, match="cannot be written"):
        write_segment(
            frames(film, 0, 1),
            film=film,
            encoding=Encoding("h264", "yuv420p", "mp4"),
            path=path,
            crf=16,
        )
