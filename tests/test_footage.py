"""Real films, where they lie beside the checkout: painted exactly, or refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from conftest import CLIPS

from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.errors import FilmError, SourceError
from pipeline.judge.tables import read_rows
from pipeline.media.color import Plane
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.recipe import Recipe

pytestmark = pytest.mark.footage
FOUND = sorted(CLIPS.glob("*/*.*")) if CLIPS.is_dir() else []


@pytest.mark.skipif(not FOUND, reason="the real clips are not beside the checkout")
@pytest.mark.parametrize("clip", FOUND, ids=lambda clip: f"{clip.parent.name}/{clip.name}")
def test_a_range_of_a_real_film_is_the_slice_of_the_whole_or_the_film_is_refused(
    clip: Path,
) -> None:
    refused = ""
    whole: list[Plane] = []
    try:
        film = read_film(clip)
        stop = min(film.frames, 24)
        whole = [frame.planes.luma for frame in frames(film, 0, stop)]
    except SourceError as error:
        refused = str(error)
    assert "\n" not in refused
    assert bool(whole) != bool(refused)
    if refused:
        return
    start = stop // 2
    part = list(frames(film, start, stop))
    assert [frame.pts for frame in part] == film.pts[start:stop].tolist()
    for frame, luma in zip(part, whole[start:], strict=True):
        assert np.array_equal(frame.planes.luma, luma)


@pytest.mark.skipif(not FOUND, reason="the real clips are not beside the checkout")
@pytest.mark.parametrize(
    "name",
    [
        "hard/cockatoo_yuv444.mp4",
        "hard/am_bear-vp9-odd-dimensions.webm",
        "hard/am_edit_list_positive_shift.mp4",
        "hard/tc_nasa_13013_rotated.mp4",
        "hard/am_sample_with_invalid_nalu.mp4",
    ],
)
def test_a_real_film_comes_out_painted_or_leaves_nothing(name: str, tmp_path: Path) -> None:
    clip = CLIPS / name
    job = Job(clip, tmp_path / "painted.mkv", Recipe(style="made", codec="ffv1", frames=(0, 20)))
    refused = ""
    try:
        stylize(job, progress=Silent(), hire=Washes)
    except FilmError as error:
        refused = str(error)
    assert "\n" not in refused
    if refused:
        assert not job.target.exists()
        assert {p.name for p in tmp_path.iterdir()} <= {"painted.mkv.work"}
        return
    film, painted = read_film(clip), read_film(job.target)
    assert painted.frames == 20
    assert (painted.width, painted.height, painted.rotation) == (
        film.width,
        film.height,
        film.rotation,
    )
    assert [row.pts for row in read_rows([job.table])] == film.pts[:20].tolist()
