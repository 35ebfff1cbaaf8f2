"""Commands under ``reelbrush bench`` about batches: what becomes of them when machines die."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from jobs.footage import Footage
    from jobs.recover import Victim

Results = Annotated[
    Path | None, typer.Option("--output", "-o", help="Add the result to this file, as JSON.")
]
Folder = Annotated[
    Path, typer.Option(help="For films and results on their way; made films stay there.")
]
Frames = Annotated[int, typer.Option(help="Of each made film.", min=50)]
Size = Annotated[str, typer.Option(metavar="WxH", help="Of made films; both divisible by 4.")]
Seed = Annotated[int, typer.Option(help="Of who is killed, and when.", min=0)]
SOAK = "Example: for seed in 0 1 2 3 4; do reelbrush bench soak --seed $seed -o soak.json; done"
RECOVER = "Example: reelbrush bench recover --who worker -o recover.json, and --who node"
DRIVER = "Example: reelbrush bench driver --repeats 3 -o driver.json"
SCAN = "Example: reelbrush bench scan --receipts 2000 -o scan.json"
_FILMS = 3


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    app.command(epilog=SOAK)(soak)
    app.command(epilog=RECOVER)(recover)
    app.command(epilog=DRIVER)(driver)
    app.command(epilog=SCAN)(scan)


def soak(
    seed: Seed = 0,
    seconds: Annotated[float, typer.Option(help="Under fire.", min=1)] = 300.0,
    mean: Annotated[float, typer.Option(help="Seconds between two kills.", min=0.5)] = 20.0,
    back: Annotated[float, typer.Option(help="Seconds until a dead node is back.", min=0)] = 5.0,
    frames: Frames = 1500,
    size: Size = "320x180",
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave batches that did not go well.")
    ] = False,
    folder: Folder = Path("out/bench-soak"),
    output: Results = None,
) -> None:
    """Paint batches of three films on three nodes while workers, stylizers and nodes are killed.

    By the light painter. All films have to be exact, equal to an undisturbed run's, and nothing
    may be committed twice or hang; else the exit code is 5. One command a seed.
    """
    from jobs import soak as job
    from jobs.progress import progress
    from pipeline.errors import VerificationFailed

    films = footage(folder, frames, size)
    plan = job.Plan(seconds=seconds, mean=mean, back=back)
    with progress() as telling:
        found = job.soak(films, seed=seed, plan=plan, progress=telling, keep=keep)
    facts = found.facts()
    kills = ", ".join(f"{count} {who}" for who, count in found.kills.items())
    say(
        f"seed {seed}: killed {kills}; {facts['films_exact']} of {facts['films_painted']} films "
        f"exact, {facts['films_equal']} equal; lost {facts['frames_lost']} frames, "
        f"{facts['chunks_duplicated']} chunks twice, {facts['hangs']} hangs; "
        f"{facts['commands']} commands for {len(found.batches)} batches, "
        f"{found.calm:.0f} s a batch undisturbed"
    )
    stored(output, f"seed {seed}", facts)
    if not job.well(found):
        raise VerificationFailed("a kill has cost something")


def recover(
    who: Annotated[str, typer.Option(help="worker or node.")] = "worker",
    repeats: Annotated[int, typer.Option(help="Deaths.", min=1)] = 20,
    seed: Seed = 0,
    frames: Frames = 3000,
    size: Size = "320x180",
    folder: Folder = Path("out/bench-recover"),
    output: Results = None,
) -> None:
    """Kill workers or nodes at a step: seconds until the step that makes good begins.

    Three nodes, one film after the other, by the light painter; Ray looks for the dead as
    cluster.yaml has it. The median has to be within 2 s for a worker, 8 s for a node.
    """
    from jobs import recover as job
    from jobs.progress import progress
    from pipeline.errors import BadRequest, VerificationFailed

    victims: dict[str, Victim] = {"worker": "worker", "node": "node"}
    if who not in victims:
        raise BadRequest(f"--who: worker or node, got {who!r}")
    victim = victims[who]
    films = footage(folder, frames, size, count=1)
    with progress() as telling:
        found = job.recover(films, who=victim, repeats=repeats, seed=seed, progress=telling)
    facts = job.facts(found, who=victim)
    say(
        f"{who}: again after {facts['median']} s in the median of {facts['count']}, "
        f"{facts['longest']} s at most, {facts['never']} never"
    )
    stored(output, who, facts)
    if not facts["met"]:
        raise VerificationFailed(f"the goal of {facts['goal']} s is missed")


def driver(
    repeats: Annotated[int, typer.Option(help="Kills.", min=1)] = 3,
    workers: Annotated[int, typer.Option(help="Of Ray.", min=1)] = 2,
    frames: Frames = 600,
    size: Size = "320x180",
    folder: Folder = Path("out/bench-driver"),
    output: Results = None,
) -> None:
    """Kill a batch's command at half and give it again: what is done twice.

    Three films, by the light painter, on a Ray of the command's own.
    """
    from jobs import resume as job
    from jobs.progress import progress
    from pipeline.errors import VerificationFailed

    films = footage(folder, frames, size)
    with progress() as telling:
        found = job.resume(films, repeats=repeats, workers=workers, progress=telling)
    for one in found:
        say(
            f"killed at {one.committed} of {one.chunks} chunks, {one.open} begun: "
            f"{one.redone} steps done again, {one.in_flight} were in flight; "
            f"{one.verdict.duplicated} chunks twice, {one.verdict.equal} films equal"
        )
    facts = job.facts(found, films=films.count)
    stored(output, "driver", facts)
    if not facts["well"]:
        raise VerificationFailed("a killed command has cost more than what was in flight")


def scan(
    receipts: Annotated[int, typer.Option(help="How many.", min=2)] = 2000,
    kib: Annotated[int, typer.Option(help="Of each segment.", min=1)] = 1024,
    repeats: Annotated[int, typer.Option(help="Scans, warm and cold.", min=1)] = 3,
    folder: Folder = Path("out/bench-scan"),
    output: Results = None,
) -> None:
    """Find out what is done in a work folder with thousands of receipts: seconds."""
    from dataclasses import asdict

    from jobs import scan as job
    from jobs.progress import progress

    with progress() as telling:
        found = job.scan(
            folder, receipts=receipts, size=kib << 10, repeats=repeats, progress=telling
        )
    say(
        f"{receipts} receipts, segments of {kib} KiB: {found.warm.median:.2f} s warm, "
        f"{found.cold.median:.2f} s cold, {found.identities:.2f} s of it for names"
    )
    stored(output, f"receipts {receipts}", {"goal": job.GOAL, **asdict(found)})


def footage(folder: Path, frames: int, size: str, *, count: int = _FILMS) -> "Footage":
    """Made films as a person asks for them."""
    from jobs.footage import Footage
    from pipeline.errors import BadRequest

    try:
        width, height = (int(word) for word in size.split("x"))
    except ValueError:
        raise BadRequest(f"--size: WIDTHxHEIGHT, got {size!r}") from None
    if width % 4 or height % 4:
        raise BadRequest(f"--size: both divisible by 4, got {size}")
    name = f"{count}x{frames}-{width}x{height}"
    return Footage(folder / name, count=count, frames=frames, size=(width, height))


def stored(output: Path | None, name: str, facts: dict[str, object]) -> None:
    """Add a part to a stored result, if one is wanted."""
    from jobs.parts import add_part

    if output is not None:
        add_part(output, name, facts)


def say(text: str) -> None:
    """Print a line."""
    Console().print(text, highlight=False, markup=False, soft_wrap=True)
