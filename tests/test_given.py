"""Bring your own keys: a given picture comes out as it is, spreads, and touches nothing else."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import jobs.stylize
from actors import remote
from actors.decoder import Decoder
from actors.remote import Answer, Errand, Ref, Step
from actors.steps import Card, Hired
from actors.stylizer import Painting
from commands import Ended, command
from films import cut, fade, freeze, letterbox, make_film, planes_of, texture
from jobs.bench_runs import receipts
from jobs.board import Board
from jobs.budget import Budget
from jobs.commission import Commission
from jobs.errands import Errands
from jobs.given import Offer, accept, keep, with_given
from jobs.ledger import Receipt, WorkFolder
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from jobs.survey import Survey
from jobs.turns import Turns
from painters import Boils, Identity, Washes, any_code
from pipeline.errors import BadRequest
from pipeline.given import Given, clipped, spans
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.media.decode import frames
from pipeline.media.encode import choose_encoding
from pipeline.media.picture import digest, read_planes
from pipeline.recipe import Recipe

TINY = (64, 48)
RECIPE = Recipe(style="made", codec="ffv1", flicker_budget=1e6)


def picture(path: Path, size: tuple[int, int] = TINY, *, color: tuple[int, int, int]) -> Path:
    """A flat picture of an RGB colour."""
    flat = np.full((size[1], size[0], 3), color[::-1], np.uint8)
    cv2.imwrite(str(path), flat)
    return path


def paint(
    source: Path,
    *given: tuple[object, Path],
    painter: Painting | None = None,
    name: str = "out.mkv",
    **settings: object,
) -> Path:
    """Paint a film with given keys; gives its path."""
    recipe = Recipe.model_validate(RECIPE.model_dump() | settings)
    offers = tuple(Offer(str(place), path) for place, path in given)
    target = source.with_name(name)
    job = Job(source, target, recipe, given=offers, keep_work=True, overwrite=True)
    stylize(job, progress=Silent(), hire=lambda: painter or Washes())
    return target


def made(target: Path) -> list[Receipt]:
    return receipts(target.with_name(target.name + ".work"))


def shown(path: Path) -> list[Planes]:
    """A film's frames."""
    film = read_film(path)
    return [frame.planes for frame in frames(film, 0, film.frames)]


def same(a: Planes, b: Planes) -> bool:
    pairs = ((a.luma, b.luma), (a.blue, b.blue), (a.red, b.red))
    return all(np.array_equal(one, other) for one, other in pairs)


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return picture(tmp_path / "red.png", color=(180, 40, 40))


def of_red(source: Path, red: Path) -> Planes:
    return read_planes(red, read_film(source))


# -- what comes out --------------------------------------------------------------------------------


def test_the_frame_is_the_picture_and_the_frames_around_it_take_it_up(
    tmp_path: Path, red: Path
) -> None:
    source = make_film(tmp_path / "film.mkv", texture(30, TINY, (0.5, 0)), codec="ffv1")
    plain, painter = shown(paint(source)), Washes()
    own = shown(paint(source, (14, red), painter=painter))
    assert same(own[14], of_red(source, red))
    assert 14 not in painter.painted
    redder = [float(a.red.mean() - b.red.mean()) for a, b in zip(own, plain, strict=True)]
    assert min(redder[13], redder[15]) > 0.7 * redder[14]
    assert all(a <= b + 0.5 for a, b in pairwise(redder[:15]))
    assert 0.2 * redder[14] < redder[26] < 0.8 * redder[14], "the key after it takes part of it"


def test_bars_and_light_are_the_pictures_own(tmp_path: Path, red: Path) -> None:
    for name, pictures in (("bars", letterbox(20, TINY, bar=8)), ("fade", fade(20, TINY))):
        source = make_film(tmp_path / f"{name}.mkv", pictures, codec="ffv1")
        own = shown(paint(source, (15, red), name=f"{name}-out.mkv"))
        assert same(own[15], of_red(source, red))
        assert own[16].red.mean() > 130


def test_strength_lays_it_on_like_the_rest(tmp_path: Path, red: Path) -> None:
    source = make_film(tmp_path / "film.mkv", texture(12, TINY), codec="ffv1")
    none, half = (shown(paint(source, (6, red), strength=s))[6] for s in (0, 0.5))
    film, full = shown(source)[6], of_red(source, red)
    assert same(none, film)
    middle = (film.red.astype(int) + full.red) / 2
    assert float(np.abs(half.red - middle).max()) <= 0.5


def test_a_freeze_shows_its_picture_from_beginning_to_end(tmp_path: Path, red: Path) -> None:
    source = make_film(tmp_path / "film.mkv", freeze(60, TINY, start=10, stop=40), codec="ffv1")
    own = shown(paint(source, (25, red)))
    full = of_red(source, red)
    assert [t for t in range(60) if same(own[t], full)] == list(range(10, 40))


def test_two_pictures_share_a_freeze(tmp_path: Path, red: Path) -> None:
    blue = picture(tmp_path / "blue.png", color=(40, 40, 180))
    source = make_film(tmp_path / "film.mkv", freeze(30, TINY, start=5, stop=25), codec="ffv1")
    own = shown(paint(source, (8, red), (20, blue)))
    assert [t for t in range(30) if same(own[t], of_red(source, red))] == list(range(5, 20))
    assert [t for t in range(30) if same(own[t], of_red(source, blue))] == list(range(20, 25))


def test_where_every_frame_is_painted_it_is_only_its_own_frame(tmp_path: Path, red: Path) -> None:
    source = make_film(tmp_path / "film.mkv", texture(8, TINY), codec="ffv1")
    plain, painter = shown(paint(source, keys=1)), Identity()
    own = shown(paint(source, (3, red), keys=1, painter=painter))
    assert painter.painted == [0, 1, 2, 4, 5, 6, 7]
    assert same(own[3], of_red(source, red))
    assert all(not same(own[t], plain[t]) for t in (2, 4)), "Identity is not Washes"


def test_a_picture_of_the_frame_itself_is_the_frame(tmp_path: Path) -> None:
    pictures = list(texture(9, TINY))
    source = make_film(tmp_path / "film.mkv", pictures, codec="ffv1", pixel_format="yuv444p")
    path = tmp_path / "own.png"
    cv2.imwrite(str(path), pictures[4][..., ::-1])
    assert same(
        read_planes(path, read_film(source)), planes_of(pictures[4], pixel_format="yuv444p")
    )


# -- what is made again ----------------------------------------------------------------------------


def test_only_chunks_that_hold_it_or_follow_it_in_its_shot_are_made_again(
    tmp_path: Path, red: Path
) -> None:
    source = make_film(tmp_path / "film.mkv", cut(150, TINY, (0.5, 0), at=100), codec="ffv1")
    before = {r.identity for r in made(paint(source))}
    target = paint(source, (10, red))
    fresh = sorted((r.start, r.stop) for r in made(target) if r.identity not in before)
    assert fresh == [(0, 50), (50, 100)]
    painter = Washes()
    paint(source, (10, red), painter=painter)
    assert not painter.painted
    picture(red, color=(40, 180, 40))
    paint(source, (60, red), painter=painter)
    assert painter.painted
    assert 50 <= min(painter.painted) <= max(painter.painted) < 100


def test_a_key_on_a_seam_is_shown_on_both_sides(tmp_path: Path, red: Path) -> None:
    source = make_film(tmp_path / "film.mkv", texture(100, TINY, (0.5, 0)), codec="ffv1")
    target = paint(source, (50, red))
    assert [(r.start, r.stop) for r in made(target)] == [(0, 50), (50, 100)]
    own = shown(target)
    assert same(own[50], of_red(source, red))
    redness = [float(own[t].red.mean()) for t in (48, 49, 51, 52)]
    assert min(redness) > own[50].red.mean() - 15


def test_steps_that_travel_give_the_pixels_of_the_plain_loop(
    tmp_path: Path, red: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board's errands, carried where they are given: what Ray would do, without Ray."""
    monkeypatch.setattr(remote, "errand", carried)
    source = make_film(tmp_path / "film.mkv", texture(100, TINY, (0.5, 0)), codec="ffv1")
    expected = {r.identity: r.pixels for r in made(paint(source, (20, red), (50, red)))}
    film, folder = read_film(source), tmp_path / "errands"
    work = WorkFolder(folder)
    work.create()
    accepted = accept((Offer("20", red), Offer("50", red)), film)
    keep(accepted, film, work)
    recipe, painter = with_given(RECIPE, accepted), Washes()
    encoding = choose_encoding(film, codec="ffv1", target=source)[0]
    card = Card(painter.weights, painter.style, painter.apron)
    with work.leased():
        survey, board = Survey(film, recipe, work), Board(budget=Budget(1 << 30), gpus=False)
        while missing := survey.missing():
            part = work.attempt(".parquet")
            Decoder(apron=0).analyse(film, *missing[0], part)
            survey.accept(missing[0], part)
        job = Commission(film, recipe, encoding, work, card.weights, card.style)
        hired = Hired(Washes)
        sent_film = cast("Ref", film)
        errands = Errands(job, survey, board, hired=hired, apron=card.apron, film=sent_film)
        turns = Turns()
        turns.enter("film", board, weight=1)
        while errands.offer() or not board.idle:
            for turn in turns.take(cores=1, places=0):
                sent = errands.send(turn.task, stylist=None, node=None)
                board.running.discard(turn.task)
                errands.receive(sent, cast("Answer", sent.errand.answer))
    assert {r.identity: r.pixels for r in receipts(folder)} == expected


def carried(step: Step, *args: object, **_: object) -> Errand:
    """Carry a step at once."""
    handed = step(*args)
    answer = Answer(handed.value, "here", 1, 0.0, 0.0, 0.0)
    return Errand(cast("Ref", answer), cast("tuple[Ref, ...]", handed.goods))


# -- where it belongs ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        ([(0, "a")], [Given(0, 1, "a")]),
        ([(3, "a")], [Given(2, 5, "a")]),
        ([(2, "a"), (4, "b")], [Given(2, 4, "a"), Given(4, 5, "b")]),
        ([(7, "a")], []),
    ],
)
def test_a_picture_covers_the_frames_that_equal_its_own(
    pictures: list[tuple[int, str]], expected: list[Given]
) -> None:
    still = np.isin(np.arange(9), (3, 4, 8))
    assert list(spans(pictures, still, start=0, stop=7)) == expected
    assert clipped([Given(2, 5, "a")], 4, 9) == (Given(4, 5, "a"),)


def test_a_time_is_the_frame_that_is_shown_then(tmp_path: Path, red: Path) -> None:
    moments, tick = [0, 40, 200, 240, 300], Fraction(1, 1000)
    path = tmp_path / "film.mkv"
    film = read_film(make_film(path, texture(5, TINY), pts=moments, time_base=tick, codec="ffv1"))
    for place, frame in (("0s", 0), ("00:00:00.199", 1), ("0.2s", 2), ("4", 4), ("000003", 3)):
        (one,) = accept((Offer(place, red),), film)
        assert one.frame == frame, place


# -- pictures --------------------------------------------------------------------------------------


def test_depth_grey_and_full_opacity_change_nothing(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(2, TINY)))
    eight = next(texture(1, TINY, seed=4))[..., 0]
    forms: dict[str, NDArray[np.uint8] | NDArray[np.uint16]] = {
        "grey.png": eight,
        "color.png": np.stack([eight] * 3, -1),
        "deep.png": np.stack([eight] * 3, -1).astype(np.uint16) * 257,
        "opaque.png": np.dstack([eight, eight, eight, np.full_like(eight, 255)]),
        "page.tif": eight,
    }
    for name, form in forms.items():
        assert cv2.imwrite(str(tmp_path / name), form)
    assert len({digest(read_planes(tmp_path / name, film)) for name in forms}) == 1


def test_pictures_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    film = read_film(make_film(tmp_path / "film.mp4", texture(2, TINY)))
    clear = np.full((48, 64, 4), 255, np.uint8)
    clear[3, 3, 3] = 254
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    cv2.imwrite(str(tmp_path / "real.tif"), np.zeros((48, 64, 3), np.float32))
    (tmp_path / "words.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    picture(tmp_path / "large.png", (128, 96), color=(1, 2, 3))
    for name, why in (
        ("large.png", "is 128x96 pixels; a key of this film has to be 64x48"),
        ("clear.png", "transparent in places"),
        ("real.tif", "float32"),
        ("words.png", "no picture"),
        ("empty.png", "no picture"),
        ("none.png", "No such file"),
    ):
        with pytest.raises(BadRequest, match=why):
            read_planes(tmp_path / name, film)


# -- the command -----------------------------------------------------------------------------------

Paint = Callable[..., Ended]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Paint:
    """``stylize`` of a film of 12 frames in this process, with a stand-in for the net."""
    source = make_film(tmp_path / "film.mkv", texture(12, TINY), codec="ffv1")

    def painted(*words: object) -> Ended:
        with monkeypatch.context() as patch:
            patch.setattr(jobs.stylize, "hire_for", lambda *_, **__: Washes)
            patch.setattr(jobs.stylize, "keep", lambda *_: None)
            patch.setattr(jobs.stylize, "chosen", lambda style, _work: _Chosen(style))
            known = ["stylize", source, "-o", tmp_path / "out.mkv", "--codec", "ffv1"]
            return command(*known, "--backend", "inline", *words, patch=patch, capfd=capfd)

    return painted


class _Chosen:
    """What a style was looked up to."""

    notes = ()

    def __init__(self, style: str) -> None:
        self.code = any_code(style)


def test_keys_come_one_by_one_and_from_a_folder(tmp_path: Path, run: Paint, red: Path) -> None:
    folder = tmp_path / "painted"
    folder.mkdir()
    picture(folder / "000009.png", color=(10, 90, 10))
    (folder / "notes.txt").write_text("varnish")
    ended = run("--key", f"0.08s={red}", "--key", f"5={red}", "--keys-from", folder)
    assert ended.code == 0, ended.err
    source, own = tmp_path / "film.mkv", shown(tmp_path / "out.mkv")
    assert all(same(own[t], of_red(source, red)) for t in (2, 5))
    assert same(own[9], of_red(source, folder / "000009.png"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--key", "12=red.png"], "frame 12 is not in the film: it has 0-11"),
        (["--key", "9s=red.png"], "9s is not in the film: it ends at 0.480 s"),
        (["--key", "4=red.png", "--key", "0.16s=red.png"], "frame 4 is given twice: "),
        (["--key", "red.png"], "names no frame or no picture"),
        (["--key", "1.5=red.png"], "'1.5' is neither a time nor a frame"),
        (["--key", "soon:=red.png"], "'soon:' is no time"),
        (["--key", "3=film.mkv"], "no picture"),
        (["--keys-from", "."], "holds no picture that is named by its frame"),
        (["--keys-from", "nowhere"], "No such file"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    tmp_path: Path,
    run: Paint,
    red: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert red.exists()
    ended = run(*words)
    assert ended.code == 2
    (line,) = ended.said
    assert line.startswith("reelbrush: ")
    assert why in line
    assert not (tmp_path / "out.mkv.work").exists()


def test_a_cap_holds_for_what_is_painted_whatever_the_gate_finds(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mkv", texture(40, TINY, (3, 1)), codec="ffv1")
    painter = Boils()
    target = paint(source, painter=painter, max_keys="15%", flicker_budget=0.01)
    assert len(painter.painted) == sum(r.keys for r in made(target)) <= 6
    assert sum(r.promoted for r in made(target)) == 0
