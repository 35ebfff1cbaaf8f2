"""A codec's name to how films are written with it: the one table.

A *coder* is an encoder with the settings under which its segments can be joined: constant quality,
closed groups of pictures, one thread, nothing that depends on the machine. A pair of codec and
container is legal if it is in the table, and it is there because it was tried: every frame at its
time, every sample as in the segments. Nothing here opens a file of a film.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from av.codec import Codec as Known

from pipeline.errors import BadRequest
from pipeline.media.samples import PIXEL_FORMATS, PixelFormat

Codec: TypeAlias = Literal[
    "h264",
    "hevc",
    "av1",
    "vp9",
    "prores",
    "prores-4444",
    "dnxhr",
    "ffv1",
    "h264_nvenc",
    "hevc_nvenc",
]
Container: TypeAlias = Literal["mp4", "mov", "matroska", "webm", "mxf"]
"""As FFmpeg calls what writes them."""

CODECS: tuple[Codec, ...] = get_args(Codec)
SUFFIXES: Mapping[str, Container] = MappingProxyType(
    {
        ".mp4": "mp4",
        ".m4v": "mp4",
        ".mov": "mov",
        ".qt": "mov",
        ".mkv": "matroska",
        ".webm": "webm",
        ".mxf": "mxf",
    }
)
_ENDINGS: dict[Container, str] = {
    muxer: suffix for suffix, muxer in reversed(list(SUFFIXES.items()))
}

MXF_RATES = frozenset(
    {Fraction(whole) for whole in (24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120)}
    | {Fraction(1000 * whole, 1001) for whole in (24, 30, 48, 60, 96, 120)}
)
"""Frames a second that its muxer takes."""

_MOVIE: tuple[Container, ...] = ("mp4", "mov", "matroska")
_OPEN: tuple[Container, ...] = ("mp4", "matroska", "webm")


@dataclass(frozen=True, slots=True)
class Quality:
    """A constant quality: 0 is lossless, higher is smaller."""

    usual: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Coder:
    """How a codec is written."""

    encoder: str
    """As FFmpeg calls it."""
    stream: str
    """As FFmpeg calls what it writes."""
    containers: tuple[Container, ...]
    """The first is where it usually goes."""
    formats: tuple[str, ...]
    """Pixel formats that it takes, of ``PIXEL_FORMATS``."""
    segment: Container = "mp4"
    """What holds a segment."""
    quality: Quality | None = None
    """None if the codec has one quality."""
    least: tuple[int, int] = (1, 1)
    """Width and height of the smallest picture."""
    whole: bool = False
    """Whether a picture has to be a whole number of chroma samples."""
    tag: str = ""
    """What MP4 and MOV call it, where their muxer would choose another name."""
    widens: bool = False
    """Whether a decoder gives 12 bits for the encoder's 10."""
    narrow: bool = False
    """Whether it has no word for full range."""
    tail: int = 0
    """How often a segment's last picture is repeated, for the encoder to look ahead to."""


def _planar(chromas: str, *depths: int, alpha: bool = False) -> tuple[str, ...]:
    a = "a" if alpha else ""
    return tuple(
        f"yuv{a}{chroma}p" + ("" if depth == 8 else f"{depth}le")
        for depth in depths
        for chroma in chromas.split()
    )


_LOSSLESS = tuple(
    name
    for name in (form.name for form in Known("ffv1", "w").video_formats or [])
    if name in PIXEL_FORMATS
)

_CODERS: dict[Codec, Coder] = {
    "h264": Coder(
        "libx264", "h264", _MOVIE, _planar("420 422 444", 8, 10), quality=Quality(16, 0, 51),
        # twice as many would not show, and make segments larger
        whole=True, tail=12,
    ),
    "hevc": Coder(
        "libx265", "hevc", _MOVIE, _planar("420 422 444", 8, 10, 12), quality=Quality(18, 0, 51),
        # smaller ones overrun a buffer of x265
        least=(48, 48), whole=True, tag="hvc1",
    ),
    "av1": Coder(
        "libsvtav1", "av1", _OPEN, _planar("420", 8, 10), quality=Quality(20, 0, 63),
        least=(16, 16),
    ),
    "vp9": Coder(
        "libvpx-vp9", "vp9", ("webm", "matroska", "mp4"), _planar("420 422 444", 8),
        quality=Quality(18, 0, 63),
    ),
    "prores": Coder(
        "prores_ks", "prores", ("mov", "mxf", "matroska"), _planar("422", 10), "mov", tag="apch",
        narrow=True,
    ),
    "prores-4444": Coder(
        "prores_ks", "prores", ("mov", "mxf"),
        (*_planar("444", 10), *_planar("444", 10, alpha=True)), "mov", tag="ap4h", widens=True,
        narrow=True,
    ),
    "dnxhr": Coder(
        "dnxhd", "dnxhd", ("mov", "mxf"), _planar("422 444", 10), "mov", least=(256, 120),
    ),
    "ffv1": Coder("ffv1", "ffv1", ("matroska", "mxf"), _LOSSLESS, "matroska"),
    "h264_nvenc": Coder(
        "h264_nvenc", "h264", _MOVIE, _planar("420 444", 8), quality=Quality(18, 1, 51),
        whole=True,
    ),
    "hevc_nvenc": Coder(
        "hevc_nvenc", "hevc", _MOVIE, _planar("420 444", 8),
        quality=Quality(20, 1, 51), whole=True, tag="hvc1",
    ),
}  # fmt: skip


def coder(codec: Codec) -> Coder:
    """Look a codec up."""
    return _CODERS[codec]


def usual_suffix(codec: Codec) -> str:
    """Name the ending of the file that a codec usually goes into.

    >>> usual_suffix("vp9"), usual_suffix("prores")
    ('.webm', '.mov')
    """
    return _ENDINGS[_CODERS[codec].containers[0]]


def container_of(codec: Codec, suffix: str) -> Container:
    """Find the container that a suffix stands for.

    Raises:
        BadRequest: If no container is called so, or if it does not go with the codec.
    """
    endings = " or ".join(_ENDINGS[muxer] for muxer in _CODERS[codec].containers)
    container = SUFFIXES.get(suffix.lower())
    if container is None:
        raise BadRequest(f"name the film {endings}, not {suffix!r}")
    if container not in _CODERS[codec].containers:
        others = [one for one in CODECS if container in _CODERS[one].containers]
        raise BadRequest(
            f"{codec} does not go into {suffix}: name the film {endings}, "
            f"or choose --codec {', '.join(others)}"
        )
    return container


def quality_of(codec: Codec, asked: int | None) -> int | None:
    """Settle the quality that a codec is written with; None for one that has no choice.

    Raises:
        BadRequest: If the codec has no choice, or another range.
    """
    quality = _CODERS[codec].quality
    if quality is None:
        if asked is None:
            return None
        others = ", ".join(one for one in CODECS if _CODERS[one].quality)
        raise BadRequest(f"{codec} has one quality: leave it out, or choose {others}")
    if asked is None:
        return quality.usual
    if not quality.least <= asked <= quality.most:
        span = f"{quality.least} to {quality.most}"
        raise BadRequest(f"{codec} has a quality of {span}")
    return asked


def fits(codec: Codec, form: PixelFormat, size: tuple[int, int]) -> bool:
    """Tell whether a codec holds a picture of that size without changing its subsampling."""
    across, down = form.subsampling
    return not _CODERS[codec].whole or (size[0] % across == 0 and size[1] % down == 0)
