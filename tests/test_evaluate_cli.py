"""The command evaluate: what it wants is said in a line."""

from pathlib import Path

import pytest

from jobs.evaluate_cli import evaluate
from pipeline.errors import BadRequest


def test_films_or_painters_one_of_them_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="a film and its painting, or --styles"):
        evaluate(source=tmp_path / "film.mp4")
    with pytest.raises(BadRequest, match="--photos and --paintings"):
        evaluate(styles=True, photos=tmp_path)
    with pytest.raises(BadRequest, match="not taste"):
        evaluate(styles=True, photos=tmp_path, paintings=tmp_path, parts="photos,taste")
