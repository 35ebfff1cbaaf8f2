"""A file to a film: its frames' times, its tracks, its tags.

The *index* is one row a frame, in presentation order: PTS, duration, DTS, whether decoding can
start there. A packet marked discard is no frame. An *entry* is the packet that decoding of a frame
has to start from; it may be one that is no frame. Where packets tell the order of presentation,
only a few pictures are decoded, to learn what no header says: interlacing, mirroring, true colours.
Where they do not (AVI, MXF, fields, hidden pictures), the film is decoded once: see ``order``. What
is not covered is refused here, by one clear line, before any work is done.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SourceError, UnreadableFilm, UnsupportedFilm
from pipeline.media.color import ColorTags
from pipeline.media.decoder import decoder_of
from pipeline.media.entries import Packets, entries
from pipeline.media.index import (
    Index,
    Ticks,
    durations_of,
    even_rate,
    fingerprint_of,
    read_index,
)
from pipeline.media.kinds import CONTAINERS, container_of
from pipeline.media.look import Fields, color_of, fields_of, look, looked_again
from pipeline.media.order import Order, Told, order_of
from pipeline.media.programs import beside
from pipeline.media.samples import PIXEL_FORMATS, plain
from pipeline.media.streams import Track, choose, timecode_of, track_of
from pipeline.media.times import Run, times_of
from pipeline.media.whole import broken_box

Interlaced: TypeAlias = Literal["deinterlace", "refuse"]
"""What to do with a film that is made of fields."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a film lies of which there is a copy here."""

    place: Path
    etag: str
    """Of its content: another content has another."""
    bytes: int


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
    mirrored: bool = False
    """Whether left and right change places after the turn."""
    fields: Fields = ""
    """Whether pictures are made of two fields, and are deinterlaced: "" if they are not."""
    packets: Packets | None = None
    """What identifies frames where their times do not; None where they do."""
    runs: tuple[Run, ...] = ()
    """What makes the file's clock the film's; empty where they are the same."""
    notes: tuple[str, ...] = ()
    """What a person should know about how the film is read, a line each."""
    shown: Ticks | None = None
    """[N], the frame whose samples each one shows; None where each shows its own. See ``hold``."""
    origin: Origin | None = None
    """What ``path`` is a copy of; None where it is the film itself."""

    @property
    def place(self) -> Path:
        """Where the film itself lies, as people name it."""
        return self.path if self.origin is None else self.origin.place

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

    @property
    def identity(self) -> str:
        """Hex digest of what its frames look like: the fingerprint, and which of them are held."""
        if self.shown is None:
            return self.fingerprint
        return sha256(self.fingerprint.encode() + self.shown.tobytes()).hexdigest()


def read_film(
    path: Path,
    *,
    stream: int | None = None,
    interlaced: Interlaced = "deinterlace",
    told: Told | None = None,
) -> Film:
    """Index a film.

    Args:
        path: Of the file.
        stream: The number of the track of video that is meant, None for the default one.
        interlaced: What to do if pictures are made of fields.
        told: Is called while a film is decoded to index it.

    Raises:
        BadRequest: If there is no such track.
        UnreadableFilm: If it is missing, no film, or without a frame.
        UnsupportedFilm: If it is of a kind that is not covered, or interlaced and that is refused.
        CorruptFilm: If its packets contradict each other or its first picture cannot be decoded.
    """
    if not path.is_file():
        raise UnreadableFilm(f"{path}: no such file")
    try:
        film = _read(path, stream, told)
    except SourceError as error:
        raise type(error)(f"{path.name}: {error}") from None
    except (av.FFmpegError, OSError) as error:
        why = broken_box(path) or error.strerror
        raise UnreadableFilm(f"{path.name}: not readable as a film: {why}") from error
    if film.fields and interlaced == "refuse":
        raise UnsupportedFilm(
            f"{path.name}: interlaced; --interlaced deinterlace makes whole pictures of its fields"
        )
    return film


def _read(path: Path, wanted: int | None, told: Told | None) -> Film:
    with _opened(path) as source:
        container = container_of(source.format.name)
        stream, notes = choose(source, wanted)
        number, index = stream.index, read_index(source, stream)
        usual = choose(source, None)[0].index == number
    # from the start each time: another demux of the same container would have to seek
    with _opened(path) as source:
        picture, kind = _stream(source, number), CONTAINERS[container]
        order = order_of(source, picture, index, kind=kind, told=told)
    with _opened(path) as source:
        picture = _stream(source, number)
        fingerprint = fingerprint_of(path, index, track=None if usual else number)
        film = _film(path, container, source, picture, index, order)
        return replace(film, fingerprint=fingerprint, notes=(*notes, *film.notes))


def _opened(path: Path) -> av.container.InputContainer:
    return av.open(str(path), "r", metadata_errors="replace")


def _stream(source: av.container.InputContainer, index: int) -> av.VideoStream:
    return next(s for s in source.streams.video if s.index == index)


def _film(
    path: Path,
    container: str,
    source: av.container.InputContainer,
    stream: av.VideoStream,
    index: Index,
    order: Order,
) -> Film:
    context, base = stream.codec_context, stream.time_base
    if base is None:
        raise UnreadableFilm("no time base")
    kind, origin = CONTAINERS[container], _seconds(source.start_time)
    times = times_of(order.packets, index, kind=kind, base=base, origin=origin)
    said = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
    decoder = decoder_of(stream)
    seen = look(source, stream, decoder)  # which makes the context say what the picture says
    name = _pixel_format(decoder)
    color, doubts = color_of(said, seen.tags, decoder.pix_fmt or name)
    again = order.interlaced or looked_again(source, stream, decoder, index, kind=kind)
    rate, variable = even_rate(stream, times.pts, base)
    where = entries(index, order, times.pts, kind=kind)
    fields = fields_of(stream, seen, again=again)
    tracks, left = beside(path, source, stream) if kind.clock else (_others(source, stream), [])
    return Film(
        path=path,
        fingerprint="",
        container=container,
        stream=stream.index,
        codec=context.name,
        pixel_format=name,
        width=context.width,
        height=context.height,
        sample_aspect_ratio=stream.sample_aspect_ratio or None,
        rotation=seen.rotation,
        mirrored=seen.mirrored,
        fields=fields,
        color=color,
        time_base=base,
        frame_rate=rate,
        variable_rate=variable,
        pts=times.pts,
        durations=durations_of(times.pts, index.durations[order.packets], 1 / (rate * base)),
        dts=index.dts[order.packets],
        sync=index.sync[order.packets],
        entry_pts=where.pts,
        entry_dts=where.dts,
        opening=where.opening,
        packets=where.packets,
        runs=times.runs,
        tracks=tuple(map(track_of, tracks)),
        timecode=timecode_of(source, stream),
        notes=(*times.notes, *left, *doubts, *_notes(index, order, fields)),
    )


def _others(source: av.container.InputContainer, stream: av.VideoStream) -> list[av.stream.Stream]:
    return [other for other in source.streams if other.index != stream.index]


def _seconds(begin: int | None) -> Fraction | None:
    return None if begin is None else Fraction(begin, av.time_base)


def _notes(index: Index, order: Order, fields: Fields) -> list[str]:
    notes = []
    if fields:
        notes.append("interlaced: its fields are made whole pictures (bwdif), one a frame")
    if index.propped:
        notes.append(
            f"{index.propped} of its sync frames do not stand by themselves (intra refresh): "
            "decoding starts from those that do, or from the beginning, which takes longer"
        )
    if order.unreadable:
        notes.append(f"it begins in the middle of a group: {order.unreadable} packets are left out")
    return notes


def _pixel_format(context: av.VideoCodecContext) -> str:
    name = plain(context.pix_fmt or "")
    if name not in PIXEL_FORMATS:
        raise UnsupportedFilm(
            f"pixels of {context.pix_fmt or 'an unknown kind'}; convert them first: "
            "ffmpeg -i FILM -pix_fmt yuv444p10le -c:v ffv1 film.mkv"
        )
    return name
