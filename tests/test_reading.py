"""Any container and codec: a row a frame in the order shown, and any range exactly that slice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from films import make_film, number_of, numbered, texture, truncate
from pipeline.errors import BadRequest, CorruptFilm, UnsupportedFilm
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames, pick
from pipeline.media.entry import decoded
from pipeline.media.times import Follower, Run

N = 26
_X264 = "keyint=10:min-keyint=1:scenecut=0:b-adapt=0:threads=1"


@dataclass(frozen=True)
class _Way:
    """A file's suffix and what is in it."""

    suffix: str
    codec: str
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (160, 96)
    muxer: str | None = None


_AVC = {"x264-params": f"{_X264}:open-gop=1", "bf": "2", "preset": "veryfast"}
_HEVC = {"x265-params": "keyint=10:bframes=3:log-level=none:pools=1:frame-threads=1:open-gop=1"}
_MPEG = {"bf": "2", "g": "10", "b": "3M"}
_VPX = {"auto-alt-ref": "1", "lag-in-frames": "12", "g": "10", "deadline": "good", "cpu-used": "8"}
WAYS = {
    "open_gop": _Way(".mp4", "libx264", options=_AVC),
    "hevc": _Way(".mp4", "libx265", options=_HEVC),
    "ts": _Way(".ts", "libx264", options=_AVC),
    "ts_hevc": _Way(".ts", "libx265", options=_HEVC),
    "ts_mpeg2": _Way(".ts", "mpeg2video", options=_MPEG),
    "vob": _Way(".vob", "mpeg2video", options=_MPEG, muxer="vob"),
    "mkv": _Way(".mkv", "libx264", options=_AVC),
    "mkv_mpeg4": _Way(".mkv", "mpeg4", options=_MPEG),
    "avi": _Way(".avi", "mpeg4", options=_MPEG),
    "avi_avc": _Way(".avi", "libx264", options=_AVC),
    "avi_mjpeg": _Way(".avi", "mjpeg", "yuvj420p"),
    "mxf": _Way(".mxf", "mpeg2video", options=_MPEG),
    "mxf_avc": _Way(".mxf", "libx264", options=_AVC),
    "mxf_dnxhr": _Way(".mxf", "dnxhd", "yuv422p", {"profile": "dnxhr_sq"}, (256, 144)),
    "mov_prores": _Way(".mov", "prores_ks", "yuv422p10le"),
    "mkv_ffv1": _Way(".mkv", "ffv1", "yuv444p12le"),
    "flv": _Way(".flv", "libx264", options=_AVC),
    "3gp": _Way(".3gp", "h263", size=(176, 144), options={"g": "10"}),
    "webm_vp8": _Way(".webm", "libvpx", options=_VPX),
    "webm_vp9": _Way(".webm", "libvpx-vp9", options=_VPX),
    "mp4_av1": _Way(".mp4", "libsvtav1", options={"preset": "12", "g": "10", "crf": "20"}),
    "wmv": _Way(".wmv", "wmv2", options={"g": "10"}),
}


def _write(path: Path, way: _Way, *, first: int = 0, count: int = N) -> Path:
    with av.open(str(path), "w", format=way.muxer) as container:
        stream = container.add_stream(way.codec, 25, options=way.options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = way.size
        stream.pix_fmt, stream.codec_context.thread_count = way.pixel_format, 1
        for i, picture in enumerate(numbered(texture(count, way.size))):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=way.pixel_format)
            frame.pts, frame.time_base = first + i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _numbers(film: Film, start: int, stop: int) -> list[int]:
    shift = film.depth - 8
    return [
        number_of((frame.planes.luma >> shift).astype(np.uint8))
        for frame in frames(film, start, stop)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Film]:
    folder = tmp_path_factory.mktemp("films")
    return {
        name: read_film(_write(folder / f"{name}{way.suffix}", way)) for name, way in WAYS.items()
    }


@pytest.mark.parametrize("name", WAYS)
def test_a_row_a_frame_in_the_order_shown(made: dict[str, Film], name: str) -> None:
    film = made[name]
    assert _numbers(film, 0, film.frames) == list(range(N))
    times = [(int(pts) - int(film.pts[0])) * film.time_base for pts in film.pts]
    assert all(abs(t - Fraction(i, 25)) <= film.time_base for i, t in enumerate(times))
    assert film.frame_rate == 25
    assert not film.variable_rate


@pytest.mark.parametrize("name", WAYS)
def test_range_decode_exact(made: dict[str, Film], name: str) -> None:
    film = made[name]
    for a in range(N):
        assert _numbers(film, a, min(N, a + 2)) == list(range(a, min(N, a + 2)))


@pytest.mark.parametrize("name", WAYS)
def test_a_seek_lands_where_the_index_says(made: dict[str, Film], name: str) -> None:
    film = made[name]
    entry = int(film.entry_pts[N - 1])
    assert film.opening < entry <= film.pts[N - 1]
    assert next(decoded(film, N - 1, threads=1)).pts == entry


@pytest.mark.parametrize("name", ["avi", "ts", "mxf_avc"])
def test_frames_can_be_picked_and_threads_change_nothing(made: dict[str, Film], name: str) -> None:
    film = made[name]
    for threads in (1, 2):
        picked = list(pick(film, [0, 3, 11, 24], threads=threads))
        assert [number_of(frame.planes.luma.astype(np.uint8)) for frame in picked] == [0, 3, 11, 24]


def test_who_waits_for_an_index_is_told_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    slow, quick = (
        _write(tmp_path / f"film{way.suffix}", way) for way in (WAYS["avi"], WAYS["open_gop"])
    )
    film = read_film(slow, told=lambda more, of: told.append((more, of)))
    assert film.packets is not None
    packets = film.packets.sizes.size
    assert packets >= N
    assert (sum(more for more, _ in told), {of for _, of in told}) == (packets, {packets})
    told.clear()
    read_film(quick, told=lambda more, of: told.append((more, of)))
    assert told == []


def test_a_recording_that_begins_in_the_middle_of_a_group_loses_what_cannot_be_decoded(
    tmp_path: Path,
) -> None:
    path = _write(tmp_path / "film.ts", WAYS["ts_mpeg2"])
    whole = read_film(path)
    assert whole.packets is not None
    second = int(whole.packets.places[1])
    content = path.read_bytes()
    tables = content[: 3 * 188]
    path.write_bytes(tables + content[second:])
    film = read_film(path)
    shown = _numbers(film, 0, film.frames)
    assert shown == list(range(shown[0], N))
    assert shown[0] > 0
    assert any("middle of a group" in note for note in film.notes)
    assert _numbers(film, 3, 5) == shown[3:5]


def test_a_broadcast_clock_that_wraps_goes_on(tmp_path: Path) -> None:
    way, last = WAYS["ts"], (1 << 33) // 3600
    film = read_film(_write(tmp_path / "film.ts", way, first=last - 10))
    assert np.diff(film.pts).tolist() == [3600] * (N - 1)
    assert _numbers(film, 5, 20) == list(range(5, 20))


def test_a_broadcast_clock_that_is_set_anew_is_made_one(tmp_path: Path) -> None:
    parts = [
        _write(tmp_path / "a.ts", WAYS["ts"], first=5000, count=12).read_bytes(),
        _write(tmp_path / "b.ts", WAYS["ts"], count=12).read_bytes(),
    ]
    path = tmp_path / "film.ts"
    path.write_bytes(_counted_on(b"".join(parts)))
    film = read_film(path)
    assert np.diff(film.pts).tolist() == [3600] * 23
    assert any("clock jumps" in note for note in film.notes)
    assert _numbers(film, 0, 24) == [*range(12), *range(12)]
    assert _numbers(film, 13, 15) == [1, 2]


def _counted_on(content: bytes) -> bytes:
    """Make the packet counters of joined recordings go on."""
    counters: dict[int, int] = {}
    packets = bytearray(content)
    for at in range(0, len(packets), 188):
        pid = (packets[at + 1] & 31) << 8 | packets[at + 2]
        if packets[at + 3] & 16:
            counters[pid] = (counters.get(pid, -1) + 1) & 15
        packets[at + 3] = packets[at + 3] & 0xF0 | counters.get(pid, 0)
    return bytes(packets)


def test_another_track_follows_the_clock_of_the_picture() -> None:
    runs = tuple(
        Run(Fraction(a), Fraction(b), Fraction(c)) for a, b, c in [(10, 60, -10), (0, 30, 50)]
    )
    clock = Follower(runs)
    heard = [10, 30, 58, 61, 0, 12, 29]
    assert [t + clock.add(Fraction(t)) for t in heard] == [0, 20, 48, 51, 50, 62, 79]
    assert Follower(()).add(Fraction(7)) == 0


def test_of_two_tracks_of_video_the_first_is_painted_unless_another_is_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", 25) for _ in range(2)]
        for stream, width in zip(streams, (160, 128), strict=True):
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, 96, "yuv420p"
        for i in range(4):
            for stream, width in zip(streams, (160, 128), strict=True):
                frame = av.VideoFrame(width, 96, "yuv420p")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    film, other = read_film(path), read_film(path, stream=1)
    assert (film.width, other.width) == (160, 128)
    assert film.fingerprint != other.fingerprint
    assert "left out: track 1 (ffv1 128x96)" in film.notes[0]
    assert [t.kind for t in film.tracks] == ["video"]
    assert len(list(frames(other, 1, 3))) == 2
    with pytest.raises(BadRequest, match="--stream 7 is no video; there is track 0"):
        read_film(path, stream=7)


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
def test_fields_become_whole_pictures_the_same_in_every_range(tmp_path: Path, suffix: str) -> None:
    path = make_film(tmp_path / f"film{suffix}", numbered(texture(14)), interlaced=True, bframes=2)
    film = read_film(path)
    assert film.fields == "marked"
    assert any("interlaced" in note for note in film.notes)
    whole = [frame.planes for frame in frames(film, 0, 14)]
    assert len(whole) == 14
    for a in range(0, 14, 3):
        for frame in frames(film, a, min(14, a + 2)):
            np.testing.assert_array_equal(frame.planes.luma, whole[frame.index].luma)
            np.testing.assert_array_equal(frame.planes.blue, whole[frame.index].blue)
    with pytest.raises(UnsupportedFilm, match=r"interlaced; --interlaced deinterlace"):
        read_film(path, interlaced="refuse")


def test_lines_of_two_moments_are_parted(tmp_path: Path) -> None:
    def woven() -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        for t in range(8):
            picture = np.full((96, 160, 3), 40, np.uint8)
            for half in (0, 1):
                left = 16 + 16 * t + 8 * half
                picture[half::2, left : left + 24] = 200
            yield picture

    film = read_film(make_film(tmp_path / "film.mp4", woven(), interlaced=True, crf=1))
    for frame in frames(film, 2, 6):
        rows = frame.planes.luma[20:70].astype(int)
        assert np.abs(rows[1:] - rows[:-1]).max(1).mean() < 60


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_mirrored_picture_comes_as_a_viewer_sees_it(tmp_path: Path, rotation: int) -> None:
    plain = make_film(tmp_path / "plain.mp4", numbered(texture(2)))
    path = make_film(tmp_path / "film.mp4", numbered(texture(2)), rotation=rotation, mirrored=True)
    film = read_film(path)
    assert (film.rotation, film.mirrored) == (rotation, True)
    stored = next(frames(read_film(plain), 0, 1)).planes.luma
    seen = next(frames(film, 0, 1)).planes.luma
    np.testing.assert_array_equal(seen, np.rot90(stored, rotation // 90)[:, ::-1])


def test_two_pictures_in_a_packet_and_a_placeholder_are_two_frames(tmp_path: Path) -> None:
    # how DivX stored B pictures in AVI: I, P+B, nothing, P+B, nothing
    source = _write(tmp_path / "source.avi", _Way(".avi", "mpeg4", options={"bf": "1", "g": "9"}))
    path = tmp_path / "film.avi"
    with av.open(str(source)) as plain, av.open(str(path), "w") as packed:
        stream = packed.add_stream_from_template(plain.streams.video[0])
        sent: list[tuple[bytes, bool]] = []
        for packet in plain.demux(video=0):
            unit = bytes(packet)
            if unit and unit[unit.index(b"\0\0\1\xb6") + 4] >> 6 == 2:
                sent[-1] = (sent[-1][0] + unit, sent[-1][1])
                sent.append((b"\0\0\1\xb6\x50\0\x2f", False))
            elif unit:
                sent.append((unit, packet.is_keyframe))
        for number, (unit, sync) in enumerate(sent):
            if sync:
                unit = unit.replace(b"\0\0\1\xb3", b"\0\0\1\xb2DivX503b1393p\0\0\1\xb3", 1)
            copy = av.Packet(unit)
            copy.stream, copy.pts, copy.dts = stream, number, number
            copy.time_base, copy.is_keyframe = Fraction(1, 25), sync
            packed.mux(copy)
    film = read_film(path)
    assert _numbers(film, 0, film.frames) == list(range(N))
    for a in range(0, N, 5):
        assert _numbers(film, a, a + 1) == [a]


def test_alpha_beside_the_pictures_of_a_webm_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    options = {"auto-alt-ref": "0", "cpu-used": "8", "deadline": "good", "g": "8"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", 25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        for i, picture in enumerate(numbered(texture(N))):
            ramp = np.repeat(np.arange(160, dtype=np.uint8)[None], 96, 0)
            frame = av.VideoFrame.from_ndarray(np.dstack([picture, ramp]), "rgba")
            frame = frame.reformat(format="yuva420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    film = read_film(path)
    assert film.pixel_format == "yuva420p"
    for a in range(0, N, 3):
        planes = next(frames(film, a, a + 1)).planes
        assert number_of(planes.luma.astype(np.uint8)) == a
        assert planes.alpha is not None
        assert np.abs(planes.alpha[50].astype(int) - np.arange(160)).max() < 6
    assert next(decoded(film, N - 1, threads=1)).pts == film.entry_pts[N - 1] > film.opening


def test_intra_refresh_is_said_and_enters_where_it_can(tmp_path: Path) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=10:threads=1:bframes=0"}
    for suffix in (".mp4", ".mkv", ".ts"):
        film = read_film(
            _write(tmp_path / f"film{suffix}", _Way(suffix, "libx264", options=options))
        )
        assert film.sync.tolist() == [True] + [False] * (N - 1)
        assert any("intra refresh" in note for note in film.notes)
        for a in range(N):
            assert _numbers(film, a, min(N, a + 1)) == [a]


def test_what_has_no_times_or_is_no_film_is_refused_with_what_to_do(tmp_path: Path) -> None:
    bare = _write(tmp_path / "film.h264", WAYS["ts"])
    with pytest.raises(UnsupportedFilm, match="wrap it with its rate first"):
        read_film(bare)
    picture = tmp_path / "film.png"
    cv2.imwrite(str(picture), np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(UnsupportedFilm, match="a picture, not a film"):
        read_film(picture)


def test_a_packet_that_is_not_the_index_s_is_corrupt(tmp_path: Path) -> None:
    film = read_film(_write(tmp_path / "film.avi", WAYS["avi_mjpeg"]))
    truncate(film.path, 0.6)
    with pytest.raises(CorruptFilm):
        list(frames(film, 0, N))
