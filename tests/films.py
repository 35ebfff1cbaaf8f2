"""Numbers to films whose every answer is known.

A *picture* is RGB, ``uint8 [H, W, 3]``; the generators yield pictures whose motion, cuts, fades and
freezes are given by their arguments. ``make_film`` encodes pictures, or planes as they are, into a
real file. ``numbered`` stamps each picture so that ``number_of`` can tell it after a lossy codec.
Nothing here reads a film, and nothing is used outside the tests.

Sizes are (width, height). A shift is (dx, dy): how far the content moves from one frame to the
next, right and down, so that ``flow(t, t + 1)`` equals the shift everywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
import av.subtitles.stream
import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane, Planes
from pipeline.media.samples import PIXEL_FORMATS, picture_of

if TYPE_CHECKING:
    from av.container.core import Chapter

Picture: TypeAlias = NDArray[np.uint8]
Size: TypeAlias = tuple[int, int]
Shift: TypeAlias = tuple[float, float]

SMALL: Size = (160, 96)
STILL: Shift = (0, 0)
_CELL = 8
_BITS = 12
_RATE = 48000


@dataclass(frozen=True, slots=True)
class Sound:
    """A track of sound: a tone that beats, as long as the film."""

    codec: str = "aac"
    language: str = "eng"
    title: str = ""
    tone: int = 440
    """Hz"""
    layout: str = "stereo"


@dataclass(frozen=True, slots=True)
class Line:
    """A subtitle, in milliseconds."""

    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class Tags:
    """Primaries, transfer, matrix, range (1 is limited, 2 is full), as FFmpeg numbers them."""

    primaries: int = 1
    transfer: int = 1
    matrix: int = 1
    range: int = 1


# -- pictures ------------------------------------------------------------------------------------


def still(size: Size = SMALL, *, offset: Shift = (0, 0), seed: int = 0) -> Picture:
    """One picture of a smooth endless texture, moved right and down by ``offset``.

    The texture is a sum of waves evaluated where it is asked for, so a fractional offset is exact.
    """
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, 48)
    length = np.exp(random.uniform(np.log(7), np.log(90), 48))
    kx, ky = 2 * np.pi * np.cos(angle) / length, 2 * np.pi * np.sin(angle) / length
    columns = np.exp(1j * np.outer(np.arange(size[0]) - offset[0], kx))
    columns = np.concatenate([columns.real, columns.imag], 1)
    rows = np.exp(1j * np.outer(np.arange(size[1]) - offset[1], ky))
    channels, nothing = [], np.zeros((0, 0))
    for base in random.uniform(100, 156, 3):
        wave = length**0.5 * np.exp(1j * random.uniform(0, 2 * np.pi, 48))
        wave *= 34 / np.sqrt((np.abs(wave) ** 2).sum() / 2)
        waves = np.concatenate([(rows * wave).real, -(rows * wave).imag], 1)
        # OpenCV's product: NumPy's starts threads, which costs 30 times as much on a busy machine
        channels.append(base + cv2.gemm(waves, columns, 1, nothing, 0, flags=cv2.GEMM_2_T))
    picture: Picture = np.clip(np.rint(np.stack(channels, -1)), 0, 255).astype(np.uint8)
    return picture


def texture(
    n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, seed: int = 0
) -> Iterator[Picture]:
    """A texture that moves evenly: frame t is the texture shifted by ``t * shift``."""
    for t in range(n):
        yield still(size, offset=(shift[0] * t, shift[1] * t), seed=seed)


def cut(n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, at: int) -> Iterator[Picture]:
    """Two moving textures; frame ``at`` is the first of the second."""
    return chain(texture(at, size, shift, seed=1), texture(n - at, size, shift, seed=2))


def scaled(pictures: Iterable[Picture], gains: Iterable[float]) -> Iterator[Picture]:
    """Pictures times one gain each, in RGB as displayed; equal gains leave them alone."""
    for picture, gain in zip(pictures, gains, strict=True):
        yield np.clip(np.rint(picture * float(gain)), 0, 255).astype(np.uint8)


def fade(
    n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, out: bool = True
) -> Iterator[Picture]:
    """A moving texture that fades to black over the whole length, or in from black."""
    gains = np.linspace(1, 0, n) if out else np.linspace(0, 1, n)
    return scaled(texture(n, size, shift), gains)


def flash(n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, at: int) -> Iterator[Picture]:
    """A moving texture of half brightness with one bright frame."""
    return scaled(texture(n, size, shift), [1.5 if t == at else 0.6 for t in range(n)])


def freeze(
    n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, start: int, stop: int
) -> Iterator[Picture]:
    """A moving texture that stands still in ``[start, stop)`` and then moves on."""
    for t in range(n):
        moved = t if t < start else max(start, t - (stop - 1 - start))
        yield still(size, offset=(shift[0] * moved, shift[1] * moved))


def twos(n: int, size: Size = SMALL, shift: Shift = (3, 1)) -> Iterator[Picture]:
    """Animation on twos: each drawing is shown twice, and the next is ``shift`` away."""
    for t in range(n):
        yield still(size, offset=(shift[0] * (t // 2), shift[1] * (t // 2)))


def letterbox(
    n: int, size: Size = SMALL, shift: Shift = (1.5, 0.5), *, bar: int = 16
) -> Iterator[Picture]:
    """A moving texture between two black bars of ``bar`` rows."""
    for picture in texture(n, size, shift):
        picture[:bar] = 0
        picture[-bar:] = 0
        yield picture


def black(n: int, size: Size = SMALL) -> Iterator[Picture]:
    """Nothing but black."""
    for _ in range(n):
        yield np.zeros((size[1], size[0], 3), np.uint8)


def numbered(pictures: Iterable[Picture], *, first: int = 0) -> Iterator[Picture]:
    """Stamp each picture's number into its top left corner, 96 x 16 pixels, as a bar code."""
    for number, picture in enumerate(pictures, first):
        stamped = picture.copy()
        for bit in range(_BITS):
            lit = 235 if number >> bit & 1 else 20
            stamped[:_CELL, bit * _CELL : (bit + 1) * _CELL] = lit
            stamped[_CELL : 2 * _CELL, bit * _CELL : (bit + 1) * _CELL] = 255 - lit
        yield stamped


def number_of(luma: Plane) -> int:
    """Read the number that ``numbered`` stamped, from a plane of luma ``[H, W]``."""
    cells = luma[: 2 * _CELL, : _BITS * _CELL].astype(int)
    means = cells.reshape(2, _CELL, _BITS, _CELL).mean((1, 3))
    return sum(1 << bit for bit in range(_BITS) if means[0, bit] > means[1, bit])


def planes_of(picture: Picture, *, pixel_format: str = "yuv420p") -> Planes:
    """A picture as BT.709 planes of limited range; chroma is the mean of its pixels.

    What has more than 8 bits has odd codes too, and alpha is its red.
    """
    form = PIXEL_FORMATS[pixel_format]
    red, green, blue = np.moveaxis(picture.astype(float), -1, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    down, step = form.subsampling[::-1], 1 << (form.depth - 8)
    kind = np.uint8 if form.depth == 8 else np.uint16
    return Planes(
        luma=np.rint((16 + luma * 219 / 255) * step).astype(kind),
        blue=_mean((blue - luma) / 1.8556, down, step).astype(kind),
        red=_mean((red - luma) / 1.5748, down, step).astype(kind),
        alpha=np.rint(red * step).astype(kind) if form.alpha else None,
        depth=form.depth,
    )


def _mean(difference: NDArray[np.float64], down: tuple[int, int], step: int) -> NDArray[np.float64]:
    height, width = difference.shape
    padded = np.pad(difference, ((0, -height % down[0]), (0, -width % down[1])), "edge")
    rows, columns = padded.shape[0] // down[0], padded.shape[1] // down[1]
    mean = padded.reshape(rows, down[0], columns, down[1]).mean((1, 3))
    return np.asarray(np.rint((128 + mean * 224 / 255) * step), np.float64)


# -- films ---------------------------------------------------------------------------------------


def make_film(
    path: Path,
    frames: Iterable[Picture | Planes],
    *,
    rate: Fraction = Fraction(25),
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    first: Fraction = Fraction(0),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    crf: int = 12,
    keyint: int = 12,
    bframes: int = 0,
    open_gop: bool = False,
    tags: Tags | None = Tags(),
    sample_aspect_ratio: Fraction | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    interlaced: bool = False,
    sounds: Sequence[Sound] = (),
    subtitles: Sequence[Line] = (),
    chapters: Sequence[tuple[float, float, str]] = (),
    metadata: dict[str, str] | None = None,
    language: str = "",
    title: str = "",
    timecode: str = "",
    reel: str = "",
    fast_start: bool = False,
) -> Path:
    """Write a film; the suffix of ``path`` chooses the container.

    Pictures are made BT.709 of limited range; planes are taken as they are. ``pts`` are ascending
    ticks of ``time_base``, for variable frame rates; without them frame i comes at i / ``rate``.
    ``first`` is the number of seconds before the first frame. ``crf``, ``keyint``, ``bframes`` and
    ``open_gop`` are x264's. ``rotation`` is what a player turns the picture by, in degrees
    counter-clockwise. ``tags`` of None leave the film untagged. Chapters are (start, stop, title)
    in seconds. ``fast_start`` puts the index of an MP4 in front, where truncation spares it.
    """
    planes = [
        f if isinstance(f, Planes) else planes_of(f, pixel_format=pixel_format) for f in frames
    ]
    base = time_base or 1 / rate
    ticks = list(pts) if pts is not None else [round(i / rate / base) for i in range(len(planes))]
    offset = round(first / base)
    options = {"video_track_timescale": str(base.denominator)} if base.numerator == 1 else {}
    movie = path.suffix in {".mp4", ".mov"}
    if fast_start:
        options["movflags"] = "faststart"
    with av.open(str(path), "w", options=options if movie else {}) as container:
        container.metadata.update(metadata or {})
        if timecode:
            container.metadata["timecode"] = timecode
        if chapters:
            container.set_chapters([_chapter(i, *entry) for i, entry in enumerate(chapters)])
        gop = f"keyint={keyint}:min-keyint=1:scenecut=0:open-gop={int(open_gop)}"
        x264 = {
            "crf": str(crf),
            "bf": str(bframes),
            "x264-params": f"{gop}:b-adapt=0:threads=1" + (":tff=1" if interlaced else ""),
            "preset": "veryfast",
        }
        stream = container.add_stream(codec, rate, options=x264 if codec == "libx264" else {})
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.height, context.width = planes[0].luma.shape
        context.pix_fmt, context.thread_count, context.time_base = pixel_format, 1, base
        if tags is not None:
            context.color_primaries, context.color_trc = tags.primaries, tags.transfer
            context.colorspace, context.color_range = tags.matrix, tags.range
        if sample_aspect_ratio:
            context.sample_aspect_ratio = sample_aspect_ratio
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        names = (("language", language), ("title", title), ("reel_name", reel))
        stream.metadata.update({k: v for k, v in names if v})
        voices = [(sound, _sound_stream(container, sound)) for sound in sounds]
        words = _subtitle_stream(container, movie=movie) if subtitles else None
        container.start_encoding()
        for tick, frame in zip(ticks, planes, strict=True):
            picture = _frame(frame, pixel_format)
            picture.pts, picture.time_base = tick + offset, base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        last = ticks[-1] - ticks[-2] if len(ticks) > 1 else round(1 / rate / base)
        span = ((ticks[0] + offset) * base, (ticks[-1] + offset + last) * base)
        for sound, voice in voices:
            _play(container, voice, sound, start=span[0], stop=span[1])
        for line in subtitles:
            assert words is not None
            container.mux(_subtitle(line, words, movie=movie))
    return path


def truncate(path: Path, share: float) -> Path:
    """Cut a file off after ``share`` of its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def scribble(path: Path, *, at: int, size: int) -> Path:
    """Overwrite ``size`` bytes from byte ``at`` with noise."""
    content = bytearray(path.read_bytes())
    content[at : at + size] = np.random.default_rng(0).bytes(size)
    path.write_bytes(content)
    return path


def _chapter(number: int, start: float, stop: float, title: str) -> "Chapter":
    return {
        "id": number,
        "start": round(start * 1000),
        "end": round(stop * 1000),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }


def _frame(planes: Planes, pixel_format: str) -> av.VideoFrame:
    return picture_of(planes, pixel_format)


def _sound_stream(container: av.container.OutputContainer, sound: Sound) -> av.AudioStream:
    stream = container.add_stream(sound.codec, _RATE)
    assert isinstance(stream, av.AudioStream)
    stream.codec_context.layout = sound.layout
    stream.metadata["language"] = sound.language
    if sound.title:
        stream.metadata["title"] = sound.title
    return stream


def _play(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    sound: Sound,
    *,
    start: Fraction,
    stop: Fraction,
) -> None:
    begin, end = round(start * _RATE), round(stop * _RATE)
    for at in range(begin, end, 1024):
        time = np.arange(at, min(at + 1024, end)) / _RATE
        wave = np.sin(2 * np.pi * sound.tone * time) * np.sin(2 * np.pi * time) * 8000
        frame = av.AudioFrame.from_ndarray(
            np.repeat(wave.astype(np.int16), av.AudioLayout(sound.layout).nb_channels)[None],
            format="s16",
            layout=sound.layout,
        )
        frame.sample_rate, frame.pts, frame.time_base = _RATE, at, Fraction(1, _RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _subtitle_stream(
    container: av.container.OutputContainer, *, movie: bool
) -> av.subtitles.stream.SubtitleStream:
    stream = container.add_stream("mov_text" if movie else "subrip")
    assert isinstance(stream, av.subtitles.stream.SubtitleStream)
    header = b"[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\n[Events]\n"
    stream.codec_context.subtitle_header = header
    stream.codec_context.time_base = Fraction(1, 1000)
    stream.metadata["language"] = "eng"
    return stream


def _subtitle(
    line: Line, stream: av.subtitles.stream.SubtitleStream, *, movie: bool
) -> "av.Packet[av.stream.Stream]":
    text = line.text.encode()
    packet = av.Packet(len(text).to_bytes(2, "big") + text if movie else text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = line.start
    packet.duration = line.stop - line.start
    return packet
