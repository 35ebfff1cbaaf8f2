"""The index: frames are what is shown, times are exact, what is not covered is refused clearly."""

import pickle
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from films import Line, Sound, Tags, make_film, numbered, planes_of, texture, truncate
from pipeline.errors import CorruptFilm, UnreadableFilm, UnsupportedFilm
from pipeline.media.color import ColorTags
from pipeline.media.container import read_film
from pipeline.media.index import Index, entries_of
from pipeline.media.look import color_of

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_come_in_the_order_they_are_shown(tmp_path: Path, suffix: str) -> None:
    path = make_film(tmp_path / f"film{suffix}", texture(30), bframes=3, rate=Fraction(25))
    film = read_film(path)
    assert film.frames == 30
    assert [pts * film.time_base for pts in film.pts.tolist()] == [
        Fraction(i, 25) for i in range(30)
    ]
    assert film.frame_rate == 25
    assert not film.variable_rate
    assert (film.width, film.height, film.chroma, film.pixel_format) == (160, 96, (2, 2), "yuv420p")
    assert film.color == ColorTags(1, 1, 1, full_range=False)
    assert film.sync[0]
    assert (film.entry_pts <= film.pts).all()


def test_a_film_that_starts_late_keeps_its_times(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(9), first=Fraction(8), bframes=2))
    assert film.pts[0] * film.time_base == 8


def test_a_variable_rate_is_noticed_and_kept_to_the_tick(tmp_path: Path) -> None:
    pts = [i * (i + 50) * 37 for i in range(20)]
    base = Fraction(1, 90000)
    film = read_film(make_film(tmp_path / "film.mp4", texture(20), pts=pts, time_base=base))
    assert film.variable_rate
    assert film.time_base == base
    assert film.pts.tolist() == pts
    assert film.durations.tolist()[:-1] == np.diff(pts).tolist()


def test_milliseconds_are_no_variable_rate(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mkv", texture(30), rate=NTSC))
    assert film.time_base == Fraction(1, 1000)
    assert not film.variable_rate
    assert abs(film.frame_rate / NTSC - 1) < Fraction(1, 10000)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_rotation_is_read(tmp_path: Path, rotation: int) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(2), rotation=rotation))
    assert film.rotation == rotation


def test_everything_beside_the_picture_is_listed(tmp_path: Path) -> None:
    path = make_film(
        tmp_path / "film.mov",
        texture(25),
        sounds=[Sound(), Sound("pcm_s16le", "fra", "Commentary")],
        subtitles=[Line(0, 500, "Hello")],
        timecode="01:00:00:00",
        sample_aspect_ratio=Fraction(4, 3),
    )
    film = read_film(path)
    tracks = [(t.kind, t.codec, t.language, t.title) for t in film.tracks if t.kind != "clock"]
    assert tracks == [
        ("audio", "aac", "eng", ""),
        ("audio", "pcm_s16le", "fra", "Commentary"),
        ("subtitle", "mov_text", "eng", ""),
    ]
    assert film.timecode == "01:00:00:00"
    assert film.sample_aspect_ratio == Fraction(4, 3)


def test_full_range_and_no_tags_are_told_apart(tmp_path: Path) -> None:
    full = make_film(tmp_path / "full.mp4", texture(2), tags=Tags(1, 1, 1, 2))
    none = make_film(tmp_path / "none.mp4", texture(2), tags=None)
    assert read_film(full).color == ColorTags(1, 1, 1, full_range=True)
    assert read_film(none).color == ColorTags(2, 2, 2, full_range=False)


def test_the_fingerprint_is_of_the_content_not_of_the_name(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", texture(5))
    copy = tmp_path / "b.mp4"
    copy.write_bytes(path.read_bytes())
    other = make_film(tmp_path / "c.mp4", texture(5, seed=3))
    assert read_film(path).fingerprint == read_film(copy).fingerprint
    assert read_film(path).fingerprint != read_film(other).fingerprint


def test_a_film_can_be_sent_to_a_worker(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(5)))
    sent = pickle.loads(pickle.dumps(film))
    assert sent.fingerprint == film.fingerprint
    assert sent.pts.tolist() == film.pts.tolist()


def test_a_picture_that_leads_an_open_group_enters_one_group_earlier() -> None:
    # decoding order: I0 P3 B1 I6 (open) B4 B5 P7
    pts = np.array([0, 3, 1, 6, 4, 5, 7])
    sync = np.array([1, 0, 0, 1, 0, 0, 0], bool)
    shown = np.ones(7, bool)
    entries = entries_of(Index(pts, np.arange(7), pts, pts, sync, shown))
    assert entries.tolist() == [0, 0, 0, 3, 0, 0, 3]


def test_a_missing_film_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFilm, match="no such file"):
        read_film(tmp_path / "nothing.mp4")


def test_a_folder_and_a_text_are_no_films(tmp_path: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("Once upon a time")
    for path in (tmp_path, text):
        with pytest.raises(UnreadableFilm):
            read_film(path)


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", 48000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), "s16", "stereo")
        frame.sample_rate = 48000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(UnreadableFilm, match="no video"):
        read_film(path)


def test_a_film_without_its_index_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFilm):
        read_film(truncate(make_film(tmp_path / "film.mp4", texture(30)), 0.5))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.99])
def test_a_truncated_film_with_its_index_is_corrupt(
    tmp_path: Path, suffix: str, share: float
) -> None:
    path = make_film(tmp_path / f"film{suffix}", texture(30), fast_start=suffix == ".mp4")
    with pytest.raises(CorruptFilm, match="PTS"):
        read_film(truncate(path, share))


def test_a_box_that_is_shorter_than_its_head_is_named(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", texture(2, (64, 48)), fast_start=True)
    content = path.read_bytes()
    at = int.from_bytes(content[:4])
    path.write_bytes(content[:at] + b"\0\0\0\3free" + content[at:])
    with pytest.raises(
        UnreadableFilm, match=f"its box 'free' at byte {at} says that it is 3 bytes"
    ):
        read_film(path)


@pytest.mark.parametrize("tags", [Tags(9, 16, 9), Tags(9, 18, 9), Tags(9, 1, 9), Tags(6, 6, 6)])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_color_tags_are_read(tmp_path: Path, tags: Tags, suffix: str) -> None:
    film = read_film(make_film(tmp_path / f"film{suffix}", texture(2), tags=tags))
    wanted = ColorTags(tags.primaries, tags.transfer, tags.matrix, full_range=False)
    assert (film.color, film.notes) == (wanted, ())


@pytest.mark.parametrize("suffix", [".mov", ".mxf"])
def test_the_container_wins_over_pictures_that_cannot_say_it(tmp_path: Path, suffix: str) -> None:
    # DNxHR has one bit for the matrix: 2020 goes into the container alone
    path = tmp_path / f"film{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dnxhd", 25, options={"profile": "dnxhr_hqx"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 256, 144, "yuv422p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 16, 9
        grey = av.VideoFrame.from_ndarray(np.full((144, 256, 3), 90, np.uint8), "rgb24")
        container.mux(stream.encode(grey.reformat(format="yuv422p10le")))
        container.mux(stream.encode(None))
    film = read_film(path)
    assert film.color == ColorTags(9, 16, 9, full_range=False)
    assert (film.depth, film.chroma) == (10, (2, 1))
    said = (
        "colours: the container says matrix 9, the pictures say matrix 1; taken from the container"
    )
    assert said in film.notes


def test_pictures_that_say_they_are_hdr_are_believed() -> None:
    found, notes = color_of((1, 1, 1, 1), (9, 16, 9, 1), "yuv420p10le")
    assert found == ColorTags(9, 16, 9, full_range=False)
    assert "taken from the pictures, which are HDR" in notes[0]
    assert color_of((9, 16, 9, 1), (1, 1, 1, 1), "yuv422p10le")[0] == found


def test_a_matrix_that_is_not_known_is_refused(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", texture(3), tags=Tags(1, 1, 8))
    with pytest.raises(UnsupportedFilm, match=r"matrix 8 .* convert it first"):
        read_film(path)


def test_two_frames_at_one_time_are_corrupt(tmp_path: Path) -> None:
    path = make_film(
        tmp_path / "film.mkv", texture(3), pts=[0, 1, 90], time_base=Fraction(1, 90000)
    )
    with pytest.raises(CorruptFilm, match="two frames at PTS 0"):
        read_film(path)


def test_odd_sizes_have_rounded_up_chroma(tmp_path: Path) -> None:
    frames = (planes_of(picture) for picture in numbered(texture(3, (161, 97))))
    film = read_film(make_film(tmp_path / "film.mkv", frames, codec="ffv1"))
    assert (film.width, film.height) == (161, 97)
