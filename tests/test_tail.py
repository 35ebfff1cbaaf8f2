"""The end of a segment: as good as its inside, and nothing of the repeats is left."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from actors.inbetweener import FillOrder, seams_of
from films import make_film, planes_of, still, texture
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import Encoding, choose_encoding, write_segment
from pipeline.media.samples import picture_of
from pipeline.media.seam import NONE, Seams, finer
from pipeline.media.tail import tail
from pipeline.plan import Chunk, Part
from pipeline.recipe import Recipe

SIZE = (160, 96)


@pytest.fixture
def film(tmp_path: Path) -> Film:
    pictures = texture(24, SIZE, (0.4, 0.2))
    return read_film(make_film(tmp_path / "film.mkv", pictures, codec="ffv1", rate=Fraction(25)))


def errors(film: Film, path: Path) -> list[float]:
    """Mean squared error of each frame's luma."""
    pairs = zip(frames(film, 0, film.frames), frames(read_film(path), 0, film.frames), strict=True)
    return [float(np.square(a.planes.luma.astype(float) - b.planes.luma).mean()) for a, b in pairs]


def encoding_of(film: Film, folder: Path) -> Encoding:
    return choose_encoding(film, codec="h264", target=folder / "out.mp4")[0]


def test_the_last_frames_of_a_segment_are_no_coarser_than_its_inside(
    film: Film, tmp_path: Path
) -> None:
    path = tmp_path / "segment.mp4"
    encoding = encoding_of(film, tmp_path)
    write_segment(frames(film, 0, 24), film=film, encoding=encoding, path=path, crf=16)
    found = errors(film, path)
    assert max(found[-2:]) < 1.1 * float(np.median(found[4:-4]))
    assert found[0] < float(np.median(found[4:-4]))


def test_a_segment_is_finer_where_it_meets_another_one(film: Film, tmp_path: Path) -> None:
    found = []
    for number, seams in enumerate([NONE, Seams(24, before=True, after=True)]):
        path = tmp_path / f"{number}.mp4"
        encoding = replace(encoding_of(film, tmp_path), seams=seams)
        write_segment(frames(film, 0, 24), film=film, encoding=encoding, path=path, crf=16)
        found.append(errors(film, path))
    alone, met = found
    assert met[0] < 0.7 * alone[0]
    assert met[-1] < 0.5 * alone[-1]
    assert met[-1] < met[-2] < met[-3]
    assert np.mean(met[4:-4]) <= np.mean(alone[4:-4])


@pytest.mark.parametrize("frames", range(1, 8))
def test_what_is_finer_lies_within_its_segment(frames: int) -> None:
    found = finer(Seams(frames, before=True, after=True))
    assert set(found) <= set(range(frames))
    assert min(found.values()) > 1
    assert found[0] == found[frames - 1] == 3


@pytest.mark.parametrize(
    ("opens", "closes", "start", "stop", "before", "after"),
    [
        (True, True, 10, 40, False, False),
        (True, False, 10, 40, False, True),
        (False, True, 10, 40, True, False),
        (False, False, 10, 40, True, True),
        (False, False, 12, 39, False, False),
    ],
    ids=["shot", "beginning", "end", "middle", "only-some-frames"],
)
def test_a_segment_meets_others_only_within_a_shot_and_where_it_is_whole(
    opens: bool, closes: bool, start: int, stop: int, before: bool, after: bool
) -> None:
    part = Part(0, 10, 40, keys=(10, 40), opens=opens, closes=closes, setup=0)
    order = FillOrder(
        Chunk(0, (part,)), {}, start, stop, Recipe(style="made"),
        Encoding("h264", "yuv420p", "mp4"), last_round=False, segment=Path(), table=Path(),
    )  # fmt: skip
    assert seams_of(order) == Seams(stop - start, before=before, after=after)


def test_a_segment_of_one_frame_has_no_repeats_left(film: Film, tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    only = list(frames(film, 5, 6))
    segment = write_segment(only, film=film, encoding=encoding_of(film, tmp_path), path=path)
    assert (segment.start, segment.stop, read_film(path).frames) == (5, 6, 1)


def test_repeats_are_the_last_picture_at_times_of_their_own() -> None:
    last = picture_of(planes_of(still(SIZE)), "yuv420p")
    last.pts, last.time_base = 40, Fraction(1, 1000)
    every = list(tail(last, repeats=3, step=20))
    assert [picture.pts for picture in every] == [40, 60, 80, 100]
    assert all(bytes(picture.planes[0]) == bytes(last.planes[0]) for picture in every)


def test_frames_of_a_variable_rate_keep_their_times(tmp_path: Path) -> None:
    pts = [0, 1, 5, 6, 7, 20]
    uneven = read_film(
        make_film(tmp_path / "uneven.mp4", texture(6, SIZE), rate=Fraction(25), pts=pts)
    )
    path = tmp_path / "segment.mp4"
    given: list[Frame] = list(frames(uneven, 0, 6))
    write_segment(given, film=uneven, encoding=encoding_of(uneven, tmp_path), path=path)
    ticks = read_film(path).pts
    assert ticks.tolist() == (uneven.pts - uneven.pts[0]).tolist()
