"""What only pictures tell: true colours, how the picture lies, whether it is made of fields.

The container's word on colours wins over the picture's, and the picture fills in what it leaves
open. Some decoders mark interlaced pictures and some do not; for those that do not, the container's
field order is believed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import atan2, degrees
from typing import Literal, TypeAlias, cast

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType

from pipeline.errors import CorruptFilm, UnsupportedFilm
from pipeline.media.color import MATRICES, RGB, UNSPECIFIED, ColorTags
from pipeline.media.decoder import given_to
from pipeline.media.hdr import TRANSFERS
from pipeline.media.index import NONE, Index
from pipeline.media.kinds import Kind
from pipeline.media.samples import PIXEL_FORMATS, plain

Tags: TypeAlias = tuple[int, int, int, int]
"""Primaries, transfer, matrix, range, as FFmpeg numbers them."""
Fields: TypeAlias = Literal["", "marked", "tff", "bff"]
"""Of an interlaced film: each picture says, or all are, top or bottom field first."""

_FULL = 2
_MARK_THEMSELVES = frozenset(
    {"h264", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "wmv3", "prores", "dnxhd", "mjpeg"}
    | {"dvvideo", "ffv1", "utvideo", "huffyuv", "theora", "cfhd"}
)
_ORDERS: dict[int, Fields] = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}
"""AVFieldOrder to the field that is shown first."""
_MIXED = frozenset({"h264", "mpeg2video", "mpeg4", "vc1"})
"""Codecs of broadcasts, of which some pictures are interlaced and some are not."""
_PROBES = 4
"""Places beside the film's beginning that are looked at for interlaced pictures."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the first picture says."""

    tags: Tags
    rotation: int
    """Degrees counter-clockwise that turn the stored picture upright, before any mirroring."""
    mirrored: bool
    """Whether left and right change places after that."""
    interlaced: bool


def look(
    source: av.container.InputContainer, stream: av.VideoStream, decoder: av.VideoCodecContext
) -> Look:
    """Decode a first picture and ask it.

    Args:
        source: At its start.
        stream: Of the film.
        decoder: Of the stream, new.

    Raises:
        CorruptFilm: If there is none.
    """
    frame = _first(source, stream, decoder)
    a, b, c, d = 1, 0, 0, 1
    for data in cast(Iterable[SideData], frame.side_data):
        if data.type == SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    mirrored = a * d < b * c
    return Look(
        tags=(frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range),
        rotation=_rotation(-a if mirrored else a, b),
        mirrored=mirrored,
        interlaced=frame.interlaced_frame,
    )


def looked_again(
    source: av.container.InputContainer,
    stream: av.VideoStream,
    decoder: av.VideoCodecContext,
    index: Index,
    *,
    kind: Kind,
) -> bool:
    """Tell whether a picture elsewhere in the film is interlaced: it may begin with a leader."""
    if stream.codec_context.name not in _MIXED:
        return False
    syncs = np.flatnonzero(index.sync & index.shown)
    places = {"dts": index.dts, "pts": index.pts, "byte": index.places}[kind.seek]
    for at in np.unique(syncs[np.linspace(0, syncs.size - 1, _PROBES + 1).astype(int)[1:]]):
        if places[at] == NONE:
            continue
        try:
            seek(source, stream, kind, int(places[at]))
            if _first(source, stream, decoder).interlaced_frame:
                return True
        except (av.FFmpegError, CorruptFilm):
            continue
    return False


def seek(
    source: av.container.InputContainer, stream: av.VideoStream, kind: Kind, place: int
) -> None:
    """Go to a packet, or some way before it.

    Args:
        source: The file.
        stream: Of the packet.
        kind: Of the container.
        place: Of the packet: its DTS, its PTS or bytes into the file, as ``kind.seek`` says.
    """
    source.seek(place, stream=stream, unsupported_byte_offset=kind.seek == "byte")


def _first(
    source: av.container.InputContainer, stream: av.VideoStream, decoder: av.VideoCodecContext
) -> av.VideoFrame:
    broken = ""
    for packet in source.demux(stream):
        try:
            for frame in given_to(decoder, packet):
                if not frame.is_corrupt:
                    return frame
        except av.FFmpegError as error:
            # a recording may begin in the middle of a group
            broken = broken or f"the first picture cannot be decoded: {error.strerror}"
            if packet.is_keyframe:
                break
    raise CorruptFilm(broken or "no picture can be decoded")


def _rotation(a: int, b: int) -> int:
    """Give the angle of a display matrix whose first row is (a, b), in 16.16.

    Raises:
        UnsupportedFilm: If it is no multiple of 90 degrees.
    """
    angle = round(degrees(atan2(-b, a)))
    if angle % 90:
        raise UnsupportedFilm(
            f"a picture turned by {angle} degrees: only multiples of 90 are covered; "
            "bake the turn in first: ffmpeg -i FILM film.mkv"
        )
    return angle % 360


def fields_of(stream: av.VideoStream, seen: Look, *, again: bool) -> Fields:
    """Tell whether a film is interlaced, and who says so.

    Args:
        stream: Of the film.
        seen: Of its first picture.
        again: Whether a picture elsewhere is interlaced.

    Raises:
        UnsupportedFilm: If the decoder gives fields one by one.
    """
    context = stream.codec_context
    if seen.interlaced and context.name == "hevc":
        # FFmpeg marks no others, and does not pair them
        raise UnsupportedFilm(
            "HEVC whose fields are pictures of their own; pair them first: "
            "ffmpeg -i FILM -map 0 -c copy -c:v ffv1 -vf weave=first_field=top film.mkv"
        )
    if seen.interlaced or again:
        return "marked"
    if context.name in _MARK_THEMSELVES:
        return ""
    return _ORDERS.get(context.field_order, "")


def color_of(said: Tags, seen: Tags, pixels: str) -> tuple[ColorTags, list[str]]:
    """Trust the container; let the picture fill in what that leaves open; give notes too.

    Pictures that say they are HDR are believed all the same: nobody says so by mistake, and players
    that decode see it.

    Args:
        said: By the container.
        seen: In the first picture.
        pixels: The decoder's pixel format: of RGB it is believed, and of a full range.

    Raises:
        UnsupportedFilm: If planes of that matrix cannot be turned to RGB.
    """
    brighter = seen[1] in TRANSFERS and said[1] not in (UNSPECIFIED, *TRANSFERS)
    first, second = (seen, said) if brighter else (said, seen)
    primaries, transfer, matrix = (
        b if a == UNSPECIFIED else a for a, b in zip(first[:3], second[:3], strict=True)
    )
    notes = _doubts(said, seen, taken="pictures, which are HDR" if brighter else "container")
    if PIXEL_FORMATS[plain(pixels)].model == "rgb":
        return ColorTags(primaries, transfer, RGB, full_range=True), notes
    if matrix == RGB:
        notes.append("the tags say RGB, the samples are Y'CbCr: their matrix is taken as untold")
        matrix = UNSPECIFIED
    if matrix not in MATRICES | {UNSPECIFIED}:
        raise UnsupportedFilm(
            f"colours of matrix {matrix} (covered: BT.601, BT.709, BT.2020, FCC, SMPTE 240M, RGB); "
            "convert it first: ffmpeg -i FILM -vf scale=out_color_matrix=bt709 film.mkv"
        )
    full = "yuvj" in pixels or (said[3] or seen[3]) == _FULL
    return ColorTags(primaries, transfer, matrix, full_range=full), notes


def _doubts(said: Tags, seen: Tags, *, taken: str) -> list[str]:
    names = ("primaries", "transfer", "matrix")
    other = [
        (name, a, b)
        for name, a, b in zip(names, said[:3], seen[:3], strict=True)
        if UNSPECIFIED not in (a, b) and a != b
    ]
    if not other:
        return []
    theirs = ", ".join(f"{name} {a}" for name, a, _ in other)
    pictures = ", ".join(f"{name} {b}" for name, _, b in other)
    return [
        f"colours: the container says {theirs}, the pictures say {pictures}; taken from the {taken}"
    ]
