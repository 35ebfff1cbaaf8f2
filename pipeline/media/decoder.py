"""A stream to what decodes it: threads, how damage is met, and alpha that a file hides.

A WebM with alpha holds it beside each picture, where FFmpeg's own VP8 and VP9 decoders do not look;
libvpx does.
"""

import av

from pipeline.errors import UnsupportedFilm

_FLAGS_DAMAGE = frozenset({"h264"})
"""Decoders that mark damaged pictures; the others are told to fail instead of patching."""
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_ENCRYPTED = frozenset({"encv", "drmi"})


def decoder_of(
    stream: av.VideoStream, *, threads: int = 1, skim: bool = False
) -> av.VideoCodecContext:
    """Prepare the decoder of a stream that nothing was decoded of.

    Args:
        stream: Of an open file.
        threads: Of the decoder.
        skim: Leave out what only makes pictures smooth, where nobody looks at them.

    Raises:
        UnsupportedFilm: If there is none, or the film is encrypted.
    """
    context = getattr(stream, "codec_context", None)
    if context is None:
        raise UnsupportedFilm(
            f"track {stream.index} is coded with something that FFmpeg cannot decode; "
            "convert it with what made it"
        )
    if context.codec_tag in _ENCRYPTED:
        raise UnsupportedFilm(f"track {stream.index} is encrypted; decrypt it first")
    options = {} if context.name in _FLAGS_DAMAGE else {"err_detect": "explode"}
    if skim:
        options["skip_loop_filter"] = "all"
    if has_alpha_beside(stream):
        options.pop("err_detect", None)  # libvpx always fails
        context = _create(_WITH_ALPHA[context.name])
    context.thread_count = threads
    context.thread_type = "AUTO" if threads > 1 else "NONE"
    context.options = options
    return context


def has_alpha_beside(stream: av.VideoStream) -> bool:
    """Tell whether alpha lies beside each picture."""
    words = {key.lower(): value for key, value in stream.metadata.items()}
    return stream.codec_context.name in _WITH_ALPHA and words.get("alpha_mode") == "1"


def _create(name: str) -> av.VideoCodecContext:
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, av.VideoCodecContext)
    return context


def given_to(
    context: av.VideoCodecContext, packet: "av.Packet[av.VideoStream]"
) -> list[av.VideoFrame]:
    """Decode a packet; an empty one, which comes last, gives what is left.

    Raises:
        av.FFmpegError: If it does not decode.
    """
    try:
        return context.decode(packet if packet.size else None)
    except EOFError:
        return []
