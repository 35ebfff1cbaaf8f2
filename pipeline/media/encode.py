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
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias, cast

import av

from pipeline.errors import BadRequest, FilmError, OutOfResources, VerificationFailed
from pipeline.media.clock import rescale
from pipeline.media.color import Plane, Planes, turned
from pipeline.media.container import Film
from pipeline.media.decode import Frame
from pipeline.media.samples import picture_of, planes_of

Codec: TypeAlias = Literal["h264", "ffv1"]
Container: TypeAlias = Literal["mp4", "mov", "matroska"]

_MUXERS: dict[str, Container] = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
}
_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the painted film is written."""

    codec: Codec
    pixel_format: str
    """A key of ``PIXEL_FORMATS``; 4:4:4 where the film's own cannot be encoded."""
    container: Container
    """Of the finished film."""
    preset: str = "fast"
    """x264's trade of time for size."""

    @property
    def suffix(self) -> str:
        """The suffix of a segment's file."""
        return ".mkv" if self.codec == "ffv1" else ".mp4"


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


def choose_encoding(film: Film, *, codec: Codec, target: Path) -> tuple[Encoding, list[str]]:
    """Choose how to write a film, and say in one line each what that changes.

    Raises:
        BadRequest: If the container of that name is not written, or not with that codec.
    """
    container = _MUXERS.get(target.suffix.lower())
    if container is None:
        raise BadRequest(f"{target.name}: name the film .mp4, .mov or .mkv, not {target.suffix!r}")
    if codec == "ffv1" and container != "matroska":
        raise BadRequest(f"{target.name}: ffv1 goes into Matroska; name the film .mkv")
    if codec == "h264" and (film.width % film.chroma[0] or film.height % film.chroma[1]):
        note = (
            f"{film.width}x{film.height} is odd, which H.264 has in 4:4:4 alone: "
            "the film is written as yuv444p (--codec ffv1 keeps its format)"
        )
        return Encoding(codec, "yuv444p", container), [note]
    notes = []
    if codec == "ffv1" and film.sample_aspect_ratio not in (None, 1):
        shape = film.sample_aspect_ratio
        notes = [f"ffv1 in Matroska is written without the pixels' shape of {shape}"]
    return Encoding(codec, film.pixel_format, container), notes


def write_segment(
    frames: Iterable[Frame], *, film: Film, encoding: Encoding, path: Path, crf: int
) -> Segment:
    """Encode consecutive frames of a film into a new file, and make sure of it.

    The planes have the film's own subsampling. ``crf``, 0 (lossless) to 51, is for h264 alone.

    Raises:
        OutOfResources: If the disk is full.
        VerificationFailed: If the file does not hold what was put in.
    """
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ValueError("a segment needs a frame")
    with disk(path):
        stop = _encode(chain([first], rest), first.index, film, encoding, path, crf)
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    pixels = _proof(path, film, first.index, stop)
    return Segment(path, first.index, stop, size, digest, pixels)


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


def describe(stream: av.VideoStream, film: Film) -> None:
    """Write what the samples mean, and the shape of the pixels, on an output stream."""
    context = stream.codec_context
    context.color_primaries, context.color_trc = film.color.primaries, film.color.transfer
    context.colorspace = film.color.matrix
    context.color_range = 2 if film.color.full_range else 1
    if film.sample_aspect_ratio is not None:
        context.sample_aspect_ratio = film.sample_aspect_ratio


def timescale(film: Film) -> dict[str, str]:
    """The option that makes MP4 and MOV count in the film's own ticks."""
    return {"video_track_timescale": str(film.time_base.denominator)}


def _encode(
    frames: Iterable[Frame],
    start: int,
    film: Film,
    encoding: Encoding,
    path: Path,
    crf: int,
) -> int:
    index = start
    movie = encoding.suffix == ".mp4"
    with av.open(str(path), "w", options=timescale(film) if movie else {}) as container:
        stream = _stream(container, film, encoding, crf)
        for index, frame in enumerate(frames, start):
            if frame.index != index or frame.pts != film.pts[index]:
                raise ValueError(f"expected frame {index}, got {frame.index} at PTS {frame.pts}")
            picture = _picture(frame.planes, film, encoding)
            picture.pts = (frame.pts - int(film.pts[start])) * film.time_base.numerator
            picture.time_base = Fraction(1, film.time_base.denominator)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return index + 1


def _stream(
    container: av.container.OutputContainer, film: Film, encoding: Encoding, crf: int
) -> av.VideoStream:
    keyint = max(12, round(2 * film.frame_rate))
    options = {
        "h264": {
            "crf": str(crf),
            "preset": encoding.preset,
            # whole-film behaviour must not depend on where the film is divided, nor on the machine
            "x264-params": f"threads=1:open-gop=0:keyint={keyint}:cpu-independent=1",
        },
        "ffv1": {"level": "3", "coder": "1", "context": "0", "slicecrc": "1"},
    }[encoding.codec]
    encoder = {"h264": "libx264", "ffv1": "ffv1"}[encoding.codec]
    stream = cast(av.VideoStream, container.add_stream(encoder, film.frame_rate, options=options))
    context = stream.codec_context
    context.width, context.height = film.width, film.height
    context.pix_fmt = encoding.pixel_format
    context.thread_count = 1
    context.time_base = Fraction(1, film.time_base.denominator)
    if encoding.codec == "ffv1":
        context.gop_size = 1
    describe(stream, film)
    return stream


def _picture(planes: Planes, film: Film, encoding: Encoding) -> av.VideoFrame:
    stored = turned(planes, -film.rotation)
    if encoding.pixel_format != film.pixel_format:
        blue, red = (_spread(plane, film) for plane in (stored.blue, stored.red))
        stored = replace(stored, blue=blue, red=red)
    return picture_of(stored, encoding.pixel_format)


def _spread(plane: Plane, film: Film) -> Plane:
    """Give each pixel the chroma of the sample that covers it: every second one gives it back."""
    across, down = film.chroma
    return plane.repeat(down, 0).repeat(across, 1)[: film.height, : film.width]


def _proof(path: Path, film: Film, start: int, stop: int) -> str:
    """Decode a segment; compare the number of frames and every PTS; digest the samples."""
    digest = hashlib.sha256()
    index = start
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            base = stream.time_base or film.time_base
            stream.codec_context.thread_count = 1
            for index, picture in enumerate(container.decode(stream), start):
                if index == start and not picture.key_frame:
                    raise VerificationFailed(f"{path.name} does not start with a sync frame")
                ticks = int(film.pts[index] - film.pts[start]) if index < stop else -1
                if picture.is_corrupt or picture.pts != rescale(ticks, film.time_base, base):
                    raise VerificationFailed(f"{path.name}: frame {index} is at PTS {picture.pts}")
                planes = planes_of(picture)
                for plane in (planes.luma, planes.blue, planes.red):
                    digest.update(plane.data)
    except (av.FFmpegError, OSError) as error:
        raise VerificationFailed(f"{path.name} cannot be read back: {error.strerror}") from error
    if index + 1 != stop:
        raise VerificationFailed(f"{path.name} holds {index + 1 - start} of {stop - start} frames")
    return digest.hexdigest()
