"""The shape of the pixels to a Matroska or WebM file, whose muxer is never told of it by PyAV.

An *element* is what these files are nested of: a name, a size and a body (RFC 8794). The shape goes
into the picture's track as the size that it is shown at (RFC 9559, section 5.1.4.1.28), and the
room for that comes out of the padding that the muxer leaves in front: nothing behind the tracks
moves, so the index stays right. Nothing here reads a frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

_SEGMENT, _CLUSTER, _SEEK_HEAD, _VOID = (
    b"\x18\x53\x80\x67",
    b"\x1f\x43\xb6\x75",
    b"\x11\x4d\x9b\x74",
    b"\xec",
)
_SEEK, _SEEK_POSITION, _CRC = b"\x4d\xbb", b"\x53\xac", b"\xbf"
_TRACKS, _ENTRY, _TYPE, _VIDEO = b"\x16\x54\xae\x6b", b"\xae", b"\x83", b"\xe0"
_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
_A_RATIO = 3
_PICTURE = 1
_LEAST_VOID = 2
_HEAD = 1 << 20
"""Bytes that all headers fit into."""


@dataclass(frozen=True, slots=True)
class _Element:
    name: bytes
    body: bytes
    start: int
    """Within what it is an element of."""
    stop: int


def write_shape(path: Path, shape: Fraction, *, width: int, height: int) -> bool:
    """Write how wide a pixel is for its height; False if the file leaves no room for it."""
    with path.open("r+b") as file:
        begin = _segment(file)
        file.seek(begin)
        head = file.read(_HEAD)
        found = {e.name: e for e in _elements(head, until=_CLUSTER)}
        if not found.keys() >= {_SEEK_HEAD, _VOID, _TRACKS}:
            return False
        seek, void, tracks = found[_SEEK_HEAD], found[_VOID], found[_TRACKS]
        if not seek.stop == void.start < tracks.start:
            return False
        told = _packed(_TRACKS, _tracks(tracks.body, _shown(shape, width, height)))
        more = len(told) - (tracks.stop - tracks.start)
        moved = range(void.stop, tracks.start + 1)
        index = _packed(_SEEK_HEAD, _moved(seek.body, moved, more))
        room = void.stop - seek.start - len(index) - more
        if room < _LEAST_VOID:
            return False
        between = head[void.stop : tracks.start]
        file.seek(begin + seek.start)
        file.write(index + _padding(room) + between + told)
    return True


def _shown(shape: Fraction, width: int, height: int) -> bytes:
    """Give the size that the picture is shown at; a mere ratio where no whole pixels have it."""
    across, down = width * shape, height / shape
    if across.denominator == 1:
        size, unit = (int(across), height), b""
    elif down.denominator == 1:
        size, unit = (width, int(down)), b""
    else:
        ratio = across / height
        size, unit = (ratio.numerator, ratio.denominator), _packed(_SHOWN_UNIT, bytes([_A_RATIO]))
    return _packed(_SHOWN_WIDTH, _number(size[0])) + _packed(_SHOWN_HEIGHT, _number(size[1])) + unit


def _tracks(body: bytes, shown: bytes) -> bytes:
    """Add to the first track that is a picture."""
    made, done = b"", False
    for entry in _elements(body):
        if entry.name == _CRC:
            continue
        parts = list(_elements(entry.body))
        kind = next((part.body for part in parts if part.name == _TYPE), b"")
        picture = not done and int.from_bytes(kind) == _PICTURE
        done = done or picture
        made += _packed(
            _ENTRY,
            b"".join(
                _packed(part.name, _told(part, shown) if picture else part.body) for part in parts
            ),
        )
    return _sealed(made, like=body)


def _told(part: _Element, shown: bytes) -> bytes:
    if part.name != _VIDEO:
        return part.body
    # the muxer says that the size is unknown
    told = (_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT)
    kept = [_packed(one.name, one.body) for one in _elements(part.body) if one.name not in told]
    return b"".join(kept) + shown


def _moved(body: bytes, moved: range, by: int) -> bytes:
    """Correct the places of what was moved up."""
    made = b""
    for seek in _elements(body):
        if seek.name != _SEEK:
            continue
        inner = b""
        for part in _elements(seek.body):
            place = int.from_bytes(part.body)
            shifted = part.name == _SEEK_POSITION and place in moved
            now = _number(place - by) if shifted else part.body
            inner += _packed(part.name, now)
        made += _packed(_SEEK, inner)
    return _sealed(made, like=body)


def _sealed(body: bytes, *, like: bytes) -> bytes:
    """Put the checksum in front where there was one (RFC 8794, section 11.3.1)."""
    if not like.startswith(_CRC):
        return body
    return _packed(_CRC, crc32(body).to_bytes(4, "little")) + body


def _segment(file: BinaryIO) -> int:
    """Find where the body of the one element after the header begins."""
    head = file.read(64)
    first = next(_elements(head, until=_SEGMENT))
    name = _length(head[first.stop])
    return first.stop + name + _length(head[first.stop + name])


def _elements(body: bytes, *, until: bytes = b"") -> Iterator[_Element]:
    at = 0
    while at < len(body):
        name = body[at : at + _length(body[at])]
        if name == until:
            return
        begin = at + len(name)
        length = _length(body[begin])
        size = int.from_bytes(body[begin : begin + length]) & ~(1 << 7 * length)
        begin += length
        yield _Element(name, body[begin : begin + size], at, begin + size)
        at = begin + size


def _length(first: int) -> int:
    """How many bytes a name or a size has, by its first one."""
    return 9 - first.bit_length()


def _packed(name: bytes, body: bytes) -> bytes:
    length = next(n for n in range(1, 9) if len(body) < (1 << 7 * n) - 1)
    return name + (len(body) | 1 << 7 * length).to_bytes(length) + body


def _padding(size: int) -> bytes:
    """Fill so many bytes, of which there are at least two."""
    length = 1 if size < 1 << 7 else 4
    body = size - 1 - length
    return _VOID + (body | 1 << 7 * length).to_bytes(length) + bytes(body)


def _number(value: int) -> bytes:
    return value.to_bytes(max(1, -(-value.bit_length() // 8)))
