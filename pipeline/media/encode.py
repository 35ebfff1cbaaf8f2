"""Frames to a segment: one closed, verified file that can be joined without encoding again.

A *segment* is the encoded file of a run of frames. It starts with a sync frame that nothing later
reaches behind, counts its PTS from its own first frame, and has been opened again, counted and
decoded before anyone hears of it. The same frames and encoding give the same samples wherever and
however often they are encoded: one thread, constant quality, nothing that looks beyond the segment.
"""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np

from pipeline.errors import BadRequest, FilmError, OutOfResources, VerificationFailed
from pipeline.media.codecs import (
    MXF_RATES,
    Codec,
    Coder,
    Container,
    coder,
    container_of,
    quality_of,
)
from pipeline.media.color import ColorTags
from pipeline.media.conform import Conform, choose_format, conform_of
from pipeline.media.container import Film
from pipeline.media.decode import Frame
from pipeline.media.encoders import hush, options_of, try_encoder
from pipeline.media.hdr10 import IN_STREAM, StaticMetadata, settings_of, static_metadata
from pipeline.media.orientation import stored_of
from pipeline.media.proof import pixels_of
from pipeline.media.samples import picture_of
from pipeline.media.seam import NONE, Seams
from pipeline.media.tags import choose_color
from pipeline.media.tail import tail

_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MOST_OF_A_RATE = 100_000
_FEW = 2
"""Frames that come in their order, and of which x265 leaves the DTS unset."""
_MILLISECONDS = frozenset({"matroska", "webm"})
_SUFFIXES = {"mp4": ".mp4", "mov": ".mov", "matroska": ".mkv"}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the painted film is written; see ``choose_encoding``."""

    codec: Codec
    pixel_format: str
    """A key of ``PIXEL_FORMATS``, which the encoder takes."""
    container: Container
    """Of the finished film."""
    preset: str = "fast"
    """The trade of time for size of x264 and x265."""
    color: ColorTags | None = None
    """What the written samples mean; None is what the film's own mean."""
    metadata: StaticMetadata | None = None
    """What the encoder says about the film's light."""
    seams: Seams = NONE
    """Of a segment: where it meets others."""

    @property
    def coder(self) -> Coder:
        """What writes it."""
        return coder(self.codec)

    @property
    def suffix(self) -> str:
        """The suffix of a segment's file."""
        return _SUFFIXES[self.coder.segment]

    @property
    def stored(self) -> str:
        """The pixel format that a decoder gives."""
        return self.pixel_format.replace("10le", "12le") if self.coder.widens else self.pixel_format


@dataclass(frozen=True, slots=True)
class Segment:
    """The encoded file of frames ``[start, stop)``."""

    path: Path
    start: int
    stop: int
    bytes: int
    sha256: str
    """Hex digest of the file."""
    pixels: str
    """Hex digest of the samples that the file decodes to."""


def choose_encoding(
    film: Film,
    *,
    codec: Codec,
    target: Path,
    crf: int | None = None,
    pixel_format: str | None = None,
) -> tuple[Encoding, list[str]]:
    """Choose how to write a film, and say in one line each what that changes.

    Args:
        film: the source.
        codec: what to write it with.
        target: the film's name to be; the suffix chooses the container.
        crf: the quality that was asked for, None for the codec's usual one.
        pixel_format: what was asked for, None for the film's own or what holds it.

    Raises:
        BadRequest: If that makes no sense, is no pair, or would lose what was not given up.
    """
    try:
        container = container_of(codec, target.suffix)
        quality_of(codec, crf)
    except BadRequest as error:
        raise BadRequest(f"{target.name}: {error}") from None
    try_encoder(codec)
    width, height = coder(codec).least
    if film.width < width or film.height < height:
        small = f"{film.width}x{film.height}"
        raise BadRequest(f"{codec} starts at {width}x{height}; the film is {small}")
    name, notes = choose_format(film, codec, pixel_format)
    metadata = static_metadata(film)
    if metadata is not None and codec not in IN_STREAM:
        notes.append(f"{codec} is written without the film's HDR10 static metadata")
    color, more = choose_color(film, codec, container, name)
    encoding = Encoding(codec, name, container, color=color, metadata=metadata)
    return encoding, notes + more + _of_container(film, codec, container)


def _of_container(film: Film, codec: Codec, container: Container) -> list[str]:
    if container == "mxf":
        _check_mxf(film, codec)
    exact = not film.variable_rate or (film.time_base * 1000).denominator == 1
    if container not in _MILLISECONDS or exact:
        return []
    return [f"{container} counts milliseconds: the frames of this variable rate go to the nearest"]


def _check_mxf(film: Film, codec: Codec) -> None:
    shape = film.sample_aspect_ratio or 1
    reasons = {
        "varying frame rates": film.variable_rate or not _gapless(film),
        f"{film.frame_rate} frames a second": film.frame_rate not in MXF_RATES,
        "turned or mirrored pictures": bool(film.rotation) or film.mirrored,
        f"pixels of shape {shape} from dnxhr": codec == "dnxhr" and shape != 1,
    }
    for what, wrong in reasons.items():
        if wrong:
            raise BadRequest(f"MXF does not hold {what}: name the film .mov or .mkv")


def _gapless(film: Film) -> bool:
    """Tell whether every frame comes at its turn of an even rate."""
    turns = (film.pts - film.pts[0]) * float(film.time_base * film.frame_rate)
    return bool((np.rint(turns) == np.arange(film.frames)).all())


def write_segment(
    frames: Iterable[Frame],
    *,
    film: Film,
    encoding: Encoding,
    path: Path,
    crf: int | None = None,
) -> Segment:
    """Encode consecutive frames of a film into a new file, and make sure of it.

    The planes have the film's own format. ``crf`` is for codecs that have a quality; None is their
    usual one.

    Raises:
        OutOfResources: If the disk is full.
        VerificationFailed: If the file does not hold what was put in.
    """
    with disk(path):
        start, stop = _encode(frames, film, encoding, path, crf)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    return Segment(path, start, stop, size, digest, pixels_of(path, film, start, stop))


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Say clearly that the disk is full, or that a file cannot be written.

    Raises:
        OutOfResources: For a full disk or quota.
        BadRequest: For any other refusal of the file system.
        VerificationFailed: For a refusal of the encoder or the muxer.
    """
    try:
        yield
    except FilmError:
        raise
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise OutOfResources(f"the disk is full: {path} could not be written") from error
        raise BadRequest(f"{path} cannot be written: {error.strerror}") from error
    except av.FFmpegError as error:
        raise VerificationFailed(f"{path} cannot be written: {error.strerror}") from error


def describe(stream: av.VideoStream, film: Film, encoding: Encoding) -> None:
    """Write what the samples mean, and the shape of the pixels, on an output stream."""
    context, color = stream.codec_context, encoding.color or film.color
    context.color_primaries, context.color_trc = color.primaries, color.transfer
    context.colorspace = color.matrix
    context.color_range = 2 if color.full_range else 1
    if film.sample_aspect_ratio is not None:
        context.sample_aspect_ratio = film.sample_aspect_ratio


def rate_of(film: Film) -> Fraction:
    """Give the frame rate in numbers that FFmpeg holds; the mean of a varying one may have more."""
    return film.frame_rate.limit_denominator(_MOST_OF_A_RATE)


def timescale(film: Film) -> dict[str, str]:
    """The option that makes MP4 and MOV count in the film's own ticks."""
    return {"video_track_timescale": str(film.time_base.denominator)}


def _encode(
    frames: Iterable[Frame], film: Film, encoding: Encoding, path: Path, crf: int | None
) -> tuple[int, int]:
    """Write a segment; gives the number of its first frame and of the frame after its last."""
    conform = conform_of(film, encoding.pixel_format, encoding.color)
    movie = encoding.coder.segment != "matroska"
    start = index = 0
    with av.open(str(path), "w", options=timescale(film) if movie else {}) as container:
        stream = _stream(container, film, encoding, crf)
        last, step = None, 0
        for frame in frames:
            start, index = (frame.index, 0) if last is None else (start, index + 1)
            picture = _picture(frame, start + index, film, encoding, conform)
            picture.pts = (frame.pts - int(film.pts[start])) * film.time_base.numerator
            picture.time_base = Fraction(1, film.time_base.denominator)
            if last is not None:
                container.mux(stream.encode(last))
                step = (picture.pts or 0) - (last.pts or 0)
            last = picture
        if last is None:
            raise ValueError("a segment needs a frame")
        end = last.pts or 0
        for picture in tail(last, repeats=0 if crf == 0 else encoding.coder.tail, step=step):
            container.mux([p for p in stream.encode(picture) if (p.pts or 0) <= end])
        rest = [packet for packet in stream.encode(None) if (packet.pts or 0) <= end]
        if index < _FEW:
            for packet in rest:
                packet.dts = packet.pts
        container.mux(rest)
    return start, start + index + 1


def _picture(
    frame: Frame, index: int, film: Film, encoding: Encoding, conform: Conform
) -> av.VideoFrame:
    if frame.index != index or frame.pts != film.pts[index]:
        raise ValueError(f"expected frame {index}, got {frame.index} at PTS {frame.pts}")
    return picture_of(conform(stored_of(frame.planes, film)), encoding.pixel_format)


def _stream(
    container: av.container.OutputContainer, film: Film, encoding: Encoding, crf: int | None
) -> av.VideoStream:
    row = encoding.coder
    options = options_of(
        encoding.codec,
        quality=quality_of(encoding.codec, crf if row.quality else None),
        pixel_format=encoding.pixel_format,
        rate=film.frame_rate,
        preset=encoding.preset,
        more=settings_of(encoding.metadata, encoding.codec),
        seams=encoding.seams,
    )
    hush(encoding.codec)
    stream = cast(av.VideoStream, container.add_stream(row.encoder, rate_of(film), options=options))
    context = stream.codec_context
    context.width, context.height = film.width, film.height
    context.pix_fmt = encoding.pixel_format
    context.thread_count = 1
    context.time_base = Fraction(1, film.time_base.denominator)
    if row.tag:
        context.codec_tag = row.tag
    if encoding.codec == "ffv1":
        context.gop_size = 1
    describe(stream, film, encoding)
    return stream
