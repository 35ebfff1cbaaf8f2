"""Delivering: times, colours, sound and names come through what a master is written with."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from films import Picture, Sound, Tags, make_film, numbered, texture
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Identity
from pipeline.errors import BadRequest, VerificationFailed
from pipeline.media.assemble import assemble, foreseen
from pipeline.media.codecs import Codec
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import Encoding, Segment, choose_encoding, write_segment
from pipeline.media.hdr10 import StaticMetadata, static_metadata
from pipeline.media.verify import verify_film
from pipeline.recipe import Recipe

N = 12
RATE = Fraction(24000, 1001)
SIZE = (128, 72)
LARGE = (256, 120)
PQ, HLG = Tags(9, 16, 9), Tags(9, 18, 9)


def pictures(n: int = N, size: tuple[int, int] = SIZE) -> list[Picture]:
    return list(numbered(texture(n, size)))


def divided(film: Film, folder: Path, encoding: Encoding, seams: Sequence[int]) -> list[Segment]:
    return [
        write_segment(
            frames(film, a, b), film=film, encoding=encoding, path=folder / f"{a}{encoding.suffix}"
        )
        for a, b in pairwise(seams)
    ]


def delivered(
    film: Film, target: Path, codec: Codec, *, start: int = 0, stop: int | None = None
) -> tuple[Film, list[str]]:
    """Write, join and verify; gives the film and what was said about it."""
    stop = film.frames if stop is None else stop
    encoding, notes = choose_encoding(film, codec=codec, target=target)
    notes += foreseen(film, encoding, start=start)
    seams = [start, (start + stop) // 2, stop]
    segments = divided(film, target.parent, encoding, seams)
    said = assemble(film, segments, target=target, encoding=encoding, start=start, stop=stop)
    verify_film(film, target, encoding=encoding, start=start, stop=stop, seams=seams[1:-1])
    return read_film(target), list(dict.fromkeys(notes + said))


def dts(path: Path) -> list[tuple[int | None, int | None]]:
    with av.open(str(path)) as source:
        return [(p.pts, p.dts) for p in source.demux(video=0) if p.size]


# -- times ---------------------------------------------------------------------------------------


def test_dts_rewrite_no_silent_shift(tmp_path: Path) -> None:
    """Moving each segment's own times, as is usual, fails or shows frames at other times."""
    film = read_film(make_film(tmp_path / "film.mp4", pictures(24), rate=RATE))
    target = tmp_path / "made.mp4"
    encoding, _ = choose_encoding(film, codec="hevc", target=target)
    segments = divided(film, tmp_path, encoding, [0, 1, 8, 24])
    assert any(pts != due for pts, due in dts(segments[1].path)), "there are frames out of order"
    assemble(film, segments, target=target, encoding=encoding, start=0, stop=24)
    assert read_film(target).pts.tolist() == film.pts.tolist()
    order = [due for _, due in dts(target) if due is not None]
    assert all(a < b for a, b in pairwise(order))

    shifted = tmp_path / "shifted.mp4"
    with av.open(str(segments[0].path)) as template, av.open(str(shifted), "w") as container:
        stream = container.add_stream_from_template(template.streams.video[0], opaque=True)
        clashes = 0
        for segment in segments:
            with av.open(str(segment.path)) as source:
                for packet in source.demux(video=0):
                    if packet.size:
                        offset = round(segment.start / RATE / (packet.time_base or Fraction(1)))
                        packet.pts = (packet.pts or 0) + offset
                        packet.dts = (packet.dts or 0) + offset
                        packet.stream = stream
                        try:
                            container.mux(packet)
                        except av.FFmpegError:
                            clashes += 1
    wrong = read_film(shifted)
    assert clashes or wrong.frames != 24 or wrong.pts.tolist() != film.pts.tolist()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_editlist_start_zero(tmp_path: Path, codec: Codec, suffix: str) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", pictures(), rate=RATE))
    made, notes = delivered(film, tmp_path / f"made{suffix}", codec)
    assert notes == []
    assert made.pts[0] == 0
    times = dts(made.path)
    assert times[0][1] is not None
    assert times[0][1] < 0, "frames out of order are decoded before the film begins"
    assert any(pts != due for pts, due in times)


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("hevc", ".mp4"), ("av1", ".mp4"), ("prores", ".mov"), ("dnxhr", ".mov"), ("vp9", ".mp4")],
)
def test_vfr_pts_preserved(tmp_path: Path, codec: Codec, suffix: str) -> None:
    pts = [i * (i + 50) * 37 for i in range(N)]
    base = Fraction(1, 90000)
    path = tmp_path / "film.mp4"
    film = read_film(make_film(path, pictures(size=LARGE), pts=pts, time_base=base))
    made, _ = delivered(film, tmp_path / f"made{suffix}", codec)
    assert made.variable_rate
    assert made.pts.tolist() == pts
    assert made.time_base == base


@pytest.mark.parametrize(("codec", "suffix"), [("ffv1", ".mkv"), ("vp9", ".webm")])
def test_vfr_to_mkv_warns(tmp_path: Path, codec: Codec, suffix: str) -> None:
    pts = [i * (i + 50) * 37 for i in range(N)]
    path = tmp_path / "film.mp4"
    film = read_film(make_film(path, pictures(), pts=pts, time_base=Fraction(1, 90000)))
    made, notes = delivered(film, tmp_path / f"made{suffix}", codec)
    assert any("milliseconds" in note for note in notes)
    exact = film.pts * float(film.time_base)
    assert abs(made.pts * float(made.time_base) - exact).max() <= 0.0005
    even = read_film(make_film(tmp_path / "even.mp4", pictures(), rate=RATE))
    assert choose_encoding(even, codec=codec, target=made.path)[1] == []
    with pytest.raises(BadRequest, match=r"MXF does not hold varying frame rates: .*\.mov"):
        choose_encoding(film, codec="prores", target=tmp_path / "made.mxf")


@pytest.mark.parametrize(
    ("timecode", "rate", "begin", "codec", "suffix", "later"),
    [
        ("01:00:00;02", Fraction(30000, 1001), 0, "h264", ".mp4", "01:00:00;02"),
        ("00:00:59;28", Fraction(30000, 1001), 4, "prores", ".mov", "00:01:00;04"),
        ("01:00:00:00", RATE, 0, "hevc", ".mov", "01:00:00:00"),
        ("10:20:30:10", Fraction(25), 5, "prores", ".mxf", "10:20:30:15"),
        ("00:09:59;28", Fraction(30000, 1001), 4, "dnxhr", ".mxf", "00:10:00;02"),
        ("23:59:59:23", RATE, 1, "prores", ".mov", "00:00:00:00"),
        ("23:59:59:23", RATE, 1, "ffv1", ".mkv", "00:00:00:00"),
        ("01:00:00:00", RATE, 3, "vp9", ".webm", "01:00:00:03"),
    ],
    ids=["df", "df-handles", "ndf", "mxf", "mxf-df", "midnight", "midnight-mkv", "webm"],
)
def test_timecode_roundtrip(
    tmp_path: Path,
    timecode: str,
    rate: Fraction,
    begin: int,
    codec: Codec,
    suffix: str,
    later: str,
) -> None:
    path = tmp_path / "film.mov"
    film = read_film(make_film(path, pictures(size=LARGE), rate=rate, timecode=timecode))
    made, _ = delivered(film, tmp_path / f"made{suffix}", codec, start=begin)
    assert (film.timecode, made.timecode) == (timecode, later)
    assert made.frame_rate == rate


def test_a_mean_rate_of_many_digits_is_written(tmp_path: Path) -> None:
    """A varying rate over hours has a mean that is no fraction of 32-bit numbers."""
    path = make_film(tmp_path / "film.mp4", pictures(), pts=[i * i for i in range(N)])
    film = replace(read_film(path), frame_rate=Fraction(15487290001, 648000001))
    made, _ = delivered(film, tmp_path / "made.mp4", "h264")
    assert made.frames == N


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_index_stands_in_front(tmp_path: Path, suffix: str) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", pictures(2)))
    made, _ = delivered(film, tmp_path / f"made{suffix}", "h264")
    content = made.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


# -- colours -------------------------------------------------------------------------------------

EVERYWHERE: list[tuple[Codec, str]] = [
    ("h264", ".mp4"),
    ("hevc", ".mp4"),
    ("av1", ".mkv"),
    ("prores", ".mov"),
    ("prores", ".mxf"),
    ("prores-4444", ".mov"),
    ("dnxhr", ".mov"),
    ("dnxhr", ".mxf"),
    ("ffv1", ".mkv"),
]


@pytest.mark.parametrize(
    ("tags", "deep"),
    [(PQ, True), (HLG, True), (Tags(9, 1, 9), True), (None, False), (Tags(1, 1, 1, 2), False)],
    ids=["pq", "hlg", "2020", "untagged", "full_range"],
)
def test_color_tags(tmp_path: Path, tags: Tags | None, deep: bool) -> None:
    pixels = "yuv420p10le" if deep else "yuv420p"
    path = make_film(
        tmp_path / "film.mkv", pictures(2, LARGE), codec="ffv1", pixel_format=pixels, tags=tags
    )
    film = read_film(path)
    for codec, suffix in EVERYWHERE:
        made, notes = delivered(film, tmp_path / f"{codec}{suffix}", codec)
        same = made.color == film.color
        narrowed = made.color == replace(film.color, full_range=False) and "prores" in codec
        told = codec == "dnxhr" and any("does not say its colours" in note for note in notes)
        assert same or narrowed or told, (codec, suffix, made.color)


def test_color_tags_that_mxf_does_not_know_are_refused(tmp_path: Path) -> None:
    for tags, said in ((Tags(1, 13, 1), "transfer 13"), (Tags(4, 1, 1), "primaries 4")):
        film = read_film(make_film(tmp_path / "film.mp4", pictures(2), tags=tags))
        with pytest.raises(BadRequest, match=f"MXF has no word for {said}"):
            choose_encoding(film, codec="prores", target=tmp_path / "made.mxf")
    film = read_film(make_film(tmp_path / "film.mp4", pictures(2), tags=Tags(6, 6, 6)))
    made, _ = delivered(film, tmp_path / "made.mxf", "prores")
    assert (made.color.primaries, made.color.transfer, made.color.matrix) == (6, 1, 5)


LIGHT = StaticMetadata(
    chromaticity=(
        (Fraction(17, 25), Fraction(8, 25)),
        (Fraction(53, 200), Fraction(69, 100)),
        (Fraction(3, 20), Fraction(3, 50)),
        (Fraction(3127, 10000), Fraction(329, 1000)),
    ),
    luminance=(Fraction(1, 200), Fraction(1000)),
    light=(1000, 400),
)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_what_a_film_says_of_its_light_is_carried(tmp_path: Path, codec: Codec) -> None:
    path = tmp_path / "film.mkv"
    pixels = "yuv420p10le"
    make_film(path, pictures(3), codec="ffv1", pixel_format=pixels, tags=PQ, rate=RATE)
    plain = read_film(path)
    told = replace(
        choose_encoding(plain, codec="hevc", target=tmp_path / "a.mp4")[0], metadata=LIGHT
    )
    (tmp_path / "told").mkdir()
    segment = divided(plain, tmp_path / "told", told, [0, 3])[0]
    film = read_film(segment.path)
    assert static_metadata(film) == LIGHT
    made, notes = delivered(film, tmp_path / "made.mkv", codec)
    found = static_metadata(made)
    assert notes == []
    assert found is not None
    assert found.light == LIGHT.light
    assert [[round(float(v), 3) for v in xy] for xy in found.chromaticity] == [
        [round(float(v), 3) for v in xy] for xy in LIGHT.chromaticity
    ]
    assert choose_encoding(film, codec="prores", target=tmp_path / "a.mov")[1][-1].endswith(
        "HDR10 static metadata"
    )


# -- shape, sound, names -------------------------------------------------------------------------


@pytest.mark.parametrize(("codec", "suffix"), [*EVERYWHERE, ("vp9", ".webm"), ("h264", ".mkv")])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_sar_rotation_reel_titles(tmp_path: Path, codec: Codec, suffix: str, rotation: int) -> None:
    film = read_film(
        make_film(
            tmp_path / "film.mov",
            pictures(2, LARGE),
            sample_aspect_ratio=Fraction(4, 3),
            rotation=rotation,
            mirrored=rotation == 90,
            timecode="01:00:00:00",
            title="Picture",
            reel="A001",
            sounds=[Sound("pcm_s24le", "fra", "Commentary")],
        )
    )
    target = tmp_path / f"made{suffix}"
    if suffix == ".mxf" and (rotation or codec == "dnxhr"):
        with pytest.raises(BadRequest, match="MXF does not hold"):
            delivered(film, target, codec)
        return
    made, notes = delivered(film, target, codec)
    assert made.sample_aspect_ratio == Fraction(4, 3)
    assert (made.rotation, made.mirrored) == (rotation, rotation == 90)
    titles = [(track.language, track.title) for track in made.tracks if track.kind == "audio"]
    if suffix in {".mov", ".mkv", ".mp4"}:
        assert titles == [("fra", "Commentary")]
    else:
        assert any("left out" in note or "Commentary" in note for note in notes)
    if suffix == ".mov":
        with av.open(str(target)) as source:
            reels = [stream.metadata.get("reel_name") for stream in source.streams.data]
        assert "A001" in reels


def heard(path: Path) -> list[tuple[str, str, str]]:
    """Give the layout, language and a digest of the samples of each track of sound."""
    found = []
    with av.open(str(path)) as source:
        count = len(source.streams.audio)
    for number in range(count):
        with av.open(str(path)) as source:
            stream = source.streams.audio[number]
            digest = hashlib.md5()
            for sound in source.decode(stream):
                digest.update(sound.to_ndarray().tobytes())
            said = (stream.codec_context.layout.name, stream.metadata.get("language", ""))
            found.append((*said, digest.hexdigest()))
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_audio_tracks_identical(tmp_path: Path, suffix: str) -> None:
    """Also the sound that AAC needs before its first sample, which an edit list takes away."""
    sounds = [Sound(), Sound("aac", "fra", layout="5.1"), Sound("ac3", "jpn", tone=660)]
    film = read_film(make_film(tmp_path / "film.mov", pictures(), sounds=sounds))
    made, notes = delivered(film, tmp_path / f"made{suffix}", "h264")
    a, b = heard(film.path), heard(made.path)
    assert notes == []
    assert [(one[0], one[1]) for one in b] == [("stereo", "eng"), ("5.1", "fra"), ("stereo", "jpn")]
    if suffix != ".mkv":
        assert a == b


def test_audio_tracks_a_container_lacks_are_said_before(tmp_path: Path) -> None:
    sounds = [Sound("aac", "swe"), Sound("pcm_s24le", "deu", layout="5.1")]
    film = read_film(make_film(tmp_path / "film.mkv", pictures(), sounds=sounds))
    encoding, _ = choose_encoding(film, codec="vp9", target=tmp_path / "made.webm")
    said = foreseen(film, encoding, start=0)
    assert [note.split(" has ")[0] for note in said] == [
        "track 1 (audio aac)",
        "track 2 (audio pcm_s24le)",
    ]
    made, notes = delivered(film, tmp_path / "made.mov", "prores")
    assert [track.language for track in made.tracks] == ["sve", "ger"]
    assert notes == [
        "prores has no yuv420p: the film is written as yuv422p10le, which loses nothing"
    ]


def test_sound_in_mxf_goes_on_to_the_end_of_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    make_film(path, pictures(5, LARGE), rate=RATE, sounds=[Sound("pcm_s16le"), Sound("pcm_s24le")])
    film = read_film(path)
    made, _ = delivered(film, tmp_path / "made.mxf", "prores", start=1, stop=4)
    assert [track.codec for track in made.tracks] == ["pcm_s16le", "pcm_s24le"]


def test_words_that_a_container_lacks_are_said_before(tmp_path: Path) -> None:
    words = {"title": "A film", "director": "Somebody"}
    sounds = [Sound("pcm_s24le", "kab", "Commentary"), Sound("pcm_s24le", "deu")]
    path = make_film(tmp_path / "film.mkv", pictures(2), sounds=sounds, metadata=words)
    film = read_film(path)
    lost = {
        ".mkv": [],
        ".mov": ["mov does not hold: DIRECTOR, language kab of track 1"],
        ".mxf": [
            "mxf does not hold: DIRECTOR, title, language kab of track 1, "
            "title Commentary of track 1, language deu of track 2"
        ],
    }
    for suffix, said in lost.items():
        codec: Codec = "ffv1" if suffix == ".mkv" else "prores"
        target = tmp_path / f"made{suffix}"
        encoding, _ = choose_encoding(film, codec=codec, target=target)
        assert foreseen(film, encoding, start=0) == said
        assert [note for note in delivered(film, target, codec)[1] if "hold:" in note] == said


@pytest.mark.parametrize("source", [".ts", ".flv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_audio_tracks_from_streams_lose_their_headers(
    tmp_path: Path, source: str, suffix: str
) -> None:
    film = read_film(make_film(tmp_path / f"film{source}", pictures(25), sounds=[Sound()]))
    made, _ = delivered(film, tmp_path / f"made{suffix}", "h264")
    assert [track.codec for track in made.tracks] == ["aac"]
    assert heard(made.path)[0][0] == "stereo"


# -- a whole run ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "suffix", "pixels"),
    [
        ("hevc", ".mov", "yuv422p10le"),
        ("av1", ".webm", "yuv420p10le"),
        ("vp9", ".mp4", "yuv420p"),
        ("prores-4444", ".mov", "yuva444p10le"),
        ("prores", ".mxf", "yuv422p10le"),
        ("dnxhr", ".mov", "yuv422p10le"),
    ],
)
def test_a_whole_run_delivers(tmp_path: Path, codec: Codec, suffix: str, pixels: str) -> None:
    source = tmp_path / "film.mkv"
    make_film(source, pictures(8, LARGE), codec="ffv1", pixel_format=pixels, rate=RATE)
    recipe = Recipe(style="made", codec=codec, strength=0)
    target = tmp_path / f"made{suffix}"
    result = stylize(Job(source, target, recipe), progress=Silent(), hire=Identity)
    assert (result.frames, read_film(target).frames) == (8, 8)
    a, b = (list(frames(film, 0, 8)) for film in map(read_film, (source, target)))
    for one, other in zip(a, b, strict=True):
        deep = max(one.planes.depth, other.planes.depth)
        lumas = [f.planes.luma.astype(int) << (deep - f.planes.depth) for f in (one, other)]
        assert abs(lumas[0] - lumas[1]).mean() < 4 << (deep - 8)
        assert (one.planes.alpha is None) == (other.planes.alpha is None)


# -- bad segments --------------------------------------------------------------------------------


def late(segment: Segment) -> Segment:
    """Take the sync frame away from the front of a segment's file."""
    path = segment.path.with_name("late.mp4")
    with av.open(str(segment.path)) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0], opaque=True)
        for number, packet in enumerate(p for p in source.demux(video=0) if p.size):
            if number:
                packet.stream = stream
                container.mux(packet)
    return replace(segment, path=path, start=segment.start + 1)


def test_concat_rejects_bad_chunk(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", pictures()))
    target = tmp_path / "made.mp4"
    encoding, _ = choose_encoding(film, codec="h264", target=target)
    (tmp_path / "other").mkdir()
    other = divided(film, tmp_path / "other", replace(encoding, preset="ultrafast"), [0, 4, 8, N])
    a, b, c = divided(film, tmp_path, encoding, [0, 4, 8, N])
    (head, tail) = divided(film, tmp_path, encoding, [3, 4, 8])
    wrong = {
        "a missing segment": [a, c],
        "a missing frame": [a, replace(b, path=c.path, stop=7), replace(c, start=7)],
        "other headers": [a, other[1], c],
        "no sync frame first": [replace(a, stop=5), late(b), c],
        "a segment twice": [a, b, b, c],
        "another segment's file": [a, replace(b, path=c.path), replace(c, path=b.path)],
        "overlapping ones": [a, head, tail, c],
    }
    for name, segments in wrong.items():
        with pytest.raises(VerificationFailed) as caught:
            assemble(film, segments, target=target, encoding=encoding, start=0, stop=N)
        assert caught.value.exit_code == 5, name
        assert not target.exists(), name


def test_sound_that_begins_later_has_no_place_in_mxf(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    late = [Sound("pcm_s16le")]
    film = read_film(make_film(path, pictures(5), sounds=late, first=Fraction(1, 5)))
    target = tmp_path / "made.mxf"
    shifted = replace(film, pts=film.pts - film.pts[0])
    encoding, _ = choose_encoding(shifted, codec="prores", target=target)
    with pytest.raises(BadRequest, match=r"track 1 begins \+0.200 s from the picture: .*\.mov"):
        foreseen(shifted, encoding, start=0)
    assert foreseen(film, encoding, start=0) == ["mxf does not hold: language eng of track 1"]
