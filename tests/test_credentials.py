"""Credentials: found where Ray finds them, sent in headers, and seen nowhere else."""

import base64
from pathlib import Path

import pytest

from jobs.credentials import SECRET, bare, covered, headers, lets_in, token
from pipeline.errors import BadRequest


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (*SECRET, "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)


def test_a_token_is_found_in_rays_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert token() is None
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("of the house\n")
    assert token() == "of the house"
    (tmp_path / "other").write_text("of a file")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "other"))
    assert token() == "of a file"
    monkeypatch.setenv("RAY_AUTH_TOKEN", " of a variable ")
    assert token() == "of a variable"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert token() is None


def test_a_token_file_that_is_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/nowhere/token")
    with pytest.raises(BadRequest, match="/nowhere/token: No such file"):
        token()


def test_the_token_goes_into_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    assert headers("http://head:8265") == {}
    monkeypatch.setenv("RAY_AUTH_TOKEN", "hunter22")
    assert headers("http://head:8265") == {"Authorization": "Bearer hunter22"}


def test_a_password_in_an_address_is_for_what_stands_before_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "hunter22")
    found = headers("https://ann:p%40ss@gate/ray")
    assert found["X-Ray-Authorization"] == "Bearer hunter22"
    assert base64.b64decode(found["Authorization"].removeprefix("Basic ")) == b"ann:p@ss"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ann:secret@head:8265/x", "http://head:8265/x"),
        (
            "see s3://KEY:sec+ret@films/a.mov, and ftp://bob@host",
            "see s3://films/a.mov, and ftp://host",
        ),
        ("s3://films/a@2x.mov", "s3://films/a@2x.mov"),
        ("mail ann@example.org", "mail ann@example.org"),
    ],
)
def test_addresses_are_shown_without_who_may_enter(text: str, shown: str) -> None:
    assert bare(text) == shown
    assert lets_in(text) == (text != shown)


def test_what_is_known_to_be_secret_is_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRET:
        monkeypatch.setenv(name, f"secret of {name}")
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("in the house")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    said = " ".join(f"secret of {name}" for name in SECRET) + " in the house, s3://a:b@c/d"
    shown = covered(said)
    assert "secret of AWS" not in shown
    assert "house" not in shown
    assert shown.endswith("***, s3://c/d")
