"""A chunk that failed to the same chunk once more, alone, in this process, for all to see.

Everything about it is known from the work folder. A chunk that goes through this time is committed
like any other, and the command that it belongs to goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from actors.decoder import Decoder
from actors.stylizer import Painting, hire_for
from jobs.chosen import kept
from jobs.chunks import ChunkMaker
from jobs.engine import cores
from jobs.inline import Inline
from jobs.ledger import Asked, Receipt, WorkFolder
from jobs.log import Log, place
from jobs.progress import Progressing
from jobs.source import opened
from jobs.survey import Survey
from jobs.target import encoding_of
from pipeline.errors import BadRequest
from pipeline.media.container import Film
from pipeline.plan import Chunk, Plan
from pipeline.variants import variants


@dataclass(frozen=True, slots=True)
class Replayed:
    """A chunk that went through."""

    chunk: Chunk
    receipt: Receipt
    before: bool
    """whether an earlier run had done it, so that nothing was to do"""


def replay(
    folder: Path,
    index: int,
    *,
    progress: Progressing,
    gpu: bool | None = None,
    hire: Callable[[], Painting] | None = None,
) -> Replayed:
    """Make a chunk of a job that has been begun.

    Args:
        folder: the job's work folder.
        index: the chunk's.
        progress: is told what is analysed, should the plan not reach so far.
        gpu: whether to paint on one, as the job did; None if there is one.
        hire: makes what stands in for the net, for tests of everything else.

    Raises:
        BadRequest: If there is no such job or chunk, or the film is another one by now.
        ChunkFailed: With the error that it failed with as its cause.
    """
    work = WorkFolder(folder)
    asked = work.asked()
    film = _same_film(asked, folder, progress)
    work.create()
    with work.leased():
        survey = Survey(film, asked.recipe, work)
        chunk, whole = _planned(survey, index, progress)
        loop = Inline(
            film,
            asked.recipe,
            encoding=encoding_of(film, asked.recipe, asked.target),
            work=work,
            painters=[make() for make in _hires(asked, film, work, gpu, hire)],
            progress=progress,
        )
        job = loop.commission
        maker = ChunkMaker(job, loop.crew, whole, names=job.identities(whole))
        known = work.receipt(maker.piece(chunk))
        if known is not None:
            return Replayed(chunk, known, before=True)
        receipt = maker.make(chunk)
        log = Log(folder, film=asked.source.name)
        log.say("committed", **place(chunk), start=receipt.start, stop=receipt.stop)
        return Replayed(chunk, receipt, before=False)


def _same_film(asked: Asked, folder: Path, progress: Progressing) -> Film:
    film = opened(asked.source, asked.recipe, progress=progress)
    if film.fingerprint != asked.film:
        raise BadRequest(f"{asked.source} has changed since {folder} was begun")
    return film


def _planned(survey: Survey, index: int, progress: Progressing) -> tuple[Chunk, Plan]:
    """Find a chunk, as far as it takes; what an earlier run has analysed is read back."""
    frames, known = survey.film.frames, survey.frames_known
    while True:
        found = [chunk for chunk in survey.chunks() if chunk.index == index]
        if found and survey.plan is not None:
            return found[0], survey.plan
        missing = survey.missing()
        if not missing:
            break
        if survey.frames_known == known:
            progress.stage("analysis", frames, done=known)
        part = survey.work.attempt(".parquet")
        Decoder(apron=0).analyse(survey.film, *missing[0], part)
        survey.accept(missing[0], part)
        progress.advance(missing[0][1] - missing[0][0])
    first, last = survey.chunks()[0].index, survey.chunks()[-1].index
    raise BadRequest(f"there is no chunk {index} in this job, its chunks are {first} to {last}")


def _hires(
    asked: Asked,
    film: Film,
    work: WorkFolder,
    gpu: bool | None,
    hire: Callable[[], Painting] | None,
) -> list[Callable[[], Painting]]:
    """The job's own painters: one on a GPU paints other pixels than one without."""
    every = variants(asked.recipe)
    if hire is not None:
        return [hire for _ in every]
    import torch

    there = torch.cuda.is_available()
    if gpu and not there:
        raise BadRequest("there is no GPU here")
    device = "cuda" if there and gpu is not False else "cpu"
    codes = [kept(one.style, work, number) for number, one in enumerate(every)]
    return [
        hire_for(one, code, film.size, device=device, threads=cores())
        for one, code in zip(every, codes, strict=True)
    ]
