"""The command: what goes wrong is one line and the right exit code, and leaves nothing behind."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest

import jobs.still
import jobs.stylize
import pipeline.paint.choice
from actors import assembler
from actors.stylizer import Painting
from commands import Ended, command
from films import Sound, cut, make_film, scribble, texture, truncate
from painters import Breaks, Washes, any_code
from pipeline.media.container import Film, read_film
from pipeline.media.verify import Verification, verify_film
from pipeline.paint.choice import Choice
from pipeline.paint.styles import gallery

ROOT = Path(__file__).parent.parent


class Command(Protocol):
    """What the fixture ``reelbrush`` is."""

    def __call__(self, *words: object, painter: Painting | None = None) -> Ended:
        """Run the command with some words."""


@pytest.fixture
def reelbrush(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command in this process, with a stand-in for the net."""

    def run(*words: object, painter: Painting | None = None) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(jobs.stylize, "hire_for", lambda *_, **__: lambda: painter or Washes())
            inline = ["--backend", "inline"] if words[:1] == ("stylize",) else []
            return command(*words, *inline, patch=patch, capfd=capfd)

    return run


@pytest.fixture
def no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any style will do, for nothing is painted with it."""
    monkeypatch.setattr(jobs.stylize, "chosen", lambda style, _work: Choice(any_code(style)))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A small film alone in a folder."""
    return make_film(tmp_path / "film.mp4", texture(14, (96, 64)), sounds=[Sound()])


def refused(ended: Ended, code: int, *words: str) -> None:
    """Expect an exit code and exactly one line that has some words."""
    assert ended.code == code, ended.err
    assert len(ended.said) == 1, ended.err
    assert ended.said[0].startswith("reelbrush: ")
    assert "Traceback" not in ended.err
    for word in words:
        assert word in ended.said[0]


@contextmanager
def small_disk(room: int) -> Iterator[None]:
    """No file can be longer than so many bytes: writing fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder: Path) -> set[str]:
    """What lies in a folder, hidden or not."""
    return {path.name for path in folder.iterdir()}


# -- 0 ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_code")
def test_a_film_comes_out_painted_and_its_work_folder_goes(film: Path, reelbrush: Command) -> None:
    target = film.with_name("painted.mp4")
    ended = reelbrush("stylize", film, "-o", target, "--threads", 1)
    assert ended.code == 0, ended.err
    assert ended.said == []
    assert "14 frames" in ended.out
    beside = {"painted.mp4.frames.parquet", "painted.mp4.json"}
    assert names(film.parent) == {"film.mp4", "painted.mp4", *beside}
    assert read_film(target).frames == 14


@pytest.mark.usefixtures("no_code")
def test_frames_are_inclusive(film: Path, reelbrush: Command) -> None:
    target = film.with_name("painted.mp4")
    ended = reelbrush("stylize", film, "-o", target, "--frames", "3-9", "--threads", 1)
    assert ended.code == 0, ended.err
    assert read_film(target).frames == 7


@pytest.mark.usefixtures("no_code")
def test_an_existing_film_is_replaced_when_asked_to(film: Path, reelbrush: Command) -> None:
    target = film.with_name("painted.mp4")
    target.write_text("mine")
    refused(reelbrush("stylize", film, "-o", target), 2, "painted.mp4", "--overwrite")
    assert target.read_text() == "mine"
    assert reelbrush("stylize", film, "-o", target, "--overwrite", "--threads", 1).code == 0
    assert read_film(target).frames == 14


@pytest.mark.usefixtures("no_code")
def test_the_work_folder_can_be_elsewhere_and_kept(film: Path, reelbrush: Command) -> None:
    target, work = film.with_name("painted.mp4"), film.with_name("elsewhere")
    words = ("stylize", film, "-o", target, "--work", work, "--keep-work", "--threads", 1)
    assert reelbrush(*words).code == 0
    painter = Washes()
    assert "1 of them from before" in reelbrush(*words, "--overwrite", painter=painter).out
    assert painter.painted == []
    assert (work / "receipts").is_dir()


def test_styles_lists_names_first(reelbrush: Command) -> None:
    ended = reelbrush("styles")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == [caption.name for caption in gallery()]
    for line, caption in zip(lines, gallery(), strict=True):
        assert line.endswith(f"{caption.title}, {caption.painter}, {caption.year}")


def test_probe_and_plan_tell_and_leave_nothing(film: Path, reelbrush: Command) -> None:
    told = reelbrush("probe", film)
    assert (told.code, told.said) == (0, [])
    assert "14" in told.out
    planned = reelbrush("plan", film)
    assert planned.code == 0, planned.err
    assert "14 frames, 1 shots, 1 chunks" in planned.out
    assert names(film.parent) == {"film.mp4"}


@pytest.fixture
def pots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for ``still``, one for any style."""
    monkeypatch.setattr(pipeline.paint.choice, "choose", lambda style: Choice(any_code(style)))
    monkeypatch.setattr(jobs.still, "Stylizer", lambda _code, **_: Washes())


@pytest.mark.usefixtures("pots")
def test_a_still_is_the_frame_and_then_each_style(film: Path, reelbrush: Command) -> None:
    target = film.with_name("look.png")
    words = ("still", film, "--at", "0.21s", "--style", "one, two", "-o", target)
    ended = reelbrush(*words)
    assert (ended.code, ended.said) == (0, [])
    assert "frame 5, then one, two" in ended.out
    sheet = cv2.imread(str(target))
    assert sheet is not None
    assert sheet.shape == (64, 3 * 96, 3)
    assert np.array_equal(sheet[:, 96:192], sheet[:, 192:])
    assert not np.array_equal(sheet[:, :96], sheet[:, 96:192])
    refused(reelbrush(*words), 2, "--overwrite")
    assert names(film.parent) == {"film.mp4", "look.png"}


@pytest.mark.usefixtures("pots")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--at", "9s"), 2),
        (("--at", "noon"), 2),
        (("--style", ","), 2),
        (("--structure", "2"), 2),
        (("-o", "look.gif"), 2),
        (("-o", "nowhere/look.png"), 2),
        (("-o", "folder.png"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_still_that_makes_no_sense_is_refused(
    film: Path, reelbrush: Command, monkeypatch: pytest.MonkeyPatch, words: tuple[str], code: int
) -> None:
    monkeypatch.chdir(film.parent)
    Path("folder.png").mkdir()
    refused(reelbrush("still", film, "-o", "look.png", "--overwrite", *words), code)
    assert names(film.parent) == {"film.mp4", "folder.png"}


@pytest.mark.usefixtures("pots")
def test_a_still_for_which_there_is_no_room_leaves_nothing(film: Path, reelbrush: Command) -> None:
    with small_disk(3000):
        ended = reelbrush("still", film, "-o", film.with_name("look.png"))
    refused(ended, 6, "look.png")
    assert names(film.parent) == {"film.mp4"}


# -- 2: what was asked for -------------------------------------------------------------------------


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strength", "1.5"), "strength"),
        (("--crf", "52"), "crf"),
        (("--keys", "0"), "keys"),
        (("--keys", "many"), "keys"),
        (("--flicker-budget", "0"), "flicker_budget"),
        (("--frames", "9-3"), "9-3"),
        (("--frames", "a-b"), "a-b"),
        (("--frames", "3-14"), "0-13"),
        (("--codec", "ffv1"), "ffv1"),
        (("--codec", "prores"), "name the film .mov or .mxf"),
        (("--codec", "dnxhr", "--crf", "20"), "crf: dnxhr has one quality"),
        (("--codec", "hevc", "--crf", "52"), "crf: hevc has a quality of 0 to 51"),
        (("--pixel-format", "yuv411p"), "h264 does not take 'yuv411p'; it takes yuv420p"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_settings_that_make_no_sense_are_refused(
    film: Path, reelbrush: Command, words: tuple[str, ...], said: str
) -> None:
    refused(reelbrush("stylize", film, "-o", film.with_name("painted.mp4"), *words), 2, said)
    assert names(film.parent) == {"film.mp4"}


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("film.mp4", "its own source"),
        ("painted.avi", "painted.avi"),
        ("painted", "painted"),
        ("nowhere/painted.mp4", "no folder"),
        (".", "folder"),
    ],
)
def test_targets_that_make_no_sense_are_refused(
    film: Path, reelbrush: Command, target: str, said: str
) -> None:
    content = film.read_bytes()
    ended = reelbrush("stylize", film, "-o", film.parent / target, "--overwrite")
    refused(ended, 2, said)
    assert names(film.parent) == {"film.mp4"}
    assert film.read_bytes() == content


def test_an_unknown_style_is_refused_with_the_nearest(film: Path, reelbrush: Command) -> None:
    words = ("--style", "stary-nigth")
    ended = reelbrush("stylize", film, "-o", film.with_name("painted.mp4"), *words)
    refused(ended, 2, "stary-nigth", "starry-night")
    assert names(film.parent) == {"film.mp4"}


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("work", [".", "full"])
def test_a_folder_with_other_things_is_no_work_folder(
    film: Path, reelbrush: Command, work: str
) -> None:
    folder = film.parent / work
    folder.mkdir(exist_ok=True)
    (folder / "a letter.txt").write_text("mine")
    words = ("--work", folder, "--threads", 1)
    refused(reelbrush("stylize", film, "-o", film.with_name("painted.mp4"), *words), 2, "letter")
    assert film.is_file()
    assert (folder / "a letter.txt").read_text() == "mine"


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("work", ["film.mp4", "film.mp4/below", "painted.mp4"])
def test_a_file_is_no_work_folder(film: Path, reelbrush: Command, work: str) -> None:
    words = ("--work", film.parent / work)
    refused(reelbrush("stylize", film, "-o", film.with_name("painted.mp4"), *words), 2, "work")
    assert names(film.parent) == {"film.mp4"}


@pytest.mark.parametrize("words", [("paint",), ("stylize",), ("stylize", "a", "--crf", "x")])
def test_words_that_are_no_command_explain_its_use(
    reelbrush: Command, words: tuple[str, ...]
) -> None:
    ended = reelbrush(*words)
    assert ended.code == 2
    assert "Usage" in ended.err
    assert "Traceback" not in ended.err


# -- 3: the film -----------------------------------------------------------------------------------


def _silence(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", 48000)
        assert isinstance(stream, av.AudioStream)
        for at in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.int16), "s16", "stereo")
            frame.sample_rate, frame.pts = 48000, 1024 * at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


BAD: dict[str, Callable[[Path], object]] = {
    "missing": lambda _: None,
    "folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no film at all\n" * 100),
    "no-video": _silence,
    "cut-off": lambda path: truncate(make_film(path, texture(20)), 0.6),
    "cut-off-behind-its-index": lambda path: truncate(
        make_film(path, texture(20), fast_start=True), 0.6
    ),
    "scribbled": lambda path: scribble(
        make_film(path, texture(40), fast_start=True), at=30000, size=9000
    ),
}


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("kind", BAD)
def test_films_that_cannot_be_read_are_refused(
    tmp_path: Path, reelbrush: Command, kind: str
) -> None:
    source, target = tmp_path / "film.mp4", tmp_path / "painted.mp4"
    BAD[kind](source)
    ended = reelbrush("stylize", source, "-o", target, "--threads", 1)
    refused(ended, 3)
    assert names(tmp_path) <= {"film.mp4", "painted.mp4.work"}
    for word in ("probe", "plan"):
        assert reelbrush(word, source).code in (0, 3)


@pytest.mark.usefixtures("no_code")
def test_fields_are_refused_where_that_is_asked_for(tmp_path: Path, reelbrush: Command) -> None:
    source = make_film(tmp_path / "film.mp4", texture(12), interlaced=True)
    target = tmp_path / "painted.mp4"
    refused(reelbrush("stylize", source, "-o", target, "--interlaced", "refuse"), 3, "interlaced")
    assert names(tmp_path) == {"film.mp4"}


# -- 4, 5, 6: on the way ---------------------------------------------------------------------------


@pytest.mark.usefixtures("no_code")
def test_a_chunk_that_fails_is_named_and_what_was_done_is_kept(
    tmp_path: Path, reelbrush: Command
) -> None:
    source = make_film(tmp_path / "film.mkv", cut(70, (96, 64), at=50))
    target = tmp_path / "painted.mkv"
    words = ("stylize", source, "-o", target, "--threads", 1)
    broken = Breaks(at=7, error=RuntimeError("the paint\nis spilt\nall over"))
    refused(reelbrush(*words, painter=broken), 4, "chunk 1 (frames 50 to 69)", "spilt all over")
    assert names(tmp_path) == {"film.mkv", "painted.mkv.work"}
    assert "1 of them from before" in reelbrush(*words).out
    assert read_film(target).frames == 70


@pytest.mark.usefixtures("no_code")
def test_a_film_that_is_not_what_it_should_be_gets_no_name(
    film: Path, reelbrush: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(source: Film, target: Path, **options: object) -> Verification:
        truncate(target, 0.8)
        return verify_film(source, target, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(assembler, "verify_film", damaged)
    target = film.with_name("painted.mp4")
    refused(reelbrush("stylize", film, "-o", target, "--threads", 1), 5)
    assert names(film.parent) == {"film.mp4", "painted.mp4.work"}


@pytest.mark.usefixtures("no_code")
def test_a_disk_that_is_too_small_is_noticed_first(
    film: Path, reelbrush: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(film.parent)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    painter = Washes()
    target = film.with_name("painted.mp4")
    words = ("stylize", film, "-o", target, "--threads", 1)
    refused(reelbrush(*words, painter=painter), 6, "MiB are needed")
    assert painter.painted == []
    assert names(film.parent) <= {"film.mp4", "painted.mp4.work"}


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("room", [700, 4000, 30000])
def test_a_disk_that_fills_up_on_the_way_is_one_line(
    tmp_path: Path, reelbrush: Command, room: int
) -> None:
    source = make_film(tmp_path / "film.mkv", texture(14))
    target = tmp_path / "painted.mkv"
    words = ("stylize", source, "-o", target, "--codec", "ffv1", "--threads", 1)
    reelbrush("styles")  # whatever is imported late may want to write
    with small_disk(room):
        ended = reelbrush(*words)
    refused(ended, 6)
    assert names(tmp_path) == {"film.mkv", "painted.mkv.work"}
    assert reelbrush(*words).code == 0


@pytest.mark.usefixtures("no_code")
def test_no_memory_left_is_one_line(film: Path, reelbrush: Command) -> None:
    target = film.with_name("painted.mp4")
    ended = reelbrush("stylize", film, "-o", target, painter=Breaks(at=0, error=MemoryError()))
    refused(ended, 6, "memory")
    assert names(film.parent) == {"film.mp4", "painted.mp4.work"}


# -- 130 -------------------------------------------------------------------------------------------

SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs behind
import cv2
cv2.setNumThreads(1)
import jobs.stylize
from painters import Washes, any_code
from pipeline.paint.choice import Choice

class Slow(Washes):
    def change(self, planes, moments, frame):
        print("painting", flush=True)
        time.sleep(20)
        return planes

jobs.stylize.chosen = lambda style, work: Choice(any_code(style))
jobs.stylize.hire_for = lambda *_, **__: Slow
from jobs.cli import main
main()
"""


@pytest.fixture
def painting(film: Path) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own that is busy painting."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    words = ["stylize", str(film), "-o", str(film.with_name("painted.mp4")), "--backend", "inline"]
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, *words],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "painting\n"
        yield process
        process.kill()


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_an_interrupted_film_says_so_and_goes_on_later(
    film: Path, reelbrush: Command, painting: subprocess.Popen[str], how: signal.Signals
) -> None:
    target = film.with_name("painted.mp4")
    refused(reelbrush("stylize", film, "-o", target), 2, "is being worked on", str(painting.pid))
    painting.send_signal(how)
    began = time.monotonic()
    out, err = painting.communicate(timeout=15)
    assert time.monotonic() - began < 5
    refused(Ended(painting.returncode, out, err), 130, "interrupted")
    assert names(film.parent) == {"film.mp4", "painted.mp4.work"}
    assert reelbrush("stylize", film, "-o", target, "--threads", 1).code == 0
