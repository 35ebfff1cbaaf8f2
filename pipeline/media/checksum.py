"""A packet to whether its own checksums deny it: what FFmpeg sees and then patches over.

FFV1 (RFC 9043) ends each slice with its size and, if it was asked to, with a checksum. FFmpeg fills
a slice that fails with the picture before, and no flag of the picture says so. A film of which each
packet is checked is as sure as its codec can make it.
"""

from zlib import crc32

_SIZE, _PARITY = 3, 5
"""Bytes of a slice's footer (RFC 9043, section 4.8): its size; a status, and a checksum."""
_BACKWARDS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL = 0xFFFFFFFF
_CHECKED = 3
"""The version of which this is known; 4 is FFmpeg's experiment."""


def checked(extradata: bytes) -> bool:
    """Tell from FFV1's configuration record whether its packets can be looked at by ``denied``."""
    return len(extradata) > _SIZE and _version(extradata) == _CHECKED


def denied(packet: bytes) -> bool:
    """Tell whether a packet of FFV1, version 3, is not what was written.

    Without checksums it is held to the sizes of its slices alone.
    """
    found = _slices(packet, footer=_SIZE + _PARITY)
    if found is None:
        return _slices(packet, footer=_SIZE) is None
    return any(_remainder(packet[begin:end]) for begin, end in found)


def _version(record: bytes) -> int:
    """Read the first symbol of a record (RFC 9043, section 3.8.1).

    Each of its bits is the first of its kind, and so as likely 0 as 1.
    """
    coming = iter(record[2:])
    low, span = int.from_bytes(record[:2], "big"), 0xFF00

    def bit() -> bool:
        nonlocal low, span
        upper = span >> 1
        span -= upper
        found = low >= span
        if found:
            low, span = low - span, upper
        while span < 0x100:
            low, span = (low << 8) + next(coming, 0), span << 8
        return found

    if bit():
        return 0
    length = 0
    while length < 8 and bit():
        length += 1
    value = 1
    for _ in range(length):
        value = 2 * value + bit()
    return value


def _slices(packet: bytes, *, footer: int) -> list[tuple[int, int]] | None:
    """Follow the slices from the end; None if they do not fill the packet."""
    found: list[tuple[int, int]] = []
    end = len(packet)
    while end > footer:
        at = end - footer
        begin = at - int.from_bytes(packet[at : at + _SIZE], "big")
        if begin < 0 or begin == at:
            return None
        found.append((begin, end))
        end = begin
    return found if not end else None


def _remainder(content: bytes) -> int:
    """Divide by the polynomial of RFC 9043, section 4.8.3: nothing is left of what is whole.

    It takes bits from the top and zlib from the bottom, so each byte is turned round.
    """
    return crc32(content.translate(_BACKWARDS), _ALL) ^ _ALL
