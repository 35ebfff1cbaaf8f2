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

from pipeline.errors import SourceError, VerificationFailed
from pipeline.media.clock import later_timecode, rescale
from pipeline.media.container import Film, read_film
from pipeline.media.decode import pick
from pipeline.media.encode import Encoding
from pipeline.media.index import Ticks
from pipeline.media.tracks import cut_of
from pipeline.media.verify_tracks import Copied, compare_tracks, compare_words

_LOOKS = 16
"""Sync frames that are looked at where nobody says where segments meet."""
_WITHOUT_SHAPE = frozenset({("ffv1", "matroska")})
"""Codecs and containers that PyAV writes without the pixels' shape."""
_WITHOUT_TIMECODE = frozenset({"avi", "flv", "mpegts"})


@dataclass(frozen=True, slots=True)
class Written:
    """How a film says it was written."""

    codec: str
    pixel_format: str
    container: str
    """Of the muxers."""


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
    written = Written(encoding.codec, encoding.pixel_format, encoding.container)
    found = compare(film, target, written=written, start=start, stop=stop, seams=seams)
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
    cut = cut_of(film, start, stop)
    count, times, worst = _times(film, made, start, stop)
    checks = [Check("readable", True, f"{made.codec} in {muxer}"), count, times]
    checks += _nature(film, made, muxer, written)
    checks += [_timecode(film, made, start, muxer), _length(film, made, start, stop)]
    tracks, copied = compare_tracks(film, made, cut, muxer)
    checks += [Check(*said) for said in (*tracks, *compare_words(film, made, cut, muxer))]
    looked, seen = _looks(made, [seam - start for seam in seams])
    return Verification((*checks, looked), made.frames, worst, copied, seen)


def muxer_of(made: Film) -> str:
    """Name what wrote a film: MP4 and MOV, and Matroska and WebM, are told by their suffix."""
    suffix = made.path.suffix.lower()
    if made.container == "mov":
        return "mov" if suffix in {".mov", ".qt"} else "mp4"
    if made.container == "matroska":
        return "webm" if suffix == ".webm" else "matroska"
    return made.container


def _times(film: Film, made: Film, start: int, stop: int) -> tuple[Check, Check, float]:
    wanted = stop - start
    if made.frames != wanted:
        said = f"{made.frames} frames were written, not {wanted}"
        return Check("frames", False, said), Check("times", False, "not compared"), 0.0
    count = Check("frames", True, f"{wanted}")
    origin = 0 if (start, stop) == (0, film.frames) else int(film.pts[start])
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


def _nature(film: Film, made: Film, muxer: str, written: Written | None) -> list[Check]:
    pairs: list[tuple[str, object, object]] = [
        ("size", (made.width, made.height), (film.width, film.height)),
        ("colour", made.color, film.color),
        ("rotation", made.rotation, film.rotation),
    ]
    if written is not None:
        pairs.append(("codec", made.codec, written.codec))
        pairs.append(("pixel format", made.pixel_format, written.pixel_format))
    if (made.codec, muxer) not in _WITHOUT_SHAPE:
        shape = film.sample_aspect_ratio or 1
        pairs.append(("sample aspect ratio", made.sample_aspect_ratio or 1, shape))
    return [
        Check(name, got == wanted, f"{got}" if got == wanted else _instead(name, got, wanted))
        for name, got, wanted in pairs
    ]


def _instead(name: str, got: object, wanted: object) -> str:
    return f"the {name} was written as {got}, not {wanted}"


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
    if made.container != "mov":
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
