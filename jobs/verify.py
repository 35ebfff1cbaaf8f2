"""A source and a painted film to what differs between them, with or without words beside the film.

What stylize checks before a film gets its name is checked again, by the same code. A sidecar adds
what only it knows: which frames were painted, how they were encoded, and digests of the file and of
all samples. Without one the film is held to its source alone.
"""

from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

import numpy as np

from actors.files import film_at
from jobs.progress import Progressing
from jobs.sidecar import Sidecar, read_sidecar
from jobs.source import indexing, listed, stream_of
from pipeline.errors import BadRequest, SourceError
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.media.orientation import stored_of
from pipeline.media.verify import Check, Written, compare


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared, and what came of it."""

    source: str
    result: str
    start: int
    stop: int
    """The source's frames [start, stop) are those of the result."""
    sidecar: bool
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return all(check.ok for check in self.checks)

    @property
    def line(self) -> str:
        """All of it in one line."""
        wrong = [check.found for check in self.checks if not check.ok]
        if not wrong:
            return f"{self.result}: {self.stop - self.start} frames, {len(self.checks)} checks, ok"
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return f"{self.result} is not {self.source} painted: {wrong[0]}{more}"


def verify(
    source: Path,
    result: Path,
    *,
    asked: tuple[int, int] | None,
    stream: int | None = None,
    pixels: bool,
    progress: Progressing,
) -> Verified:
    """Compare a painted film with its source.

    Args:
        source: the film that was painted.
        result: what came of it.
        asked: the source's frames that were painted; None is what the sidecar says, or all.
        stream: the source's track of video that was painted; None is what the sidecar says, or the
            default one.
        pixels: whether to decode all of the result and compare it with the sidecar's digests.
        progress: is told of frames that are decoded.

    Raises:
        SourceError: If the source is no film, or the result is not there.
        BadRequest: If the source has no such frames, or digests are wanted that nobody has.
    """
    if not result.is_file():
        raise SourceError(f"{result}: no such file")
    said = read_sidecar(result)
    with film_at(source) as film, film_at(result) as made:
        return _verified(film, made, said, asked, stream=stream, pixels=pixels, progress=progress)


def _verified(
    source: Path,
    result: Path,
    said: Sidecar | None,
    asked: tuple[int, int] | None,
    *,
    stream: int | None,
    pixels: bool,
    progress: Progressing,
) -> Verified:
    """``verify``, with files of this machine."""
    if stream is None and said is not None:
        stream = stream_of(said.recipe)
    film = read_film(source, stream=stream, told=indexing(progress))
    if pixels and said is None:
        raise BadRequest(f"--pixels needs {result.name}.json, which holds digests of all samples")
    start, stop = asked or _range(said, film)
    if not 0 <= start < stop <= film.frames:
        raise BadRequest(
            f"frames {start}-{stop - 1} are not all in the film: it has 0-{film.frames - 1}"
        )
    whole = said if said and (said.result.start, said.result.stop) == (start, stop) else None
    found = compare(
        film,
        result,
        start=start,
        stop=stop,
        written=_written(said),
        seams=[piece.start for piece in whole.segments] if whole else [],
    )
    checks = list(found.checks)
    if said is not None:
        checks += _beside(film, result, said)
    if whole is not None and pixels and found.frames == stop - start:
        checks.append(_pixels(read_film(result), whole, progress))
    return Verified(source.name, result.name, start, stop, said is not None, tuple(checks))


def as_json(found: Verified) -> dict[str, object]:
    """What was found, as it is printed."""
    return {"ok": found.ok, **asdict(found)}


def _range(said: Sidecar | None, film: Film) -> tuple[int, int]:
    return (said.result.start, said.result.stop) if said else (0, film.frames)


def _written(said: Sidecar | None) -> Written | None:
    if said is None:
        return None
    made = said.result
    return Written(made.codec, made.pixel_format, made.container, made.color)


def _beside(film: Film, result: Path, said: Sidecar) -> list[Check]:
    """Hold the files to what the sidecar says of them."""
    same = said.source.fingerprint == film.fingerprint
    other = f"the result was painted from another film, {said.source.path}, by its sidecar"
    with result.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    kept = digest == said.result.sha256
    changed = f"the file has changed: sha256 {digest[:16]}, not {said.result.sha256[:16]}"
    checks = [
        Check("source", same, f"fingerprint {film.fingerprint[:16]}" if same else other),
        Check("file", kept, f"sha256 {digest[:16]}" if kept else changed),
    ]
    if said.held:
        held = f"{len(said.held)} frames of a damaged source: {listed(said.held)}"
        checks.append(Check("held", True, held))
    return checks


def _pixels(made: Film, said: Sidecar, progress: Progressing) -> Check:
    """Decode all of the result, and hold each segment's samples to their digest."""
    progress.stage("pixels", made.frames)
    for piece in said.segments:
        first, last = piece.start - said.result.start, piece.stop - said.result.start
        try:
            got = pixels_of(made, first, last)
        except SourceError as error:
            return Check("samples", False, str(error))
        if got != piece.pixels:
            where = f"frames {piece.start} to {piece.stop - 1}"
            return Check("samples", False, f"{where} decode to other samples than were written")
        progress.advance(last - first)
    return Check("samples", True, f"of all {made.frames} frames as they were written")


def pixels_of(made: Film, start: int, stop: int) -> str:
    """Digest the stored samples of frames, as they were digested when they were encoded."""
    digest = sha256()
    for frame in frames(made, start, stop):
        planes = stored_of(frame.planes, made)
        for plane in (planes.luma, planes.blue, planes.red, planes.alpha):
            if plane is not None:
                digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()
