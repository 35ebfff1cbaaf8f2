"""A film and a recipe to a painted film, chunk by chunk, in a plain loop.

The loop is the oracle: whatever carries the same steps elsewhere has to give the same pixels. It
shares the steps and the names of things with the coordinator, and none of its decisions.
"""

from collections.abc import Sequence
from pathlib import Path

from actors.assembler import Assembler
from actors.decoder import Decoder
from actors.inbetweener import Inbetweener
from actors.stylizer import Painting
from jobs.chunks import ChunkMaker, Crew
from jobs.commission import Commission, Result
from jobs.ledger import WorkFolder, check_space
from jobs.log import Log, place
from jobs.progress import Progressing
from jobs.survey import Survey
from pipeline.forecast import predict, predict_times
from pipeline.media.container import Film
from pipeline.media.encode import Encoding
from pipeline.plan import Plan
from pipeline.recipe import Recipe


class Inline:
    """One film, one recipe, one work folder, one process."""

    def __init__(
        self,
        film: Film,
        recipe: Recipe,
        *,
        encoding: Encoding,
        work: WorkFolder,
        painters: Sequence[Painting],
        progress: Progressing,
    ) -> None:
        """Begin; there is a painter for each of the recipe's variants."""
        self.film, self.recipe, self.work, self.progress = film, recipe, work, progress
        self.log = Log(work.path, film=film.path.name)
        self.notes: list[str] = []
        """Of where the style changes, once all is planned."""
        signed = [(painter.weights, painter.style) for painter in painters]
        self.commission = Commission(
            film, recipe, encoding, work, *signed[0], others=tuple(signed[1:])
        )
        self.crew = Crew(
            tuple(Decoder(apron=one.apron, terms=recipe.terms) for one in painters),
            tuple(painters),
            self.commission.harmoniser(),
            Inbetweener(),
            Assembler(),
        )

    def plan(self) -> Plan:
        """Analyse span by span, as far as the wanted frames need, and plan.

        Spans done earlier are read back.
        """
        survey = Survey(self.film, self.recipe, self.work)
        self.progress.stage("analysis", self.film.frames, done=survey.frames_known)
        while missing := survey.missing():
            start, stop = missing[0]
            part = self.work.attempt(".parquet")
            self.crew.decoders[0].analyse(self.film, start, stop, part)
            survey.accept((start, stop), part)
            self.progress.advance(stop - start)
        self.notes = survey.changes_inside()
        if survey.plan is None:
            raise ValueError("a film that is known has a plan")
        return survey.plan

    def run(self, target: Path) -> Result:
        """Make every chunk that has no receipt, join them, verify, and write the table.

        Args:
            target: a temporary name; the caller gives the film its own.
        """
        self.log.say("begun", backend="inline", workers=1)
        job, whole = self.commission, self.plan()
        maker = ChunkMaker(job, self.crew, whole, names=job.identities(whole))
        chosen = [c for c in whole.chunks if c.start < job.stop and job.start < c.stop]
        receipts = {c.index: self.work.receipt(maker.piece(c)) for c in chosen}
        reused = [r for r in receipts.values() if r is not None]
        frames_done = sum(r.stop - r.start for r in reused)
        forecast = predict(whole, self.film, self.recipe)
        share = (job.stop - job.start - frames_done) / whole.shots[-1].stop
        check_space(self.work.path, round(share * forecast.disk_bytes))
        seconds = round(share * predict_times(whole, self.film, self.recipe).whole, 1)
        self.log.say(
            "forecast", memory=forecast.peak_bytes, disk=forecast.disk_bytes, cpu_s=seconds
        )
        for note in self.notes:
            self.progress.note(note)
        self.progress.stage("painting", job.stop - job.start, done=frames_done)
        for chunk in chosen:
            if receipts[chunk.index] is None:
                receipt = maker.make(chunk)
                receipts[chunk.index] = receipt
                self.progress.advance(receipt.stop - receipt.start)
                self.log.say("committed", **place(chunk), start=receipt.start, stop=receipt.stop)
            self.progress.count(chunks=(sum(r is not None for r in receipts.values()), len(chosen)))
        done = [r for r in receipts.values() if r is not None]
        check_space(target.parent, sum(r.bytes for r in done))
        joined = self.crew.assembler.assemble(
            self.film,
            job.segments(done),
            target=target,
            encoding=job.encoding,
            start=job.start,
            stop=job.stop,
        )
        return job.result(target, done, joined, reused=len(reused))
