"""What is not picture in a written film, held to the source: tracks, sound, names, chapters.

A *verdict* is (name, whether it passed, what was found). Payloads are compared without their
borders, for PCM is grouped anew by each container; where a container asked for another wrapping of
the same packets, the decoded samples have to be the same.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import av
from av.audio.frame import AudioFrame
from av.stream import AttachmentStream

from pipeline.errors import SourceError
from pipeline.media.container import Film
from pipeline.media.streams import Track
from pipeline.media.tracks import Cut, carried, chapters_of, packets_of, words_of

if TYPE_CHECKING:
    from av.container.core import Chapter

Verdict: TypeAlias = tuple[str, bool, str]

_COARSE = 0.0021
"""Seconds: a tick of Matroska, the coarsest there is, for either file."""
_SILENCE = b"\0\0"
"""What MP4 and MOV put between two subtitles."""
_ONE_NAME = frozenset({"mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float"})
"""Layers of MPEG audio, which MP4 and MOV do not tell apart; a decoder does."""
_WITHOUT_CHAPTERS = frozenset({"mxf", "avi", "flv", "mpegts"})
_WITHOUT_NAMES = frozenset({"mxf", "avi", "flv", "mpegts"})


@dataclass(frozen=True, slots=True)
class Copied:
    """A track that was compared whole."""

    index: int
    """Of the source."""
    kind: str
    codec: str
    language: str
    title: str
    packets: str
    """sha256 of the payloads in order, in hex."""
    decoded: str | None
    """sha256 of the decoded samples, where payloads were wrapped anew."""


def compare_tracks(
    film: Film, made: Film, cut: Cut, muxer: str
) -> tuple[list[Verdict], tuple[Copied, ...]]:
    """Compare which tracks there are, and every packet of each."""
    wanted = carried(film, muxer)
    got = [track for track in made.tracks if track.kind not in {"clock", "data", "video"}]
    if [track.kind for track in got] != [track.kind for track in wanted]:
        kinds = ", ".join(track.kind for track in got) or "nothing"
        said = f"beside the picture, {kinds} was written, not all of its tracks"
        return [("tracks", False, said)], ()
    kinds = ", ".join(f"{track.kind} {track.codec}" for track in got) or "none beside the picture"
    verdicts: list[Verdict] = [("tracks", True, kinds)]
    copied = []
    for a, b in zip(wanted, got, strict=True):
        if a.kind == "attachment":
            verdicts.append(_attached(film, a, made, b))
            continue
        verdict, one = _compare(film, a, cut, made, b)
        verdicts.append(verdict)
        copied += [one] if one is not None else []
    return verdicts, tuple(copied)


def compare_words(film: Film, made: Film, cut: Cut, muxer: str) -> list[Verdict]:
    """Compare names and languages of tracks, and chapters."""
    with (
        av.open(str(film.path), "r", metadata_errors="replace") as source,
        av.open(str(made.path), "r", metadata_errors="replace") as target,
    ):
        verdicts = []
        if muxer not in _WITHOUT_NAMES:
            beside = [t for t in made.tracks if t.kind not in {"clock", "data", "video"}]
            pairs = [(film.stream, made.stream)]
            here = carried(film, muxer)
            pairs += [(a.index, b.index) for a, b in zip(here, beside, strict=False)]
            said = [_names(a, source.streams[a], target.streams[b], muxer=muxer) for a, b in pairs]
            wrong = [line for lines in said for line in lines]
            verdicts.append(("names", not wrong, "; ".join(wrong) or "languages and titles kept"))
        if muxer not in _WITHOUT_CHAPTERS:
            verdicts.append(_chapters(source, target, cut))
    return verdicts


def _compare(film: Film, a: Track, cut: Cut, made: Film, b: Track) -> tuple[Verdict, Copied | None]:
    """Compare a track's packets in the source and in what was made of it."""
    name, whole = f"track {a.index} ({a.kind})", Cut(None, None)
    try:
        (digest, first), (other, second) = _digest(film, a, cut), _digest(made, b, whole)
        samples = None
        if digest != other and made.container == "mxf" and _padded(film, a, cut, made, b):
            digest = other
        if digest != other and a.kind == "audio":
            samples, others = _samples(film, a, cut), _samples(made, b, whole)
            if samples == others:
                digest = other
    except SourceError as error:
        return (name, False, str(error)), None
    copied = Copied(a.index, a.kind, a.codec, a.language, a.title, digest, samples)
    if digest != other:
        return (name, False, f"the packets of {name} were not copied whole"), None
    if a.codec != b.codec and not {a.codec, b.codec} <= _ONE_NAME:
        return (name, False, f"{name} was written as {b.codec}, not {a.codec}"), None
    if abs(first - second) > _COARSE:
        return (name, False, f"{name} starts {second - first:+.4f} s off"), None
    how = "every packet" if samples is None else "wrapped anew, every decoded sample"
    return (name, True, f"{how} equal, sha256 {digest[:16]}"), copied


def _attached(film: Film, a: Track, made: Film, b: Track) -> Verdict:
    """Compare the file that an attachment is: its name, its kind and every byte."""
    one, other = _attachment(film, a), _attachment(made, b)
    name = f"track {a.index} (attachment)"
    if one == other:
        return name, True, f"{one[0]}, {len(one[2])} bytes equal"
    return name, False, f"{name} was written as {other[0]}, not the same file as {one[0]}"


def _attachment(film: Film, track: Track) -> tuple[str, str, bytes]:
    with av.open(str(film.path), "r", metadata_errors="replace") as source:
        stream = source.streams[track.index]
        data = stream.data if isinstance(stream, AttachmentStream) else b""
        words = stream.metadata
        return words.get("filename", ""), words.get("mimetype", ""), data


def _digest(film: Film, track: Track, cut: Cut) -> tuple[str, float]:
    """Digest payloads without their borders; gives when the first is due, too."""
    digest = hashlib.sha256()
    first: float | None = None
    for due, packet in packets_of(film, track.index, cut):
        if track.kind == "subtitle" and bytes(packet) == _SILENCE:
            continue
        first = float(due) if first is None else first
        digest.update(bytes(packet))
    return digest.hexdigest(), first or 0.0


def _padded(film: Film, a: Track, cut: Cut, made: Film, b: Track) -> bool:
    """Tell whether all that differs is less than a picture's sound at the end.

    MXF holds whole pictures of sound: the last one is filled up with silence, or left out.
    """
    whole = Cut(None, None)
    sizes = [packet.size for _, packet in packets_of(made, b.index, whole)]
    theirs = sum(packet.size for _, packet in packets_of(film, a.index, cut))
    least, longest = min(theirs, sum(sizes)), max(sizes, default=0)
    (one, _), (two, silent) = _front(film, a, cut, least), _front(made, b, whole, least)
    return one == two and silent and abs(theirs - sum(sizes)) < longest


def _front(film: Film, track: Track, cut: Cut, size: int) -> tuple[bytes, bool]:
    """Digest so many bytes of a track; say whether what follows is silence."""
    digest, silent = hashlib.sha256(), True
    for _, packet in packets_of(film, track.index, cut):
        content = bytes(packet)
        digest.update(content[:size])
        silent = silent and not any(content[size:])
        size = max(0, size - len(content))
    return digest.digest(), silent


def _samples(film: Film, track: Track, cut: Cut) -> str:
    """Digest decoded sound."""
    digest = hashlib.sha256()
    try:
        for sound in _heard(film, track, cut):
            digest.update(sound.to_ndarray().tobytes())
    except av.FFmpegError as error:
        return f"not decodable: {error.strerror}"
    return digest.hexdigest()


def _heard(film: Film, track: Track, cut: Cut) -> Iterator[AudioFrame]:
    for _, packet in packets_of(film, track.index, cut):
        for frame in packet.decode():
            if isinstance(frame, AudioFrame):
                yield frame


def _names(
    track: int, source: av.stream.Stream, made: av.stream.Stream, *, muxer: str
) -> list[str]:
    """Say which names of a track differ; MOV knows no more languages than it does."""
    wanted, got = words_of(source, muxer=muxer), words_of(made, muxer=muxer)
    lines = []
    for key in ("language", "title"):
        one, other = wanted.get(key, ""), got.get(key, "")
        if key == "language":
            one, other = one.replace("und", ""), other.replace("und", "")
            if muxer == "mov" and not other:
                continue
        if one != other:
            lines.append(f"the {key} of track {track} was written as {other!r}, not {one!r}")
    return lines


def _chapters(
    source: av.container.InputContainer, made: av.container.InputContainer, cut: Cut
) -> Verdict:
    def told(chapters: "list[Chapter]") -> list[tuple[int, str]]:
        times = [float(c["start"] * (c["time_base"] or 0)) for c in chapters]
        titles = [c["metadata"].get("title", "") for c in chapters]
        return [(round(1000 * at), title) for at, title in zip(times, titles, strict=True)]

    wanted, got = told(chapters_of(source, cut)), told(made.chapters())
    same = len(wanted) == len(got) and all(
        abs(a[0] - b[0]) <= 1 and a[1] == b[1] for a, b in zip(wanted, got, strict=True)
    )
    if same:
        return "chapters", True, f"{len(got)}" if got else "none"
    return "chapters", False, f"the chapters were written as {got}, not {wanted}"
