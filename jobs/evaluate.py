"""A film and its painting to a judgement on a terminal, and a row a frame."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.judge.evaluate import evaluate
from pipeline.judge.referee import careful_search, raft
from pipeline.judge.scores import Evaluation, write_scores
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
        "E1, mean": (found.error, "warping error against the frame before, RGB, x 1e-3"),
        "E1, worst frame": (found.worst, f"of all: frame {_worst(found)}"),
        "C1, mean": (found.content, "that of the film itself"),
        "F1, mean": (found.floor, "C1 scaled by gradient energy: what content alone costs"),
        "E9, mean": (found.error9, "warping error against nine frames before"),
        "F9, mean": (found.floor9, ""),
        "e_stab": (found.stability, "M2, against the frame before, x 1e-3"),
        "M3, near": (found.difference, "mean difference, x 1e-3, against the frame before"),
        "M3, far": (found.difference9, "and against nine frames before"),
    }
    shown = Table(show_header=False, box=None)
    for name, (value, meaning) in rows.items():
        shown.add_row(name, "-" if value is None else f"{1e3 * value:.3f}", meaning)
    shown.add_row("detail", f"{found.detail:.2f}", "energy of fine structure in luma")
    own = f"L*; the film's own is {found.jitter_source:.3f}, up to {found.jitter_limit:.3f} follows"
    shown.add_row("luma jitter", f"{found.jitter:.3f}", own)
    shown.add_row("lattice", f"{found.lattice:.2f}", "codes RMS at a period of 4 px")
    shown.add_row("not judged", str(found.unjudged), "pairs of which too little can be followed")
    console.print(shown)
    if table is not None:
        write_scores(found.scores, table)


def _worst(found: Evaluation) -> str:
    return ", ".join(map(str, found.worst_frames(1))) or "none"
