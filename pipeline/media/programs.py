"""A transport stream of several programs to the tracks that belong to one picture.

A *program* is a picture with its own sound; a multiplex carries several side by side. The tables
that say so come again and again (ISO/IEC 13818-1, 2.4.4), so the file's beginning tells. PyAV does
not.
"""

from collections.abc import Iterator
from pathlib import Path

import av

_HEAD = 4 << 20
"""Bytes in which every table has come."""
_PACKET, _SYNC = 188, 0x47
_SIZES = (188, 192, 204)
"""Of a packet: plain, with a time in front (Blu-ray), with a checksum behind."""
_SURE = 5
"""Packets in a row that begin with the sync byte."""
_CRC = 4
_PAT, _PMT = 0, 2


def programs_of(path: Path) -> dict[int, frozenset[int]]:
    """Give the numbers of programs, each with the PIDs of its tracks; empty if it is none such."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    tables: dict[int, int] = {}
    for section in _sections(head, {0}):
        if section[0] == _PAT:
            entries = section[8:-_CRC]
            for at in range(0, len(entries) - 3, 4):
                number = int.from_bytes(entries[at : at + 2])
                if number:  # 0 is the network's own table
                    tables[int.from_bytes(entries[at + 2 : at + 4]) & 0x1FFF] = number
    found: dict[int, frozenset[int]] = {}
    for section in _sections(head, set(tables)):
        if section[0] == _PMT:
            found[int.from_bytes(section[3:5])] = frozenset(_pids(section))
    return found


def beside(
    path: Path, source: av.container.InputContainer, picture: av.VideoStream
) -> tuple[list[av.stream.Stream], list[str]]:
    """List the other tracks of a picture's program, and say what of other programs is left out."""
    others = [stream for stream in source.streams if stream.index != picture.index]
    programs = programs_of(path)
    own = {number for number, pids in programs.items() if picture.id in pids}
    mine = frozenset[int]().union(*(programs[number] for number in own))
    theirs = frozenset[int]().union(*programs.values()) - mine
    if not own or not theirs:
        return others, []
    left = [f"{stream.index} ({stream.type})" for stream in others if stream.id in theirs]
    if not left:
        return others, []
    number = min(own)
    note = (
        f"of {len(programs)} programs number {number} is painted, with its own sound; "
        f"left out: tracks {', '.join(left)}"
    )
    return [stream for stream in others if stream.id not in theirs], [note]


def _pids(section: bytes) -> Iterator[int]:
    at = 12 + (int.from_bytes(section[10:12]) & 0xFFF)
    while at + 5 <= len(section) - _CRC:
        yield int.from_bytes(section[at + 1 : at + 3]) & 0x1FFF
        at += 5 + (int.from_bytes(section[at + 3 : at + 5]) & 0xFFF)


def _sections(head: bytes, wanted: set[int]) -> Iterator[bytes]:
    """Give the whole sections of some PIDs."""
    open_ones: dict[int, bytes] = {}
    for packet in _packets(head):
        pid = int.from_bytes(packet[1:3]) & 0x1FFF
        if pid not in wanted or not packet[3] & 0x10:
            continue
        begin = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        payload = packet[begin:]
        if packet[1] & 0x40 and payload:
            open_ones[pid] = payload[1 + payload[0] :]
        elif pid in open_ones:
            open_ones[pid] += payload
        gathered = open_ones.get(pid, b"")
        if len(gathered) < 3 or gathered[0] == 0xFF:
            continue
        length = 3 + (int.from_bytes(gathered[1:3]) & 0xFFF)
        if len(gathered) >= length:
            del open_ones[pid]
            yield gathered[:length]


def _packets(head: bytes) -> Iterator[bytes]:
    for size in _SIZES:
        first = next(
            (
                at
                for at in range(min(size, len(head)))
                if all(head[at + k * size : at + k * size + 1] == b"\x47" for k in range(_SURE))
            ),
            None,
        )
        if first is not None:
            for at in range(first, len(head) - _PACKET + 1, size):
                if head[at] == _SYNC:
                    yield head[at : at + _PACKET]
            return
