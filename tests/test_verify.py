"""Verifying: a film that differs from its source in anything is found out."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from films import Sound, make_film, numbered, scribble, texture, truncate
from pipeline.errors import VerificationFailed
from pipeline.media.assemble import assemble, foreseen
from pipeline.media.color import ColorTags
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.encode import Encoding, choose_encoding, write_segment
from pipeline.media.verify import verify_film

N = 20


@pytest.fixture
def written(tmp_path: Path) -> tuple[Film, Path, Encoding]:
    source = make_film(tmp_path / "source.mp4", numbered(texture(N)), sounds=[Sound()])
    film, target = read_film(source), tmp_path / "made.mp4"
    encoding, _ = choose_encoding(film, codec="h264", target=target)
    segments = [
        write_segment(
            frames(film, a, b), film=film, encoding=encoding, path=tmp_path / f"{a}.mp4", crf=16
        )
        for a, b in ((0, 9), (9, N))
    ]
    assemble(film, segments, target=target, encoding=encoding, start=0, stop=N)
    return film, target, encoding


def test_a_film_in_order_is_told_what_was_checked(written: tuple[Film, Path, Encoding]) -> None:
    film, target, encoding = written
    found = verify_film(film, target, encoding=encoding, start=0, stop=N, seams=[9])
    assert (found.frames, found.worst, len(found.tracks)) == (N, 0, 1)
    assert found.decoded == (0, 8, 9, N - 1)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (lambda film: replace(film, rotation=90), "rotation"),
        (lambda film: replace(film, color=ColorTags(6, 6, 6, full_range=False)), "colour"),
        (lambda film: replace(film, sample_aspect_ratio=Fraction(4, 3)), "aspect"),
        (lambda film: replace(film, width=162), "size"),
        (lambda film: replace(film, pts=film.pts + np.arange(N)), "frame 1 is at PTS"),
    ],
)
def test_a_difference_is_named(
    written: tuple[Film, Path, Encoding], other: Callable[[Film], Film], reason: str
) -> None:
    film, target, encoding = written
    with pytest.raises(VerificationFailed, match=reason):
        verify_film(other(film), target, encoding=encoding, start=0, stop=N)


def test_a_missing_frame_is_found(written: tuple[Film, Path, Encoding]) -> None:
    film, target, encoding = written
    with pytest.raises(VerificationFailed, match="20 frames were written, not 19"):
        verify_film(film, target, encoding=encoding, start=0, stop=N - 1)


def test_other_sound_is_found(written: tuple[Film, Path, Encoding], tmp_path: Path) -> None:
    _, target, encoding = written
    sounds = [Sound(tone=500)]
    other = read_film(make_film(tmp_path / "other.mp4", numbered(texture(N)), sounds=sounds))
    with pytest.raises(VerificationFailed, match="audio"):
        verify_film(other, target, encoding=encoding, start=0, stop=N)


def test_a_missing_track_is_found(written: tuple[Film, Path, Encoding], tmp_path: Path) -> None:
    _, target, encoding = written
    sounds = [Sound(), Sound()]
    other = read_film(make_film(tmp_path / "other.mp4", numbered(texture(N)), sounds=sounds))
    with pytest.raises(VerificationFailed, match="not all of its tracks"):
        verify_film(other, target, encoding=encoding, start=0, stop=N)


def test_a_truncated_or_damaged_film_is_found(
    written: tuple[Film, Path, Encoding], tmp_path: Path
) -> None:
    film, target, encoding = written
    content = target.read_bytes()
    spoilt = tmp_path / "spoilt.mp4"
    spoilt.write_bytes(content)
    with pytest.raises(VerificationFailed):
        verify_film(film, truncate(spoilt, 0.5), encoding=encoding, start=0, stop=N)
    spoilt.write_bytes(content)
    with pytest.raises(VerificationFailed):
        verify_film(film, scribble(spoilt, at=60, size=1500), encoding=encoding, start=0, stop=N)


def attached(source: Path, target: Path, content: bytes) -> Path:
    """Copy a film and put a font beside it."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        streams = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        made.add_attachment("font.ttf", "application/x-truetype-font", content)
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    return target


def test_attachments_go_along_byte_for_byte_or_are_said_to_be_left_out(tmp_path: Path) -> None:
    plain = make_film(tmp_path / "plain.mkv", texture(4, (64, 48)), sounds=[Sound()])
    film = read_film(attached(plain, tmp_path / "film.mkv", b"\0\1\0\0 a font"))
    target = tmp_path / "made.mkv"
    encoding, _ = choose_encoding(film, codec="ffv1", target=target)
    given = frames(film, 0, 4)
    part = write_segment(given, film=film, encoding=encoding, path=tmp_path / "0.mkv")
    assert assemble(film, [part], target=target, encoding=encoding, start=0, stop=4) == []
    found = verify_film(film, target, encoding=encoding, start=0, stop=4)
    assert "font.ttf, 11 bytes equal" in [check.found for check in found.checks]
    other = read_film(attached(plain, tmp_path / "other.mkv", b"\0\1\0\0 another"))
    with pytest.raises(VerificationFailed, match="not the same file as font"):
        verify_film(other, target, encoding=encoding, start=0, stop=4)
    mp4, _ = choose_encoding(film, codec="h264", target=tmp_path / "made.mp4")
    assert "track 2 (attachment of no known codec) has no place in mp4: left out" in foreseen(
        film, mp4, start=0
    )
