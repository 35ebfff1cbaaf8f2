"""What stays beside a film about where it comes from."""

from pathlib import Path

import pytest

from films import make_film, texture
from jobs.progress import Silent
from jobs.provenance import Provenance, _flat, provenance, read_provenance
from jobs.stylize import Job, stylize
from painters import Washes, any_code
from pipeline.judge.tables import read_about, read_rows
from pipeline.media.container import read_film
from pipeline.recipe import Recipe


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of a painted film, in a folder beside that of its source."""
    shop = tmp_path_factory.mktemp("shop")
    (shop / "in").mkdir()
    (shop / "out").mkdir()
    film = make_film(shop / "in" / "film.mp4", texture(10, (64, 48)))
    job = Job(film, shop / "out" / "painted.mp4", Recipe(style="made", crf=30, frames=(2, 9)))
    stylize(job, progress=Silent(), hire=Washes)
    return job.table


def test_a_table_says_where_its_film_comes_from(table: Path) -> None:
    found = read_provenance(read_about(table))
    assert found is not None
    assert found.source == "../in/film.mp4"
    assert found.film == read_film(table.parent / found.source).fingerprint
    assert found.keys == sum(row.key for row in read_rows([table]))
    assert (found.recipe["crf"], found.recipe["frames"]) == (30, [2, 9])
    assert {"reelbrush", "render", "Python", "av", "openvino"} <= set(found.versions)


def test_style_and_weights_are_named_by_the_beginning_of_their_digests(table: Path) -> None:
    job = Job(
        table.parent.parent / "in" / "film.mp4", table.parent / "again.mp4", Recipe(style="x")
    )
    result = stylize(job, progress=Silent(), hire=Washes)
    code = any_code("some")
    found = provenance(
        read_film(job.source), job.recipe, result, codes=[code], folder=table.parent
    ).versions
    assert code.digest.startswith(found["style code"])
    assert len(found["painter-S.safetensors"]) == 16


@pytest.mark.parametrize("said", [None, "", "no JSON", "[]", '{"source": 1}'])
def test_words_that_are_not_understood_say_nothing(said: str | None) -> None:
    assert read_provenance(said) is None


def test_what_a_later_version_adds_is_no_hindrance() -> None:
    known = Provenance(source="a", film="b", keys=1, promoted=0, chunks=1, recipe={}, versions={})
    said = known.model_dump_json()[:-1] + ', "colour": "red"}'
    assert read_provenance(said) == known


def test_settings_within_settings_are_named_by_the_way_to_them() -> None:
    fields = {"crf": 16, "terms": {"refine": False, "of": {"rho": 0.5}}, "odd": [[1, "a"]]}
    assert _flat(fields) == {
        "crf": 16,
        "terms refine": False,
        "terms of rho": 0.5,
        "odd": '[[1, "a"]]',
    }
