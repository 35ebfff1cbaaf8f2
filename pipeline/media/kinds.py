"""What each container can be trusted with: presentation times, and a way to seek.

A container whose packets say when they are shown gives an index without decoding; of another the
order has to be learnt by decoding it once (see ``order``). Bare streams and playlists are refused:
the first have no times at all, the second read other files.
"""

from dataclasses import dataclass
from typing import Literal

from pipeline.errors import UnsupportedFilm


@dataclass(frozen=True, slots=True)
class Kind:
    """What a container says about its packets."""

    demuxer: str
    """FFmpeg's name of it."""
    times: Literal["shown", "sorted", "stored"]
    """"shown": a packet's PTS is its own; "sorted": PTS are right as a set, but may be handed out
    in the order of decoding; "stored": only DTS count frames."""
    seek: Literal["dts", "pts", "byte"]
    """What leads to a packet."""
    stable: bool = False
    """Whether a packet has the same times however it is come to."""
    clock: bool = False
    """Whether times are a broadcaster's clock: begun anywhere, wrapping, and set anew."""


CONTAINERS = {
    "mov": Kind("mov,mp4,m4a,3gp,3g2,mj2", "shown", "dts", stable=True),
    "matroska": Kind("matroska,webm", "shown", "pts", stable=True),
    "mxf": Kind("mxf", "sorted", "byte"),
    "avi": Kind("avi", "stored", "dts"),
    "mpegts": Kind("mpegts", "shown", "byte", clock=True),
    "mpeg": Kind("mpeg", "shown", "byte", clock=True),
    "flv": Kind("flv", "shown", "byte"),
    "asf": Kind("asf", "stored", "dts"),
    "nut": Kind("nut", "shown", "dts"),
    "ogg": Kind("ogg", "shown", "dts"),
}
"""By the name that ``Film.container`` has."""

_BARE = {"h264", "hevc", "vvc", "m4v", "mpegvideo", "obu", "av1", "dirac", "cavsvideo", "vc1"}
_LISTS = {"hls", "dash", "concat", "concatf", "sdp", "rtsp", "imf"}


def container_of(demuxer: str) -> str:
    """Name a container by its demuxer.

    Raises:
        UnsupportedFilm: If it is not covered; the line says what to do.
    """
    for name, kind in CONTAINERS.items():
        if kind.demuxer == demuxer:
            return name
    if demuxer in _BARE:
        raise UnsupportedFilm(
            f"a bare {demuxer} stream has no times; wrap it with its rate first: "
            "ffmpeg -framerate 25 -i FILM -c copy film.mkv"
        )
    if demuxer in _LISTS:
        raise UnsupportedFilm(f"a playlist ({demuxer}) is no film; name the film itself")
    if demuxer == "image2" or demuxer.endswith("_pipe"):
        raise UnsupportedFilm("a picture, not a film; reelbrush still paints pictures of films")
    raise UnsupportedFilm(
        f"the container {demuxer} is not covered (MP4, MOV, MKV, WebM, MXF, AVI, MPEG-TS and PS, "
        "FLV, WMV); rewrap it without loss: ffmpeg -i FILM -map 0 -c copy film.mkv"
    )
