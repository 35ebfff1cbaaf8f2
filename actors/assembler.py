"""Committed segments to a verified film: the shell around joining and verifying."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

import av

from actors.files import near, reading_all, writing
from pipeline.errors import SpoiledSegment, VerificationFailed
from pipeline.media.assemble import assemble
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.media.verify import Verification, verify_film


@dataclass(frozen=True, slots=True)
class Joined:
    """A film that is whole."""

    notes: list[str]
    """what the container could not hold, each a line"""
    verified: Verification
    sha256: str = ""
    """of its file, where that has been uploaded; else empty"""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Assembler:
    """Stateless: runs where the segments are near."""

    def assemble(
        self,
        film: Film,
        segments: Sequence[Segment],
        *,
        target: Path,
        encoding: Encoding,
        start: int,
        stop: int,
    ) -> Joined:
        """Join, verify, and say what the container could not hold.

        Raises:
            VerificationFailed: If the joined film is not the film; nothing is left behind.
            SpoiledSegment: If a segment is not what was written: it is deleted, to be made again.
        """
        with (
            near(film) as here,
            reading_all([segment.path for segment in segments]) as paths,
            writing(target) as path,
        ):
            near_by = [replace(s, path=p) for s, p in zip(segments, paths, strict=True)]
            try:
                joined = _joined(
                    here, near_by, target=path, encoding=encoding, start=start, stop=stop
                )
            except SpoiledSegment as error:
                _deleted(segments, error)
                raise SpoiledSegment(f"{error}; the same command makes it again") from error
            if path == target:
                return joined
            with path.open("rb") as file:
                digest = file_digest(file, "sha256").hexdigest()
                return replace(joined, sha256=digest, bytes=file.tell())


def _deleted(segments: Sequence[Segment], error: SpoiledSegment) -> None:
    """Delete a segment that is not what its receipt says, which then stands for nothing."""
    for segment in segments:
        if segment.start == error.start:
            segment.path.unlink(missing_ok=True)


def _joined(
    film: Film,
    segments: Sequence[Segment],
    *,
    target: Path,
    encoding: Encoding,
    start: int,
    stop: int,
) -> Joined:
    """``assemble``, with files of this machine."""
    try:
        notes = assemble(film, segments, target=target, encoding=encoding, start=start, stop=stop)
        seams = [segment.start for segment in segments]
        verified = verify_film(film, target, encoding=encoding, start=start, stop=stop, seams=seams)
    except av.FFmpegError as error:
        target.unlink(missing_ok=True)
        raise VerificationFailed(f"the film could not be joined: {error.strerror}") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Joined(notes, verified)
