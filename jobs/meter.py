"""Steps that ended to frames of work, for who watches.

A chunk's frames count bit by bit as its steps end, and are taken back when its pieces are lost.
Nothing is shown before the film is planned; what was painted by then is shown at once.
"""

from jobs.board import SHARE, Course, Kind
from jobs.ledger import Receipt
from jobs.progress import Progressing
from pipeline.plan import Plan, covering


class Meter:
    """Progress of one job's painting."""

    def __init__(self, progress: Progressing, wanted: tuple[int, int]) -> None:
        self._progress = progress
        self._start, self._stop = wanted
        self._counted: dict[int, float] = {}
        self._shots: dict[int, set[int]] = {}
        """chunks that are not done, by shot"""
        self.chunks = 0
        """that are wanted; 0 as long as not all are planned"""
        self._done: set[int] = set()
        self.frames_kept = 0
        """done by an earlier run"""
        self.shown = False

    @property
    def chunks_done(self) -> int:
        """Chunks that are there."""
        return len(self._done)

    @property
    def shots(self) -> tuple[int, int]:
        """Shots that are done, and all; none as long as not all are planned."""
        return sum(not left for left in self._shots.values()), len(self._shots)

    @property
    def whole(self) -> int:
        """Frames that are wanted."""
        return self._stop - self._start

    @property
    def frames(self) -> float:
        """Frames and parts of frames that are done, an earlier run's among them."""
        return min(float(self.whole), max(0.0, self.frames_kept + sum(self._counted.values())))

    def kept(self, receipt: Receipt) -> None:
        """A chunk was done by an earlier run."""
        self._done.add(receipt.chunk)
        self.frames_kept += receipt.stop - receipt.start

    def show(self, plan: Plan) -> None:
        """All is planned: show painting from now on."""
        self.shown = True
        self._progress.stage("painting", self._stop - self._start, done=self.frames_kept)
        chunks = covering(plan, self._start, self._stop)
        self.chunks = len(chunks)
        for chunk in chunks:
            for part in chunk.parts:
                left = self._shots.setdefault(part.shot, set())
                left.update({chunk.index} - self._done)
        self._progress.advance(sum(self._counted.values()))
        self._count_pieces()

    def step(self, course: Course, kind: Kind) -> None:
        """A step of a chunk ended."""
        if not course.fills or kind == "fill":  # what is filled counts once it is committed
            return
        start, stop = course.chunk.start, course.chunk.stop
        frames = max(0, min(stop, self._stop) - max(start, self._start))
        parts = course.batches if kind == "paint" else 1
        self._count(course.chunk.index, SHARE.get(kind, 0.0) * frames / parts)

    def lost(self, course: Course) -> None:
        """What was done of a chunk is gone."""
        self._count(course.chunk.index, -self._counted.get(course.chunk.index, 0.0))

    def committed(self, receipt: Receipt) -> None:
        """A chunk is done."""
        counted = self._counted.get(receipt.chunk, 0.0)
        self._count(receipt.chunk, receipt.stop - receipt.start - counted)
        self._done.add(receipt.chunk)
        for left in self._shots.values():
            left.discard(receipt.chunk)
        if self.shown:
            self._count_pieces()

    def _count(self, chunk: int, frames: float) -> None:
        self._counted[chunk] = self._counted.get(chunk, 0.0) + frames
        if self.shown:
            self._progress.advance(frames)

    def _count_pieces(self) -> None:
        self._progress.count(shots=self.shots, chunks=(len(self._done), self.chunks))
