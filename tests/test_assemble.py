"""Assembling: segments become the source's film, whatever they were divided into."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from films import Line, Sound, make_film, number_of, numbered, texture
from pipeline.errors import VerificationFailed
from pipeline.media.assemble import assemble
from pipeline.media.codecs import Codec
from pipeline.media.color import coded
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import Encoding, Segment, choose_encoding, write_segment
from pipeline.media.verify import verify_film

N = 30


def divided(
    film: Film, folder: Path, *, codec: Codec, suffix: str, seams: Sequence[int]
) -> tuple[list[Segment], Encoding]:
    encoding, _ = choose_encoding(film, codec=codec, target=folder / f"out{suffix}")
    segments = []
    for start, stop in pairwise(seams):
        path = folder / f"{start}-{stop}{encoding.suffix}"
        taken = frames(film, start, stop)
        segments.append(write_segment(taken, film=film, encoding=encoding, path=path, crf=16))
    return segments, encoding


def joined(
    film: Film, folder: Path, *, codec: Codec = "h264", suffix: str = ".mp4", seams: Sequence[int]
) -> tuple[Film, list[str]]:
    segments, encoding = divided(film, folder, codec=codec, suffix=suffix, seams=seams)
    target = folder / "film.partial"
    start, stop = seams[0], seams[-1]
    notes = assemble(film, segments, target=target, encoding=encoding, start=start, stop=stop)
    verify_film(film, target, encoding=encoding, start=start, stop=stop, seams=seams[1:-1])
    return read_film(target), notes


def sound(path: Path, track: int = 0) -> NDArray[np.float32]:
    with av.open(str(path)) as source:
        decoded = source.decode(source.streams.audio[track])
        return np.concatenate([f.to_ndarray() for f in decoded], 1).astype(np.float32)


def numbers(film: Film) -> list[int]:
    return [
        number_of(coded(frame.planes.luma, film.rotation)) for frame in frames(film, 0, film.frames)
    ]


@pytest.fixture
def rich(tmp_path: Path) -> Film:
    path = make_film(
        tmp_path / "rich.mov",
        numbered(texture(N)),
        bframes=3,
        open_gop=True,
        sounds=[Sound(), Sound("pcm_s16le", "fra", "Commentary", tone=660)],
        subtitles=[Line(100, 500, "Hello"), Line(700, 1100, "World")],
        chapters=[(0, 0.5, "One"), (0.5, 1.2, "Two")],
        metadata={"title": "A film", "artist": "Somebody"},
        timecode="01:00:00:00",
        rotation=90,
        sample_aspect_ratio=Fraction(4, 3),
        title="Picture",
    )
    return read_film(path)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", ".mp4"), ("h264", ".mkv"), ("ffv1", ".mkv")]
)
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25)])
def test_every_frame_is_at_its_time(
    tmp_path: Path, codec: Codec, suffix: str, rate: Fraction
) -> None:
    source = make_film(tmp_path / "s.mp4", numbered(texture(N)), bframes=3, rate=rate)
    film = read_film(source)
    made, notes = joined(film, tmp_path, codec=codec, suffix=suffix, seams=[0, 1, 12, 13, N])
    assert notes == []
    assert numbers(made) == list(range(N))
    tick = Fraction(0) if suffix == ".mp4" else made.time_base / 2
    for a, b in zip(made.pts.tolist(), film.pts.tolist(), strict=True):
        assert abs(a * made.time_base - b * film.time_base) <= tick


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_variable_rate_that_starts_late_is_kept(tmp_path: Path, suffix: str) -> None:
    source = make_film(
        tmp_path / "source.mp4",
        numbered(texture(N)),
        pts=[i * (i + 50) * 37 for i in range(N)],
        time_base=Fraction(1, 90000),
        first=Fraction(2002, 30000),
        bframes=2,
        sounds=[Sound()],
    )
    film = read_film(source)
    made, notes = joined(film, tmp_path, suffix=suffix, seams=[0, 5, N])
    assert notes == []
    assert made.variable_rate
    if suffix != ".mkv":
        assert made.pts.tolist() == film.pts.tolist()
        assert made.durations.tolist() == film.durations.tolist()


@pytest.mark.parametrize("last", [1, 1800, 3003, 9000, 45000])
def test_the_last_frame_lasts_as_long_as_it_did(tmp_path: Path, last: int) -> None:
    """Also where others are decoded after it: MP4 has no other place for it than between them."""
    path = make_film(
        tmp_path / "source.mp4", numbered(texture(N)), crf=10, time_base=Fraction(1, 90000)
    )
    film = read_film(path)
    film = replace(film, durations=np.append(film.durations[:-1], last))
    made, notes = joined(film, tmp_path, suffix=".mp4", seams=[0, 5, N])
    assert notes == []
    assert made.pts.tolist() == film.pts.tolist()
    assert made.durations.tolist() == film.durations.tolist()
    assert made.dts[-1] < made.dts.max(), "the last one was to be decoded before others"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_everything_that_is_not_picture_comes_along(
    rich: Film, tmp_path: Path, suffix: str
) -> None:
    made, notes = joined(rich, tmp_path, suffix=suffix, seams=[0, 11, N])
    assert made.rotation == 90
    assert made.sample_aspect_ratio == Fraction(4, 3)
    assert made.timecode == "01:00:00:00"
    assert made.color == rich.color
    kept = [(t.kind, t.codec, t.language, t.title) for t in made.tracks if t.kind != "clock"]
    assert kept[:2] == [
        ("audio", "aac", "eng", ""),
        ("audio", "pcm_s16le", "fra", "Commentary"),
    ]
    assert (len(kept), len(notes)) == ((2, 1) if suffix == ".mkv" else (3, 0))
    with av.open(str(made.path)) as container:
        assert container.metadata["title"] == "A film"
        said = [(c["start"] * (c["time_base"] or 0), c["metadata"]) for c in container.chapters()]
    assert said == [(0, {"title": "One"}), (Fraction(1, 2), {"title": "Two"})]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("track", [0, 1])
def test_the_sound_is_the_same_to_the_sample(
    rich: Film, tmp_path: Path, suffix: str, track: int
) -> None:
    made, _ = joined(rich, tmp_path, suffix=suffix, seams=[0, N])
    np.testing.assert_array_equal(sound(made.path, track), sound(rich.path, track))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_part_counts_from_its_own_first_frame(rich: Film, tmp_path: Path, suffix: str) -> None:
    made, _ = joined(rich, tmp_path, suffix=suffix, seams=[15, 20, 25])
    assert numbers(made) == list(range(15, 25))
    assert made.pts[0] == 0
    assert made.timecode == "01:00:00:15"
    assert abs(sound(made.path, 1).size / 2 / 48000 - 10 / 25) < 0.03
    with av.open(str(made.path)) as container:
        chapters = [(c["start"], c["metadata"]["title"]) for c in container.chapters()]
        words = [bytes(p) for s in container.streams.subtitles for p in container.demux(s)]
    assert chapters == [(0, "Two")]
    assert any(b"World" in word for word in words) == (suffix == ".mp4")
    assert not any(b"Hello" in word for word in words)


def test_what_a_container_cannot_hold_is_said(tmp_path: Path) -> None:
    film = read_film(
        make_film(
            tmp_path / "film.mkv",
            texture(10),
            sounds=[Sound("flac", "swe"), Sound("pcm_s16le")],
            subtitles=[Line(0, 300, "Hello")],
        )
    )
    _, notes = joined(film, tmp_path, suffix=".mov", seams=[0, 10])
    assert any("subtitle" in note and "left out" in note for note in notes)
    assert len(notes) >= 2


def test_segments_may_come_in_any_order(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "source.mp4", numbered(texture(N))))
    segments, encoding = divided(film, tmp_path, codec="h264", suffix=".mp4", seams=[0, 7, 12, N])
    target = tmp_path / "out"
    assemble(film, segments[::-1], target=target, encoding=encoding, start=0, stop=N)
    assert numbers(read_film(target)) == list(range(N))


def test_segments_that_do_not_make_the_film_are_refused(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "source.mp4", numbered(texture(N))))
    segments, encoding = divided(film, tmp_path, codec="h264", suffix=".mp4", seams=[0, 7, 12, N])
    a, b, c = segments
    short = replace(b, path=a.path)
    wrong = [[], [a, b], [b, c], [a, c], [a, b, b, c], [a, short, c]]
    for some in wrong:
        target = tmp_path / "out"
        with pytest.raises(VerificationFailed):
            assemble(film, some, target=target, encoding=encoding, start=0, stop=N)
        assert not target.exists()


def test_segments_of_different_encodings_are_refused(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "source.mp4", numbered(texture(N))))
    segments, encoding = divided(film, tmp_path, codec="h264", suffix=".mp4", seams=[0, 7, N])
    other = replace(encoding, preset="ultrafast")
    foreign = write_segment(
        frames(film, 7, N), film=film, encoding=other, path=tmp_path / "other.mp4", crf=16
    )
    with pytest.raises(VerificationFailed, match="different encodings"):
        assemble(
            film, [segments[0], foreign], target=tmp_path / "o", encoding=encoding, start=0, stop=N
        )
