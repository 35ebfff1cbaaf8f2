"""What the world can do wrong, as one tree.

::

    FilmError                     the root: one clear line for a person, no traceback
    ├── BadRequest                what was asked for makes no sense            (exit 2)
    │   └── UnknownStyle
    ├── SourceError               the film that was handed in                  (exit 3)
    │   ├── UnreadableFilm        missing, not a film, no video, no frames
    │   ├── UnsupportedFilm       a film, but of a kind that is not covered yet
    │   └── CorruptFilm           packets or frames that contradict the index
    ├── MissingWeights            weights absent or not what their digest says (exit 3)
    ├── ChunkFailed               a chunk could not be painted                 (exit 4)
    ├── BatchFailed               films of a batch are not painted             (exit 4)
    ├── VerificationFailed        what was written is not what was asked for   (exit 5)
    ├── OutOfResources            disk or memory                               (exit 6)
    └── ClusterFailed             Ray, or a machine of its cluster             (exit 6)
        └── NodeLost              the one that this process hangs on

A broken precondition inside the program is a ``ValueError`` and no member of this tree.
"""


class FilmError(Exception):
    """The root: everything that a person, a film or a machine can do wrong."""

    exit_code = 1


class BadRequest(FilmError):
    """An argument, an option or a combination of them makes no sense."""

    exit_code = 2


class UnknownStyle(BadRequest):
    """No style of that name."""


class SourceError(FilmError):
    """Something is wrong with the film that was handed in."""

    exit_code = 3


class UnreadableFilm(SourceError):
    """Missing, not a film, without video, or without a frame."""


class UnsupportedFilm(SourceError):
    """A film of a kind that is not covered yet; refused rather than made silently worse."""


class CorruptFilm(SourceError):
    """Packets or decoded frames contradict the index; the message names the PTS."""


class MissingWeights(FilmError):
    """Weights are absent, or are not what their digest says."""

    exit_code = 3


class ChunkFailed(FilmError):
    """A chunk could not be painted; the message names it."""

    exit_code = 4


class BatchFailed(FilmError):
    """Some films of a batch are not painted; the message names them."""

    exit_code = 4


class VerificationFailed(FilmError):
    """What was written is not what was asked for."""

    exit_code = 5


class SpoiledSegment(VerificationFailed):
    """A segment is no longer what was written."""

    def __init__(self, line: str, start: int = -1) -> None:
        """Say so.

        Args:
            line: what a person reads.
            start: the segment's first frame.
        """
        super().__init__(line)
        self.start = start


class OutOfResources(FilmError):
    """Not enough disk or memory."""

    exit_code = 6


class ClusterFailed(FilmError):
    """Ray cannot be started or reached, or its machines do not fit the job."""

    exit_code = 6


class NodeLost(ClusterFailed):
    """Ray's node on this machine is gone, and this process will soon be."""
