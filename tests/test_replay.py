"""A chunk that failed is seen again: in full if it fails again, committed if it does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
import torch

import jobs.replay
from actors.stylizer import Painting
from commands import Ended, command
from films import cut, make_film, texture
from jobs.bench_runs import receipts
from jobs.ledger import WorkFolder
from jobs.log import NAME
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Breaks, Washes
from pipeline.errors import ChunkFailed
from pipeline.media.container import read_film
from pipeline.recipe import Recipe

RECIPE = Recipe(style="made", codec="ffv1")


class Replay(Protocol):
    """What the fixture ``replay`` is."""

    def __call__(self, *words: object, painter: Painting | None = None) -> Ended:
        """Run the command with some words."""


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Replay:
    """The command in this process, with a stand-in for the net."""

    def run(*words: object, painter: Painting | None = None) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(jobs.replay, "kept", lambda style, *_: style)
            patch.setattr(jobs.replay, "hire_for", lambda *_, **__: lambda: painter or Washes())
            return command("replay", *words, patch=patch, capfd=capfd)

    return run


def paint(source: Path, painter: Painting, *, name: str = "out.mkv") -> Path:
    """Paint a film as far as it goes; gives the work folder."""
    job = Job(source, source.with_name(name), RECIPE, keep_work=True, overwrite=True)
    stylize(job, progress=Silent(), hire=lambda: painter)
    return job.folder


def made(work: Path) -> list[tuple[str, str]]:
    """What has been made of a film, and its decoded samples."""
    return [(receipt.identity, receipt.pixels) for receipt in receipts(work)]


def spilt(at: int) -> Breaks:
    return Breaks(at=at, error=RuntimeError("the paint is spilt"))


def broken(source: Path, at: int) -> Path:
    """A job that failed at some key; gives its work folder."""
    with pytest.raises(ChunkFailed):
        paint(source, spilt(at))
    return source.with_name("out.mkv.work")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two shots, a chunk each."""
    return make_film(tmp_path / "film.mkv", cut(70, (96, 64), at=50))


@pytest.fixture
def failed(film: Path) -> Path:
    """The work folder of a job whose second chunk failed."""
    return broken(film, 7)


def refused(ended: Ended, code: int, *words: str) -> None:
    """Expect an exit code and exactly one line that has some words."""
    assert ended.code == code, ended.err
    lines = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("reelbrush: ")
    for word in words:
        assert word in lines[0]


def test_a_chunk_that_fails_again_is_seen_in_full(failed: Path, replay: Replay) -> None:
    ended = replay(failed, 1, painter=spilt(0))
    assert ended.code == 4
    assert "Traceback (most recent call last)" in ended.err
    assert "painters.py" in ended.err
    assert "RuntimeError: the paint is spilt" in ended.err
    last = ended.err.splitlines()[-1]
    assert last.startswith("reelbrush: chunk 1 (frames 50 to 69) failed")
    assert len(made(failed)) == 1


def test_a_chunk_that_goes_through_is_as_if_it_had_never_failed(
    film: Path, failed: Path, replay: Replay
) -> None:
    painter = Washes()
    ended = replay(failed, 1, painter=painter)
    assert ended.code == 0, ended.err
    assert "chunk 1 (frames 50 to 69) went through this time" in ended.out
    assert "goes on" in ended.out
    assert painter.painted, "nothing was painted"
    assert min(painter.painted) >= 50, "the other chunk is not touched"
    assert '"committed", "chunk": 1' in (failed / NAME).read_text()
    later = Washes()
    paint(film, later)
    assert later.painted == []
    assert read_film(film.with_name("out.mkv")).frames == 70
    assert made(failed) == made(paint(film, Washes(), name="whole.mkv"))


def test_a_chunk_that_was_painted_before_is_left_alone(failed: Path, replay: Replay) -> None:
    painter = Washes()
    ended = replay(failed, 0, painter=painter)
    assert ended.code == 0, ended.err
    assert "chunk 0 (frames 0 to 49) was painted before" in ended.out
    assert painter.painted == []


def test_what_the_chunk_needs_of_others_is_made_too(tmp_path: Path, replay: Replay) -> None:
    film = make_film(tmp_path / "film.mkv", texture(130, (96, 64)))
    failed = broken(film, 12)
    for folder in ("analysis", "boundaries", "moments"):
        for path in (failed / folder).iterdir():
            path.unlink()
    ended = replay(failed, 1)
    assert ended.code == 0, ended.err
    assert len(made(failed)) == 2
    assert made(failed) == made(paint(film, Washes(), name="whole.mkv"))


def test_it_does_not_matter_where_the_command_is_given(
    tmp_path: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_film(tmp_path / "film.mkv", cut(70, (96, 64), at=50))
    monkeypatch.chdir(tmp_path)
    broken(Path("film.mkv"), 7)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert replay(Path("..") / "out.mkv.work", 1).code == 0


@pytest.mark.parametrize("number", ["2", "99"])
def test_a_chunk_that_does_not_exist_is_refused(failed: Path, replay: Replay, number: str) -> None:
    refused(replay(failed, number), 2, f"no chunk {number}", "0 to 1")


def test_a_number_that_is_none_is_refused(failed: Path, replay: Replay) -> None:
    assert replay(failed, "three").code == 2


STRANGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda _: None,
    "empty": lambda path: path.mkdir(),
    "file": lambda path: path.write_text("no folder"),
    "strangers": lambda path: (path / "photos").mkdir(parents=True),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_work_folder_is_refused_and_left_as_it_is(
    tmp_path: Path, replay: Replay, kind: str
) -> None:
    folder = tmp_path / "folder"
    STRANGE[kind](folder)
    before = sorted(tmp_path.rglob("*"))
    refused(replay(folder, 0), 2, str(folder), "is no work folder")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_film_that_has_changed_is_refused(film: Path, failed: Path, replay: Replay) -> None:
    make_film(film, texture(70, (96, 64), seed=3))
    refused(replay(failed, 1), 2, str(film), "has changed")
    film.unlink()
    refused(replay(failed, 1), 3, str(film))


def test_a_folder_that_is_being_worked_on_is_refused(failed: Path, replay: Replay) -> None:
    with WorkFolder(failed).leased():
        refused(replay(failed, 1), 2, "is being worked on")


def test_a_gpu_that_is_not_there_is_refused(
    failed: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused(replay(failed, 1, "--gpu"), 2, "no GPU")


def test_no_memory_left_is_one_line(failed: Path, replay: Replay) -> None:
    refused(replay(failed, 1, painter=Breaks(at=0, error=MemoryError())), 6, "memory")
