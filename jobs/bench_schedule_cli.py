"""The commands ``reelbrush bench schedule`` and ``fair``: what becomes of many hands' time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.bench_batch_cli import Folder, Frames, Results, Size, footage, say, stored

if TYPE_CHECKING:
    from jobs.recorded import Recorded

SCHEDULE = (
    "Examples: reelbrush bench schedule film.mp4 --seconds 60 -o schedule.json; "
    "reelbrush bench schedule schedule.json --films 3"
)
FAIR = (
    "Examples: reelbrush bench fair schedule.json -o fair.json; "
    "reelbrush bench fair --real --frames 1500 -o fair.json"
)
Source = Annotated[
    Path | None,
    typer.Argument(
        help="A film, which is painted once to record its steps; or its work folder; or a result "
        "of bench schedule, which holds them."
    ),
]
Seconds = Annotated[float, typer.Option(help="Length of the film's beginning.", min=0.1)]
Seeds = Annotated[int, typer.Option(help="Runs, each with shots of its own.", min=1)]
Hands = Annotated[int, typer.Option(help="Cores, by a virtual clock.", min=1)]
Style = Annotated[str, typer.Option(help="A name that [b]reelbrush styles[/b] lists.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    app.command(epilog=SCHEDULE)(schedule)
    app.command(epilog=FAIR)(fair)


def schedule(
    source: Source,
    seconds: Seconds = 60.0,
    style: Style = "starry-night",
    seeds: Seeds = 10,
    hands: Hands = 16,
    films: Annotated[int, typer.Option(help="Side by side.", min=1)] = 1,
    frames: Annotated[int, typer.Option(help="Of each film.", min=100)] = 15000,
    output: Results = None,
) -> None:
    """Schedule films of uneven shots on many hands: how near that is to what is possible.

    Every step takes as long as it took in a real run, by a virtual clock; what is next is decided
    by the product's own code. Ray's own cost is not in it: bench efficiency measures that.
    """
    from jobs import schedule as job
    from pipeline.errors import VerificationFailed

    steps = _recorded(source, seconds=seconds, style=style)
    found = job.schedule(steps, seeds=range(seeds), hands=hands, films=films, frames=frames)
    for one in found:
        say(
            f"seed {one.seed}: {one.chunks} chunks, longest shot {one.longest_shot}; "
            f"{one.took:.1f} s on {hands}: {one.lpt_score:.3f} of LPT, "
            f"{one.ideal_score:.3f} of the ideal"
        )
    stored(output, f"films {films}", job.facts(found, steps))
    if not job.well(found):
        raise VerificationFailed(f"a run is below {job.GOAL} of its bound")


def fair(
    source: Source = None,
    seconds: Seconds = 60.0,
    style: Style = "starry-night",
    seeds: Seeds = 10,
    hands: Hands = 16,
    frames: Frames = 8000,
    real: Annotated[
        bool, typer.Option("--real", help="Paint made films on Ray, by the light painter.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Of Ray, with --real.", min=1)] = 2,
    size: Size = "320x180",
    after: Annotated[
        float, typer.Option(help="Seconds to the urgent film's deadline, with --real.", min=1)
    ] = 40.0,
    folder: Folder = Path("out/bench-fair"),
    output: Results = None,
) -> None:
    """Share hands between films of weights 1, 1 and 2; have an urgent film come in the middle.

    Shares have to be within a tenth while all films are active, and the urgent film's first step
    has to begin within the time that a chunk takes. By a virtual clock, or with --real on Ray.
    """
    from dataclasses import asdict

    from jobs import fair as job
    from jobs import fair_run
    from jobs.progress import progress
    from pipeline.errors import VerificationFailed

    if real:
        films = footage(folder, frames, size)
        with progress() as telling:
            shares = fair_run.real_shares(films, workers=workers, progress=telling)
            late = fair_run.real_urgent(films, workers=workers, after=after, progress=telling)
        met = shares.error <= job.GOAL and late.met
        facts = {"met": met, "goal": job.GOAL, "shares": asdict(shares), "urgent": asdict(late)}
        error, waited, chunk = shares.error, late.waited, late.chunk
    else:
        steps = _recorded(source, seconds=seconds, style=style)
        shares_ = job.simulated(steps, seeds=range(seeds), hands=hands, frames=frames)
        urgents = job.urgent(steps, seeds=range(seeds), hands=hands, frames=frames)
        facts = job.facts(shares_, urgents)
        met, error = bool(facts["met"]), max(one.error for one in shares_)
        waited, chunk = max((one.waited, one.chunk) for one in urgents)
    say(f"shares at most {error:.3f} off; the urgent film waited {waited:.2f} s of {chunk:.2f} s")
    stored(output, "on Ray" if real else f"hands {hands}", facts)
    if not met:
        raise VerificationFailed("films do not get what they are promised")


def _recorded(source: Path | None, *, seconds: float, style: str) -> "Recorded":
    from jobs import recorded
    from jobs.progress import progress
    from pipeline.errors import BadRequest

    if source is None:
        raise BadRequest("name a film to record, or what was recorded; or give --real")
    if source.is_dir() or source.suffix == ".json":
        return recorded.load(source)
    with progress() as telling:
        return recorded.paint_and_record(source, seconds=seconds, style=style, progress=telling)
