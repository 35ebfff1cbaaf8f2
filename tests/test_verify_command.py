"""A painted film, its sidecar, and the command that holds them to the source."""

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import pytest

import jobs.stylize
from commands import Ended, command
from films import Sound, cut, make_film, scribble, texture
from jobs import command as again
from jobs.given import Offer
from jobs.options import Codec
from jobs.progress import Silent
from jobs.sidecar import Sidecar, read_sidecar, sidecar_of
from jobs.stylize import Job, stylize
from jobs.verify import verify
from painters import Washes, any_code
from pipeline.errors import BadRequest, SourceError, UnreadableFilm
from pipeline.paint.choice import Choice
from pipeline.recipe import Recipe

N = 70


class Command(Protocol):
    """What the fixture ``reelbrush`` is."""

    def __call__(self, *words: object) -> Ended:
        """Run the command with some words."""


@pytest.fixture
def reelbrush(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """The command in this process, with a stand-in for the net."""

    def run(*words: object) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(jobs.stylize, "hire_for", lambda *_, **__: Washes)
            patch.setattr(jobs.stylize, "chosen", lambda style, _: Choice(any_code(style)))
            return command(*words, patch=patch, capfd=capfd)

    here = Path.cwd()
    yield run
    os.chdir(here)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source in one folder and its painted part in another; read only."""
    shop = tmp_path_factory.mktemp("a shop")
    (shop / "in").mkdir()
    (shop / "out").mkdir()
    film = shop / "in" / "the film.mp4"
    make_film(film, cut(N, (64, 48), at=50), sounds=[Sound(title="Main")])
    recipe = Recipe(style="adele", crf=30, frames=(2, 66), strength=0.5)
    job = Job(film, shop / "out" / "painted.mp4", recipe)
    stylize(job, progress=Silent(), hire=Washes)
    return shop


@pytest.fixture
def moved(shop: Path, tmp_path: Path) -> Path:
    """The same folder elsewhere."""
    return Path(shutil.copytree(shop, tmp_path / "moved"))


def said_of(shop: Path) -> Sidecar:
    found = read_sidecar(shop / "out" / "painted.mp4")
    assert found is not None
    return found


def checks(shop: Path, *, pixels: bool = False) -> dict[str, bool]:
    """What is found of the painted film, by name."""
    films = shop / "in" / "the film.mp4", shop / "out" / "painted.mp4"
    found = verify(*films, asked=None, pixels=pixels, progress=Silent())
    return {check.name: check.ok for check in found.checks}


# -- the sidecar -----------------------------------------------------------------------------------


def test_a_sidecar_says_what_was_painted_how_and_that_it_was_verified(shop: Path) -> None:
    said = said_of(shop)
    assert said.source.path == "../in/the film.mp4"
    assert (said.result.start, said.result.stop, said.result.codec) == (2, 66, "h264")
    assert said.segments[0].start == 2
    assert said.segments[-1].stop == 66
    assert all(check["ok"] for check in said.checks)
    assert [(track["kind"], track["title"]) for track in said.tracks] == [("audio", "Main")]
    assert {"reelbrush", "render", "torch", "av", "libavcodec"} <= set(said.versions)
    assert Recipe.model_validate(said.recipe).crf == 30
    assert said.seconds["wall"] > 0


def test_a_sidecar_names_no_place_of_this_machine(shop: Path) -> None:
    text = sidecar_of(shop / "out" / "painted.mp4").read_text()
    assert str(shop) not in text
    assert str(Path.home()) not in text


def test_the_command_of_a_sidecar_makes_the_same_samples_wherever_the_folder_lies(
    moved: Path, reelbrush: Command
) -> None:
    said = said_of(moved)
    assert said.command is not None
    for path in (moved / "out").iterdir():
        path.unlink()
    os.chdir(moved / "out")
    words = shlex.split(said.command)
    assert words[0] == "reelbrush"
    ended = reelbrush(*words[1:], "--backend", "inline", "--threads", "1")
    assert ended.code == 0, ended.err
    made = said_of(moved)
    assert made.segments == said.segments
    assert made.tracks == said.tracks
    assert made.command == said.command


def test_no_sidecar_is_left_by_a_film_that_failed(shop: Path, tmp_path: Path) -> None:
    target = tmp_path / "painted.mp4"
    sidecar_of(target).write_text("somebody's")
    job = Job(shop / "in" / "the film.mp4", target, Recipe(style="adele"))
    with pytest.raises(BadRequest, match=r"painted\.mp4\.json exists"):
        stylize(job, progress=Silent(), hire=Washes)
    assert sidecar_of(target).read_text() == "somebody's"


def test_every_setting_of_a_recipe_is_an_option_or_known_to_be_none(
    reelbrush: Command,
) -> None:
    told = reelbrush("stylize", "--help").out
    for name in set(Recipe.model_fields) - again.NO_OPTIONS:
        assert f"--{name.replace('_', '-')}" in told, name


def test_files_are_named_by_their_way_and_quoted(tmp_path: Path) -> None:
    (tmp_path / "my art").mkdir()
    picture, key = tmp_path / "my art" / "p.jpg", tmp_path / "key.png"
    picture.touch()
    given = [Offer("12s", key)]
    recipe = Recipe(style=f"adele:0.5,{picture}:0.5", keep_bars=False, frames=(1, 5), keys=7)
    source, target = tmp_path / "-film.mov", tmp_path / "out" / "-it's.mov"
    said = again.command(recipe, source=source, target=target, given=given)
    assert said is not None
    words = shlex.split(said)
    assert words[:5] == [
        "reelbrush", "stylize", "../-film.mov", "--style", "adele:0.5,../my art/p.jpg:0.5",
    ]  # fmt: skip
    assert words[-2:] == ["--output", "./-it's.mov"]
    options = dict(pairwise(words[5:]))
    assert options["--frames"] == "1-4"
    assert options["--key"] == "12s=../key.png"
    assert options["--codec"] == Codec.H264
    assert "--no-keep-bars" in words


def test_a_recipe_that_no_option_can_say_has_no_command() -> None:
    recipe = Recipe(style="adele", rho=0.1)
    assert again.command(recipe, source=Path("a.mp4"), target=Path("b.mp4")) is None


# -- the command -----------------------------------------------------------------------------------


def test_a_painted_film_is_held_to_its_source(shop: Path, reelbrush: Command) -> None:
    films = shop / "in" / "the film.mp4", shop / "out" / "painted.mp4"
    ended = reelbrush("verify", *films, "--pixels")
    assert ended.code == 0, ended.err
    assert "64 frames" in ended.out
    for name in ("frames", "times", "colour", "rotation", "track 1", "pictures", "samples"):
        assert name in ended.out, name


def test_all_checks_come_as_json(shop: Path, reelbrush: Command) -> None:
    films = shop / "in" / "the film.mp4", shop / "out" / "painted.mp4"
    ended = reelbrush("verify", *films, "--json")
    found = json.loads(ended.out)
    assert found["ok"]
    assert (found["start"], found["stop"], found["sidecar"]) == (2, 66, True)
    assert all(check["ok"] for check in found["checks"])


def test_a_film_without_a_sidecar_is_held_to_the_frames_that_are_named(
    moved: Path, reelbrush: Command
) -> None:
    films = moved / "in" / "the film.mp4", moved / "out" / "painted.mp4"
    sidecar_of(films[1]).unlink()
    assert reelbrush("verify", *films, "--frames", "2-65").code == 0
    wrong = reelbrush("verify", *films)
    assert wrong.code == 5
    assert wrong.said[0].startswith(
        "reelbrush: painted.mp4 is not the film.mp4 painted: 64 frames were written, not 70"
    )
    assert reelbrush("verify", *films, "--frames", "60-90").code == 2
    assert reelbrush("verify", *films, "--pixels").code == 2


def test_every_difference_is_shown_at_once(moved: Path, reelbrush: Command) -> None:
    other = make_film(moved / "other.mp4", texture(66, (64, 48)), rotation=90)
    ended = reelbrush("verify", other, moved / "out" / "painted.mp4", "--json")
    assert ended.code == 5
    wrong = {check["name"] for check in json.loads(ended.out)["checks"] if not check["ok"]}
    assert {"rotation", "tracks"} <= wrong


def test_a_changed_file_is_found_by_its_sidecar_alone(moved: Path) -> None:
    path = moved / "out" / "painted.mp4"
    found = checks(moved, pixels=True)
    assert all(found.values())
    content = bytearray(path.read_bytes())
    at = content.rindex(b"Main")  # a letter of a title: still a film
    content[at : at + 4] = b"Mane"
    path.write_bytes(content)
    found = checks(moved, pixels=True)
    assert not found["file"]
    assert found["samples"]


def test_samples_that_changed_are_found(moved: Path) -> None:
    path = moved / "out" / "painted.mp4"
    said = said_of(moved)
    other = [piece.model_copy(update={"pixels": "0" * 64}) for piece in said.segments]
    sidecar_of(path).write_text(
        said.model_copy(update={"segments": tuple(other)}).model_dump_json()
    )
    found = checks(moved, pixels=True)
    assert not found["samples"]
    assert found["file"]


def test_what_cannot_be_read_is_said_in_one_line(moved: Path, reelbrush: Command) -> None:
    source, path = moved / "in" / "the film.mp4", moved / "out" / "painted.mp4"
    with pytest.raises(SourceError, match="no such file"):
        verify(source, moved / "none.mp4", asked=None, pixels=False, progress=Silent())
    sidecar_of(path).write_text('{"kind": 1}')
    with pytest.raises(UnreadableFilm, match="sidecar"):
        verify(source, path, asked=None, pixels=False, progress=Silent())
    sidecar_of(path).unlink()
    scribble(path, at=0, size=200)
    ended = reelbrush("verify", source, path, "--frames", "2-65")
    assert (ended.code, len(ended.said)) == (5, 1)
