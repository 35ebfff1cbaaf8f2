"""Proofs: what a node cannot do is one line, whatever it is."""

from pathlib import Path

import pytest

from actors.objects import ObjectPath
from actors.reach import Places, Reached, known, reach
from actors.vitals import Tried, reply
from jobs import doctor
from jobs.proof import _problem

FILMS = {"/srv/a.mov": Tried("a"), "/srv/b.mov": Tried("b"), "/srv/c.mov": Tried("c")}


def said(*films: Tried, folder: Tried | None = None) -> Reached:
    """What a node found."""
    return Reached(films, () if folder is None else (folder,))


def test_a_node_that_sees_all_has_no_problem(tmp_path: Path) -> None:
    (tmp_path / "doctor-1").mkdir()
    (tmp_path / "doctor-1" / "note").write_text("hello")
    place = str(tmp_path / "doctor-1")
    found = reach(Places((), (place,), "gpu1"))
    assert (tmp_path / "doctor-1" / "gpu1").read_text() == reply("hello", "gpu1")
    assert _problem("gpu1", found, {}, {place: Tried("hello")}) == ""


def test_films_that_are_not_seen_share_a_line() -> None:
    gone = Tried(problem="No such file or directory")
    found = _problem("gpu1", said(Tried("a"), gone, gone), FILMS, {})
    assert found == "cannot read /srv/b.mov (No such file or directory), nor 1 more films"
    assert _problem("gpu1", said(Tried("a"), Tried("b"), Tried("x")), FILMS, {}) == (
        "cannot read /srv/c.mov (another film there than here)"
    )


def test_a_folder_that_is_another_machines_own_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_SPREAD", 0.0)
    place = str(tmp_path / "doctor-1")
    found = said(folder=Tried("hello"))
    assert _problem("gpu1", found, {}, {place: Tried("hello")}) == (
        f"cannot write {tmp_path} (No such file or directory)"
    )
    refused = said(folder=Tried(problem="Permission denied"))
    assert "(Permission denied)" in _problem("gpu1", refused, {}, {place: Tried("hello")})


def test_a_node_that_says_nothing_is_told_of_in_its_words() -> None:
    assert _problem("gpu1", "no answer in 5 s", FILMS, {}) == "no answer in 5 s"


def test_a_film_is_known_by_its_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"film")
    two.write_bytes(b"film")
    assert known(str(one)) == known(str(two)) != Tried()
    two.write_bytes(b"f1lm")
    assert known(str(one)) != known(str(two))
    assert known(str(tmp_path / "gone")).problem == "No such file or directory"


def test_objects_are_known_by_their_version_and_answered_by_objects(s3_folder: ObjectPath) -> None:
    film, folder = s3_folder / "film.mov", s3_folder / "doctor-1"
    film.write_bytes(b"film")
    (folder / "note").write_text("hello")
    found = reach(Places((str(film), str(s3_folder / "gone.mov")), (str(folder),), "gpu1"))
    assert found.sources[0].value.startswith("4 ")
    assert found.sources[1].problem == "no such object"
    assert found.folders == (Tried("hello"),)
    assert (folder / "gpu1").read_text() == reply("hello", "gpu1")
    here, notes = {str(film): known(str(film)), "x": Tried("y")}, {str(folder): Tried("hello")}
    assert _problem("gpu1", found, here, notes) == "cannot read x (no such object)"
