"""Decoding: any range is the same slice of the whole film, and damage is never passed on."""

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from films import make_film, number_of, numbered, planes_of, scribble, texture
from pipeline.errors import CorruptFilm, UnreadableFilm
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames, pick

N = 40
MAKERS: dict[str, Callable[[Path], Path]] = {
    "closed": lambda d: make_film(d / "closed.mp4", numbered(texture(N)), bframes=3),
    "open": lambda d: make_film(d / "open.mp4", numbered(texture(N)), bframes=3, open_gop=True),
    "open_mkv": lambda d: make_film(
        d / "open.mkv", numbered(texture(N)), bframes=3, open_gop=True, rate=Fraction(24000, 1001)
    ),
    "late": lambda d: make_film(d / "l.mp4", numbered(texture(N)), bframes=2, first=Fraction(8)),
    "variable": lambda d: make_film(
        d / "vfr.mp4",
        numbered(texture(N)),
        bframes=2,
        pts=[i * (i + 50) * 37 for i in range(N)],
        time_base=Fraction(1, 90000),
    ),
    "odd": lambda d: make_film(
        d / "odd.mkv", [planes_of(p) for p in numbered(texture(N, (161, 97)))], codec="ffv1"
    ),
    "every": lambda d: make_film(d / "every.mov", numbered(texture(N)), keyint=1),
}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Film]:
    folder = tmp_path_factory.mktemp("films")
    return {name: read_film(make(folder)) for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_the_whole_film_comes_in_order(films: dict[str, Film], name: str) -> None:
    film = films[name]
    decoded = list(frames(film, 0, N))
    assert [frame.index for frame in decoded] == list(range(N))
    assert [number_of(frame.planes.luma) for frame in decoded] == list(range(N))
    assert [frame.pts for frame in decoded] == film.pts.tolist()


@pytest.mark.parametrize("name", MAKERS)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.integers(0, N - 1), length=st.integers(1, 9))
def test_a_range_is_a_slice_of_the_whole(
    films: dict[str, Film], name: str, start: int, length: int
) -> None:
    film, stop = films[name], min(N, start + length)
    whole = list(frames(film, 0, N))[start:stop]
    part = list(frames(film, start, stop))
    assert [frame.pts for frame in part] == [frame.pts for frame in whole]
    for a, b in zip(part, whole, strict=True):
        np.testing.assert_array_equal(a.planes.luma, b.planes.luma)
        np.testing.assert_array_equal(a.planes.blue, b.planes.blue)
        np.testing.assert_array_equal(a.planes.red, b.planes.red)


@pytest.mark.parametrize("name", ["open", "open_mkv", "every"])
def test_a_film_is_opened_once_for_many_places(
    films: dict[str, Film], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    real = av.open

    def counted(*given: object, **more: object) -> object:
        opened.append(given)
        return real(*given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(av, "open", counted)
    wanted = [14, 18, 26, 30, 38]
    found = list(pick(films[name], wanted))
    assert [number_of(frame.planes.luma) for frame in found] == wanted
    assert len(opened) == 1


@pytest.mark.parametrize("name", ["open", "variable"])
def test_threads_do_not_change_what_comes(films: dict[str, Film], name: str) -> None:
    one, two = (list(frames(films[name], 15, 30, threads=n)) for n in (1, 2))
    assert all((a.planes.luma == b.planes.luma).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("name", MAKERS)
def test_single_frames_can_be_picked(films: dict[str, Film], name: str) -> None:
    wanted = [0, 1, 11, 12, 25, 38, 39]
    picked = list(pick(films[name], wanted))
    assert [frame.index for frame in picked] == wanted
    assert [number_of(frame.planes.luma) for frame in picked] == wanted


def test_planes_are_whole_and_own_their_samples(films: dict[str, Film]) -> None:
    planes = next(frames(films["odd"], 3, 4)).planes
    assert (planes.luma.shape, planes.blue.shape) == ((97, 161), (49, 81))
    assert planes.luma.flags.c_contiguous
    assert planes.luma.flags.owndata


def test_an_empty_range_is_nothing_and_an_impossible_one_is_refused(films: dict[str, Film]) -> None:
    assert list(frames(films["closed"], 5, 5)) == []
    assert list(pick(films["closed"], [])) == []
    with pytest.raises(ValueError, match="within"):
        next(frames(films["closed"], 0, N + 1))
    with pytest.raises(ValueError, match="ascend"):
        next(pick(films["closed"], [3, 3]))


def test_intra_refresh_is_decoded_from_where_it_can_be(tmp_path: Path) -> None:
    # sync packets of such a film are no pictures of their own
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        options = {"x264-params": "intra-refresh=1:keyint=10:threads=1:bframes=0"}
        stream = container.add_stream("libx264", 25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for picture in numbered(texture(N)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    film = read_film(path)
    whole = list(frames(film, 0, N))
    for start in range(0, N, 7):
        for frame in frames(film, start, min(N, start + 3)):
            np.testing.assert_array_equal(frame.planes.luma, whole[frame.index].planes.luma)


def test_a_damaged_packet_is_named_by_its_time(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", numbered(texture(N)), crf=4)
    with av.open(str(path)) as source:
        packet = [p for p in source.demux(video=0) if p.size][17]
        position, size, pts = packet.pos or 0, packet.size, packet.pts
    # The length of its first unit too: noise in the payload alone can pass for a picture.
    film = read_film(scribble(path, at=position, size=size // 2))
    assert len(list(frames(film, 0, 12))) == 12
    with pytest.raises(CorruptFilm, match=f"PTS {pts}"):
        list(frames(film, 0, N))
    with pytest.raises(CorruptFilm, match=f"PTS {pts}"):
        list(frames(film, 20, 22))


_CLOSED_EARLY = """
import sys
from pathlib import Path
from pipeline.media.container import read_film
from pipeline.media.decode import frames
film = read_film(Path(sys.argv[1]))
for start in range(12):
    run = frames(film, start, film.frames, threads=4)
    next(run)
    run.close()
"""


def test_nobody_sets_the_level_of_ffmpegs_log() -> None:
    """It deadlocks PyAV 18.1 where a decoder with threads is closed early (PyAV 751, 2276)."""
    root = Path(__file__).parent.parent
    files = [
        file for name in ("pipeline", "actors", "jobs") for file in root.glob(f"{name}/**/*.py")
    ]
    assert len(files) > 100
    assert not [file.name for file in files if "logging.set_level" in file.read_text("utf-8")]


def test_a_worker_never_hangs_on_early_close(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", numbered(texture(N)), bframes=3)
    root = Path(__file__).parent.parent
    subprocess.run(
        [sys.executable, "-c", _CLOSED_EARLY, str(path)], cwd=root, timeout=30, check=True
    )


def test_a_film_that_went_away_is_unreadable(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", texture(3))
    film = read_film(path)
    path.unlink()
    with pytest.raises(UnreadableFilm, match="cannot be opened"):
        next(frames(film, 0, 1))
