"""Bytes and a seed to damaged bytes: what disks, cards, networks and broken programs do to films.

A seed always stands for the same damage of the same bytes. Half of it strikes where it hurts most:
near the words that head the parts of a container.
"""

import numpy as np
from numpy.random import Generator

_HEADS = (
    b"ftyp", b"moov", b"mvhd", b"tkhd", b"elst", b"mdhd", b"stsd", b"stts", b"ctts", b"stsc",
    b"stsz", b"stco", b"co64", b"stss", b"avc1", b"hvc1", b"colr", b"moof", b"traf", b"tfhd",
    b"trun", b"mdat", b"RIFF", b"avih", b"strh", b"strf", b"idx1", b"movi", b"FLV\x01",
    b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75",
    b"\x1c\x53\xbb\x6b", b"\x06\x0e\x2b\x34", b"\x47\x40", b"\x00\x00\x01", b"\x30\x26\xb2\x75",
)  # fmt: skip


def damaged(content: bytes, seed: int) -> tuple[bytes, str]:
    """Damage bytes; gives what was done in a few words, too."""
    random = np.random.default_rng(seed)
    kinds = (_flips, _flips_at_heads, _number, _cut, _hole, _noise, _zeros, _twice)
    return kinds[seed % len(kinds)](bytearray(content), random)


def _flips(content: bytearray, random: Generator) -> tuple[bytes, str]:
    count = int(random.choice([1, 1, 2, 8, 64]))
    for at in random.integers(0, len(content), count).tolist():
        content[at] ^= 1 << int(random.integers(8))
    return bytes(content), f"{count} bits flipped anywhere"


def _flips_at_heads(content: bytearray, random: Generator) -> tuple[bytes, str]:
    count, around = int(random.choice([1, 1, 2, 4])), _head(content, random)
    for at in random.integers(around - 8, around + 48, count).tolist():
        content[at % len(content)] ^= 1 << int(random.integers(8))
    return bytes(content), f"{count} bits flipped near byte {around}"


def _number(content: bytearray, random: Generator) -> tuple[bytes, str]:
    at = (_head(content, random) + 4 * int(random.integers(-1, 8))) % (len(content) - 4)
    value = int(random.choice([0, 1, 2, 23, 255, 65536, 2**31 - 1, 2**31, 2**32 - 1]))
    content[at : at + 4] = value.to_bytes(4, "big")
    return bytes(content), f"{value} written at byte {at}"


def _cut(content: bytearray, random: Generator) -> tuple[bytes, str]:
    at = int(random.integers(0, len(content)))
    return bytes(content[:at]), f"cut off after {at} of {len(content)} bytes"


def _hole(content: bytearray, random: Generator) -> tuple[bytes, str]:
    begin, end = _stretch(content, random)
    return bytes(content[:begin] + content[end:]), f"bytes {begin} to {end} taken out"


def _noise(content: bytearray, random: Generator) -> tuple[bytes, str]:
    begin, end = _stretch(content, random)
    content[begin:end] = random.bytes(end - begin)
    return bytes(content), f"noise over bytes {begin} to {end}"


def _zeros(content: bytearray, random: Generator) -> tuple[bytes, str]:
    begin, end = _stretch(content, random)
    content[begin:end] = bytes(end - begin)
    return bytes(content), f"zeros over bytes {begin} to {end}"


def _twice(content: bytearray, random: Generator) -> tuple[bytes, str]:
    begin, end = _stretch(content, random)
    return bytes(content[:end] + content[begin:]), f"bytes {begin} to {end} twice"


def _stretch(content: bytearray, random: Generator) -> tuple[int, int]:
    begin = int(random.integers(0, len(content)))
    size = int(2 ** random.uniform(0, np.log2(len(content) / 4)))
    return begin, min(len(content), begin + size)


def _head(content: bytearray, random: Generator) -> int:
    """Where one of the words stands that the bytes have."""
    for word in random.permutation(len(_HEADS)).tolist():
        places: list[int] = []
        at = content.find(_HEADS[word])
        while at >= 0 and len(places) < 64:
            places.append(at)
            at = content.find(_HEADS[word], at + 1)
        if places:
            return int(random.choice(places))
    return int(random.integers(0, len(content)))
