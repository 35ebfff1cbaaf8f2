"""What is not picture: which tracks and words a container holds, and their packets, cut and copied.

A *cut* is the stretch of the source that is kept and where it begins in the new film. Packets are
copied as they are; a packet belongs to the cut that its PTS falls in, but a subtitle that is on
screen when the cut begins is kept from there on. Nothing here decodes or encodes.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
from av.stream import Discard, Stream

from pipeline.errors import CorruptFilm
from pipeline.media.clock import rescale
from pipeline.media.container import Film
from pipeline.media.streams import Track
from pipeline.media.times import Follower

if TYPE_CHECKING:
    from av.container.core import Chapter

    Timed: TypeAlias = tuple[Fraction, av.Packet[Stream]]
    """When a packet is due, in seconds of the new film, and the packet."""

SPOKEN = frozenset({"audio", "subtitle"})
"""Kinds of tracks that have a language."""
_OF_THE_FILE = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "timecode"}
)
_OF_THE_TRACK = _OF_THE_FILE | {"handler_name", "vendor_id", "name"}
_ISO = "deu fre nld swe ell isl zho fas sqi rum cze slo mkd hye kat bod mya msa cym eus"
_MAC = "ger fra dut sve gre ice chi per alb ron ces slk mac arm geo tib bur may wel baq"
_MAC_LANGUAGES = dict(zip(_ISO.split(), _MAC.split(), strict=True))
"""MOV's muxer knows some languages under one of their two names only, and Swedish as "sve"."""
_UNNAMED = {"1 channels": "mono", "2 channels": "stereo"}
"""What the layout of few channels can only be, where a container says their number alone."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The stretch ``[begin, end)`` of the source, in seconds; None keeps everything."""

    begin: Fraction | None
    end: Fraction | None

    @property
    def origin(self) -> Fraction:
        """The source's time at which the new film's is 0."""
        return self.begin or Fraction(0)


def cut_of(film: Film, start: int, stop: int, *, muxer: str = "") -> Cut:
    """Find the stretch of frames ``[start, stop)``; a whole film keeps its times.

    In MXF it does so only if it begins at 0, for that counts from the first frame.
    """
    if (start, stop) == (0, film.frames) and (muxer != "mxf" or film.pts[0] == 0):
        return Cut(None, None)
    ends = int(film.pts[stop - 1] + film.durations[stop - 1])
    end = ends if stop == film.frames else int(film.pts[stop])
    return Cut(int(film.pts[start]) * film.time_base, end * film.time_base)


def carried(film: Film, muxer: str) -> list[Track]:
    """List the tracks that a container can hold, in the source's order."""
    with av.open(str(film.path), "r", metadata_errors="replace") as source:
        return [t for t in film.tracks if _holds(muxer, t, source.streams[t.index])]


def left_behind(film: Film, muxer: str) -> list[str]:
    """Say in one line each which tracks a container cannot hold; chapters and timecode stay."""
    held = carried(film, muxer)
    return [
        f"track {track.index} ({track.kind} {track.codec or 'of no known codec'}) "
        f"has no place in {muxer}: left out"
        for track in film.tracks
        if track.kind != "clock" and track not in held
    ]


def add_track(container: av.container.OutputContainer, source: Stream, *, muxer: str) -> Stream:
    """Prepare a copy of a track, with its words and dispositions."""
    stream = container.add_stream_from_template(source)
    stream.metadata.clear()
    stream.metadata.update(words_of(source, muxer=muxer))
    stream.disposition = source.disposition
    if isinstance(stream, av.AudioStream) and stream.codec_context.layout.name in _UNNAMED:
        stream.codec_context.layout = _UNNAMED[stream.codec_context.layout.name]
    return stream


def words_of(source: Stream, *, muxer: str) -> dict[str, str]:
    """List what is said about a track, in the words of a muxer."""
    words = {k: v for k, v in source.metadata.items() if k.lower() not in _OF_THE_TRACK}
    title = source.metadata.get("title") or source.metadata.get("name")
    if title:
        words["title"] = title
    if muxer == "mov" and "language" in words:
        words["language"] = _MAC_LANGUAGES.get(words["language"], words["language"])
    return words


def reel_of(source: av.container.InputContainer, film: Film) -> str:
    """Find the name of the reel, which MOV keeps with the timecode."""
    streams = [source.streams[film.stream], *source.streams.data]
    return next((s.metadata["reel_name"] for s in streams if s.metadata.get("reel_name")), "")


def lost_words(film: Film, target: Path | io.BytesIO, muxer: str) -> list[str]:
    """Say in one line which words about the film and its tracks did not survive."""
    written = str(target) if isinstance(target, Path) else target
    with (
        av.open(str(film.path), "r", metadata_errors="replace") as source,
        av.open(written, "r", metadata_errors="replace") as made,
    ):
        kept = {key.lower() for key in made.metadata}
        known = kept | _OF_THE_FILE | {"creation_time"}  # of which zero reads back as none
        lost = sorted(key for key in source.metadata if key.lower() not in known)
        beside = [stream for stream in made.streams if stream.type in SPOKEN]
        tracks = [track for track in carried(film, muxer) if track.kind in SPOKEN]
        here = [source.streams[track.index] for track in tracks]
        pairs = [(source.streams[film.stream], made.streams.video[0])]
        for a, b in [*pairs, *zip(here, beside, strict=False)]:
            said, says = words_of(a, muxer=muxer), words_of(b, muxer=muxer)
            for key in ("language", "title"):
                if said.get(key, "und") != "und" and says.get(key) != said[key]:
                    lost.append(f"{key} {said[key]} of track {a.index}")
    return [f"{muxer} does not hold: {', '.join(lost)}"] if lost else []


def copy_words(
    source: av.container.InputContainer, container: av.container.OutputContainer
) -> None:
    """Copy what is said about the film as a whole."""
    for key, value in source.metadata.items():
        if key.lower() not in _OF_THE_FILE:
            container.metadata[key] = value


def chapters_of(source: av.container.InputContainer, cut: Cut) -> "list[Chapter]":
    """Cut the chapters; those without anything left go."""
    chapters: list[Chapter] = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        begin, end = chapter["start"], chapter["end"]
        if cut.begin is not None and cut.end is not None:
            origin = rescale(1, cut.begin, base)
            begin = max(0, begin - origin)
            end = min(end, rescale(1, cut.end, base)) - origin
        if end > begin:
            chapters.append(
                {**chapter, "id": len(chapters), "start": begin, "end": end, "time_base": base}
            )
    return chapters


def packets_of(film: Film, track: int, cut: Cut) -> "Iterator[Timed]":
    """Read the packets of a track that belong to a cut, at the new film's times.

    Raises:
        CorruptFilm: If a packet has no time.
    """
    with av.open(str(film.path), "r", metadata_errors="replace") as source:
        stream = source.streams[track]
        for other in source.streams:
            if other.index != track:
                other.discard = Discard.all
        base = stream.time_base or film.time_base
        clock = Follower(film.runs)
        if cut.begin is not None and len(film.runs) < 2:  # a clock that is set anew leads nowhere
            _seek(source, stream, rescale(1, cut.begin - clock.add(cut.begin), base))
        for packet in source.demux(stream):
            if packet.size == 0:
                continue
            due = packet.pts if packet.dts is None else packet.dts
            if due is None:
                raise CorruptFilm(f"{film.path.name}: a packet of track {track} has no time")
            shift = rescale(1, clock.add(due * base), base)
            pts = due if packet.pts is None else packet.pts
            due += shift
            packet.pts, packet.dts = pts + shift, due
            if cut.end is not None and due * base >= cut.end:
                return
            if stream.type == "audio" and stream.codec_context.name.startswith("pcm_"):
                packet = _sliced(packet, cut, base)
            if _place(packet, cut, base, lasting=stream.type == "subtitle"):
                yield (packet.dts or 0) * base, _bare(packet)


def _sliced(packet: "av.Packet[Stream]", cut: Cut, base: Fraction) -> "av.Packet[Stream]":
    """Cut plain samples to the tick; containers pack them as they like."""
    pts, length = packet.pts, packet.duration
    if cut.begin is None or cut.end is None or pts is None or not length or packet.size % length:
        return packet
    first = max(0, min(length, rescale(1, cut.begin, base) - pts))
    last = max(first, min(length, rescale(1, cut.end, base) - pts))
    if last - first in (0, length):
        return packet
    block = packet.size // length
    part: av.Packet[Stream] = av.Packet(bytes(packet)[first * block : last * block])
    part.pts, part.dts, part.duration = pts + first, pts + first, last - first
    part.time_base, part.is_keyframe, part.stream = base, packet.is_keyframe, packet.stream
    return part


def _bare(packet: "av.Packet[Stream]") -> "av.Packet[Stream]":
    """Leave out headers that FLV hands out again after a seek: Matroska's muxer garbles them."""
    if not packet.has_sidedata("new_extradata"):
        return packet
    bare: av.Packet[Stream] = av.Packet(bytes(packet))
    bare.pts, bare.dts, bare.duration = packet.pts, packet.dts, packet.duration
    bare.time_base, bare.is_keyframe = packet.time_base, packet.is_keyframe
    return bare


def _holds(muxer: str, track: Track, source: Stream) -> bool:
    """Try it: whether a codec is known to a muxer says too little."""
    places = {"audio": True, "subtitle": True, "attachment": muxer == "matroska"}
    if not places.get(track.kind, track.kind == "cover" and muxer == "mp4"):
        return False
    begun = False
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as nothing:
            if muxer == "mxf":  # which holds nothing without a picture
                picture = nothing.add_stream("mpeg2video", 25)
                picture.codec_context.pix_fmt = "yuv420p"
            add_track(nothing, source, muxer=muxer)
            nothing.start_encoding()
            begun = True
    except (av.FFmpegError, ValueError):
        # MXF does not end without a packet
        return begun and muxer == "mxf"
    return True


def _seek(source: av.container.InputContainer, stream: Stream, ticks: int) -> None:
    try:
        source.seek(ticks, stream=stream)
    except av.FFmpegError:
        return  # a track without an index is read from its start


def _place(packet: "av.Packet[Stream]", cut: Cut, base: Fraction, *, lasting: bool) -> bool:
    """Move a packet to the new film's time; False if it is outside."""
    if cut.begin is None or cut.end is None:
        return True
    assert packet.pts is not None
    assert packet.dts is not None
    begin = rescale(1, cut.begin, base)
    if packet.pts < begin:
        left = packet.pts + (packet.duration or 0) - begin
        if not lasting or left <= 0:
            return False
        packet.pts = packet.dts = begin
        packet.duration = left
    if packet.pts * base >= cut.end:
        return False
    packet.pts, packet.dts = packet.pts - begin, packet.dts - begin
    return True
