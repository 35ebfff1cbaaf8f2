"""Frames of a film and of its painting to one small film that any browser plays.

Both stand in one picture, the film above its painting, so that nothing has to keep them in step.
A *preview* is H.264 4:2:0 in MP4 with its index in front; it is for looking at, not for keeping.
"""

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np

from pipeline.media.color import ColorTags, Plane, Planes, in_eight_bits, to_planes, to_rgb
from pipeline.media.container import Film
from pipeline.media.encode import disk
from pipeline.media.hdr import TRANSFERS

_LONGEST, _MOST_PIXELS = 960, 960 * 540
_TICKS = 90000
_SYNC = 24
"""Frames from one sync frame to the next: a viewer jumps to and fro."""
_CRF = "23"
_MOST_RATE = 12_000_000
"""Bits a second."""
DISPLAYED = ColorTags(1, 1, 1, full_range=False)
"""What every browser shows rightly; primaries and gamma are taken as they are."""


def display_size(film: Film) -> tuple[int, int]:
    """Give (width, height) of the upright picture in square pixels."""
    width, height = max(1, round(film.width * (film.sample_aspect_ratio or 1))), film.height
    return (height, width) if film.rotation in (90, 270) else (width, height)


def preview_size(film: Film) -> tuple[int, int]:
    """Give (width, height) of each of the two pictures: even, at most 960 px and 540 lines' worth.

    A film is never enlarged, but to an even size.
    """
    width, height = display_size(film)
    scale = min(1.0, _LONGEST / max(width, height), (_MOST_PIXELS / (width * height)) ** 0.5)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def shrunk(planes: Planes, size: tuple[int, int]) -> Planes:
    """Bring an upright frame to another size in 4:2:0, without alpha.

    Args:
        planes: Of any subsampling.
        size: (width, height), both even.
    """
    half = (size[0] // 2, size[1] // 2)
    return Planes(
        _resized(planes.luma, size),
        _resized(planes.blue, half),
        _resized(planes.red, half),
        depth=planes.depth,
    )


def displayed(planes: Planes, tags: ColorTags) -> Planes:
    """Bring a frame to what ``DISPLAYED`` says: 8 bits, of an HDR film its view."""
    like = in_eight_bits(planes)
    known = (tags.matrix, tags.full_range) == (DISPLAYED.matrix, DISPLAYED.full_range)
    if known and tags.transfer not in TRANSFERS:
        return like
    return to_planes(to_rgb(planes, tags), like=like, tags=DISPLAYED)


def stacked(above: Planes, below: Planes) -> Planes:
    """Put one frame above another of the same shape."""
    return Planes(
        np.vstack([above.luma, below.luma]),
        np.vstack([above.blue, below.blue]),
        np.vstack([above.red, below.red]),
    )


def write_preview(
    pictures: Iterable[Planes],
    *,
    times: list[Fraction],
    path: Path,
    size: tuple[int, int],
    tags: ColorTags,
    most_bytes: int,
) -> None:
    """Encode pictures that are shown at some times into a new MP4 file.

    The rate is capped so that the file stays within ``most_bytes`` but for what an encoder
    overshoots by, a few percent.

    Args:
        pictures: N in 4:2:0, [height, width].
        times: N + 1 seconds, ascending; the last is when the last picture goes.
        path: Where.
        size: (width, height) of the pictures.
        tags: What the samples mean; none is left unspecified.
        most_bytes: Of the file.

    Raises:
        OutOfResources: If the disk is full.
        ValueError: If the numbers do not fit.
    """
    length = times[-1] - times[0]
    # a second of the buffer is there to be spent when the film begins
    rate = min(_MOST_RATE, int(most_bytes * 8 * Fraction(9, 10) / (length + 1)))
    options = {"movflags": "+faststart", "video_track_timescale": str(_TICKS)}
    with disk(path), av.open(str(path), "w", format="mp4", options=options) as container:
        stream = _stream(container, Fraction(len(times) - 1) / length, rate, size, tags)
        ticks = [round((time - times[0]) * _TICKS) for time in times]
        lengths = {tick: after - tick for tick, after in pairwise(ticks)}
        for planes, tick in zip(pictures, ticks[:-1], strict=True):
            picture = _picture(planes, size)
            picture.pts, picture.time_base = tick, Fraction(1, _TICKS)
            _mux(container, stream.encode(picture), lengths)
        _mux(container, stream.encode(None), lengths)


def _mux(
    container: av.container.OutputContainer,
    packets: "list[av.Packet[av.VideoStream]]",
    lengths: dict[int, int],
) -> None:
    """Write packets, each with the length of its picture: of the last one nothing else tells it."""
    for packet in packets:
        packet.duration = lengths[packet.pts or 0]
        container.mux_one(packet)


def _stream(
    container: av.container.OutputContainer,
    frame_rate: Fraction,
    rate: int,
    size: tuple[int, int],
    tags: ColorTags,
) -> av.VideoStream:
    kilobits = max(1, rate // 1000)
    options = {
        "crf": _CRF,
        "preset": "veryfast",
        # without the last, not even two runs on one machine make the same file
        "x264-params": f"keyint={_SYNC}:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}:threads=1:"
        "cpu-independent=1",
    }
    shown = frame_rate.limit_denominator(1001)
    stream = container.add_stream("libx264", shown, options=options)
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt, context.thread_count = "yuv420p", 1
    context.time_base = Fraction(1, _TICKS)
    context.color_primaries, context.color_trc = tags.primaries, tags.transfer
    context.colorspace, context.color_range = tags.matrix, 2 if tags.full_range else 1
    return stream


def _picture(planes: Planes, size: tuple[int, int]) -> av.VideoFrame:
    picture = av.VideoFrame(*size, "yuv420p")
    parts = (planes.luma, planes.blue, planes.red)
    for plane, target in zip(parts, picture.planes, strict=True):
        if plane.shape != (target.height, target.width):
            raise ValueError(f"a plane of {(target.height, target.width)}, got {plane.shape}")
        samples = np.frombuffer(cast(bytes, target), np.uint8)[: target.height * target.line_size]
        samples.reshape(target.height, target.line_size)[:, : target.width] = plane
    return picture


def _resized(plane: Plane, size: tuple[int, int]) -> Plane:
    if plane.shape == (size[1], size[0]):
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), plane.dtype)
