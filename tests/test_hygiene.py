"""Pictures as people have them: paper, frames, captions and transparency go, paint stays."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import BadRequest
from pipeline.media.color import Rect
from pipeline.paint.hygiene import bare, clean, read_painting

Picture = NDArray[np.uint8]
PAPER = (247, 241, 228)


def canvas(height: int = 300, width: int = 400, *, seed: int = 0) -> Picture:
    """Coarse blotches of paint with fine ones over them."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 220, (12, 16, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(float)
    return np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8)


def framed(picture: Picture, around: tuple[int, int, int, int], color: tuple[int, ...]) -> Picture:
    """Lay a colour around: lines at the top, bottom, left, right."""
    return np.asarray(
        cv2.copyMakeBorder(picture, *around, borderType=cv2.BORDER_CONSTANT, value=color), np.uint8
    )


def within(found: Rect, true: Rect, *, lost: int) -> None:
    """Expect nothing of what lies around, and at most so many pixels of paint lost a side."""
    top, left = found.top - true.top, found.left - true.left
    bottom = true.top + true.height - found.top - found.height
    right = true.left + true.width - found.left - found.width
    assert all(0 <= gap <= lost for gap in (top, left, bottom, right)), (found, true)


def test_a_picture_without_margins_stays_as_it_is() -> None:
    picture = canvas()
    cleaned = clean(picture)
    assert np.array_equal(cleaned.picture, picture)
    assert cleaned.notes == ()


@pytest.mark.parametrize("color", [PAPER, (0, 0, 0), (120, 20, 30)])
@pytest.mark.parametrize("around", [(20, 30, 40, 10), (60, 0, 0, 0), (0, 0, 25, 25)])
def test_a_margin_goes(color: tuple[int, ...], around: tuple[int, int, int, int]) -> None:
    found = bare(framed(canvas(), around, color))
    within(found, Rect(around[0], around[2], 300, 400), lost=2)


def test_paper_that_was_scanned_and_compressed_goes() -> None:
    picture = framed(canvas(), (30, 30, 30, 30), PAPER)
    noisy = picture + np.random.default_rng(1).normal(0, 2, picture.shape)
    _, jpeg = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))
    again = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert again is not None
    within(bare(np.asarray(again, np.uint8)), Rect(30, 30, 300, 400), lost=4)


def test_a_frame_in_a_mat_on_paper_goes_ring_by_ring() -> None:
    picture = framed(canvas(), (12, 12, 12, 12), (20, 15, 10))
    picture = framed(picture, (20, 20, 20, 20), (200, 190, 150))
    picture = framed(picture, (15, 25, 15, 15), (255, 255, 255))
    within(bare(picture), Rect(47, 47, 300, 400), lost=6)


def test_a_caption_goes_with_its_band() -> None:
    picture = framed(canvas(), (0, 50, 0, 0), PAPER)
    cv2.putText(picture, "Blotches, 1889", (60, 335), cv2.FONT_HERSHEY_SIMPLEX, 1, (40, 40, 40), 2)
    within(bare(picture), Rect(0, 0, 300, 400), lost=2)


def test_a_sky_of_one_colour_is_the_paintings_own() -> None:
    picture = canvas()
    picture[:150] = (90, 140, 210)
    assert bare(picture) == Rect(0, 0, 300, 400)


def test_a_small_thing_on_a_large_sheet_stays_on_it() -> None:
    sheet = np.full((400, 400, 3), 250, np.uint8)
    sheet[180:220, 180:220] = canvas(40, 40)
    assert bare(sheet) == Rect(0, 0, 400, 400)


def test_what_is_transparent_goes_and_holes_take_the_mean_colour() -> None:
    picture = np.dstack([framed(canvas(), (20, 20, 20, 20), (0, 0, 0)), np.zeros((340, 440))])
    picture[20:320, 20:420, 3] = 255
    picture[100:110, 100:110, 3] = 0
    cleaned = clean(picture.astype(np.uint8))
    inside = canvas()
    hole = np.zeros((300, 400), np.bool_)
    hole[80:90, 80:90] = True
    assert np.array_equal(cleaned.picture[~hole], inside[~hole])
    assert np.array_equal(
        cleaned.picture[85, 85], np.rint(inside[~hole].mean(axis=0)).astype(np.uint8)
    )


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (canvas(200, 400), "only 400x200 pixels"),
        (np.full((300, 300, 3), 77, np.uint8), "one flat colour"),
        (framed(canvas(), (60, 60, 60, 60), PAPER), "cropped to"),
    ],
    ids=["small", "flat", "cropped"],
)
def test_what_a_person_should_know_is_said(picture: Picture, said: str) -> None:
    assert any(said in note for note in clean(picture).notes)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((300, 300, 4), np.uint8), "transparent"),
        (np.zeros((300, 20, 3), np.uint8), "20x300"),
    ],
)
def test_a_picture_with_nothing_in_it_is_refused(picture: Picture, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        clean(picture)


def test_files_are_read_whatever_their_depth_and_colours(tmp_path: Path) -> None:
    picture = canvas()
    opaque = np.dstack([picture[..., ::-1], np.full((300, 400), 255, np.uint8)])
    cv2.imwrite(str(tmp_path / "deep.png"), picture.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "grey.png"), picture[..., 0])
    cv2.imwrite(str(tmp_path / "alpha.png"), opaque)
    assert np.array_equal(read_painting(tmp_path / "deep.png").picture, picture[..., ::-1])
    assert np.array_equal(read_painting(tmp_path / "alpha.png").picture, picture)
    grey = read_painting(tmp_path / "grey.png").picture
    assert np.array_equal(grey, np.repeat(picture[..., :1], 3, axis=2))


@pytest.mark.parametrize("content", [b"", b"no picture at all", None])
def test_what_is_no_picture_is_refused_by_its_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "painting.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRequest, match=r"painting\.jpg") as caught:
        read_painting(path)
    assert "\n" not in str(caught.value)
