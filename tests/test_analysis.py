"""Analysis: cuts where they are and nowhere else; light, bars and freezes are measured."""

from collections.abc import Iterable
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from films import (
    Picture,
    black,
    cut,
    fade,
    flash,
    freeze,
    letterbox,
    make_film,
    scaled,
    still,
    texture,
    twos,
)
from pipeline.media.container import Film, read_film
from pipeline.motion.analysis import analyse, gradient_energy, rows_of, spans
from pipeline.motion.cuts import CUT
from pipeline.motion.light import bars
from pipeline.motion.rows import Analysis, concat, read, write

SIZE = (240, 136)


def film_of(folder: Path, pictures: Iterable[Picture], *, exact: bool = False) -> Film:
    """Encode pictures well, or without any loss."""
    if exact:
        return read_film(make_film(folder / "film.mkv", pictures, codec="ffv1"))
    return read_film(make_film(folder / "film.mp4", pictures, crf=18, bframes=2))


def analysed(folder: Path, pictures: Iterable[Picture], *, exact: bool = False) -> Analysis:
    film = film_of(folder, pictures, exact=exact)
    return analyse(film, 0, film.frames)


def cuts(analysis: Analysis) -> list[int]:
    return np.flatnonzero(analysis.cut >= CUT).tolist()


def test_a_cut_is_found_at_its_frame_and_nowhere_else(tmp_path: Path) -> None:
    assert cuts(analysed(tmp_path, cut(20, SIZE, at=9))) == [9]


def test_cuts_to_and_from_black_are_cuts(tmp_path: Path) -> None:
    pictures = [*texture(8, SIZE), *black(8, SIZE), *texture(8, SIZE, seed=3)]
    assert cuts(analysed(tmp_path, pictures)) == [8, 16]


def test_two_cuts_four_frames_apart_are_both_found(tmp_path: Path) -> None:
    pictures = [*texture(8, SIZE), *texture(4, SIZE, seed=3), *texture(8, SIZE, seed=4)]
    assert cuts(analysed(tmp_path, pictures)) == [8, 12]


@pytest.mark.parametrize("out", [True, False])
def test_a_fade_is_no_cut_and_its_gains_are_those_of_the_fade(tmp_path: Path, out: bool) -> None:
    analysis = analysed(tmp_path, fade(25, SIZE, out=out))
    assert cuts(analysis) == []
    faded = np.linspace(1, 0, 25) if out else np.linspace(0, 1, 25)
    bright = slice(2, 18) if out else slice(8, 24)
    expected = faded[1:] / np.maximum(faded[:-1], 1e-9)
    assert np.allclose(analysis.gain[1:][bright], expected[bright], atol=0.02)


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    assert cuts(analysed(tmp_path, flash(20, SIZE, at=9))) == []


def test_three_white_frames_are_no_cut(tmp_path: Path) -> None:
    pictures = list(texture(20, SIZE))
    for t in (9, 10, 11):
        pictures[t] = np.full_like(pictures[t], 250)
    assert cuts(analysed(tmp_path, pictures)) == []


def test_fast_motion_is_no_cut(tmp_path: Path) -> None:
    assert cuts(analysed(tmp_path, texture(10, SIZE, (24, 9)))) == []


def test_even_light_has_unit_gain_exactly(tmp_path: Path) -> None:
    assert (analysed(tmp_path, texture(12, SIZE)).gain == 1).all()


def test_a_step_of_light_is_one_gain(tmp_path: Path) -> None:
    pictures = scaled(texture(12, SIZE), [0.9] * 6 + [0.72] * 6)
    gain = analysed(tmp_path, pictures).gain
    assert gain[6] == pytest.approx(0.8, abs=0.02)
    assert (np.delete(gain, 6) == 1).all()


def test_even_motion_leaves_no_hole_but_at_the_edge_where_it_comes_in(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, texture(8, SIZE, (4, 0)))
    assert analysis.hole[0] == 0
    assert (analysis.hole[1:] < 0.06).all()
    assert (analysis.hole[1:] > 0.01).all()


def test_the_first_frame_has_neutral_values(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, texture(3, SIZE))
    assert (analysis.cut[0], analysis.hole[0], analysis.gain[0]) == (0, 0, 1)
    assert (analysis.residual[0], analysis.content[0]) == (0, 0)
    assert not analysis.still[0]


def test_the_warping_error_of_a_cut_is_null(tmp_path: Path) -> None:
    content = analysed(tmp_path, cut(10, SIZE, at=5)).content
    assert np.flatnonzero(np.isnan(content)).tolist() == [5]
    assert np.nanmax(content) < 1e-3


def test_a_freeze_is_still_to_the_sample(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, freeze(14, SIZE, start=4, stop=9), exact=True)
    assert np.flatnonzero(analysis.still).tolist() == [5, 6, 7, 8]
    assert not analysis.hole[analysis.still].any()
    assert not analysis.residual[analysis.still].any()


def test_animation_on_twos_is_still_every_other_frame(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, twos(10, SIZE), exact=True)
    assert np.flatnonzero(analysis.still).tolist() == [1, 3, 5, 7, 9]


def test_bars_are_measured_to_the_row(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, letterbox(4, SIZE, bar=17), exact=True)
    assert analysis.bars.tolist() == [[17, 17, 0, 0]] * 4


def test_bars_may_stand_at_the_sides_and_a_dark_frame_has_none() -> None:
    luma = np.full((90, 160), 16, np.uint8)
    assert bars(luma, black=16) == (-1, -1, -1, -1)
    luma[5:80, 20:150] = 120
    assert bars(luma, black=16) == (5, 10, 20, 10)


def test_a_gradient_is_counted_by_forward_differences() -> None:
    luma = np.tile(np.arange(0, 51, 5, dtype=np.uint8), (4, 1))  # 10 steps of 5 in each of 4 rows
    assert gradient_energy(luma) == pytest.approx(4 * 10 * (5 / 255) ** 2 / luma.size)


def test_spans_begin_at_sync_frames_ten_seconds_apart(tmp_path: Path) -> None:
    tiny = [still((32, 32), offset=(t, 0)) for t in range(60)]
    path = make_film(tmp_path / "film.mp4", tiny, rate=Fraction(2), keyint=7)
    film = read_film(path)
    made = spans(film)
    assert made == [(0, 21), (21, 42), (42, 60)]
    assert all(film.sync[start] for start, _ in made)


def test_spans_measure_what_the_whole_film_measures(tmp_path: Path) -> None:
    film = film_of(tmp_path, cut(30, SIZE, at=16))
    whole = analyse(film, 0, 30)
    parts = [analyse(film, a, b) for a, b in ((12, 24), (0, 12), (24, 30))]
    assert [rows_of(*span, frames=30) for span in ((0, 12), (12, 24))] == [(0, 13), (13, 25)]
    joined = concat(parts)
    for name in (field.name for field in fields(Analysis)):
        assert np.array_equal(
            getattr(joined, name), getattr(whole, name), equal_nan=name == "content"
        ), name


def test_parquet_gives_back_what_was_written(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, cut(6, SIZE, at=3))
    write(analysis, tmp_path / "part.parquet")
    back = read(tmp_path / "part.parquet")
    assert back.start == analysis.start
    for name in ("cut", "hole", "content", "still", "bars", "colors"):
        assert np.array_equal(
            getattr(back, name), getattr(analysis, name), equal_nan=name == "content"
        )
        assert getattr(back, name).dtype == getattr(analysis, name).dtype


def test_parts_with_a_gap_do_not_join(tmp_path: Path) -> None:
    film = film_of(tmp_path, texture(12, SIZE))
    with pytest.raises(ValueError, match="rows end at 5, go on at 9"):
        concat([analyse(film, 0, 4), analyse(film, 8, 12)])
