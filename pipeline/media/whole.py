"""A file to whether it is as long as it says it is.

Containers that write their own length are held to it; of the others (MPEG-TS, FLV, MP4 that was
written in fragments) nobody can tell that an end is missing. Sizes are read, payloads are not.
"""

from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = bytes.fromhex("1A45DFA3"), bytes.fromhex("18538067")
_ASF = bytes.fromhex("3026B2758E66CF11A6D900AA0062CE6C")
_ASF_FILE = bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365")
_MXF = bytes.fromhex("060E2B34020501010D010201")
"""How the key of a partition begins (SMPTE ST 377-1, 7.1)."""
_HEAD = 1 << 16
_BROADCAST = 1
_LONG = 1
"""Stands for a length of 64 bits that follows (ISO/IEC 14496-12, 4.2)."""


def cut_short(path: Path) -> bool:
    """Tell whether a file ends before it should; False where that cannot be known."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        size = path.stat().st_size
        if head.startswith(_EBML):
            return _matroska(file, size)
        if head.startswith(b"RIFF"):
            return _riff(file, size)
        if head.startswith(_ASF):
            return _asf(head, size)
        return _mxf(head, size)


def broken_box(path: Path) -> str:
    """Say which part of an MP4 or MOV is shorter than its own head; "" if none is found.

    FFmpeg, and what is built on it, reads such a file no further.
    """
    try:
        with path.open("rb") as file:
            return _broken(file, path.stat().st_size)
    except OSError:
        return ""


def _broken(file: BinaryIO, size: int) -> str:
    if file.read(8)[4:] != b"ftyp":
        return ""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, name = int.from_bytes(file.read(4)), file.read(4)
        if length == _LONG:
            length = int.from_bytes(file.read(8))
        if not length:
            return ""  # the last one may go on to the end
        if length < 8:
            called = name.decode("latin-1")
            return f"its box {called!r} at byte {at} says that it is {length} bytes long"
        at += length
    return ""


def _matroska(file: BinaryIO, size: int) -> bool:
    file.seek(len(_EBML))
    file.seek(_element(file) or 0, 1)
    if file.read(4) != _SEGMENT:
        return False
    length = _element(file)
    return length is not None and file.tell() + length > size


def _element(file: BinaryIO) -> int | None:
    """Read the size of an EBML element, None where it is left open (RFC 8794, section 6)."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    size = int.from_bytes(first + file.read(length - 1), "big") & ~(1 << 7 * length)
    return None if size == (1 << 7 * length) - 1 else size


def _riff(file: BinaryIO, size: int) -> bool:
    """Follow the chunks on top; long films have several. 0 is written by what was killed."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        name, length = file.read(4), int.from_bytes(file.read(4), "little")
        if name != b"RIFF" or not length:
            return False
        at += 8 + length + length % 2
    return at > size + 1  # the last chunk's padding may be left out


def _asf(head: bytes, size: int) -> bool:
    at = head.find(_ASF_FILE)
    if at < 0 or at + 92 > len(head):
        return False
    said = int.from_bytes(head[at + 40 : at + 48], "little")
    flags = int.from_bytes(head[at + 88 : at + 92], "little")
    return not flags & _BROADCAST and said > size


def _mxf(head: bytes, size: int) -> bool:
    """Read where the header's partition says that the footer's is."""
    at = head.find(_MXF)
    if at < 0 or at + 64 > len(head):
        return False
    length = head[at + 16]
    value = at + 17 + (length & 0x7F if length & 0x80 else 0)
    footer = int.from_bytes(head[value + 24 : value + 32], "big")
    return footer + at >= size
