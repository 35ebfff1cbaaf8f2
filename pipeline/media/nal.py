"""A packet of H.264 to whether decoding can really start there.

Containers mark recovery points as sync frames, and with intra refresh such a point is an ordinary
predicted picture: whoever starts there sees a picture build up. Only a first slice that refers to
no other picture stands by itself.
"""

_SLICE, _IDR = 1, 5
_INTRA = {2, 4, 7, 9}
"""I and SI of slice_type (ITU-T H.264, table 7-6)."""


def length_size(extradata: bytes | None) -> int:
    """Give how many bytes tell a unit's length; 0 where start codes part the units (Annex B)."""
    if extradata and len(extradata) > 4 and extradata[0] == 1:
        return (extradata[4] & 3) + 1
    return 0


def stands_alone(packet: bytes, lengths: int) -> bool:
    """Tell whether the first slice of an H.264 packet refers to no other picture.

    A packet in which no slice is found is believed to.

    Args:
        packet: An access unit.
        lengths: As ``length_size`` gives it.
    """
    for at in _units(packet, lengths):
        kind = packet[at] & 31
        if kind == _IDR:
            return True
        if kind == _SLICE:
            return _second_number(packet[at + 1 : at + 17]) in _INTRA
    return True


def _units(packet: bytes, lengths: int) -> list[int]:
    """List where each unit's header is."""
    found: list[int] = []
    at = 0
    if lengths:
        while at + lengths < len(packet):
            found.append(at + lengths)
            at += lengths + int.from_bytes(packet[at : at + lengths], "big")
        return found
    while (at := packet.find(b"\0\0\1", at)) >= 0 and at + 3 < len(packet):
        at += 3
        found.append(at)
    return found


def _second_number(payload: bytes) -> int:
    """Read the second Exp-Golomb number: slice_type follows first_mb_in_slice."""
    bits = "".join(f"{byte:08b}" for byte in payload.replace(b"\0\0\3", b"\0\0"))
    value = at = 0
    for _ in range(2):
        zeros = bits.find("1", at) - at
        if zeros < 0:
            return -1
        value = int(bits[at + zeros : at + 2 * zeros + 1] or "0", 2) - 1
        at += 2 * zeros + 1
    return value
