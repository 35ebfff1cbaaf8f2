"""Films to whether Ray gives the plain loop's pixels: one worker, two, two nodes with stylizers.

*Same* is said of all samples of the published film, by sha256, and of each segment's.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.bench_runs import excerpt, read_log, receipts, samples_digest, segments_digest
from jobs.engine import Machines, prepare
from jobs.progress import Progressing, Silent
from jobs.raylets import Raylets, hire_cpu
from jobs.stylize import Job, stylize
from pipeline.media.container import Film, read_film
from pipeline.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Carried:
    """A film as one carrier painted it."""

    film: str
    carrier: str
    frames: int
    chunks: int
    processes: int
    """that took part in it, the coordinator apart"""
    samples: str
    """sha256 over the decoded film"""
    segments: str
    """sha256 over the samples of its segments"""


def carry(
    sources: Sequence[Path], *, seconds: float, style: str, progress: Progressing
) -> list[Carried]:
    """Paint the beginnings of films by each carrier, the plain loop first.

    Raises:
        FilmError: If a film is refused or a run fails.
    """
    prepare(Machines())
    found = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        films = [
            excerpt(read_film(source), place / f"film-{number}", seconds=seconds)
            for number, source in enumerate(sources)
        ]
        progress.stage("runs", 4 * len(films))

        def all_by(carrier: str, machines: Machines | None) -> None:
            for source, film in zip(sources, films, strict=True):
                found.append(_carried(source.name, carrier, film, place, style, machines))
                progress.advance(1)

        all_by("plain loop", None)
        all_by("Ray, 1 worker", Machines(workers=1, gpus=0))
        all_by("Ray, 2 workers", Machines(workers=2, gpus=0))
        prepare(Machines())  # for machines of their own, after Rays that were ours
        with Raylets(2, gpus=1) as nodes:
            all_by("2 raylets with a stylizer each", Machines(address=nodes.address))
    return found


def same(found: Sequence[Carried]) -> bool:
    """Whether every film came out the same whoever carried it."""
    return all(
        len({(c.samples, c.segments) for c in found if c.film == film}) == 1
        for film in {c.film for c in found}
    )


def as_json(found: Sequence[Carried]) -> dict[str, object]:
    """What was found as it is stored."""
    return {"same": same(found), "runs": [asdict(one) for one in found]}


def _carried(
    name: str, carrier: str, film: Film, place: Path, style: str, machines: Machines | None
) -> Carried:
    recipe = Recipe(style=style, codec="ffv1")
    target, hire = place / "painted.mkv", hire_cpu(film, recipe)
    work = place / f"{carrier} {name}.work"
    job = Job(film.path, target, recipe, work=work, overwrite=True, keep_work=True)
    if machines is not None:
        job = replace(job, backend="ray", machines=machines)
    stylize(job, progress=Silent(), hire=hire)
    made = receipts(work)
    tasks = [e for e in read_log(work) if e["event"] == "task" and e["node"] != "driver"]
    return Carried(
        film=name,
        carrier=carrier,
        frames=sum(r.stop - r.start for r in made),
        chunks=len(made),
        processes=len({e["pid"] for e in tasks}),
        samples=samples_digest(read_film(target)),
        segments=segments_digest(made),
    )
