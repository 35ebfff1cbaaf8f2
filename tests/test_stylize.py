"""The whole path on made films: nothing is lost, nothing boils, nothing is done twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from actors import assembler
from actors.stylizer import Painting, Stylizer, hire_for
from films import (
    SMALL,
    Line,
    Picture,
    Size,
    Sound,
    black,
    cut,
    fade,
    freeze,
    letterbox,
    make_film,
    planes_of,
    still,
    texture,
    twos,
)
from jobs.commission import Result
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Boils, Breaks, Identity, Washes
from pipeline.errors import ChunkFailed, SpoiledSegment, VerificationFailed
from pipeline.fill.strength import lay
from pipeline.judge.tables import Row, read_rows
from pipeline.media.color import Planes
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames
from pipeline.paint.styles import WEIGHTS, load_code
from pipeline.paint.working import Working
from pipeline.recipe import Recipe

LOSSLESS = Recipe(style="made", codec="ffv1")
TINY: Size = (96, 64)
LONG = 130
"""Frames of one shot that makes two chunks."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted film, and what is known of it."""

    path: Path
    result: Result
    rows: list[Row]


def paint(source: Path, target: Path, painter: Painting, recipe: Recipe = LOSSLESS) -> Painted:
    """Paint a film and keep its work folder."""
    job = Job(source, target, recipe, keep_work=True, overwrite=True)
    result = stylize(job, progress=Silent(), hire=lambda: painter)
    return Painted(target, result, read_rows([job.table]))


def pictures(path: Path) -> list[Planes]:
    """All frames of a film."""
    film = read_film(path)
    return [frame.planes for frame in frames(film, 0, film.frames)]


def same(a: Planes, b: Planes) -> bool:
    """Whether two frames have the same samples."""
    pairs = ((a.luma, b.luma), (a.blue, b.blue), (a.red, b.red))
    return all(np.array_equal(x, y) for x, y in pairs)


def all_same(a: Sequence[Planes], b: Sequence[Planes]) -> bool:
    """Whether two runs of frames have the same samples."""
    return len(a) == len(b) and all(map(same, a, b))


def lossless(path: Path, made: Iterator[Picture]) -> Path:
    """Make a film whose samples are exactly those of its pictures."""
    return make_film(path, made, codec="ffv1")


def passing(n: int, size: Size = TINY) -> Iterator[Picture]:
    """A texture before which a block of another passes, too fast to know what it uncovers."""
    wide = 32
    block = still((wide, wide), seed=9)
    for t, picture in enumerate(texture(n, size, (0.5, 0.25))):
        at = 7 * t % (size[0] + wide) - wide
        left, right = max(0, at), min(size[0], at + wide)
        if left < right:
            picture[16 : 16 + wide, left:right] = block[:, left - at : right - at]
        yield picture


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for films that several tests look at."""
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def long_film(shop: Path) -> Path:
    """One shot of two chunks, with a block passing and a freeze over the seam."""
    moving = list(passing(LONG - 10))
    film = [*moving[:60], *[moving[59]] * 10, *moving[60:]]
    return lossless(shop / "long.mkv", iter(film))


@pytest.fixture(scope="module")
def whole(long_film: Path, shop: Path) -> Painted:
    """The long film, painted in one go."""
    return paint(long_film, shop / "whole.mkv", Washes())


def test_the_plan_is_kept_and_makes_every_frame_once(whole: Painted) -> None:
    (kept,) = (whole.path.parent / "whole.mkv.work" / "plans").iterdir()
    chunks = json.loads(kept.read_text())["chunks"]
    made = [t for c in chunks for p in c["parts"] for t in range(p["start"], p["stop"])]
    assert made == list(range(LONG))


# -- 1: as many frames, each at its time, and all that is heard and read ---------------------------


def packets(path: Path, kind: str) -> list[list[bytes]]:
    """What each track of a kind holds, packet by packet, without what ends subtitles in MP4."""
    with av.open(str(path)) as container:
        tracks = [s.index for s in container.streams if s.type == kind]
        found: dict[int, list[bytes]] = {index: [] for index in tracks}
        for packet in container.demux():
            if packet.stream.index in found and packet.size and bytes(packet) != b"\0\0":
                found[packet.stream.index].append(bytes(packet))
        return list(found.values())


def times(film: Film) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    return [int(pts) * film.time_base for pts in film.pts]


def _plain(path: Path) -> Path:
    return make_film(
        path / "plain.mp4",
        texture(50),
        bframes=3,
        sounds=[Sound(), Sound(language="fra", tone=660)],
        subtitles=[Line(200, 900, "one"), Line(1000, 1800, "two")],
        chapters=[(0, 1, "a"), (1, 2, "b")],
        metadata={"title": "Made"},
    )


def _variable(path: Path) -> Path:
    ticks = np.cumsum([0, *([33, 34, 90, 20] * 10)]).tolist()
    base = Fraction(1, 1000)
    return make_film(path / "vfr.mkv", texture(41), pts=ticks, time_base=base, bframes=2)


def _odd(path: Path) -> Path:
    return make_film(path / "odd.mkv", texture(30, (159, 95)), codec="ffv1", sounds=[Sound()])


def _late(path: Path) -> Path:
    sounds = [Sound("pcm_s16le")]
    return make_film(path / "late.mov", texture(30), first=Fraction(8), bframes=2, sounds=sounds)


def _turned(path: Path) -> Path:
    return make_film(path / "turned.mp4", texture(30), rotation=90, sounds=[Sound()])


def _wide(path: Path) -> Path:
    made = [planes_of(picture, pixel_format="yuv422p") for picture in texture(20)]
    return make_film(path / "wide.mkv", made, pixel_format="yuv422p", open_gop=True, bframes=2)


MAKERS = [_plain, _variable, _odd, _late, _turned, _wide]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__[1:])
def test_every_frame_comes_back_at_its_own_time_with_all_sound_and_words(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path)
    target = tmp_path / f"painted{source.suffix}"
    done = paint(source, target, Washes(), Recipe(style="made"))
    film, made = read_film(source), read_film(target)
    assert made.frames == film.frames == done.result.frames == len(done.rows)
    assert times(made) == times(film)
    for kind in ("audio", "subtitle"):
        assert packets(target, kind) == packets(source, kind)
    assert made.rotation == film.rotation
    moved = [
        np.abs(a.luma.astype(int) - b.luma).mean()
        for a, b in zip(pictures(target), pictures(source), strict=True)
    ]
    assert min(moved) > 2, "a frame was passed through unpainted"


def test_the_final_name_is_given_after_verifying_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_film(tmp_path / "film.mp4", texture(12))
    target = tmp_path / "painted.mp4"

    def refuse(_film: Film, unnamed: Path, **_: object) -> None:
        assert unnamed.is_file()
        assert not target.exists()
        raise VerificationFailed("not the film")

    monkeypatch.setattr(assembler, "verify_film", refuse)
    with pytest.raises(VerificationFailed):
        paint(source, target, Washes(), Recipe(style="made"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "painted.mp4.work"]
    monkeypatch.undo()
    again = Washes()
    assert paint(source, target, again, Recipe(style="made")).result.reused == 1
    assert again.painted == []


def test_what_was_there_stays_until_the_new_film_is_verified(tmp_path: Path) -> None:
    source = make_film(tmp_path / "film.mp4", texture(12))
    target = tmp_path / "painted.mp4"
    target.write_bytes(b"an older film")
    with pytest.raises(ChunkFailed):
        paint(source, target, Breaks(at=1, error=RuntimeError("no")), Recipe(style="made"))
    assert target.read_bytes() == b"an older film"
    paint(source, target, Washes(), Recipe(style="made"))
    assert read_film(target).frames == 12


# -- 2: the same samples, whatever happens on the way ----------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
import cv2
cv2.setNumThreads(1)
from actors import assembler
from painters import Washes
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from pipeline.recipe import Recipe

class Dies(Washes):
    def change(self, planes, moments, frame):
        if len(self.painted) == int(sys.argv[3]):
            die()
        return super().change(planes, moments, frame)

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

assembler.verify_film = die
job = Job(Path(sys.argv[1]), Path(sys.argv[2]), Recipe(style="made", codec="ffv1"))
stylize(job, progress=Silent(), hire=Dies)
"""


def kill(source: Path, target: Path, *, at: int) -> None:
    """Paint in a process that is killed at its key of that number, or else before verifying."""
    tests = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    command = [sys.executable, "-c", KILLED, str(source), str(target), str(at)]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_a_film_that_was_killed_half_way_goes_on_to_the_same_samples(
    tmp_path: Path, long_film: Path, whole: Painted
) -> None:
    target = tmp_path / "painted.mkv"
    first_chunk = json.loads(receipts(whole)[0].read_text())["keys"]
    kill(long_film, target, at=first_chunk + 2)
    assert [p.name for p in tmp_path.iterdir()] == ["painted.mkv.work"]
    painter = Washes()
    resumed = paint(long_film, target, painter)
    assert resumed.result.reused == 1
    assert len(set(painter.painted)) < resumed.result.keys - first_chunk + 1
    assert all_same(pictures(target), pictures(whole.path))
    assert resumed.rows == whole.rows
    assert list((tmp_path / "painted.mkv.work" / "attempts").iterdir()) == []


def test_a_film_that_was_killed_while_it_was_joined_leaves_no_hidden_file_for_good(
    tmp_path: Path,
) -> None:
    source, target = lossless(tmp_path / "film.mkv", texture(14, TINY)), tmp_path / "painted.mkv"
    kill(source, target, at=99)
    assert len(list(tmp_path.glob(".*"))) == 1
    assert not target.exists()
    painter = Washes()
    assert paint(source, target, painter).result.reused == 1
    assert painter.painted == []
    assert list(tmp_path.glob(".*")) == []
    assert target.exists()


@pytest.mark.parametrize("at", [0, 12])
def test_a_painter_that_fails_names_the_chunk_and_the_next_run_goes_on(
    tmp_path: Path, long_film: Path, whole: Painted, at: int
) -> None:
    target = tmp_path / "painted.mkv"
    with pytest.raises(ChunkFailed, match=r"chunk \d \(frames \d+ to \d+\) failed: .*spilt"):
        paint(long_film, target, Breaks(at=at, error=RuntimeError("spilt")))
    assert not target.exists()
    assert all_same(pictures(paint(long_film, target, Washes()).path), pictures(whole.path))


@pytest.mark.parametrize("part", [(0, 1), (20, 45), (40, 90), (64, 66), (70, 71), (100, 130)])
def test_a_part_of_the_film_has_the_samples_of_the_whole_film(
    tmp_path: Path, long_film: Path, whole: Painted, part: tuple[int, int]
) -> None:
    recipe = Recipe(style="made", codec="ffv1", frames=part)
    done = paint(long_film, tmp_path / "part.mkv", Washes(), recipe)
    assert all_same(pictures(done.path), pictures(whole.path)[slice(*part)])
    assert [row.frame for row in done.rows] == list(range(*part))
    assert read_film(done.path).pts[0] == 0
    known = {row.frame: row for row in whole.rows}
    assert all(row == known[row.frame] for row in done.rows[1:])


def test_a_part_across_a_cut_has_the_samples_of_the_whole_film_and_its_own_sound(
    tmp_path: Path,
) -> None:
    source = make_film(tmp_path / "cut.mkv", cut(80, at=50), sounds=[Sound("pcm_s16le")])
    full = paint(source, tmp_path / "full.mkv", Washes())
    assert full.result.chunks == 2
    recipe = Recipe(style="made", codec="ffv1", frames=(45, 55))
    part = paint(source, tmp_path / "part.mkv", Washes(), recipe)
    assert all_same(pictures(part.path), pictures(full.path)[45:55])
    heard = sum(map(len, packets(part.path, "audio")[0]))
    assert heard == pytest.approx(0.4 * 48000 * 4, rel=0.15)


# -- 5: nothing without a record -------------------------------------------------------------------


def test_every_frame_has_a_row_and_a_loss_but_for_the_first_of_each_shot(tmp_path: Path) -> None:
    source = make_film(tmp_path / "cut.mp4", cut(80, at=50), bframes=2)
    painter = Washes()
    done = paint(source, tmp_path / "painted.mp4", painter, Recipe(style="made"))
    film = read_film(source)
    assert [(row.frame, row.pts) for row in done.rows] == list(enumerate(film.pts.tolist()))
    assert [row.frame for row in done.rows if row.loss is None] == [0, 50]
    assert [row.frame for row in done.rows if row.key] == sorted(set(painter.painted))


def test_a_key_that_two_chunks_share_has_one_row_and_its_loss(whole: Painted) -> None:
    assert whole.result.chunks == 2
    assert [row.frame for row in whole.rows] == list(range(LONG))
    assert [row.frame for row in whole.rows if row.loss is None] == [0]


def test_holes_are_painted_and_on_record(long_film: Path, tmp_path: Path) -> None:
    painter = Washes()
    recipe = Recipe(style="made", codec="ffv1", frames=(0, 60), keys=12)
    done = paint(long_film, tmp_path / "painted.mkv", painter, recipe)
    assert painter.tiled
    holes = {row.frame: row.hole or 0 for row in done.rows if not row.key}
    tiled = [frame for frame in painter.tiled if frame in holes]
    assert min(holes[frame] for frame in tiled) > 0.01


# -- 6: the same command goes on, a changed one redoes what it touches -----------------------------


def receipts(painted: Painted) -> list[Path]:
    """The receipts in a painted film's work folder, by chunk."""
    folder = painted.path.with_name(painted.path.name + ".work") / "receipts"
    return sorted(folder.iterdir(), key=lambda path: json.loads(path.read_text())["chunk"])


def test_chunks_with_a_receipt_are_not_made_again(long_film: Path, whole: Painted) -> None:
    before = {path: path.stat().st_mtime_ns for path in receipts(whole)}
    painter = Washes()
    again = paint(long_film, whole.path, painter)
    assert again.result.reused == again.result.chunks == len(before) == 2
    assert painter.painted == painter.tiled == []
    assert painter.shots == 0
    assert {path: path.stat().st_mtime_ns for path in receipts(whole)} == before


@pytest.mark.parametrize("boundary", ["kept", "lost"])
def test_a_chunk_whose_segment_is_lost_is_made_again_and_no_other(
    tmp_path: Path, long_film: Path, whole: Painted, boundary: str
) -> None:
    target = tmp_path / "painted.mkv"
    done = paint(long_film, target, Washes())
    lost = json.loads(receipts(done)[1].read_text())
    work = tmp_path / "painted.mkv.work"
    (work / "segments" / lost["segment"]).unlink()
    if boundary == "lost":
        for path in (work / "boundaries").iterdir():
            path.unlink()
    painter = Washes()
    assert paint(long_film, target, painter).result.reused == 1
    assert (min(painter.painted) > lost["start"]) == (boundary == "kept")
    assert all_same(pictures(target), pictures(whole.path))


def test_a_segment_of_which_a_disk_lost_a_bit_joins_no_film_and_is_made_again(
    tmp_path: Path, long_film: Path, whole: Painted
) -> None:
    target = tmp_path / "painted.mkv"
    done = paint(long_film, target, Washes())
    name = json.loads(receipts(done)[1].read_text())["segment"]
    segment = tmp_path / "painted.mkv.work" / "segments" / name
    content, times = bytearray(segment.read_bytes()), segment.stat()
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    os.utime(segment, ns=(times.st_atime_ns, times.st_mtime_ns))
    target.unlink()
    with pytest.raises(SpoiledSegment, match="the same command makes it again"):
        paint(long_film, target, Washes())
    assert not target.exists()
    assert paint(long_film, target, Washes()).result.reused == 1
    assert all_same(pictures(target), pictures(whole.path))


@pytest.mark.parametrize(
    "change",
    [{"crf": 40}, {"strength": 0.5}, {"keep_color": 1}],
    ids=lambda change: next(iter(change)),
)
def test_what_does_not_touch_keys_analyses_and_measures_nothing_again_and_keeps_their_names(
    tmp_path: Path, long_film: Path, change: dict[str, float]
) -> None:
    target, painter = tmp_path / "painted.mp4", Washes()
    paint(long_film, target, painter, Recipe(style="made"))
    folder = tmp_path / "painted.mp4.work"
    spans = {path: path.stat().st_mtime_ns for path in (folder / "analysis").iterdir()}
    boundaries = {path.name for path in (folder / "boundaries").iterdir()}
    again = Washes()
    recipe = Recipe(style="made").model_copy(update=change)
    assert paint(long_film, target, again, recipe).result.reused == 0
    assert again.shots == 0
    assert {p: p.stat().st_mtime_ns for p in (folder / "analysis").iterdir()} == spans
    assert {path.name for path in (folder / "boundaries").iterdir()} == boundaries
    assert again.painted == painter.painted  # painted keys are not kept, but for the boundary


def test_frames_that_are_painted_by_their_own_statistics_have_no_shot_measured(
    tmp_path: Path,
) -> None:
    source, target = lossless(tmp_path / "film.mkv", texture(4)), tmp_path / "painted.mkv"
    for statistics, measured in (("frame", 0), ("shot", 1)):
        settings = {"style": "made", "codec": "ffv1", "keys": 1, "statistics": statistics}
        painter = Identity()
        paint(source, target, painter, Recipe.model_validate(settings))
        assert painter.painted == [0, 1, 2, 3]
        assert painter.shots == measured


def test_another_style_paints_every_key_again_but_analyses_nothing(
    tmp_path: Path, long_film: Path
) -> None:
    target, first, second = tmp_path / "painted.mkv", Washes(), Washes(bend=0.2)
    paint(long_film, target, first)
    folder = tmp_path / "painted.mkv.work" / "analysis"
    spans = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    done = paint(long_film, target, second)
    assert done.result.reused == 0
    assert second.painted == first.painted
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == spans


def test_another_film_under_the_same_name_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    source, target = tmp_path / "film.mkv", tmp_path / "painted.mkv"
    lossless(source, texture(20, seed=3))
    paint(source, target, Identity())
    lossless(source, texture(20, seed=4))
    paint(source, target, Identity())
    assert same(pictures(target)[0], pictures(source)[0])


# -- 7: strength 0, and a painter that changes nothing ---------------------------------------------


def test_strength_0_gives_the_samples_of_the_source(tmp_path: Path, long_film: Path) -> None:
    recipe = Recipe(style="made", codec="ffv1", strength=0)
    done = paint(long_film, tmp_path / "painted.mkv", Washes(), recipe)
    assert all_same(pictures(done.path), pictures(long_film))


def test_strength_over_time_is_each_frames_own_by_its_pts(
    tmp_path: Path, long_film: Path, whole: Painted
) -> None:
    recipe = Recipe(style="made", codec="ffv1", strength="0.4s:0,0.8s:0.5,3s:1,smooth")
    done = paint(long_film, tmp_path / "painted.mkv", Washes(), recipe)
    film, curve = read_film(long_film), recipe.strength_curve
    shares = [curve.of_frame(film, t) for t in range(LONG)]
    assert (shares[0], shares[-1], len(set(shares))) == (0, 1, 66)
    sources, full = pictures(long_film), pictures(whole.path)
    for ours, source, painted, share in zip(
        pictures(done.path), sources, full, shares, strict=True
    ):
        assert same(ours, lay(source, painted, share))


def test_the_films_own_colours_stay_when_asked_to(
    tmp_path: Path, long_film: Path, whole: Painted
) -> None:
    recipe = Recipe(style="made", codec="ffv1", keep_color=1)
    done = paint(long_film, tmp_path / "painted.mkv", Washes(), recipe)
    for ours, source, painted in zip(
        pictures(done.path), pictures(long_film), pictures(whole.path), strict=True
    ):
        assert same(ours, Planes(painted.luma, source.blue, source.red))


@pytest.mark.parametrize("make", [_odd, _wide, _turned], ids=lambda make: make.__name__[1:])
def test_strength_0_gives_the_samples_of_odd_and_turned_films(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path)
    recipe = Recipe(style="made", codec="ffv1", strength=0)
    done = paint(source, tmp_path / "painted.mkv", Washes(), recipe)
    assert all_same(pictures(done.path), pictures(source))


def test_a_painter_that_changes_nothing_gives_the_samples_of_the_source_at_keys(
    tmp_path: Path,
) -> None:
    source = lossless(tmp_path / "film.mkv", texture(40, shift=(0, 0)))
    still_done = paint(source, tmp_path / "still.mkv", Identity())
    assert all_same(pictures(still_done.path), pictures(source))


def test_keys_that_take_nothing_from_each_other_keep_the_samples_of_the_source(
    tmp_path: Path, long_film: Path
) -> None:
    recipe = Recipe(style="made", codec="ffv1", rho=0)
    done = paint(long_film, tmp_path / "painted.mkv", Identity(), recipe)
    for row, ours, theirs in zip(done.rows, pictures(done.path), pictures(long_film), strict=True):
        assert not row.key or same(ours, theirs), f"key {row.frame}"


def test_every_frame_painted_by_a_painter_that_changes_nothing_is_the_source(
    tmp_path: Path, long_film: Path
) -> None:
    recipe = Recipe(style="made", codec="ffv1", keys=1)
    done = paint(long_film, tmp_path / "painted.mkv", Identity(), recipe)
    assert all_same(pictures(done.path), pictures(long_film))
    assert all(row.key for row in done.rows)


# -- 8: what stands still stands still -------------------------------------------------------------


def stands_where_the_film_stands(painted: Path, source: Path) -> int:
    """Count the frames that equal the one before in the source; each has to in the painted film."""
    ours, theirs = pictures(painted), pictures(source)
    count = 0
    for t in range(1, len(theirs)):
        if same(theirs[t], theirs[t - 1]):
            assert same(ours[t], ours[t - 1]), f"frame {t} moves"
            count += 1
    return count


@pytest.mark.parametrize("painter", [Washes, Boils])
@pytest.mark.parametrize(
    ("made", "standing"),
    [
        (lambda: freeze(45, start=10, stop=40), 29),
        (lambda: twos(41), 20),
        (lambda: texture(20, shift=(0, 0)), 19),
        (lambda: freeze(LONG, TINY, shift=(0.7, 0.3), start=40, stop=120), 79),
    ],
    ids=["freeze", "twos", "still", "freeze-over-a-seam"],
)
def test_a_film_that_stands_still_stands_still(
    tmp_path: Path,
    painter: type[Washes],
    made: Callable[[], Iterator[Picture]],
    standing: int,
) -> None:
    source = lossless(tmp_path / "film.mkv", made())
    done = paint(source, tmp_path / "painted.mkv", painter())
    assert stands_where_the_film_stands(done.path, source) == standing


def test_bars_stay_bars_and_the_picture_between_them_is_painted(tmp_path: Path) -> None:
    source = lossless(tmp_path / "film.mkv", letterbox(30, bar=16))
    done = paint(source, tmp_path / "painted.mkv", Washes())
    for ours, theirs in zip(pictures(done.path), pictures(source), strict=True):
        for edge in (slice(0, 16), slice(-16, None)):
            assert np.array_equal(ours.luma[edge], theirs.luma[edge])
        for edge in (slice(0, 8), slice(-8, None)):
            assert np.array_equal(ours.blue[edge], theirs.blue[edge])
            assert np.array_equal(ours.red[edge], theirs.red[edge])
        assert not np.array_equal(ours.luma[16:-16], theirs.luma[16:-16])


@pytest.mark.parametrize("out", [True, False], ids=["out", "in"])
def test_a_fade_ends_in_black_and_goes_there_evenly(tmp_path: Path, out: bool) -> None:
    source = lossless(tmp_path / "film.mkv", fade(48, shift=(0.5, 0.25), out=out))
    done = paint(source, tmp_path / "painted.mkv", Boils(noise=20))
    ours, theirs = pictures(done.path), pictures(source)
    dark = 47 if out else 0
    assert np.abs(ours[dark].luma.astype(int) - 16).max() <= 2
    assert np.abs(ours[dark].blue.astype(int) - 128).max() <= 2
    light = np.array([planes.luma.mean() for planes in ours])
    falls = -np.diff(light) if out else np.diff(light)
    assert falls.min() > -0.5, "the light comes back"
    assert falls.max() < 12, "the light jumps"
    # what is left of the noise when it is dark
    dim = slice(40, 47) if out else slice(1, 8)
    rough = [
        np.std(a.luma.astype(int) - b.luma) for a, b in zip(ours[dim], theirs[dim], strict=True)
    ]
    assert max(rough) < 6


def test_a_film_that_is_black_stays_black(tmp_path: Path) -> None:
    source = lossless(tmp_path / "film.mkv", black(30))
    done = paint(source, tmp_path / "painted.mkv", Washes())
    assert all(np.abs(p.luma.astype(int) - 16).max() <= 2 for p in pictures(done.path))


def test_black_between_two_shots_is_painted_like_the_rest_and_stays_black(tmp_path: Path) -> None:
    made = [*texture(20, seed=1), *black(15), *texture(20, seed=2)]
    source = lossless(tmp_path / "film.mkv", iter(made))
    done = paint(source, tmp_path / "painted.mkv", Washes())
    assert all(np.abs(p.luma.astype(int) - 16).max() <= 2 for p in pictures(done.path)[20:35])
    assert stands_where_the_film_stands(done.path, source) == 14


# -- the gate --------------------------------------------------------------------------------------


def test_a_key_over_its_budget_is_kept_where_its_gap_is_better_for_it(tmp_path: Path) -> None:
    source = lossless(tmp_path / "film.mkv", texture(9, shift=(12, 4)))
    painter = Washes()
    recipe = Recipe(style="made", codec="ffv1", flicker_budget=0.01, keys=8)
    done = paint(source, tmp_path / "painted.mkv", painter, recipe)
    whole = Recipe(style="made", codec="ffv1", flicker_budget=1000, keys=8)
    before = paint(source, tmp_path / "whole.mkv", Washes(), whole)
    kept = [row.frame for row in done.rows if row.key]
    assert painter.painted[:2] == [0, 8]
    assert {0, 8} < set(kept) <= set(painter.painted)
    # one gap in the first round, two in the second
    assert 1 <= done.result.promoted == len(painter.painted) - 2 <= 3
    assert worst(done.rows) < worst(before.rows)
    why = {row.frame: row.promoted for row in done.rows if row.promoted is not None}
    assert set(why) == set(kept) - {0, 8}
    first = before.rows[painter.painted[2]]
    assert first.loss is not None
    assert first.budget is not None
    assert why[first.frame] == pytest.approx(first.loss / first.budget * 1000 / 0.01)


def test_a_key_that_makes_its_gap_worse_is_not_used_and_no_other_is_asked_for(
    tmp_path: Path,
) -> None:
    source = lossless(tmp_path / "film.mkv", texture(25))
    painter = Boils()
    recipe = Recipe(style="made", codec="ffv1", flicker_budget=1e-6, keys=12)
    done = paint(source, tmp_path / "painted.mkv", painter, recipe)
    assert done.result.promoted == 2
    assert painter.painted[:3] == [row.frame for row in done.rows if row.key] == [0, 12, 24]
    assert len(set(painter.painted)) == len(painter.painted), "a key was painted twice"
    part = Recipe(style="made", codec="ffv1", flicker_budget=1e-6, keys=12, frames=(13, 20))
    some = paint(source, tmp_path / "part.mkv", Boils(), part)
    assert all_same(pictures(some.path), pictures(done.path)[13:20])


def worst(rows: Sequence[Row]) -> float:
    return max(row.loss for row in rows if row.loss is not None)


def test_promoted_keys_stand_still_where_the_film_does(tmp_path: Path) -> None:
    source = lossless(tmp_path / "film.mkv", twos(49, shift=(3, 1)))
    recipe = Recipe(style="made", codec="ffv1", flicker_budget=1e-6)
    done = paint(source, tmp_path / "painted.mkv", Boils(), recipe)
    assert done.result.promoted
    assert stands_where_the_film_stands(done.path, source) == 24


# -- the shipped painter ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> Stylizer:
    if not (WEIGHTS / "painter-S.safetensors").is_file():
        pytest.skip("no trained weights here")
    return Stylizer(load_code("starry-night"))


@pytest.mark.parametrize("level", [0, 128], ids=["black", "grey"])
def test_the_shipped_painter_leaves_flat_pictures_flat(
    tmp_path: Path, shipped: Stylizer, level: int
) -> None:
    flat = np.full((SMALL[1], SMALL[0], 3), level, np.uint8)
    source = lossless(tmp_path / "film.mkv", iter([flat] * 14))
    done = paint(source, tmp_path / "painted.mkv", shipped, Recipe(style="s", codec="ffv1"))
    for planes in pictures(done.path):
        assert planes.luma[8:-8, 8:-8].std() < 6
    assert stands_where_the_film_stands(done.path, source) == 13


def test_the_shipped_painter_brings_the_colours_of_its_painting(
    tmp_path: Path, shipped: Stylizer
) -> None:
    source = lossless(tmp_path / "film.mkv", texture(14))
    done = paint(source, tmp_path / "painted.mkv", shipped, Recipe(style="s", codec="ffv1"))
    ours = pictures(done.path)
    # The Starry Night is blue before anything else
    assert np.mean([planes.blue.mean() for planes in ours]) > 132
    assert np.mean([planes.luma.std() for planes in ours]) > 10


@pytest.mark.parametrize(
    ("scale", "expected"), [(64, Working(64, of=96)), (96, None), (540, None), ("film", None)]
)
def test_the_painter_works_at_the_lines_that_the_recipe_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: object, expected: Working | None
) -> None:
    found = []

    def hire(*asked: Any, **beside: Any) -> type[Painting]:
        found.append(hire_for(*asked, **beside).working)
        return Washes

    monkeypatch.setattr("jobs.stylize.hire_for", hire)
    source = lossless(tmp_path / "film.mkv", texture(3))
    recipe = Recipe.model_validate({"style": "starry-night", "style_scale": scale})
    stylize(Job(source, tmp_path / "painted.mkv", recipe), progress=Silent())
    assert found == [expected]
