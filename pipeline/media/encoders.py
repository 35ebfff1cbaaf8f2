"""A codec to its encoder's settings: what makes segments closed, alike everywhere, and joinable.

Constant quality, closed groups of pictures, one thread, nothing that depends on the machine. The
names of the settings are the encoders' own. Nothing here opens a file.
"""

import os
from fractions import Fraction
from typing import cast

import av

from pipeline.errors import BadRequest
from pipeline.media.codecs import Codec, coder
from pipeline.media.samples import PIXEL_FORMATS
from pipeline.media.seam import NONE, Seams, finer

_BYTE = 8
_ON_GPU: frozenset[Codec] = frozenset({"h264_nvenc", "hevc_nvenc"})


def options_of(
    codec: Codec,
    *,
    quality: int | None,
    pixel_format: str,
    rate: Fraction,
    preset: str,
    more: str,
    seams: Seams = NONE,
) -> dict[str, str]:
    """Give the settings of the encoder.

    Args:
        codec: which.
        quality: as ``quality_of`` settled it.
        pixel_format: what the encoder is handed.
        rate: frames a second; there is a sync frame every two seconds at least.
        preset: of x264 and x265, time against size.
        more: settings in the words of the encoder's own list, each after a colon.
        seams: where x264's segment meets others.
    """
    every = max(12, round(2 * rate))
    if codec in {"h264", "hevc"}:
        make = _x264 if codec == "h264" else _x265
        return {"preset": preset, **make(quality, every, more, pixel_format, seams)}
    if codec == "av1":
        return _svt(quality, every, more)
    if codec == "vp9":
        chosen = {"crf": str(quality)} if quality else {"lossless": "1"}
        return {**chosen, "b": "0", "g": str(every), "row-mt": "0", "cpu-used": "4"}
    if codec in _ON_GPU:
        held = {"rc": "constqp", "qp": str(quality), "strict_gop": "1", "forced-idr": "1"}
        return {**held, "preset": "p5", "g": str(every)}
    return _of_one_quality(codec, pixel_format)


def _x264(
    quality: int | None, every: int, more: str, pixel_format: str, seams: Seams
) -> dict[str, str]:
    # above 8 bits a crf of 0 is not lossless
    lossless = quality == 0 and PIXEL_FORMATS[pixel_format].depth > _BYTE
    chosen = {"qp": "0"} if lossless else {"crf": str(quality)}
    own = f"threads=1:open-gop=0:keyint={every}:cpu-independent=1{more}"
    if quality:
        zones = (f"{frame},{frame},b={bits:g}" for frame, bits in finer(seams).items())
        own += f":zones={'/'.join(zones)}"
    return {**chosen, "x264-params": own}


def _x265(quality: int | None, every: int, more: str, _: str, __: Seams) -> dict[str, str]:
    own = f"pools=none:frame-threads=1:lookahead-slices=0:open-gop=0:keyint={every}"
    own += f":info=0:log-level=none{more}" + ("" if quality else ":lossless=1")
    return {"crf": str(quality), "x265-params": own}


def _svt(quality: int | None, every: int, more: str) -> dict[str, str]:
    own = f"lp=1:keyint={every}:irefresh-type=2{more}"
    if not quality:
        return {"preset": "6", "svtav1-params": f"{own}:lossless=1"}
    return {"preset": "6", "crf": str(quality), "svtav1-params": own}


def _of_one_quality(codec: Codec, pixel_format: str) -> dict[str, str]:
    if codec == "ffv1":
        return {"level": "3", "coder": "1", "context": "0", "slicecrc": "1"}
    if codec == "dnxhr":
        full = PIXEL_FORMATS[pixel_format].subsampling == (1, 1)
        return {"profile": "dnxhr_444" if full else "dnxhr_hqx"}
    return {"profile": "hq" if codec == "prores" else "4444", "vendor": "apl0"}


def hush(codec: Codec) -> None:
    """Keep SVT-AV1 from telling of every segment, for which there is no other way."""
    if codec == "av1":
        os.environ.setdefault("SVT_LOG", "1")


def try_encoder(codec: Codec) -> None:
    """Make sure that an encoder runs here; those of a GPU by opening them.

    Raises:
        BadRequest: If it does not.
    """
    row = coder(codec)
    try:
        context = cast(av.VideoCodecContext, av.CodecContext.create(row.encoder, "w"))
        if codec in _ON_GPU:
            context.width, context.height, context.pix_fmt = 320, 192, row.formats[0]
            context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
            context.open()
    except (av.FFmpegError, ValueError) as error:
        needs = "a GPU with NVENC" if codec in _ON_GPU else f"an FFmpeg with {row.encoder}"
        raise BadRequest(f"{codec} cannot be written on this machine: it needs {needs}") from error
