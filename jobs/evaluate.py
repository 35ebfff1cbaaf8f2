"""A film and its painting to a judgement on a terminal, and a row a frame."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.judge.evaluate import evaluate, write_scores
from pipeline.judge.referee import careful_search, raft
from pipeline.media.container import read_film


def show(
    source: Path,
    painted: Path,
    *,
    count: int,
    raft_weights: Path | None,
    table: Path | None,
    console: Console,
) -> None:
    """Judge the first ``count`` frames and print what they come to."""
    referee = careful_search if raft_weights is None else raft(raft_weights)
    found = evaluate(read_film(source), read_film(painted), count=count, referee=referee)
    rows = {
        "E1, mean": (found.error, "warping error of the painting, RGB, x 1e-3"),
        "E1, worst frame": (found.worst, ""),
        "C1, mean": (found.content, "that of the film itself"),
        "F1, mean": (found.floor, "C1 scaled by gradient energy: what content alone costs"),
    }
    shown = Table(show_header=False, box=None)
    for name, (value, meaning) in rows.items():
        shown.add_row(name, "-" if value is None else f"{1e3 * value:.3f}", meaning)
    shown.add_row("detail", f"{found.detail:.2f}", "energy of fine structure in luma")
    shown.add_row("luma jitter", f"{found.jitter:.3f}", "codes")
    shown.add_row("lattice", f"{found.lattice:.2f}", "codes RMS at a period of 4 px")
    shown.add_row("not judged", str(found.unjudged), "pairs of which too little can be followed")
    console.print(shown)
    if table is not None:
        write_scores(found.scores, table)
