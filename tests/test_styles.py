"""The styles command: the gallery as a list and as a sheet, and a code of one's own."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import jobs.styles
import pipeline.paint.encoder
import pipeline.paint.stylize
from commands import Ended, command
from films import make_film, texture
from jobs.progress import Silent
from jobs.styles import columns_of, sheet
from pipeline.errors import BadRequest
from pipeline.paint.code_file import read_code_file
from pipeline.paint.styles import StyleCode, gallery, manifest
from pipeline.paint.stylize import Brush, load_brush

RGB = NDArray[np.float32]


class Command(Protocol):
    """What the fixture ``reelbrush`` is."""

    def __call__(self, *words: object) -> Ended:
        """Run the command with some words."""


@pytest.fixture
def reelbrush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    """The command in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ended:
        with monkeypatch.context() as patch:
            return command(*words, patch=patch, capfd=capfd)

    return run


@pytest.fixture
def tints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for painting: whatever is painted becomes half as light; gives who was asked."""
    asked: list[str] = []

    def brush(_net: object, code: StyleCode, *, weights: str) -> str:
        assert weights
        asked.append(code.name)
        return code.name

    monkeypatch.setattr(pipeline.paint.stylize, "brush", brush)
    monkeypatch.setattr(pipeline.paint.stylize, "load_brush", lambda _code: _Held())
    monkeypatch.setattr(pipeline.paint.stylize, "measure", lambda _held, pictures: len(pictures))
    monkeypatch.setattr(pipeline.paint.stylize, "paint", lambda _held, picture, _: picture / 2)
    return asked


class _Held:
    net, weights = None, "some"


@pytest.fixture
def mean_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the encoder: the picture's mean, 256 times."""

    def encode_picture(picture: NDArray[np.uint8]) -> tuple[RGB, str]:
        return np.full(256, picture.mean() / 255, np.float32), "mean"

    monkeypatch.setattr(pipeline.paint.encoder, "encode_picture", encode_picture)
    monkeypatch.setattr(pipeline.paint.encoder, "basis_of_shipped", lambda: manifest()["basis"])


def painting(path: Path, *, size: tuple[int, int] = (300, 400)) -> Path:
    pixels = np.random.default_rng(0).integers(100, 140, (*size, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


def refused(ended: Ended, code: int, *words: str) -> None:
    assert (ended.code, len(ended.said)) == (code, 1), ended.err
    for word in words:
        assert word in ended.said[0]


# -- the sheet -------------------------------------------------------------------------------------


def test_a_sheet_has_the_picture_and_then_every_style_each_over_its_name(
    tmp_path: Path, reelbrush: Command, tints: list[str]
) -> None:
    painting(tmp_path / "on.png", size=(110, 220))
    ended = reelbrush("styles", "--sheet", "look.png", "--on", "on.png")
    assert ended.code == 0, ended.err
    assert f"{len(gallery())} styles" in ended.out
    assert tints == [caption.name for caption in gallery()]
    drawn = cv2.imread(str(tmp_path / "look.png"))
    assert drawn is not None
    first, second = drawn[20:100, 20:200].mean(), drawn[20:100, 250:430].mean()
    assert second == pytest.approx(first / 2, abs=1)
    assert drawn[119:142, 8:228].min() < 128, "a name in dark letters"
    refused(reelbrush("styles", "--sheet", "look.png", "--on", "on.png"), 2, "--overwrite")


@pytest.mark.usefixtures("tints")
@pytest.mark.parametrize(
    ("size", "painted", "tile"),
    [((1280, 720), (960, 540), (391, 220)), ((720, 1280), (540, 960), (220, 391))],
    ids=["portrait", "landscape"],
)
def test_a_sheet_is_painted_at_the_lines_of_the_shorter_side_as_films_are(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    painted: tuple[int, int],
    tile: tuple[int, int],
) -> None:
    seen: list[tuple[int, ...]] = []

    def measure(_held: object, pictures: list[RGB]) -> None:
        seen.extend(picture.shape for picture in pictures)

    monkeypatch.setattr(pipeline.paint.stylize, "measure", measure)
    monkeypatch.setattr(jobs.styles, "gallery", lambda: gallery()[:1])
    source, target = painting(tmp_path / "on.png", size=size), tmp_path / "look.png"
    sheet(target, on=source, at="0s", progress=Silent())
    assert seen == [(*painted, 3)]
    drawn = cv2.imread(str(target))
    assert drawn is not None
    high, wide = tile
    columns = 2 if high > wide else 1
    shape = (8 + (high + 32) * (2 // columns), 8 + (wide + 8) * columns, 3)
    assert drawn.shape == shape


@pytest.mark.usefixtures("tints")
def test_a_sheet_of_a_film_shows_the_frame_that_was_named(
    tmp_path: Path, reelbrush: Command
) -> None:
    make_film(tmp_path / "film.mp4", texture(14, (96, 64)))
    for at in ("0s", "0.4s"):
        words = ("styles", "--sheet", f"{at}.png", "--on", "film.mp4", "--at", at)
        assert reelbrush(*words).code == 0
    first, later = (cv2.imread(str(tmp_path / f"{at}.png")) for at in ("0s", "0.4s"))
    assert first is not None
    assert later is not None
    assert first.shape == later.shape
    assert not np.array_equal(first, later)


@pytest.mark.usefixtures("tints")
def test_a_sheet_without_a_picture_says_how_to_get_one(
    tmp_path: Path, reelbrush: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.styles, "DEMO", tmp_path / "no.mp4")
    refused(reelbrush("styles", "--sheet", "look.png"), 2, "--on", "make demo")
    (tmp_path / "words.txt").write_text("no picture")
    refused(reelbrush("styles", "--sheet", "look.png", "--on", "words.txt"), 2, "words.txt")
    refused(reelbrush("styles", "--sheet", "look.png", "--on", "none.png"), 2, "none.png")
    assert not (tmp_path / "look.png").exists()


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [(22, (180, 320), 4), (8, (180, 320), 3), (22, (320, 180), 8), (1, (9, 9), 1), (2, (9, 90), 1)],
)
def test_a_sheet_is_about_half_as_wide_again_as_high(
    count: int, size: tuple[int, int], columns: int
) -> None:
    assert columns_of(count, np.zeros((*size, 3), np.float32)) == columns


def test_the_shipped_painter_paints_a_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Brush] = []

    def loaded(code: StyleCode) -> Brush:
        kept.append(load_brush(code))
        return kept[-1]

    monkeypatch.setattr(pipeline.paint.stylize, "load_brush", loaded)
    monkeypatch.setattr(jobs.styles, "gallery", lambda: gallery()[:2])
    source = painting(tmp_path / "on.png", size=(64, 96))
    target = tmp_path / "look.png"
    assert sheet(target, on=source, at="0s", progress=Silent()) == 2
    assert len(kept) == 1, "one net for all"
    drawn = cv2.imread(str(target))
    assert drawn is not None
    assert not np.array_equal(drawn[8:72, 112:208], drawn[8:72, 8:104])


# -- a code of one's own ---------------------------------------------------------------------------


@pytest.mark.usefixtures("mean_encoder")
def test_a_painting_becomes_a_code_file_with_what_is_known_of_it(
    tmp_path: Path, reelbrush: Command
) -> None:
    painting(tmp_path / "The Sea, 1889.png")
    ended = reelbrush("styles", "add", "The Sea, 1889.png", "--title", "The Sea", "--year", "1889")
    assert (ended.code, ended.said) == (0, [])
    assert "--style the-sea-1889.style" in ended.out
    found = read_code_file(tmp_path / "the-sea-1889.style")
    assert (found.code.name, found.caption.title, found.caption.year) == (
        "the-sea-1889",
        "The Sea",
        "1889",
    )
    assert (found.encoder, found.code.basis) == ("mean", manifest()["basis"])
    assert found.code.values == pytest.approx([120 / 255] * 256, abs=0.01)
    assert (tmp_path / "the-sea-1889.style").stat().st_size < 2048
    refused(reelbrush("styles", "add", "The Sea, 1889.png"), 2, "--overwrite")


@pytest.mark.usefixtures("mean_encoder")
def test_what_is_wrong_with_a_painting_is_said(tmp_path: Path, reelbrush: Command) -> None:
    painting(tmp_path / "small.png", size=(100, 100))
    ended = reelbrush("styles", "add", "small.png", "-o", "sea.style")
    assert ended.code == 0
    assert "only 100x100 pixels" in ended.out


@pytest.mark.usefixtures("mean_encoder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("none.png",), "none.png"),
        (("words.txt",), "words.txt"),
        (("sea.png", "-o", "sea.jpg"), "sea.jpg"),
        (("sea.png", "-o", "nowhere/sea.style"), "nowhere"),
    ],
)
def test_what_makes_no_code_leaves_nothing(
    tmp_path: Path, reelbrush: Command, words: tuple[str, ...], said: str
) -> None:
    painting(tmp_path / "sea.png")
    (tmp_path / "words.txt").write_text("no picture")
    refused(reelbrush("styles", "add", *words), 2, said)
    assert {path.name for path in tmp_path.iterdir()} == {"sea.png", "words.txt"}


def test_a_sheet_that_exists_stays(tmp_path: Path) -> None:
    target = painting(tmp_path / "look.png")
    with pytest.raises(BadRequest, match="exists"):
        sheet(target, on=None, at="0s", progress=Silent())
