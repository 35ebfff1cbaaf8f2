"""Tiny films of every kind that there is to read, made on the spot.

A *specimen* is a name, a container and how its picture is coded. The pictures move and are never
alike, so that a frame which is lost, repeated or taken for another shows. Benches and tests take
them; nothing here reads a film.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np

from pipeline.media.color import Plane, Planes
from pipeline.media.samples import PIXEL_FORMATS, picture_of

FRAMES = 24
_RATE = Fraction(25)
_NTSC = Fraction(30000, 1001)
_SOUND = 48000
_NTSC_TICKS = Fraction(1, 30000)


@dataclass(frozen=True, slots=True)
class Specimen:
    """How a film is made."""

    name: str
    suffix: str
    encoder: str
    pixel_format: str = "yuv420p"
    size: tuple[int, int] = (96, 64)
    rate: Fraction = _RATE
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the encoder."""
    muxing: Mapping[str, str] = field(default_factory=dict)
    """Of the container."""
    tags: tuple[int, int, int, int] = (1, 1, 1, 1)
    """Primaries, transfer, matrix, range, as FFmpeg numbers them."""
    sound: str = "aac"
    """The codec of one track; "" is silence."""
    shape: Fraction | None = None
    """Of a pixel."""
    rotation: int = 0
    timecode: str = ""
    first: int = 0
    """Frames' worth of time before the first one."""
    uneven: bool = False
    """Whether frames come at a variable rate."""
    tag: str = ""
    """The codec's name in MP4 and MOV, where it is not the usual one."""


_X264 = {
    "preset": "veryfast",
    "x264-params": "threads=1:keyint=8:min-keyint=1:scenecut=0:bframes=0",
}
_B = {"preset": "veryfast", "x264-params": "threads=1:keyint=8:scenecut=0:bframes=2:b-adapt=0"}
_X265 = "pools=none:frame-threads=1:keyint=8:scenecut=0:log-level=none"
_PQ, _HLG = (9, 16, 9, 1), (9, 18, 9, 1)
_SVT = {"preset": "10", "svtav1-params": "lp=1:keyint=8"}
_TFF = {"preset": "veryfast", "x264-params": "threads=1:keyint=8:tff=1"}

SPECIMENS = (
    Specimen("MP4, H.264", ".mp4", "libx264", options=_X264),
    Specimen("MP4, H.264 with B-frames, an edit list, two hours in", ".mp4", "libx264",
             options=_B, first=180000, rate=Fraction(24000, 1001)),
    Specimen("MP4, H.264, variable rate", ".mp4", "libx264", options=_B, uneven=True),
    Specimen("MP4, H.264, fragmented", ".mp4", "libx264", options=_X264,
             muxing={"movflags": "frag_keyframe+delay_moov"}),
    Specimen("MP4, H.264, turned, 4:3 pixels", ".mp4", "libx264", options=_X264, rotation=90,
             shape=Fraction(4, 3)),
    Specimen("MP4, H.264 4:2:2 10 bits", ".mp4", "libx264", "yuv422p10le", options=_X264),
    Specimen("MP4, HEVC 10 bits, PQ", ".mp4", "libx265", "yuv420p10le", tags=_PQ, tag="hvc1",
             options={"preset": "ultrafast", "x265-params": _X265}),
    Specimen("MP4, HEVC 10 bits, HLG", ".mp4", "libx265", "yuv420p10le", tags=_HLG, tag="hvc1",
             options={"preset": "ultrafast", "x265-params": _X265}),
    Specimen("MP4, AV1", ".mp4", "libsvtav1", options=_SVT),
    Specimen("MOV, ProRes 422 HQ, timecode", ".mov", "prores_ks", "yuv422p10le",
             options={"profile": "hq"}, sound="pcm_s24le", timecode="01:00:00:00"),
    Specimen("MOV, ProRes 4444 with alpha", ".mov", "prores_ks", "yuva444p10le",
             options={"profile": "4444"}, sound="pcm_s16le", tag="ap4h"),
    Specimen("MOV, DNxHR HQX", ".mov", "dnxhd", "yuv422p10le", (256, 120),
             options={"profile": "dnxhr_hqx"}, sound="pcm_s16le"),
    Specimen("MOV, H.264, drop-frame timecode", ".mov", "libx264", options=_B, rate=_NTSC,
             timecode="00:59:59;20"),
    Specimen("MKV, FFV1", ".mkv", "ffv1", options={"level": "3", "slicecrc": "1"}, sound="flac"),
    Specimen("MKV, FFV1 4:2:2 10 bits", ".mkv", "ffv1", "yuv422p10le",
             options={"level": "3", "slicecrc": "1"}, sound="flac"),
    Specimen("MKV, FFV1 4:4:4 12 bits", ".mkv", "ffv1", "yuv444p12le",
             options={"level": "3", "slicecrc": "1"}, sound="flac"),
    Specimen("MKV, FFV1 RGB 16 bits", ".mkv", "ffv1", "gbrp16le",
             options={"level": "3", "slicecrc": "1"}, tags=(1, 13, 0, 2), sound="flac"),
    Specimen("MKV, FFV1 grey with alpha", ".mkv", "ffv1", "ya8",
             options={"level": "3", "slicecrc": "1"}, sound="flac"),
    Specimen("MKV, H.264 with B-frames, full range", ".mkv", "libx264", options=_B,
             tags=(1, 1, 1, 2)),
    Specimen("WebM, VP9", ".webm", "libvpx-vp9", options={"g": "8", "deadline": "realtime"},
             sound="libopus"),
    Specimen("WebM, VP8", ".webm", "libvpx", options={"g": "8", "deadline": "realtime"},
             sound="libopus"),
    Specimen("MXF, MPEG-2 4:2:2", ".mxf", "mpeg2video", "yuv422p",
             options={"g": "8", "bf": "0"}, sound="pcm_s16le"),
    Specimen("MXF, DNxHR HQX", ".mxf", "dnxhd", "yuv422p10le", (256, 120),
             options={"profile": "dnxhr_hqx"}, sound="pcm_s24le", timecode="10:00:00:00"),
    Specimen("AVI, MJPEG", ".avi", "mjpeg", "yuvj420p", options={"qscale": "3"},
             tags=(1, 1, 1, 2), sound="pcm_s16le"),
    Specimen("AVI, MPEG-4", ".avi", "mpeg4", options={"g": "8", "bf": "0"}, sound="libmp3lame"),
    Specimen("MPEG-TS, H.264", ".ts", "libx264", options=_B),
    Specimen("MPEG-TS, H.264, interlaced", ".ts", "libx264", options=_TFF, sound="mp2"),
    Specimen("MPEG-TS, MPEG-2", ".ts", "mpeg2video", options={"g": "8", "bf": "2"}, sound="mp2"),
    Specimen("FLV, H.264", ".flv", "libx264", options=_X264),
    Specimen("3GP, MPEG-4", ".3gp", "mpeg4", options={"g": "8"}),
    Specimen("ASF, WMV 8", ".wmv", "wmv2", options={"g": "8"}, sound="libmp3lame"),
)  # fmt: skip


def make(specimen: Specimen, path: Path, *, frames: int = FRAMES) -> Path:
    """Write a specimen of so many frames."""
    with av.open(str(path), "w", options=dict(specimen.muxing)) as container:
        if specimen.timecode:
            container.metadata["timecode"] = specimen.timecode
        stream = _stream(container, specimen)
        voice = None
        if specimen.sound:
            voice = cast(av.AudioStream, container.add_stream(specimen.sound, _SOUND))
            voice.codec_context.layout = "stereo"
        container.start_encoding()
        base = stream.codec_context.time_base
        for number, planes in enumerate(moving(specimen, frames)):
            picture = picture_of(planes, specimen.pixel_format.replace("yuvj", "yuv"))
            if specimen.pixel_format.startswith("yuvj"):
                picture = picture.reformat(format=specimen.pixel_format)
            picture.pts, picture.time_base = _tick(specimen, number), base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if voice is not None:
            _play(container, voice, specimen, frames)
    return path


def moving(specimen: Specimen, frames: int) -> Iterator[Planes]:
    """Blotches that move 3 pixels right and 1 down each frame, of the format's own depth."""
    form = PIXEL_FORMATS[specimen.pixel_format.replace("yuvj", "yuv")]
    width, height = specimen.size
    random = np.random.default_rng(len(specimen.name))
    top = (1 << form.depth) - 1
    noise = random.uniform(0.1, 0.9, (3, 24, 32)).astype(np.float32)
    wide = [cv2.resize(one, (width + 3 * frames, height + frames)) for one in noise]
    for t in range(frames):
        y, x = t, 3 * t
        parts = [one[y : y + height, x : x + width] for one in wide]
        luma, blue, red = (np.rint(part * top) for part in parts)
        kind = np.uint8 if form.depth <= 8 else np.uint16
        across, down = form.subsampling
        small = (-(-width // across), -(-height // down))
        chroma = [cv2.resize(part, small, interpolation=cv2.INTER_AREA) for part in (blue, red)]
        planes: list[Plane] = [np.rint(part).astype(kind) for part in (luma, *chroma)]
        alpha = None
        if form.alpha:
            alpha = np.rint(parts[1] * ((1 << form.bits) - 1)).astype(kind)
        yield Planes(*planes, alpha=alpha, depth=form.depth)


def _stream(container: av.container.OutputContainer, specimen: Specimen) -> av.VideoStream:
    options = dict(specimen.options)
    stream = cast(
        av.VideoStream, container.add_stream(specimen.encoder, specimen.rate, options=options)
    )
    context = stream.codec_context
    context.width, context.height = specimen.size
    context.pix_fmt, context.thread_count = specimen.pixel_format, 1
    context.time_base = _NTSC_TICKS if specimen.uneven else 1 / specimen.rate
    context.color_primaries, context.color_trc = specimen.tags[:2]
    context.colorspace, context.color_range = specimen.tags[2:]
    if specimen.shape:
        context.sample_aspect_ratio = specimen.shape
    if specimen.rotation:
        stream.set_display_rotation(specimen.rotation)
    if specimen.tag:
        context.codec_tag = specimen.tag
    return stream


def _tick(specimen: Specimen, number: int) -> int:
    if specimen.uneven:
        return 1001 * number + 300 * (number % 3)
    return specimen.first + number


def _play(
    container: av.container.OutputContainer,
    voice: av.AudioStream,
    specimen: Specimen,
    frames: int,
) -> None:
    begin = round(specimen.first / specimen.rate * _SOUND)
    end = begin + round(frames / specimen.rate * _SOUND)
    form = voice.codec_context.format.name
    swr = av.AudioResampler(format=form, layout="stereo", rate=_SOUND)
    size = voice.codec_context.frame_size or 1024
    for at in range(begin, end, size):
        time = np.arange(at, min(at + size, end)) / _SOUND
        wave = (np.sin(2 * np.pi * 440 * time) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _SOUND, at, Fraction(1, _SOUND)
        for one in swr.resample(frame):
            container.mux(voice.encode(one))
    container.mux(voice.encode(None))
