"""A film to its plan on a terminal: shots, keys, chunks and what they will take."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs.engine import cores
from pipeline.forecast import predict, predict_all
from pipeline.media.container import read_film
from pipeline.motion import analysis, rows
from pipeline.plan import plan
from pipeline.recipe import Recipe


def show(source: Path, recipe: Recipe, console: Console) -> None:
    """Analyse in memory, plan, print; nothing is painted or written."""
    film = read_film(source)
    parts = [analysis.analyse(film, start, stop) for start, stop in analysis.spans(film)]
    whole = plan(rows.concat(parts), recipe, size=film.size)
    table = Table(
        "shot", "frames", "keys", "picture", "fade", "colors as", title=escape(str(source))
    )
    for number, shot in enumerate(whole.shots):
        made = [p for c in whole.chunks for p in c.parts if p.shot == number]
        own = {key for part in made for key in part.keys}
        picture = f"{shot.picture.width}x{shot.picture.height}"
        fade = f"to {min(shot.gains):.2f}" if min(shot.gains) < 1 else ""
        like = f"shot {made[0].setup}" if made[0].setup != number else ""
        frames = f"{shot.start}-{shot.stop - 1}"
        table.add_row(str(number), frames, str(len(own)), picture, fade, like)
    console.print(table)
    forecast, workers = predict(whole, film, recipe), cores()
    memory = predict_all(whole, film, recipe, workers=workers)
    console.print(
        f"{film.frames} frames, {len(whole.shots)} shots, {len(whole.chunks)} chunks, "
        f"{forecast.keys} keys ({forecast.keys / film.frames:.0%}); at most "
        f"{memory / 2**20:.0f} MiB of memory with {workers} workers "
        f"({forecast.peak_bytes / 2**20:.0f} with --backend inline) and "
        f"{forecast.disk_bytes / 2**20:.0f} MiB of disk",
        highlight=False,
    )
