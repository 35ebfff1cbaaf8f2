"""A job's film: whoever has to wait for it sees how far it is."""

from pathlib import Path

from jobs.progress import Silent
from jobs.source import opened
from jobs.specimens import SPECIMENS, make
from pipeline.recipe import Recipe

N = 12


class Watched(Silent):
    """Keeps the stages, and how far each came."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float, int]] = {}
        self._now = ""

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""
        self._now, self.stages[name] = name, (done, total)

    def advance(self, frames: float) -> None:
        """Go on with it."""
        done, total = self.stages[self._now]
        self.stages[self._now] = (done + frames, total)


def test_a_film_that_is_decoded_to_be_indexed_is_a_stage_of_its_own(tmp_path: Path) -> None:
    kinds = {one.name: one for one in SPECIMENS}
    recipe, seen = Recipe(style="made"), {}
    for name in ("AVI, MPEG-4", "MP4, H.264"):
        kind, watched = kinds[name], Watched()
        path = make(kind, tmp_path / f"film{kind.suffix}", frames=N)
        assert opened(path, recipe, progress=watched).frames == N
        seen[name] = watched.stages
    assert seen == {"AVI, MPEG-4": {"index": (N, N)}, "MP4, H.264": {}}
