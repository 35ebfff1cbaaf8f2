"""Evaluating: a film is as steady as itself, noise is not, another film is no painting of it."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from films import Picture, make_film, texture
from pipeline.errors import BadRequest
from pipeline.judge.evaluate import evaluate
from pipeline.judge.scores import read_scores, summed, write_scores
from pipeline.media.container import Film, read_film


def film(path: Path, pictures: Iterable[Picture]) -> Film:
    make_film(path, pictures, codec="ffv1")
    return read_film(path)


def noisy(pictures: Iterable[Picture]) -> list[Picture]:
    random = np.random.default_rng(0)
    return [np.clip(p + random.normal(0, 15, p.shape), 0, 255).astype(np.uint8) for p in pictures]


def test_a_film_has_its_own_error_and_noise_has_more(tmp_path: Path) -> None:
    pictures = list(texture(5))
    source = film(tmp_path / "source.mkv", pictures)
    same = evaluate(source, source, count=4)
    restless = evaluate(source, film(tmp_path / "noise.mkv", noisy(pictures)), count=4)
    assert len(same.scores) == 4
    assert same.error == same.content
    assert same.scores[0].error is None
    assert same.unjudged == 0
    assert same.error is not None
    assert restless.error is not None
    assert restless.error > 10 * same.error
    assert restless.content == same.content
    assert restless.detail > same.detail


def test_what_comes_back_after_nine_frames_is_judged_apart(tmp_path: Path) -> None:
    pictures = list(texture(12, shift=(0, 0)))
    source = film(tmp_path / "source.mkv", pictures)
    darker = [p if t < 6 else p - np.minimum(p, 20) for t, p in enumerate(pictures)]
    found = evaluate(source, film(tmp_path / "darker.mkv", darker))
    assert [s.frame for s in found.scores if s.error9 is not None] == [9, 10, 11]
    assert found.scores[8].error == 0
    assert found.scores[6].error == found.worst
    assert found.worst_frames(1) == (6,)
    assert found.error9 == pytest.approx((20 / 255) ** 2, rel=0.1)
    assert found.floor9 == found.floor == 0
    assert found.jitter > 0.5 > found.jitter_limit == pytest.approx(0.05)
    assert found.stability is not None
    assert found.stability > 0


def test_scores_become_a_table(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mkv", texture(3))
    found = evaluate(source, source, cache=tmp_path / "motion.npz")
    write_scores(found.scores, tmp_path / "scores.parquet")
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.column("frame").to_pylist() == [0, 1, 2]
    assert table.column("error").to_pylist()[0] is None
    assert (tmp_path / "motion.npz").is_file()
    kept = read_scores(tmp_path / "scores.parquet")
    assert kept is not None
    assert summed(kept) == found


def test_a_table_of_other_measures_is_not_taken_for_todays(tmp_path: Path) -> None:
    pq.write_table(pa.table({"frame": [0, 1], "error": [None, 0.5]}), tmp_path / "old.parquet")
    assert read_scores(tmp_path / "old.parquet") is None


def test_a_film_of_another_length_is_no_painting(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mkv", texture(3))
    with pytest.raises(BadRequest, match="no painting of"):
        evaluate(source, film(tmp_path / "other.mkv", texture(2)))
