"""Which of a file's tracks is the picture, and what the others are."""

from dataclasses import dataclass

import av

from pipeline.errors import BadRequest, UnreadableFilm

_EXTRA_PICTURES = (
    av.stream.Disposition.attached_pic
    | av.stream.Disposition.timed_thumbnails
    | av.stream.Disposition.still_image
)


@dataclass(frozen=True, slots=True)
class Track:
    """A track beside the picture, as the container numbers it."""

    index: int
    kind: str
    """"audio", "subtitle", "attachment", "cover", "clock" (timecode, chapters), "data", "video"."""
    codec: str
    """The name of the codec, "" where none is known."""
    language: str
    title: str


def choose(
    source: av.container.InputContainer, wanted: int | None
) -> tuple[av.VideoStream, list[str]]:
    """Choose the track that is painted, and say which others are not.

    Args:
        source: Just opened.
        wanted: Its number in the container; None takes the default one, or the first.

    Raises:
        BadRequest: If the number is of no video.
        UnreadableFilm: If there is no video at all.
    """
    every = [s for s in source.streams.video if not s.disposition & _EXTRA_PICTURES]
    if not every:
        raise UnreadableFilm("no video")
    if wanted is not None:
        for stream in every:
            if stream.index == wanted:
                return stream, _others(every, stream)
        raise BadRequest(f"--stream {wanted} is no video; there is {_listed(every)}")
    # an empty second track is harmless: MP4 counts its frames, MKV has none such
    real = [s for s in every if s.frames] or every
    first = next((s for s in real if s.disposition & av.stream.Disposition.default), real[0])
    return first, _others(real, first)


def _others(every: list[av.VideoStream], chosen: av.VideoStream) -> list[str]:
    others = [s for s in every if s.index != chosen.index]
    if not others:
        return []
    return [
        f"of {len(every)} tracks of video track {chosen.index} is painted; "
        f"left out: {_listed(others)} (--stream N paints another)"
    ]


def _listed(streams: list[av.VideoStream]) -> str:
    contexts = [(s.index, getattr(s, "codec_context", None)) for s in streams]
    return ", ".join(
        f"track {index} ({c.name} {c.width}x{c.height})" if c else f"track {index}"
        for index, c in contexts
    )


def track_of(stream: av.stream.Stream) -> Track:
    """Describe a track beside the picture."""
    context = getattr(stream, "codec_context", None)
    words = {key.lower(): value for key, value in stream.metadata.items()}
    return Track(
        index=stream.index,
        kind=_kind(stream),
        codec=context.name if context is not None else "",
        language=words.get("language", ""),
        title=words.get("title") or words.get("name", ""),
    )


def _kind(stream: av.stream.Stream) -> str:
    if stream.type == "video" and stream.disposition & _EXTRA_PICTURES:
        return "cover"
    # the names of chapters come as a track of text beside the chapters themselves
    if stream.type == "data" and ("timecode" in stream.metadata or stream.name == "bin_data"):
        return "clock"
    return stream.type


def timecode_of(source: av.container.InputContainer, stream: av.VideoStream) -> str | None:
    """Find the timecode of the first frame: the container's, the picture's or a track's own."""
    for words in (source.metadata, stream.metadata, *(s.metadata for s in source.streams.data)):
        for key, value in words.items():
            if key.lower() == "timecode" and value:
                return value
    return None
