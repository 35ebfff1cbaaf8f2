"""Segments and a source to one film: joined without encoding, with all that was not painted.

Segments are joined by *rewriting* times, not by shifting them: the k-th frame gets the source's
k-th PTS, and the k-th packet the DTS that the largest *delay* of all segments asks for (the number
of frames by which a packet can come before its turn). A part of a film counts from its own first
frame, and the other tracks are cut to it. Nothing is dropped in silence: what the container cannot
hold comes back as notes. The caller verifies the film before it gets its name.
"""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from pipeline.errors import BadRequest, SpoiledSegment, VerificationFailed
from pipeline.media.clock import later_timecode
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment, describe, disk, rate_of, timescale
from pipeline.media.index import Ticks
from pipeline.media.rehearsal import words_to_lose
from pipeline.media.shape import write_shape
from pipeline.media.tracks import (
    Cut,
    add_track,
    carried,
    chapters_of,
    copy_words,
    cut_of,
    left_behind,
    lost_words,
    packets_of,
    reel_of,
    words_of,
)

if TYPE_CHECKING:
    from av.stream import Stream

    from pipeline.media.tracks import Timed

_SOUND, _TICKS = 48000, 1 << 31
_LATE = Fraction(1, 1000)
"""Seconds that nobody hears."""


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """The packets of one segment, in decoding order."""

    rank: Ticks
    """[n], the frame within the segment that each packet holds."""
    nature: tuple[object, ...]
    """What has to be the same in all of them: headers, codec, format, size."""

    @property
    def delay(self) -> int:
        return int((np.arange(self.rank.size) - self.rank).max())


def assemble(
    film: Film,
    segments: Sequence[Segment],
    *,
    target: Path,
    encoding: Encoding,
    start: int,
    stop: int,
) -> list[str]:
    """Join the segments of frames ``[start, stop)`` into ``target``, with the other tracks.

    ``target`` is a temporary name. Returns a line for each thing that the container cannot hold.

    Raises:
        VerificationFailed: If the segments are not exactly those frames, or do not fit together.
        OutOfResources: If the disk is full.
    """
    segments = sorted(segments, key=lambda segment: segment.start)
    _check(segments, start, stop)
    orders = [_order(segment) for segment in segments]
    if len({order.nature for order in orders}) > 1:
        raise VerificationFailed("the segments are of different encodings and do not join")
    notes = left_behind(film, encoding.container)
    cut = cut_of(film, start, stop, muxer=encoding.container)
    with (
        disk(target),
        av.open(str(film.path), "r", metadata_errors="replace") as source,
        av.open(str(segments[0].path), "r") as template,
        av.open(
            str(target), "w", format=encoding.container, options=_options(film, encoding)
        ) as container,
    ):
        copy_words(source, container)
        timecode, more = _timecode(film, start)
        notes += more
        if timecode:
            container.metadata["timecode"] = timecode
        container.set_chapters(chapters_of(source, cut))
        picture = container.add_stream_from_template(template.streams.video[0], opaque=True)
        _describe(picture, template.streams.video[0], source, film, encoding)
        streams = [
            (add_track(container, source.streams[track.index], muxer=encoding.container), track)
            for track in carried(film, encoding.container)
        ]
        container.start_encoding()
        queues = [_to(picture, _frames(film, segments, orders, cut, start, stop))]
        queues += [
            _to(stream, packets_of(film, track.index, cut))
            for stream, track in streams
            if track.kind != "attachment"
        ]
        for _, packet in heapq.merge(*queues, key=lambda timed: timed[0]):
            container.mux_one(packet)
    notes += _write_shape(target, film, encoding)
    return notes + lost_words(film, target, encoding.container)


def _write_shape(target: Path, film: Film, encoding: Encoding) -> list[str]:
    shape = film.sample_aspect_ratio
    if encoding.container not in {"matroska", "webm"} or shape is None or shape == 1:
        return []
    with disk(target):
        if write_shape(target, shape, width=film.width, height=film.height):
            return []
    return [f"{encoding.container} is written without the pixels' shape of {shape}"]


def _check(segments: Sequence[Segment], start: int, stop: int) -> None:
    if not segments:
        raise VerificationFailed("there are no segments")
    if (segments[0].start, segments[-1].stop) != (start, stop):
        span = f"[{segments[0].start}, {segments[-1].stop})"
        raise VerificationFailed(f"the segments are frames {span}, not [{start}, {stop})")
    for left, right in pairwise(segments):
        if left.stop != right.start:
            raise VerificationFailed(
                f"after frame {left.stop - 1} comes a segment of frame {right.start}"
            )


def _order(segment: Segment) -> _Order:
    name = segment.path.name
    try:
        with segment.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != segment.sha256:
                raise SpoiledSegment(f"the segment {name} is not what was written", segment.start)
        with av.open(str(segment.path), "r") as source:
            stream = source.streams.video[0]
            rows = [(p.pts, p.is_keyframe) for p in source.demux(stream) if p.size]
            context = stream.codec_context
            size = (context.width, context.height, context.pix_fmt)
            headers = bytes(context.extradata or b"")
    except (av.FFmpegError, OSError) as error:
        raise VerificationFailed(f"the segment {name} cannot be read: {error.strerror}") from error
    expected = segment.stop - segment.start
    if len(rows) != expected:
        raise VerificationFailed(f"the segment {name} holds {len(rows)} frames, not {expected}")
    if not rows[0][1]:
        raise VerificationFailed(f"the segment {name} starts with no sync frame")
    pts = np.array([row[0] for row in rows])
    # stable: where milliseconds are too coarse for two frames, every packet is in its turn anyway
    rank = np.argsort(np.argsort(pts, kind="stable"), kind="stable")
    return _Order(rank, (context.name, context.codec_tag, *size, headers))


def foreseen(film: Film, encoding: Encoding, *, start: int) -> list[str]:
    """Say before any work, in one line each, what a film that begins at ``start`` will not hold.

    Raises:
        BadRequest: If it cannot be written into that container at all.
    """
    muxer = encoding.container
    if muxer == "mxf":
        _check_beginnings(film, start)
    return left_behind(film, muxer) + _timecode(film, start)[1] + words_to_lose(film, muxer)


def _check_beginnings(film: Film, start: int) -> None:
    """Make sure that sound begins with the picture, for MXF has no place for another time."""
    cut = cut_of(film, start, film.frames, muxer="mxf")
    for track in carried(film, "mxf"):
        due = next((due for due, _ in packets_of(film, track.index, cut)), Fraction(0))
        if abs(due) > _LATE:
            late = f"track {track.index} begins {float(due):+.3f} s from the picture"
            raise BadRequest(f"MXF begins all of them at once, but {late}: name the film .mov")


def _options(film: Film, encoding: Encoding) -> dict[str, str]:
    if encoding.container == "mxf":
        return {}
    if encoding.container in {"matroska", "webm"}:
        # it would move the whole film to make room for what AAC sends ahead of its sound
        return {"avoid_negative_ts": "disabled"}
    # what comes before the first frame or sound is counted in ticks of the movie
    common = lcm(film.time_base.denominator, _SOUND)
    movie = {"movie_timescale": str(common)} if common < _TICKS else {}
    return {**timescale(film), **movie, "movflags": "faststart"}


def _timecode(film: Film, start: int) -> tuple[str, list[str]]:
    """Continue the source's timecode to a frame; "" if there is none, with the reason."""
    if film.timecode is None:
        return "", []
    if start and film.variable_rate:
        said = f"the timecode {film.timecode} cannot be advanced at a variable frame rate: left out"
        return "", [said]
    try:
        return later_timecode(film.timecode, start, rate=film.frame_rate), []
    except ValueError:
        return "", [f"the timecode {film.timecode!r} is not understood: left out"]


def _describe(
    picture: av.VideoStream,
    template: av.VideoStream,
    source: av.container.InputContainer,
    film: Film,
    encoding: Encoding,
) -> None:
    picture.time_base = film.time_base
    picture.codec_context.framerate = rate_of(film)
    if encoding.container != "mxf" and encoding.coder.tag:
        # the muxer would choose one that means another depth
        picture.codec_context.codec_tag = template.codec_context.codec_tag
    describe(picture, film, encoding)
    stream = source.streams[film.stream]
    picture.metadata.update(words_of(stream, muxer=encoding.container))
    reel = reel_of(source, film)
    if reel:
        picture.metadata["reel_name"] = reel
    picture.disposition = stream.disposition
    if film.rotation or film.mirrored:
        picture.set_display_rotation(film.rotation, hflip=film.mirrored)


def _frames(
    film: Film,
    segments: Sequence[Segment],
    orders: Sequence[_Order],
    cut: Cut,
    start: int,
    stop: int,
) -> "Iterator[Timed]":
    """Read the segments' packets, at the times of the film that they are joined to."""
    pts = film.pts[start:stop] - (0 if cut.begin is None else film.pts[start])
    dts = _decoding_times(pts, orders, last=int(film.durations[stop - 1]))
    turn = 0
    for segment, order in zip(segments, orders, strict=True):
        with av.open(str(segment.path), "r") as source:
            packets = (packet for packet in source.demux(video=0) if packet.size)
            for rank, packet in zip(order.rank.tolist(), packets, strict=True):
                frame = segment.start - start + rank
                packet.time_base = film.time_base
                packet.pts, packet.dts = int(pts[frame]), int(dts[turn])
                packet.duration = int(film.durations[start + frame])
                yield packet.dts * film.time_base, cast("av.Packet[Stream]", packet)
                turn += 1


def _decoding_times(pts: Ticks, orders: Sequence[_Order], *, last: int) -> Ticks:
    """Give each packet, in decoding order, a time to be decoded that is none too late.

    MP4 writes how long a frame lasts as what passes until the next packet is decoded. So the frame
    that is shown last has its length there even if others are decoded after it: all up to it are
    decoded earlier, or all after it, by what is amiss.
    """
    delay = max(order.delay for order in orders)
    step = int(pts[1] - pts[0]) if pts.size > 1 else 1
    dts = np.concatenate([pts[0] - step * np.arange(delay, 0, -1), pts])[: pts.size]
    rank = orders[-1].rank
    after = pts.size - rank.size + int(rank.argmax()) + 1
    if after < pts.size:
        amiss = last - int(dts[after] - dts[after - 1])
        dts[:after] -= max(0, amiss)
        dts[after:] += min(0, amiss)
    return dts


def _to(stream: av.stream.Stream, packets: "Iterator[Timed]") -> "Iterator[Timed]":
    for due, packet in packets:
        packet.stream = stream
        yield due, packet
