"""Sheets: every frame in every style at every scale, in its place, none too large."""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

import jobs.still
import pipeline.paint.styles
from actors.stylizer import Moments
from films import make_film, texture
from jobs.sheet import Tile, check_size, in_rows, labelled, reduced
from jobs.still import Wanted, net_for, sheet, still
from painters import Identity
from pipeline.errors import BadRequest
from pipeline.media.color import ColorTags, Planes
from pipeline.paint.styles import StyleCode
from pipeline.paint.working import Working

SIZE = (160, 96)
CODES = [StyleCode(name, (float(place),) * 256, "made") for place, name in enumerate("abc")]


class Shades(Identity):
    """Paints a grey that says by which code, at which size and which of its frames this is."""

    loaded: list[tuple[float, int]]
    asked: list[tuple[object, ...]]

    def __init__(self, code: StyleCode, *, working: Working | None, **net: object) -> None:
        super().__init__()
        self.asked.append(tuple(net[name] for name in ("size", "device", "structure")))
        self._level = 40 + 60 * int(code.values[0]) + (0 if working is None else 20)
        self.loaded.append((code.values[0], 0 if working is None else working.lines))

    def paint(
        self, keys: Mapping[int, Planes], _moments: Moments, _tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint each frame a little darker than the one before."""
        return {
            frame: Planes(
                np.full_like(planes.luma, self._level - frame),
                np.full_like(planes.blue, 128),
                np.full_like(planes.red, 128),
            )
            for frame, planes in keys.items()
        }


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Shades.loaded, Shades.asked = [], []
    monkeypatch.setattr(jobs.still, "Stylizer", Shades)
    return make_film(tmp_path / "film.mkv", texture(12, SIZE), codec="ffv1")


def level(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], row: int, column: int) -> int:
    """The luma code in the middle of a tile."""
    y, x = 8 + row * (96 + 32) + 48, 8 + column * (160 + 8) + 80
    return round(float(picture[y, x].mean()) * 219 / 255 + 16)


def test_a_sheet_has_a_row_for_each_frame_and_scale_and_a_column_for_each_style(
    film: Path,
) -> None:
    target = film.with_name("sheet.png")
    said = sheet(film, Wanted(target, CODES, scales=("film", 64), times=("0.2s", "0s")))
    assert said == f"{target}: frames 5, 0 in a, b, c"
    read = cv2.imread(str(target))
    assert read is not None
    picture = np.asarray(read, np.uint8)
    assert picture.shape == (4 * (96 + 32) + 8, 4 * (160 + 8) + 8, 3)
    found = [[level(picture, row, column) for column in (1, 2, 3)] for row in range(4)]
    assert found == [[35, 95, 155], [55, 115, 175], [40, 100, 160], [60, 120, 180]]
    assert level(picture, 1, 0) == level(picture, 3, 0) == 235, "the film is shown once a frame"
    assert len(Shades.loaded) == len(set(Shades.loaded)) == 6, "a net is loaded once"


def test_a_sheet_of_nothing_in_particular_is_three_frames_in_four_styles_of_the_gallery(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.still, "some_styles", lambda: [*CODES, CODES[0]])
    said = sheet(film, Wanted(film.with_name("sheet.png")))
    assert said.endswith("frames 2, 6, 10 in a, b, c, a")
    assert {lines for _, lines in Shades.loaded} == {0}, "a film of 96 lines is painted as it is"


def test_a_still_at_several_times_or_scales_is_refused(film: Path) -> None:
    target = film.with_name("look.png")
    for wrong in (
        Wanted(target, CODES, times=("0s", "0.1s")),
        Wanted(target, CODES, scales=(64, 96)),
    ):
        with pytest.raises(BadRequest, match="--sheet takes several"):
            still(film, wrong)
    assert not target.exists()


def test_a_still_is_painted_at_the_scale_that_is_asked_for(film: Path) -> None:
    still(film, Wanted(film.with_name("look.png"), CODES[:1], scales=(64,)))
    assert Shades.loaded == [(0.0, 64)]


@pytest.mark.parametrize("draw", [sheet, still])
def test_pictures_are_painted_by_the_net_and_with_the_structure_that_were_asked_for(
    film: Path, draw: Callable[[Path, Wanted], str]
) -> None:
    draw(film, Wanted(film.with_name("one.png"), CODES[:1]))
    draw(film, Wanted(film.with_name("two.png"), CODES[:1], size="M", structure=0.5))
    assert Shades.asked == [(*net_for("auto"), 0.0), ("M", "cpu", 0.5)]


def test_the_larger_net_is_taken_where_there_is_a_gpu_and_it_ships(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    for ships, gpu, expected in (
        (True, True, ("M", "cuda")), (True, False, ("S", "cpu")), (False, True, ("S", "cpu"))
    ):  # fmt: skip
        listed = {"painter-M.safetensors": "x"} if ships else {}
        monkeypatch.setattr(pipeline.paint.styles, "manifest", lambda listed=listed: listed)
        monkeypatch.setattr(torch.cuda, "is_available", lambda gpu=gpu: gpu)
        assert net_for("auto") == expected
        assert net_for("S") == ("S", "cpu")


def test_a_sheet_without_end_is_refused_before_anything_is_painted(film: Path) -> None:
    times = ["0s"] * 3000
    with pytest.raises(BadRequest, match="too large; take less on it"):
        sheet(film, Wanted(film.with_name("sheet.png"), CODES, times=times))
    assert Shades.loaded == []


def test_tiles_are_never_enlarged() -> None:
    picture = np.zeros((90, 160, 3), np.float32)
    assert reduced(picture, 120) is reduced(picture, None) is picture
    assert reduced(picture, 45).shape == (45, 80, 3)


def test_a_row_that_is_not_full_ends_in_white() -> None:
    black = np.zeros((2, 2, 3), np.float32)
    assert in_rows([black] * 4).shape == (4, 6, 3)
    assert in_rows([black] * 4)[2:, 2:].min() == 1


def test_a_name_too_long_for_its_tile_is_written_smaller_and_stays_under_it() -> None:
    grey = np.full((20, 60, 3), 0.5, np.float32)
    drawn = labelled([[Tile(grey, "a name that is much longer than its tile — é")] * 2])
    assert (drawn[28:52, 8:68] < 1).any()
    assert (drawn[:, 68:76] == 1).all()
    check_size(grey, rows=10, columns=10)
