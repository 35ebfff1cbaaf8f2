"""Committed segments to a verified film: the shell around joining and verifying."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from pipeline.errors import VerificationFailed
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
        """
        try:
            notes = assemble(
                film, segments, target=target, encoding=encoding, start=start, stop=stop
            )
            seams = [segment.start for segment in segments]
            verified = verify_film(
                film, target, encoding=encoding, start=start, stop=stop, seams=seams
            )
        except av.FFmpegError as error:
            target.unlink(missing_ok=True)
            raise VerificationFailed(f"the film could not be joined: {error.strerror}") from error
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return Joined(notes, verified)
