"""Many films on stand-in hands: each ends in one way, and none for another's sake."""

from pathlib import Path

import pytest

from films import make_film, numbered, scribble, texture
from hands import Hands, billed, studio
from jobs.bench_runs import receipts
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.errors import CorruptFilm
from pipeline.recipe import Recipe

RECIPE = Recipe(style="made", codec="ffv1", flicker_budget=6.0)


def film(folder: Path, name: str, *, frames: int = 24, seed: int = 0) -> Path:
    return make_film(
        folder / f"{name}.mkv", numbered(texture(frames, (64, 48), seed=seed)), codec="ffv1"
    )


def pixels(source: Path, kind: str = "painted") -> list[str]:
    folder = source.with_name(f"{source.stem}.{kind}.mkv.work")
    return [receipt.pixels for receipt in receipts(folder)]


def plain(source: Path) -> list[str]:
    """What the plain loop makes of a film."""
    job = Job(source, source.with_name(f"{source.stem}.plain.mkv"), RECIPE, keep_work=True)
    stylize(job, progress=Silent(), hire=Washes)
    return pixels(source, "plain")


def test_films_side_by_side_have_the_pixels_of_the_plain_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i) for i, name in enumerate(("one", "two", "three"))]
    bill = [billed(source, hire=Washes, recipe=RECIPE) for source in sources]
    hands = Hands(cores=3).patch(monkeypatch)
    studio(bill, hands).run()
    assert [one.status for one in bill] == ["done"] * 3, [one.error for one in bill]
    for source in sources:
        assert pixels(source) == plain(source)
        assert source.with_name(f"{source.stem}.painted.mkv").is_file()


def test_a_film_that_fails_keeps_nobody_from_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [film(tmp_path, name, seed=i) for i, name in enumerate(("one", "bad", "two"))]
    scribble(sources[1], at=sources[1].stat().st_size // 2, size=400)
    bill = [billed(source, hire=Washes) for source in sources]
    studio(bill, Hands().patch(monkeypatch)).run()
    assert [one.status for one in bill] == ["done", "failed", "done"]
    assert isinstance(bill[1].error, CorruptFilm)
    assert not (tmp_path / ".bad.painted.mkv").exists()
