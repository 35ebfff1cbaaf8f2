"""A file to a film: its frames' times, its tracks, its tags, without decoding it.

The *index* is one row a frame, in presentation order: PTS, duration, DTS, whether decoding can
start there. A packet marked discard is no frame. An *entry* is the packet that decoding of a frame
has to start from; it may be one that is no frame. Only the first picture is
decoded, to learn what no header says: interlacing, mirroring, true colours. What is not covered yet
is refused here, by one clear line, before any work is done.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from pipeline.errors import CorruptFilm, SourceError, UnreadableFilm, UnsupportedFilm
from pipeline.media.color import MATRICES, RGB, UNSPECIFIED, ColorTags
from pipeline.media.index import (
    Index,
    Ticks,
    durations_of,
    entries_of,
    even_rate,
    fingerprint_of,
    read_index,
)
from pipeline.media.samples import PIXEL_FORMATS, plain

CONTAINERS = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}

_EXTRA_PICTURES = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.timed_thumbnails
    | av.stream.Disposition.still_image
)
_Tags: TypeAlias = tuple[int, int, int, int]
"""Primaries, transfer, matrix, range, as FFmpeg numbers them."""
_HDR = {16: "PQ", 18: "HLG"}
_BT_2020 = 9
_FULL = 2
_PROGRESSIVE = (0, 1)


@dataclass(frozen=True, slots=True)
class Track:
    """A track beside the picture, as the container numbers it."""

    index: int
    kind: str
    """"audio", "subtitle", "attachment", "cover", "clock" (timecode, chapters), "data", "video"."""
    codec: str
    """The name of the codec, "" where none is known."""
    language: str
    title: str


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film that can be painted; arrays are in presentation order, [N]."""

    path: Path
    fingerprint: str
    """Hex digest of the content, whatever its name."""
    container: str
    """A key of ``CONTAINERS``."""
    stream: int
    codec: str
    pixel_format: str
    """A key of ``samples.PIXEL_FORMATS``; the range stands in ``color``."""
    width: int
    """Of the stored picture, as is ``height``."""
    height: int
    sample_aspect_ratio: Fraction | None
    rotation: int
    """Degrees counter-clockwise that turn the stored picture upright: 0, 90, 180 or 270."""
    color: ColorTags
    time_base: Fraction
    frame_rate: Fraction
    """Frames a second: the grid's, or the mean where there is none."""
    variable_rate: bool
    """Whether some frame is more than a tick off the even grid of ``frame_rate``."""
    pts: Ticks
    durations: Ticks
    dts: Ticks
    sync: NDArray[np.bool_]
    """Whether decoding can start at the frame, as the container says."""
    entry_pts: Ticks
    """PTS of the packet that decoding starts from: a sync frame's, or a discarded one's."""
    entry_dts: Ticks
    """DTS of that packet."""
    opening: int
    """PTS of the first packet in the file: what enters there needs no seeking."""
    tracks: tuple[Track, ...]
    timecode: str | None

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.pts.size)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        turned = self.rotation in (90, 270)
        return (self.height, self.width) if turned else (self.width, self.height)

    @property
    def chroma(self) -> tuple[int, int]:
        """How many luma samples a chroma sample spans, (horizontally, vertically)."""
        return PIXEL_FORMATS[self.pixel_format].subsampling

    @property
    def depth(self) -> int:
        """Bits of a sample of the planes, 8 to 16."""
        return PIXEL_FORMATS[self.pixel_format].depth


@dataclass(frozen=True, slots=True)
class _Look:
    """What only a decoded picture tells."""

    tags: _Tags
    rotation: int
    mirrored: bool
    interlaced: bool


def read_film(path: Path) -> Film:
    """Index a film.

    Raises:
        UnreadableFilm: If it is missing, no film, or without a frame.
        UnsupportedFilm: If it is of a kind that is not covered yet.
        CorruptFilm: If its packets contradict each other or its first picture cannot be decoded.
    """
    if not path.is_file():
        raise UnreadableFilm(f"{path}: no such file")
    try:
        with av.open(str(path), "r", metadata_errors="replace") as source:
            container = _container(source)
            stream = _picture(source)
            number, index = stream.index, read_index(source, stream)
        # once more from the start: a second demux of the same container would have to seek
        with av.open(str(path), "r", metadata_errors="replace") as source:
            return _film(path, container, source, _stream(source, number), index)
    except SourceError as error:
        raise type(error)(f"{path.name}: {error}") from None
    except (av.FFmpegError, OSError) as error:
        raise UnreadableFilm(f"{path.name}: not readable as a film: {error.strerror}") from error


def _container(source: av.container.InputContainer) -> str:
    for name, demuxer in CONTAINERS.items():
        if source.format.name == demuxer:
            return name
    raise UnsupportedFilm(f"the container {source.format.name} is not covered yet (MP4, MOV, MKV)")


def _picture(source: av.container.InputContainer) -> av.VideoStream:
    streams = [s for s in source.streams.video if not s.disposition & _EXTRA_PICTURES]
    # an empty second track is harmless: MP4 counts its frames, MKV has none such
    if len(streams) > 1 and any(s.frames for s in streams):
        streams = [s for s in streams if s.frames]
    if not streams:
        raise UnreadableFilm("no video")
    if len(streams) > 1:
        raise UnsupportedFilm(f"{len(streams)} tracks of video, which are not covered yet")
    return streams[0]


def _stream(source: av.container.InputContainer, index: int) -> av.VideoStream:
    return next(s for s in source.streams.video if s.index == index)


def _film(
    path: Path,
    container: str,
    source: av.container.InputContainer,
    stream: av.VideoStream,
    index: Index,
) -> Film:
    context = stream.codec_context
    pixel_format = _pixel_format(context)
    said = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
    look = _look(source, stream)  # which makes the context say what the picture says
    rgb = PIXEL_FORMATS[pixel_format].model == "rgb"
    color = _color(said, look.tags, full="yuvj" in (context.pix_fmt or ""), rgb=rgb)
    if look.interlaced or context.field_order not in _PROGRESSIVE:
        raise UnsupportedFilm("interlaced, which is not covered yet")
    if look.mirrored or look.rotation % 90:
        raise UnsupportedFilm("a mirrored or skewed display matrix, which is not covered yet")
    order = np.argsort(index.pts[index.shown], kind="stable")
    pts = index.pts[index.shown][order]
    repeated = pts[1:][np.diff(pts) == 0]
    if repeated.size:
        raise CorruptFilm(f"two frames at PTS {repeated[0]}")
    base = stream.time_base
    if base is None:
        raise UnreadableFilm("no time base")
    rate, variable = even_rate(stream, pts, base)
    entries = entries_of(index)[index.shown][order]
    return Film(
        path=path,
        fingerprint=fingerprint_of(path, index),
        container=container,
        stream=stream.index,
        codec=context.name,
        pixel_format=pixel_format,
        width=context.width,
        height=context.height,
        sample_aspect_ratio=stream.sample_aspect_ratio or None,
        rotation=look.rotation % 360,
        color=color,
        time_base=base,
        frame_rate=rate,
        variable_rate=variable,
        pts=pts,
        durations=durations_of(pts, index.durations[index.shown][order], 1 / (rate * base)),
        dts=index.dts[index.shown][order],
        sync=index.sync[index.shown][order],
        entry_pts=index.pts[entries],
        entry_dts=index.dts[entries],
        opening=int(index.pts[0]),
        tracks=tuple(_track(s) for s in source.streams if s.index != stream.index),
        timecode=_timecode(source, stream),
    )


def _pixel_format(context: av.VideoCodecContext) -> str:
    name = context.pix_fmt
    known = plain(name or "")
    # what has more than 8 bits is not painted yet
    if known not in PIXEL_FORMATS or PIXEL_FORMATS[known].depth > 8:
        raise UnsupportedFilm(
            f"pixels of {name or 'an unknown kind'}; covered yet: 8-bit 4:2:0, 4:2:2 and 4:4:4"
        )
    return known


def _look(source: av.container.InputContainer, stream: av.VideoStream) -> _Look:
    try:
        frame = next(source.decode(stream), None)
    except av.FFmpegError as error:
        raise CorruptFilm(f"the first picture cannot be decoded: {error.strerror}") from error
    if frame is None:
        raise CorruptFilm("no picture can be decoded")
    a, b, _, c, d = 1, 0, 0, 0, 1
    for data in cast(Iterable[SideData], frame.side_data):
        if data.type == SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].tolist()
    return _Look(
        tags=(frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range),
        rotation=frame.rotation,
        mirrored=a * d < b * c,
        interlaced=frame.interlaced_frame,
    )


def _color(said: _Tags, seen: _Tags, *, full: bool, rgb: bool) -> ColorTags:
    """Trust the container; let the picture fill in what that leaves open."""
    primaries, transfer, matrix = (
        b if a == UNSPECIFIED else a for a, b in zip(said[:3], seen[:3], strict=True)
    )
    for curve in (transfer, seen[1]):
        if curve in _HDR:
            raise UnsupportedFilm(f"high dynamic range ({_HDR[curve]}), which is not covered yet")
    if rgb:
        return ColorTags(primaries, transfer, RGB, full_range=True)
    if primaries == _BT_2020 or matrix not in MATRICES | {UNSPECIFIED}:
        raise UnsupportedFilm(f"colours not covered yet: primaries {primaries}, matrix {matrix}")
    full = full or (said[3] or seen[3]) == _FULL
    return ColorTags(primaries, transfer, matrix, full_range=full)


def _track(stream: av.stream.Stream) -> Track:
    context = getattr(stream, "codec_context", None)
    words = {key.lower(): value for key, value in stream.metadata.items()}
    return Track(
        index=stream.index,
        kind=_kind(stream),
        codec=context.name if context is not None else "",
        language=words.get("language", ""),
        title=words.get("title") or words.get("name", ""),
    )


def _kind(stream: av.stream.Stream) -> str:
    if stream.type == "video" and stream.disposition & _EXTRA_PICTURES:
        return "cover"
    # the names of chapters come as a track of text beside the chapters themselves
    if stream.type == "data" and ("timecode" in stream.metadata or stream.name == "bin_data"):
        return "clock"
    return stream.type


def _timecode(source: av.container.InputContainer, stream: av.VideoStream) -> str | None:
    for words in (source.metadata, stream.metadata, *(s.metadata for s in source.streams.data)):
        for key, value in words.items():
            if key.lower() == "timecode" and value:
                return value
    return None
