"""Planes to H.264 whose fields are pictures of their own (PAFF), which no encoder at hand writes.

First fields are samples as they are (I_PCM); every other second field is predicted from the first
without a residue, so its luma is the first field's. Syntax: ITU-T H.264, 7.3.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Field = Sequence[NDArray[np.uint8]]
"""Luma [h, w], and two of chroma at half of it either way."""

GROUP = 4
"""Frames from one sync frame to the next."""
_BLOCK = 16
_PCM = 25
_I, _P = 7, 5
_DELIMITER = b"\0\0\0\1\x09\x10"


def make_paff(path: Path, pictures: Sequence[Field], *, split: bool) -> Path:
    """Write frames at 25 a second.

    Args:
        path: The suffix chooses the container.
        pictures: At full height; a multiple of 32 lines, and of 16 columns.
        split: Whether each field is a packet of its own.
    """
    height, width = pictures[0][0].shape
    units = [_frame(k, picture, _heads(width, height)) for k, picture in enumerate(pictures)]
    bare = path.with_suffix(".h264")
    bare.write_bytes(b"".join(first + second for first, second in units))
    base = Fraction(1, 50)
    with av.open(str(bare), format="h264") as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for k, fields in enumerate(units):
            for half, content in enumerate(fields if split else [b"".join(fields)]):
                packet: av.Packet[av.stream.Stream] = av.Packet(content)
                packet.stream, packet.time_base = stream, base
                packet.pts = packet.dts = 2 * k + half
                packet.duration = 1 if split else 2
                packet.is_keyframe = not (k % GROUP or half)
                container.mux_one(packet)
    bare.unlink()
    return path


def repeats(number: int) -> bool:
    """Whether the second field of a frame has the first one's luma."""
    return number % 2 == 1


def _frame(number: int, picture: Field, heads: bytes) -> tuple[bytes, bytes]:
    turn = number % GROUP
    first, second = ([plane[half::2] for plane in picture] for half in (0, 1))
    opening = _field(first, number, bottom=False)
    ending = _skipped(second, number) if repeats(number) else _field(second, number, bottom=True)
    return _DELIMITER + (b"" if turn else heads) + opening, _DELIMITER + ending


def _heads(width: int, height: int) -> bytes:
    """A sequence's and a picture's parameters: Main profile, one reference, order in 8 bits."""
    sequence = _u(77, 8) + _u(0, 8) + _u(30, 8) + _ue(0, 0, 0, 4, 1) + "0"
    sequence += _ue(width // _BLOCK - 1, height // (2 * _BLOCK) - 1) + "00100"
    picture = _ue(0, 0) + "00" + _ue(0, 0, 0) + "000" + _ue(0, 0, 0) + "100"
    return _unit(7, _ended(sequence)) + _unit(8, _ended(picture))


def _head(number: int, kind: int, *, bottom: bool) -> str:
    group, turn = divmod(number, GROUP)
    opens = not (turn or bottom)
    bits = _ue(0, kind, 0) + _u(turn, 4) + "1" + str(int(bottom))
    bits += (_ue(group % 2) if opens else "") + _u(2 * turn + bottom, 8)
    bits += ("00" if kind == _P else "") + ("00" if opens else "0")
    return bits + _ue(0, 1)


def _field(planes: Field, number: int, *, bottom: bool) -> bytes:
    bits, body = _head(number, _I, bottom=bottom), bytearray()
    rows, columns = (side // _BLOCK for side in planes[0].shape)
    for row in range(rows):
        for column in range(columns):
            body += _bytes(bits + _ue(_PCM))
            bits = ""
            for plane, side in zip(planes, (_BLOCK, _BLOCK // 2, _BLOCK // 2), strict=True):
                lines = plane[row * side : (row + 1) * side]
                body += lines[:, column * side : (column + 1) * side].tobytes()
    return _unit(1 if bottom or number % GROUP else 5, bytes(body) + b"\x80")


def _skipped(planes: Field, number: int) -> bytes:
    blocks = planes[0].size // _BLOCK**2
    return _unit(1, _ended(_head(number, _P, bottom=True) + _ue(blocks)))


def _ue(*values: int) -> str:
    """Exp-Golomb numbers (9.1)."""
    return "".join("0" * ((n + 1).bit_length() - 1) + f"{n + 1:b}" for n in values)


def _u(value: int, width: int) -> str:
    return f"{value:0{width}b}"


def _bytes(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _ended(bits: str) -> bytes:
    return _bytes(bits + "1")


def _unit(kind: int, payload: bytes) -> bytes:
    """A unit with its start code, and with bytes against codes that would look like one (7.4.1)."""
    made, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            made.append(3)
            zeros = 0
        made.append(byte)
        zeros = 0 if byte else zeros + 1
    return b"\0\0\0\1" + bytes([3 << 5 | kind]) + bytes(made)
