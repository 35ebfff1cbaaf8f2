"""The commands ``reelbrush bench efficiency`` and ``memory``: what Ray costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from jobs.bench_memory import Peak
    from jobs.bench_ray import Efficiency
    from jobs.results import Spread

EFFICIENCY = (
    "Examples: reelbrush bench efficiency film.mp4 --seconds 60 --workers 2 -o it.json; "
    "reelbrush bench efficiency film.mp4 --workers 1 -o one.json"
)
MEMORY = (
    "Examples: reelbrush bench memory film.mp4 --seconds 60 -o memory.json; "
    "reelbrush bench memory --minutes 10 -o peaks.json"
)
Style = Annotated[str, typer.Option(help="A name that [b]reelbrush styles[/b] lists.")]
Seconds = Annotated[float, typer.Option(help="Length of the film's beginning.", min=0.1)]
Workers = Annotated[int, typer.Option(help="Workers of Ray.", min=1)]
Results = Annotated[Path | None, typer.Option("--output", "-o", help="Store the result as JSON.")]


def add_to(app: typer.Typer) -> None:
    """Make these commands of an app."""
    app.command(epilog=EFFICIENCY)(efficiency)
    app.command(epilog=MEMORY)(memory)


def efficiency(
    film: Annotated[Path, typer.Argument(help="A film of some length.")],
    seconds: Seconds = 60.0,
    workers: Workers = 2,
    repeats: Annotated[int, typer.Option(help="Runs of each backend.", min=1)] = 3,
    style: Style = "starry-night",
    output: Results = None,
) -> None:
    """Compare Ray with the plain loop: share of the workers' time that is work; same pixels."""
    from jobs import bench_ray as job
    from jobs.progress import progress
    from jobs.results import store
    from pipeline.errors import VerificationFailed

    with progress() as telling:
        found = job.efficiency(
            film,
            seconds=seconds,
            workers=workers,
            repeats=repeats,
            style=style,
            progress=telling,
        )
    for table in _efficiency_tables(found):
        _print(table)
    if output is not None:
        store(output, job.as_json(found))
    if not (found.equal_segments and found.equal_films):
        raise VerificationFailed("the backends do not give the same pixels")


def memory(
    film: Annotated[
        Path | None, typer.Argument(help="A film longer than its beginning; none: --minutes.")
    ] = None,
    seconds: Seconds = 60.0,
    minutes: Annotated[
        float, typer.Option(help="Length of a made film of 768x432, if no film is given.", min=0.01)
    ] = 1.0,
    rate: Annotated[int, typer.Option(help="Frames a second of a made film.", min=1)] = 10,
    workers: Workers = 2,
    style: Style = "starry-night",
    output: Results = None,
) -> None:
    """Measure the peak memory on Ray, of all its processes, beside what the plan predicted.

    Of a film and of its beginning; or of a made film of some minutes, which is then added to what
    is stored: one command a length.
    """
    from jobs import bench_memory as job
    from jobs.parts import add_part
    from jobs.progress import progress
    from jobs.results import store

    with progress() as telling:
        if film is not None:
            peaks = job.memory(
                film, seconds=seconds, workers=workers, style=style, progress=telling
            )
        else:
            made = job.memory_of_made(
                minutes, rate=rate, workers=workers, style=style, progress=telling
            )
            peaks = [made]
    _print(_memory_table(peaks))
    if output is None:
        return
    if film is not None:
        store(output, job.as_json(peaks))
    else:
        add_part(output, f"minutes {minutes:g}", {"rate": rate, **job.facts(peaks[0])})


def _efficiency_tables(found: "Efficiency") -> list[Table]:
    """One row a run, one row a kind of task in the last run on Ray, and what came of it."""
    runs = Table("backend", "wall s", "CPU s", "Ray up", "first task", "first segment", "published")
    for run in found.runs:
        when = run.times
        moments = (when.ray, when.first_task, when.first_commit, when.published) if when else ()
        runs.add_row(run.backend, *(f"{value:.1f}" for value in (run.wall, run.cpu, *moments)))
    kinds = Table("kind", "tasks", "wall s", "CPU s")
    last = found.runs[-1].times
    for name, cost in last.kinds.items() if last else ():
        kinds.add_row(name, str(cost.tasks), f"{cost.wall:.1f}", f"{cost.cpu:.1f}")
    whole = Table("of pairs of runs", "median", "quartiles")
    values: dict[str, Spread | None] = {
        "efficiency": found.efficiency,
        "strict": found.strict,
        "steady": found.steady,
        "speedup": found.speedup,
        "tax": found.tax,
        "extra": found.extra,
        "coordinator": found.coordinator,
        "process": found.process,
    }
    for name, value in values.items():
        if value is not None:
            whole.add_row(name, f"{value.median:.4f}", f"{value.low:.4f} to {value.high:.4f}")
    equal = ("yes" if same else "NO" for same in (found.equal_segments, found.equal_films))
    whole.caption = "same pixels: segments {}, films {}".format(*equal)
    return [runs, kinds, whole]


def _memory_table(peaks: "list[Peak]") -> Table:
    """One row a film, MiB."""
    roles = list(peaks[0].roles)
    table = Table("film", "frames", "peak MiB", "forecast", "of it", *roles)
    for peak in peaks:
        sizes = (peak.bytes, peak.forecast)
        mib = ("?" if size is None else f"{size / 2**20:.0f}" for size in sizes)
        parts = (f"{peak.roles[name] / 2**20:.0f}" for name in roles)
        over = "?" if peak.over is None else f"{peak.over:.2f}"
        table.add_row(peak.film, str(peak.frames), *mib, over, *parts)
    if len(peaks) > 1:
        ratio = peaks[-1].bytes / peaks[0].bytes
        table.caption = f"the whole film's peak over its beginning's: {ratio:.3f}"
    return table


def _print(table: Table) -> None:
    """Print a table, unbroken where there is no terminal."""
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
