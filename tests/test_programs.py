"""Programs: of a multiplex only what belongs to the picture that is painted goes along."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from films import make_film, texture
from jobs.specimens import SPECIMENS, make
from pipeline.media.assemble import foreseen
from pipeline.media.container import read_film
from pipeline.media.encode import choose_encoding
from pipeline.media.programs import programs_of
from pipeline.media.tracks import carried

PACKET = 188
TS = next(one for one in SPECIMENS if one.name == "MPEG-TS, MPEG-2")


def crc(content: bytes) -> bytes:
    """The checksum of a table (ISO/IEC 13818-1, annex A)."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register.to_bytes(4)


def packets(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    for at in range(0, len(content), PACKET):
        yield content[at : at + PACKET]


def pid(packet: bytes) -> int:
    return int.from_bytes(packet[1:3]) & 0x1FFF


def pat(programs: dict[int, int], counter: int) -> bytes:
    """A packet with the table of programs, each with the PID of its own table."""
    body = b"\0\1\xc1\0\0" + b"".join(
        number.to_bytes(2) + (0xE000 | at).to_bytes(2) for number, at in programs.items()
    )
    section = b"\0" + (0xB000 | len(body) + 4).to_bytes(2) + body
    packet = b"\x47\x40\0" + bytes([0x10 | counter & 15]) + b"\0" + section + crc(section)
    return packet.ljust(PACKET, b"\xff")


@pytest.fixture
def multiplex(tmp_path: Path) -> Path:
    """Two programs of a picture and a track of sound each."""
    tables = {1: 0x1000, 2: 0x1100}
    ways = [
        {
            "mpegts_service_id": str(n),
            "mpegts_pmt_start_pid": str(at),
            "mpegts_start_pid": str(at + 8),
        }
        for n, at in tables.items()
    ]
    parts = [
        make(replace(TS, muxing=way), tmp_path / f"{n}.ts", frames=12) for n, way in enumerate(ways)
    ]
    path, count = tmp_path / "both.ts", 0
    with path.open("wb") as file:
        for one, other in zip(*(list(packets(part)) for part in parts), strict=False):
            for packet in (one, other):
                if pid(packet) == 0:
                    packet, count = pat(tables, count), count + 1
                file.write(packet)
    return path


def test_tables_tell_which_tracks_belong_together(multiplex: Path) -> None:
    assert programs_of(multiplex) == {
        1: frozenset({0x1008, 0x1009}),
        2: frozenset({0x1108, 0x1109}),
    }


def test_only_the_sound_of_the_painted_program_goes_along(multiplex: Path, tmp_path: Path) -> None:
    film = read_film(multiplex)
    assert [track.kind for track in film.tracks] == ["audio"]
    (note,) = [note for note in film.notes if "programs" in note]
    assert note.startswith("of 2 programs number 1 is painted, with its own sound; left out")
    encoding, _ = choose_encoding(film, codec="ffv1", target=tmp_path / "x.mkv")
    assert foreseen(film, encoding, start=0) == []
    other = read_film(multiplex, stream=2)
    assert {t.index for t in carried(film, "matroska")} == {1}
    assert {t.index for t in carried(other, "matroska")} == {3}


def test_other_films_have_no_programs_to_choose_from(tmp_path: Path) -> None:
    assert programs_of(make_film(tmp_path / "film.mkv", texture(2, (64, 48)))) == {}
    single = read_film(make(TS, tmp_path / "film.ts", frames=8))
    assert len(single.tracks) == 1
    assert not [note for note in single.notes if "programs" in note]
