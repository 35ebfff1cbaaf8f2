"""The command ``reelbrush probe``: what a film is made of."""

import typer
from rich.console import Console
from rich.table import Table

from jobs import options
from jobs.options import Source


def add_to(app: typer.Typer) -> None:
    """Make this a command of an app."""
    app.command(epilog="Examples: reelbrush probe clip.mxf; reelbrush probe two.mkv --stream 1")(
        probe
    )


def probe(film: Source, stream: options.Stream = None) -> None:
    """Show what a film is made of, from its index alone."""
    from actors.files import opened

    found = opened(film, stream=stream)
    length = float(int(found.pts[-1]) + int(found.durations[-1]) - int(found.pts[0]))
    rows = {
        "video": f"{found.codec} {found.width}x{found.height} {found.pixel_format}, "
        f"track {found.stream}",
        "frames": f"{found.frames}, {int(found.sync.sum())} sync",
        "rate": f"{found.frame_rate}" + (" on average, variable" if found.variable_rate else ""),
        "length": f"{length * float(found.time_base):.3f} s",
        "first PTS": f"{int(found.pts[0])} x {found.time_base} s",
        "rotation": f"{found.rotation} degrees" + (", mirrored" if found.mirrored else ""),
        "interlaced": "yes" if found.fields else "no",
        "container": found.container,
    }
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(name, value)
    for track in found.tracks:
        said = f"{track.codec} {track.language or ''} {track.title or ''}"
        table.add_row(f"{track.kind}, track {track.index}", said)
    for note in found.notes:
        table.add_row("note", note)
    Console().print(table)
