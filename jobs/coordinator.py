"""A film and a recipe to a painted film, chunk by chunk, in a plain loop.

The loop is the oracle: whatever carries the same steps elsewhere has to give the same pixels. It
holds paths, receipts and one chunk's keys, never a film. A chunk's *identity* says whether it is
done; identities chain along a shot, so a change redoes what it touches and nothing else.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import av

from jobs.chunks import ChunkMaker, Clock, Crew
from jobs.ledger import Receipt, WorkFolder, check_space
from jobs.progress import Progressing
from pipeline.errors import VerificationFailed
from pipeline.forecast import predict
from pipeline.judge.tables import Row, merged, read_rows
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, Segment
from pipeline.motion import analysis, rows
from pipeline.plan import RENDER_VERSION, Plan, beginning, covering, identity, plan
from pipeline.recipe import Recipe


def runtime() -> str:
    """Name the libraries that pixels pass through besides the painter's own."""
    return " ".join(f"{name} {version(name)}" for name in ("av", "numpy", "opencv-python-headless"))


@dataclass(frozen=True, slots=True)
class Result:
    """A finished job."""

    target: Path
    frames: int
    chunks: int
    reused: int
    """chunks that an earlier run had done"""
    keys: int
    promoted: int
    rows: list[Row]
    notes: list[str]
    seconds: dict[str, float]
    """wall clock by step, over the chunks made now"""


class Coordinator:
    """One film, one recipe, one work folder."""

    def __init__(
        self,
        film: Film,
        recipe: Recipe,
        *,
        encoding: Encoding,
        work: WorkFolder,
        crew: Crew,
        progress: Progressing,
    ) -> None:
        self.film, self.recipe, self.encoding = film, recipe, encoding
        self.work, self.crew, self.progress = work, crew, progress
        self.start, self.stop = recipe.frames or (0, film.frames)

    def plan(self) -> Plan:
        """Analyse span by span, as far as the wanted frames need, and plan.

        Spans done earlier are read back.
        """
        all_spans = analysis.spans(self.film)
        done = sum(b - a for a, b in all_spans if self._known(a, b) is not None)
        self.progress.stage("analysis", self.film.frames, done=done)
        parts = []
        for start, stop in all_spans:
            part = self._known(start, stop)
            parts.append(self._analysed(start, stop) if part is None else part)
            if self.stop <= stop < self.film.frames:
                early = beginning(
                    rows.concat(parts), self.recipe, size=self.film.size, stop=self.stop
                )
                if early is not None:
                    return early
        return plan(rows.concat(parts), self.recipe, size=self.film.size)

    def _keep(self, whole: Plan) -> None:
        """Leave the plan in the work folder under its digest: written once, never changed."""
        content = json.dumps(asdict(whole)).encode()
        self.work.put(f"plans/{sha256(content).hexdigest()[:16]}.json", content)

    def _known(self, start: int, stop: int) -> rows.Analysis | None:
        """A span's rows from the work folder; None if they are not there or not whole."""
        try:
            return rows.read(self.work.path / self._span(start, stop))
        except (OSError, ValueError, KeyError):
            return None

    def _analysed(self, start: int, stop: int) -> rows.Analysis:
        part = self.work.attempt(".parquet")
        self.crew.decoder.analyse(self.film, start, stop, part)
        found = rows.read(part)
        self.work.check()
        self.work.commit(part, self._span(start, stop), replace=True)
        self.progress.advance(stop - start)
        return found

    def identities(self, whole: Plan) -> list[str]:
        """Each chunk's identity, in order."""
        found: list[str] = []
        for chunk in whole.chunks:
            name = identity(
                chunk,
                whole,
                self.recipe,
                film=self.film.fingerprint,
                weights=f"{self.crew.painter.weights} {runtime()}",
                style=self.crew.painter.style,
                before=found[-1] if found else None,
            )
            found.append(name)
        return found

    def run(self, target: Path) -> Result:
        """Make every chunk that has no receipt, join them, verify, and write the table.

        Args:
            target: a temporary name; the caller gives the film its own.
        """
        whole = self.plan()
        self._keep(whole)
        maker = ChunkMaker(
            self.film,
            self.recipe,
            encoding=self.encoding,
            work=self.work,
            crew=self.crew,
            whole=whole,
            names=self.identities(whole),
        )
        chosen = covering(whole, self.start, self.stop)
        receipts = {c.index: self.work.receipt(maker.piece(c)) for c in chosen}
        reused = [r for r in receipts.values() if r is not None]
        frames_done = sum(r.stop - r.start for r in reused)
        share = (self.stop - self.start - frames_done) / whole.shots[-1].stop
        check_space(
            self.work.path, round(share * predict(whole, self.film, self.recipe).disk_bytes)
        )
        self.progress.stage("painting", self.stop - self.start, done=frames_done)
        for chunk in chosen:
            receipt = receipts[chunk.index]
            if receipt is None:
                receipt = maker.make(chunk)
                receipts[chunk.index] = receipt
                self.progress.advance(receipt.stop - receipt.start)
        done = [r for r in receipts.values() if r is not None]
        check_space(target.parent, sum(r.bytes for r in done))
        with Clock(maker.seconds, "assemble"):
            notes = self._join(done, target)
        tables = [self.work.path / "tables" / f"{r.identity}.parquet" for r in done]
        return Result(
            target=target,
            frames=sum(r.stop - r.start for r in done),
            chunks=len(done),
            reused=len(reused),
            keys=sum(r.keys for r in done),
            promoted=sum(r.promoted for r in done),
            rows=merged(read_rows(tables), start=self.start, stop=self.stop),
            notes=notes,
            seconds=dict(maker.seconds),
        )

    def _join(self, receipts: Sequence[Receipt], target: Path) -> list[str]:
        segments = [
            Segment(
                path=self.work.path / "segments" / r.segment,
                start=r.start,
                stop=r.stop,
                bytes=r.bytes,
                sha256=r.sha256,
                pixels=r.pixels,
            )
            for r in receipts
        ]
        try:
            return self.crew.assembler.assemble(
                self.film,
                segments,
                target=target,
                encoding=self.encoding,
                start=self.start,
                stop=self.stop,
            )
        except av.FFmpegError as error:
            raise VerificationFailed(f"the film could not be joined: {error.strerror}") from error

    def _span(self, start: int, stop: int) -> str:
        return f"analysis/{self.film.fingerprint[:16]}-v{RENDER_VERSION}-{start}-{stop}.parquet"
