"""A film that was written, held to the film it was made from.

Nothing that is checked here is taken from how the film was written: it is opened as any film is,
and compared with the source, check by check, so that a person sees all that differs. What the
container cannot hold is checked no further than that ``assemble`` said so. Pictures are looked at
only where segments meet; to compare all of them is for whoever has their digests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.codec import Codec

from pipeline.errors import SourceError, VerificationFailed
from pipeline.media.clock import later_timecode, rescale
from pipeline.media.color import ColorTags
from pipeline.media.container import Film, read_film
from pipeline.media.decode import pick
from pipeline.media.encode import Encoding
from pipeline.media.hdr10 import HDR_TRANSFERS, IN_STREAM, static_metadata
from pipeline.media.index import Ticks
from pipeline.media.tracks import Cut, cut_of
from pipeline.media.verify_tracks import Copied, compare_tracks, compare_words

_LOOKS = 16
"""Sync frames that are looked at where nobody says where segments meet."""
_WITHOUT_TIMECODE = frozenset({"avi", "flv", "mpegts"})


@dataclass(frozen=True, slots=True)
class Written:
    """How a film says it was written."""

    codec: str
    """As FFmpeg calls what is coded, whoever codes it."""
    pixel_format: str
    """That a decoder gives."""
    container: str
    """Of the muxers."""
    color: ColorTags | None = None
    """Where the samples mean something else than the film's own."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared."""

    name: str
    ok: bool
    found: str
    """What was found equal, or what differs."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found."""

    checks: tuple[Check, ...]
    """In the order in which a person asks."""
    frames: int
    """Of the written film."""
    worst: float
    """Seconds by which the worst PTS is off, for the container's ticks may be too coarse."""
    tracks: tuple[Copied, ...]
    """The other tracks that were compared whole."""
    decoded: tuple[int, ...]
    """The frames that were looked at, each from a seek."""

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(check.ok for check in self.checks)


def verify_film(
    film: Film,
    target: Path,
    *,
    encoding: Encoding,
    start: int,
    stop: int,
    seams: Sequence[int] = (),
) -> Verification:
    """Compare a written film with frames ``[start, stop)`` of its source, as ``compare`` does.

    Raises:
        VerificationFailed: If anything differs; the message is the first difference.
    """
    found = compare(film, target, written=written_as(encoding), start=start, stop=stop, seams=seams)
    for check in found.checks:
        if not check.ok:
            raise VerificationFailed(check.found)
    return found


def compare(
    film: Film,
    target: Path,
    *,
    start: int,
    stop: int,
    written: Written | None = None,
    seams: Sequence[int] = (),
) -> Verification:
    """Compare a film with frames ``[start, stop)`` of its source; gives all checks, passed or not.

    Args:
        film: the source.
        target: the written film.
        start: the first frame of the source that was written.
        stop: the frame after the last one.
        written: how it was written; None leaves open which codec and pixels are right.
        seams: the source's frames at which segments begin: each is decoded, and the one before.
            Without any, sync frames of the written film are.
    """
    try:
        made = read_film(target)
    except SourceError as error:
        failed = Check("readable", False, f"the written film is not in order: {error}")
        return Verification((failed,), 0, 0.0, (), ())
    muxer = written.container if written else muxer_of(made)
    cut = cut_of(film, start, stop, muxer=muxer)
    count, times, worst = _times(film, made, start, stop, cut)
    checks = [Check("readable", True, f"{made.codec} in {muxer}"), count, times]
    checks += _nature(film, made, written)
    checks += [_light(film, made, written)] if film.color.transfer in HDR_TRANSFERS else []
    checks += [_timecode(film, made, start, muxer), _length(film, made, start, stop)]
    tracks, copied = compare_tracks(film, made, cut, muxer)
    checks += [Check(*said) for said in (*tracks, *compare_words(film, made, cut, muxer))]
    looked, seen = _looks(made, [seam - start for seam in seams])
    return Verification((*checks, looked), made.frames, worst, copied, seen)


def written_as(encoding: Encoding) -> Written:
    """Say what to expect of a film that was encoded so."""
    return Written(encoding.coder.stream, encoding.stored, encoding.container, encoding.color)


def muxer_of(made: Film) -> str:
    """Name what wrote a film: MP4 and MOV, and Matroska and WebM, are told by their suffix."""
    suffix = made.path.suffix.lower()
    if made.container == "mov":
        return "mov" if suffix in {".mov", ".qt"} else "mp4"
    if made.container == "matroska":
        return "webm" if suffix == ".webm" else "matroska"
    return made.container


def _times(film: Film, made: Film, start: int, stop: int, cut: Cut) -> tuple[Check, Check, float]:
    wanted = stop - start
    if made.frames != wanted:
        said = f"{made.frames} frames were written, not {wanted}"
        return Check("frames", False, said), Check("times", False, "not compared"), 0.0
    count = Check("frames", True, f"{wanted}")
    origin = int(cut.origin / film.time_base)
    pts = film.pts[start:stop] - origin
    ticks = _ticks(pts, film.time_base, made.time_base)
    wrong = np.flatnonzero(made.pts != ticks)
    exact = pts * float(film.time_base)
    worst = float(np.abs(made.pts * float(made.time_base) - exact).max())
    if wrong.size:
        k = int(wrong[0])
        said = f"frame {start + k} is at PTS {made.pts[k]}, not {ticks[k]}"
        return count, Check("times", False, said), worst
    same = (film.time_base / made.time_base).denominator == 1
    tick = f"within a tick of {float(made.time_base):.3g} s, {worst:.2g} s at worst"
    return count, Check("times", True, f"every PTS {'exact' if same else tick}"), worst


def _ticks(pts: Ticks, base: Fraction, made: Fraction) -> Ticks:
    """Bring times to the nearest tick of another base, exactly."""
    ratio = base / made
    if ratio.denominator == 1:
        return pts * ratio.numerator
    return np.array([rescale(one, base, made) for one in pts.tolist()], np.int64)


def _nature(film: Film, made: Film, written: Written | None) -> list[Check]:
    pairs: list[tuple[str, object, object]] = [
        ("size", (made.width, made.height), (film.width, film.height)),
        ("colour", made.color, (written.color if written else None) or film.color),
        ("rotation", made.rotation, film.rotation),
        ("mirroring", made.mirrored, film.mirrored),
        ("sample aspect ratio", made.sample_aspect_ratio or 1, film.sample_aspect_ratio or 1),
    ]
    if written is not None:
        pairs.append(("codec", Codec(made.codec, "r").canonical_name, written.codec))
        pairs.append(("pixel format", made.pixel_format, written.pixel_format))
    return [
        Check(name, got == wanted, f"{got}" if got == wanted else _instead(name, got, wanted))
        for name, got, wanted in pairs
    ]


def _instead(name: str, got: object, wanted: object) -> str:
    return f"the {name} was written as {got}, not {wanted}"


def _light(film: Film, made: Film, written: Written | None) -> Check:
    """Hold what is said of an HDR film's light to the source's, where the codec can say it."""
    said, says = static_metadata(film), static_metadata(made)
    codec = written.codec if written else Codec(made.codec, "r").canonical_name
    if said is None or codec not in IN_STREAM:
        return Check("light", True, "nothing is said" if said is None else "left out, as was said")
    ok = says is not None and says.alike(said)
    return Check("light", ok, "as in the source" if ok else _instead("light", says, said))


def _timecode(film: Film, made: Film, start: int, muxer: str) -> Check:
    """Hold the timecode to the source's, continued to the first frame, where it can be."""
    if film.timecode is None or muxer in _WITHOUT_TIMECODE or (start and film.variable_rate):
        return Check("timecode", True, made.timecode or "none")
    try:
        wanted = later_timecode(film.timecode, start, rate=film.frame_rate)
    except ValueError:
        return Check("timecode", True, f"{film.timecode!r} of the source is not understood")
    ok = made.timecode == wanted
    return Check("timecode", ok, wanted if ok else _instead("timecode", made.timecode, wanted))


def _length(film: Film, made: Film, start: int, stop: int) -> Check:
    """Hold the end of the last frame to the source's; Matroska does not write how long that is."""
    begin, end = int(film.pts[start]), int(film.pts[stop - 1] + film.durations[stop - 1])
    wanted = (end - begin) * film.time_base
    got = (int(made.pts[-1] + made.durations[-1]) - int(made.pts[0])) * made.time_base
    slack = film.time_base + made.time_base
    # frames out of order leave MP4 no place for the last one's length but the even rate
    if made.container != "mov" or film.variable_rate:
        slack += max(int(film.durations[stop - 1]) * film.time_base, 1 / film.frame_rate)
    ok = abs(got - wanted) <= slack
    said = f"{float(got):.3f} s"
    return Check("length", ok, said if ok else _instead("length", said, f"{float(wanted):.3f} s"))


def _looks(made: Film, seams: Sequence[int]) -> tuple[Check, tuple[int, ...]]:
    """Decode frames from a seek, the first and the last among them."""
    syncs = np.flatnonzero(made.sync)
    places = seams or syncs[:: max(1, -(-syncs.size // _LOOKS))].tolist()
    ends = set(places) | {seam - 1 for seam in places}
    wanted = sorted({0, made.frames - 1} | {k for k in ends if 0 <= k < made.frames})
    try:
        seen = tuple(frame.index for frame in pick(made, wanted))
    except SourceError as error:
        return Check("pictures", False, f"the written film is not in order: {error}"), ()
    return Check("pictures", True, f"{len(seen)} decoded from a seek, first and last too"), seen
