"""Fields that are pictures of their own: paired to frames, each once, the same in every range."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.carry import carry
from paff import make_paff, repeats
from pipeline.errors import UnsupportedFilm
from pipeline.media.container import read_film
from pipeline.media.decode import frames

N, WIDTH, HEIGHT = 12, 64, 64
WAYS = [(".ts", True), (".ts", False), (".mp4", False), (".mkv", False)]


def pictures() -> list[list[NDArray[np.uint8]]]:
    random = np.random.default_rng(0)
    shapes = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))
    return [[random.integers(16, 235, s).astype(np.uint8) for s in shapes] for _ in range(N)]


@pytest.mark.parametrize(("suffix", "split"), WAYS)
def test_two_fields_are_one_frame_at_its_time(tmp_path: Path, suffix: str, split: bool) -> None:
    made = pictures()
    film = read_film(make_paff(tmp_path / f"film{suffix}", made, split=split))
    assert (film.frames, film.variable_rate, film.fields) == (N, False, "marked")
    assert film.frame_rate == 25
    ticks = (film.pts - film.pts[0]) * film.time_base * 25
    assert ticks.tolist() == list(range(N))
    for frame in frames(film, 0, N):
        # bwdif leaves the first field alone
        np.testing.assert_array_equal(frame.planes.luma[::2], made[frame.index][0][::2])


@pytest.mark.parametrize(("suffix", "split"), WAYS)
def test_a_range_of_fields_is_the_slice_of_the_whole(
    tmp_path: Path, suffix: str, split: bool
) -> None:
    film = read_film(make_paff(tmp_path / f"film{suffix}", pictures(), split=split))
    whole = [frame.planes.luma for frame in frames(film, 0, N)]
    for start in range(N):
        for frame in frames(film, start, min(N, start + 2)):
            np.testing.assert_array_equal(frame.planes.luma, whole[frame.index])


def test_a_film_of_fields_is_carried_whole(tmp_path: Path) -> None:
    film = read_film(make_paff(tmp_path / "film.ts", pictures(), split=True))
    carried = carry(film, tmp_path)
    assert (carried.frames, carried.same) == (N, True)


def test_the_made_fields_are_what_they_are_meant_to_be(tmp_path: Path) -> None:
    made = pictures()
    path = make_paff(tmp_path / "film.ts", made, split=True)
    with av.open(str(path)) as source:
        for number, picture in enumerate(source.decode(video=0)):
            luma = picture.to_ndarray()[:HEIGHT]
            assert picture.interlaced_frame
            second = luma[::2] if repeats(number) else made[number][0][1::2]
            np.testing.assert_array_equal(luma[::2], made[number][0][::2])
            np.testing.assert_array_equal(luma[1::2], second)


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_hevc_of_fields_that_nobody_pairs_is_refused(tmp_path: Path, suffix: str) -> None:
    path, x265 = tmp_path / f"film{suffix}", "pools=none:frame-threads=1:log-level=none"
    options = {"preset": "ultrafast", "x265-params": f"{x265}:interlace=tff"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", 50, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(4):
            field = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane in field.planes:
                plane.update(bytes([20 * number]) * plane.buffer_size)
            field.pts, field.time_base = number, Fraction(1, 50)
            container.mux(stream.encode(field))
        container.mux(stream.encode(None))
    with pytest.raises(UnsupportedFilm, match="fields are pictures of their own; pair them first"):
        read_film(path)
