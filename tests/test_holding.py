"""Frames that cannot be decoded: refused, or held and said to be; the same however work is cut."""

import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

import jobs.stylize
from commands import command
from films import make_film, scribble, texture
from jobs.progress import Silent
from jobs.sidecar import read_sidecar
from jobs.stylize import Job, stylize
from jobs.verify import verify
from painters import Identity, any_code
from pipeline.errors import CorruptFilm
from pipeline.judge.tables import read_rows
from pipeline.media.color import Planes
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames, pick
from pipeline.media.hold import held_of, with_held
from pipeline.paint.choice import Choice
from pipeline.recipe import Recipe

N = 24
TINY = (64, 48)


def damage(path: Path, *wanted: int) -> Path:
    """Scribble over the second half of the packets of some frames."""
    with av.open(str(path)) as source:
        packets = [p for p in source.demux(video=0) if p.size]
        packets.sort(key=lambda packet: packet.pts or 0)
        places = [(packets[k].pos or 0, packets[k].size) for k in wanted]
    for place, size in places:
        scribble(path, at=place + size // 2, size=max(1, size // 2 - 8))
    return path


def all_of(film: Film) -> list[Planes]:
    return [frame.planes for frame in frames(film, 0, film.frames)]


def same(a: Planes, b: Planes) -> bool:
    return np.array_equal(a.luma, b.luma) and np.array_equal(a.blue, b.blue)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A film of which every frame stands by itself."""
    return make_film(tmp_path / "film.mkv", texture(N, TINY), keyint=1)


@pytest.fixture
def grouped(tmp_path: Path) -> Path:
    """A film of three groups of 8 frames, with B-frames."""
    return make_film(tmp_path / "film.mp4", texture(N, TINY), keyint=8, bframes=2)


def shown(film: Film, sound: Sequence[Planes]) -> list[int]:
    """Which frame of a sound film each frame shows."""
    found = []
    for planes in all_of(film):
        (place,) = [k for k, other in enumerate(sound) if same(planes, other)]
        found.append(place)
    return found


def test_a_sound_film_is_what_it_was(grouped: Path) -> None:
    film = read_film(grouped)
    assert with_held(film) is film
    assert held_of(film, 0, N) == ()


def test_each_damaged_frame_shows_the_one_before(alone: Path) -> None:
    sound = all_of(read_film(alone))
    film = read_film(damage(alone, 5, 6, 20))
    with pytest.raises(CorruptFilm, match="PTS 200 "):
        all_of(film)
    held = with_held(film)
    assert held_of(held, 0, N) == (5, 6, 20)
    assert held_of(held, 6, 20) == (6,)
    assert shown(held, sound) == [4 if k in (5, 6) else 19 if k == 20 else k for k in range(N)]
    assert held.identity != film.identity == film.fingerprint


def test_a_film_that_begins_with_damage_shows_its_first_sound_frame(alone: Path) -> None:
    sound = all_of(read_film(alone))
    held = with_held(read_film(damage(alone, 0, 1)))
    assert shown(held, sound) == [2, 2, *range(2, N)]


def test_a_film_without_a_sound_frame_is_refused(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mkv", texture(N, TINY), codec="ffv1")
    film = read_film(damage(path, *range(N)))
    with pytest.raises(CorruptFilm, match="no frame can be decoded"):
        with_held(film)


def test_what_is_built_on_a_damaged_frame_falls_with_it(grouped: Path) -> None:
    sound = all_of(read_film(grouped))
    held = with_held(read_film(damage(grouped, 11)))
    fallen = held_of(held, 0, N)
    assert {11, 12, 13, 14, 15} <= set(fallen) <= set(range(9, 16))
    before = fallen[0] - 1
    assert shown(held, sound) == [before if k in fallen else k for k in range(N)]


@pytest.mark.parametrize("lost", [0, 8, 10, 19])
def test_what_is_shown_does_not_depend_on_where_decoding_begins(grouped: Path, lost: int) -> None:
    held = with_held(read_film(damage(grouped, lost)))
    assert held_of(held, 0, N)
    whole = all_of(held)
    for start in range(0, N, 3):
        for stop in (start + 1, min(N, start + 7)):
            part = list(frames(held, start, stop))
            assert [f.index for f in part] == list(range(start, stop))
            assert [f.pts for f in part] == held.pts[start:stop].tolist()
            assert all(same(f.planes, whole[f.index]) for f in part)
    for indices in ([1, 9, 12], [7, 8, 15, 16], [22, 23]):
        picked = list(pick(held, indices))
        assert [f.index for f in picked] == indices
        assert all(same(f.planes, whole[f.index]) for f in picked)


def test_a_film_of_fields_holds_what_is_made_with_a_damaged_neighbour(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", texture(N, TINY), keyint=8, interlaced=True)
    film = read_film(path)
    assert film.fields
    held = with_held(read_film(damage(path, 16)))
    fallen = held_of(held, 0, N)
    assert 15 in fallen
    assert 16 in fallen
    assert len(all_of(held)) == N


# -- the whole way ---------------------------------------------------------------------------------


def test_held_frames_are_painted_like_a_freeze_and_told_everywhere(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    damage(alone, 9, 10)
    target = alone.with_name("painted.mkv")
    with monkeypatch.context() as patch:
        patch.setattr(jobs.stylize, "hire_for", lambda *_, **__: Identity)
        patch.setattr(jobs.stylize, "chosen", lambda style, _: Choice(any_code(style)))
        words = ("stylize", alone, "-o", target, "--codec", "ffv1", "--backend", "inline")
        strict = command(*words, patch=patch, capfd=capfd)
        assert (strict.code, len(strict.said)) == (3, 1), strict.err
        ended = command(*words, "--on-error", "hold", patch=patch, capfd=capfd)
    assert ended.code == 0, ended.err
    assert "2 frames held" in ended.out
    notes = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    assert "warning: 2 of the film's frames could not be decoded and are held: 9 to 10" in [
        note.get("text") for note in notes
    ]
    made = all_of(read_film(target))
    assert same(made[8], made[9])
    assert same(made[8], made[10])
    assert not same(made[10], made[11])
    assert [row.shown for row in read_rows([target.with_name("painted.mkv.frames.parquet")])] == [
        8 if k in (9, 10) else None for k in range(N)
    ]
    said = read_sidecar(target)
    assert said is not None
    assert said.held == (9, 10)
    assert said.command is not None
    assert "--on-error hold" in said.command
    found = verify(alone, target, asked=None, pixels=True, progress=Silent())
    assert found.ok
    assert [check.found for check in found.checks if check.name == "held"] == [
        "2 frames of a damaged source: 9 to 10"
    ]
    page = command(
        "report", target, "-o", target.with_suffix(".html"), patch=monkeypatch, capfd=capfd
    )
    assert page.code == 0, page.err
    assert "2: frames 9 to 10" in target.with_suffix(".html").read_text("utf-8")


def test_a_part_holds_what_the_whole_does(alone: Path) -> None:
    damage(alone, 9, 10)
    whole, part = alone.with_name("whole.mkv"), alone.with_name("part.mkv")
    for target, span in ((whole, None), (part, (10, 15))):
        recipe = Recipe(style="made", codec="ffv1", on_error="hold", frames=span)
        result = stylize(Job(alone, target, recipe), progress=Silent(), hire=Identity)
    assert result.held == (10,)
    made = all_of(read_film(whole))
    assert all(same(a, b) for a, b in zip(made[10:15], all_of(read_film(part)), strict=True))
