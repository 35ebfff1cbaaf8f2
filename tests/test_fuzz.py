"""Damaged films: each is refused in one line, or read as exactly what it says."""

from pathlib import Path

import av
import numpy as np
import pytest

from jobs.damage import damaged
from jobs.fuzz import BAD, as_json
from jobs.fuzz_run import fuzz
from jobs.progress import Silent
from jobs.specimens import FRAMES, SPECIMENS, Specimen, make
from pipeline.errors import CorruptFilm, UnsupportedFilm
from pipeline.media.checksum import checked, denied
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.media.whole import cut_short

BY_NAME = {specimen.name: specimen for specimen in SPECIMENS}


def made(tmp_path: Path, specimen: Specimen) -> Path:
    return make(specimen, tmp_path / f"film{specimen.suffix}")


def test_damaged_films_do_no_harm() -> None:
    found = fuzz(64, seed=1000, workers=2, limit=20, progress=Silent())
    bad = [one for one in found if one.end in BAD]
    assert not bad, bad
    counted = as_json(found)
    assert counted["cases"] == 64
    assert {one.end for one in found} > {"refused", "exact"}


def test_a_seed_stands_for_the_same_damage() -> None:
    content = bytes(range(256)) * 40
    for seed in range(24):
        once, said = damaged(content, seed)
        assert (once, said) == damaged(content, seed)
        assert once != content or "bits" in said or "written" in said or "zeros" in said


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.name)
def test_a_specimen_is_what_it_says(tmp_path: Path, specimen: Specimen) -> None:
    film = read_film(made(tmp_path, specimen))
    assert film.frames == FRAMES
    assert film.variable_rate == specimen.uneven
    assert sum(1 for _ in frames(film, 0, FRAMES)) == FRAMES
    assert not cut_short(film.path)


@pytest.mark.parametrize(
    "name", ["MKV, FFV1", "AVI, MJPEG", "MXF, DNxHR HQX", "ASF, WMV 8", "WebM, VP9"]
)
def test_a_file_that_ends_before_it_says_so_is_found(tmp_path: Path, name: str) -> None:
    path = made(tmp_path, BY_NAME[name])
    content = path.read_bytes()
    for share in (0.5, 0.95, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        assert cut_short(path)
        with pytest.raises(CorruptFilm):
            read_film(path)


@pytest.mark.parametrize("size", [0, 1, 3, 7, 63])
def test_next_to_nothing_is_no_film_that_was_cut(tmp_path: Path, size: int) -> None:
    for head in (b"RIFF", b"\x1a\x45\xdf\xa3", b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01"):
        path = tmp_path / "film"
        path.write_bytes((head + bytes(64))[:size])
        assert cut_short(path) in (True, False)


@pytest.mark.parametrize("options", [{}, {"slicecrc": "0"}, {"slices": "16", "slicecrc": "1"}])
def test_packets_of_ffv1_are_what_was_written(tmp_path: Path, options: dict[str, str]) -> None:
    said = Specimen("x", ".mkv", "ffv1", size=(320, 240), options={"level": "3", **options})
    record, packets = _packets(make(said, tmp_path / "film.mkv", frames=3))
    assert checked(record)
    assert not any(denied(packet) for packet in packets)


def test_one_bit_of_ffv1_is_enough(tmp_path: Path) -> None:
    record, packets = _packets(made(tmp_path, BY_NAME["MKV, FFV1 4:2:2 10 bits"]))
    assert checked(record)
    random = np.random.default_rng(0)
    for packet in packets[:4]:
        for at in random.integers(0, len(packet), 40).tolist():
            other = bytearray(packet)
            other[at] ^= 1 << int(random.integers(8))
            assert denied(bytes(other)), at
    assert denied(b"\0" * 20)


def test_the_first_version_of_ffv1_has_nothing_to_check(tmp_path: Path) -> None:
    said = Specimen("x", ".mkv", "ffv1", options={"level": "1"})
    record, _ = _packets(make(said, tmp_path / "film.mkv", frames=3))
    assert not checked(record)
    assert read_film(tmp_path / "film.mkv").frames == 3


def test_a_picture_of_no_known_codec_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path, BY_NAME["MP4, H.264"])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"avc1\0\0", b"zzzz\0\0"))
    with pytest.raises(UnsupportedFilm):
        read_film(path)


def _packets(path: Path) -> tuple[bytes, list[bytes]]:
    """The configuration record of a film's picture, and its packets."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        packets = [bytes(packet) for packet in source.demux(stream) if packet.size]
        return bytes(stream.codec_context.extradata or b""), packets
