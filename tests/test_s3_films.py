"""Films on an S3 service: painted like any other, whole or not there, and nobody's keys told."""

import os
import pickle
import shutil
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import s3_server
from actors import cache, s3, s3_client, steps
from actors.cache import kept
from actors.files import near, opened, reading
from actors.objects import ObjectPath
from actors.stylizer import Moments
from commands import command
from films import cut, make_film, texture
from jobs import verify
from jobs.batch import How, check, paint_all
from jobs.batch_result import Outcomes
from jobs.commission import Result
from jobs.job import Job
from jobs.jobfile_read import read_job_file
from jobs.ledger import WorkFolder
from jobs.progress import Silent
from jobs.sidecar import read_sidecar
from jobs.stylize import stylize
from painters import Identity, Washes
from pipeline.errors import BadRequest, OutOfResources, UnreadableFilm
from pipeline.judge.tables import read_rows
from pipeline.media.color import Planes
from pipeline.motion import rows
from pipeline.recipe import Recipe

RECIPE = Recipe(style="made", codec="ffv1")
FRAMES, HALF = 130, 65
"""One shot of two chunks: the second goes on from the last key of the first."""


@dataclass(frozen=True, slots=True)
class Local:
    """A film on this machine, and what became of it there."""

    source: Path
    result: Result


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Local:
    """A film, painted from folder to folder."""
    folder = tmp_path_factory.mktemp("local")
    source = make_film(folder / "reel.mkv", texture(FRAMES, (64, 48)), codec="ffv1")
    return Local(source, paint(source, folder / "painted.mkv"))


def paint(
    source: Path, target: Path, *, painter: Washes | None = None, overwrite: bool = False
) -> Result:
    """Paint a film in this process."""
    job = Job(source, target, RECIPE, overwrite=overwrite)
    return stylize(job, progress=Silent(), hire=lambda: painter or Washes())


def laid(local: Local, folder: ObjectPath, name: str = "reel.mkv") -> ObjectPath:
    """Put the film into the bucket."""
    place = folder / name
    s3.upload(place.spot, local.source)
    return place


def names(folder: ObjectPath) -> list[str]:
    """What lies below a place, from there."""
    start = folder.spot.key + "/"
    return sorted(key.removeprefix(start) for key in s3.listed(s3_client.Spot("films", start)))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Local:
    """A film of some frames, for what does not depend on more."""
    folder = tmp_path_factory.mktemp("short")
    source = make_film(folder / "reel.mkv", cut(8, (64, 48), at=5), codec="ffv1")
    return Local(source, paint(source, folder / "painted.mkv"))


class Stopped(Washes):
    """Is interrupted, as by a person, in the second half."""

    def change(self, planes: Planes, moments: Moments, frame: int) -> Planes:
        """Paint what comes before."""
        if frame > HALF:
            raise KeyboardInterrupt
        return super().change(planes, moments, frame)


def test_a_film_comes_back_to_the_sample_and_nothing_else_is_left(
    local: Local, s3_folder: ObjectPath, tmp_path: Path
) -> None:
    source, target = laid(local, s3_folder), s3_folder / "out" / "painted.mkv"
    result = paint(source, target)
    assert [pixels for _, _, pixels in result.pieces] == [p for _, _, p in local.result.pieces]
    beside = ["out/painted.mkv", "out/painted.mkv.frames.parquet", "out/painted.mkv.json"]
    assert names(s3_folder) == [*beside, "reel.mkv"]
    found = verify.verify(source, target, asked=None, pixels=True, progress=Silent())
    assert found.ok, found.line
    said = read_sidecar(target)
    assert said is not None
    assert said.source.path == str(source)
    assert said.command is not None
    assert f"--output {target}" in said.command
    (tmp_path / "rows").write_bytes(result_table(target).read_bytes())
    assert len(read_rows([tmp_path / "rows"])) == FRAMES
    assert list((cache.root() / "scratch").iterdir()) == []


def result_table(target: Path) -> Path:
    """Where the rows of a painted film lie."""
    return target.with_name(target.name + ".frames.parquet")


def test_an_interrupted_film_goes_on_and_has_no_name_before(
    local: Local, s3_folder: ObjectPath
) -> None:
    source, target = laid(local, s3_folder), s3_folder / "painted.mkv"
    with pytest.raises(KeyboardInterrupt):
        paint(source, target, painter=Stopped())
    left = names(s3_folder)
    assert not [name for name in left if name.startswith(("painted.mkv.json", ".", "painted.mkv "))]
    assert "painted.mkv" not in left
    receipts = [name for name in left if "/receipts/" in name]
    assert 0 < len(receipts) < local.result.chunks
    shutil.rmtree(cache.root())  # as if another machine went on
    result = paint(source, target)
    assert result.reused == len(receipts)
    assert [pixels for _, _, pixels in result.pieces] == [p for _, _, p in local.result.pieces]
    assert not [name for name in names(s3_folder) if ".work/" in name]


def test_a_result_is_replaced_only_when_asked_to(short: Local, s3_folder: ObjectPath) -> None:
    source, target = laid(short, s3_folder), s3_folder / "painted.mkv"
    target.write_bytes(b"somebody's")
    with pytest.raises(BadRequest, match="exists; --overwrite replaces it"):
        paint(source, target)
    assert target.read_bytes() == b"somebody's"
    paint(source, target, overwrite=True)
    assert s3.head(target.spot) != s3.Version("", len(b"somebody's"))
    with pytest.raises(BadRequest, match="would replace its own source"):
        paint(source, source, overwrite=True)


def test_a_name_that_is_taken_while_the_film_is_painted_stays_with_who_has_it(
    short: Local, s3_folder: ObjectPath
) -> None:
    source, target = laid(short, s3_folder), s3_folder / "painted.mkv"

    class Late(Washes):
        def __init__(self) -> None:
            super().__init__()
            target.write_bytes(b"somebody's")

    with pytest.raises(BadRequest, match="appeared meanwhile"):
        stylize(Job(source, target, RECIPE), progress=Silent(), hire=Late)
    assert target.read_bytes() == b"somebody's"
    assert [name for name in names(s3_folder) if ".work/" not in name] == [
        "painted.mkv",
        "reel.mkv",
    ]


def test_a_batch_paints_from_bucket_to_bucket_and_nothing_twice(
    short: Local, s3_folder: ObjectPath, tmp_path: Path
) -> None:
    source = laid(short, s3_folder)
    file = tmp_path / "job.yaml"
    file.write_text(
        "schema: reelbrush/v1\n"
        f"work: {s3_folder}/work\n"
        "defaults: {style: adele, codec: ffv1}\n"
        f"films: [{{source: '{source}', output: '{s3_folder}/out.mkv'}}]\n"
    )

    def telling(*_: object) -> AbstractContextManager[Silent]:
        return nullcontext(Silent())

    ends = []
    for _ in range(2):
        whole = read_job_file(file)
        how = How("inline", telling, hire=Identity, pause=0)
        outcomes = Outcomes(whole, names=(), file=tmp_path / "result.json")
        paint_all(whole, check(whole, outcomes, how, progress=Silent()), outcomes, how)
        ends += [(one.status, one.before) for one in outcomes.all]
    assert ends == [("done", False), ("done", True)]
    assert names(s3_folder) == [
        "out.mkv",
        "out.mkv.frames.parquet",
        "out.mkv.json",
        "reel.mkv",
    ]


# -- films in the cache --------------------------------------------------------------------------


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which films were fetched."""
    told: list[str] = []
    whole = s3.fetch

    def noted(spot: s3_client.Spot, file: Path, version: s3.Version) -> None:
        told.append(spot.key.rpartition("/")[2])
        whole(spot, file, version)

    monkeypatch.setattr(s3, "fetch", noted)
    return told


def test_a_film_is_fetched_once_and_again_when_it_is_another(
    local: Local, s3_folder: ObjectPath, fetches: list[str]
) -> None:
    place = laid(local, s3_folder)
    first = opened(place)
    for _ in range(3):
        with near(opened(place)) as film:
            assert film.path.read_bytes() == local.source.read_bytes()
            assert film.place == place
    assert fetches == ["reel.mkv"]
    make_film(local.source.with_name("other.mkv"), cut(8, (64, 48), at=4), codec="ffv1")
    s3.upload(place.spot, local.source.with_name("other.mkv"))
    assert opened(place).frames == 8
    shutil.rmtree(first.path.parent)
    with pytest.raises(UnreadableFilm, match="has changed since"), near(first):
        pass


def test_a_step_on_another_machine_fetches_the_film_and_uploads_what_it_made(
    short: Local,
    s3_folder: ObjectPath,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fetches: list[str],
) -> None:
    film = opened(laid(short, s3_folder))
    part = WorkFolder(s3_folder / "work").attempt(".parquet")
    asked = pickle.dumps((film, 0, film.frames, part))
    shutil.rmtree(cache.root())
    monkeypatch.setenv("REELBRUSH_CACHE", str(tmp_path / "other"))
    steps.analyse(*pickle.loads(asked))
    assert fetches == ["reel.mkv", "reel.mkv"]
    with reading(part) as path:
        assert len(rows.read(path)) == film.frames
    assert not (tmp_path / "cache").exists()


def test_a_full_cache_lets_the_film_go_that_was_longest_unused_and_nobody_reads(
    s3_folder: ObjectPath, monkeypatch: pytest.MonkeyPatch, fetches: list[str]
) -> None:
    monkeypatch.setenv("REELBRUSH_CACHE_SIZE", "2500K")
    content = np.random.default_rng(0).bytes(1 << 20)
    places = [s3_folder / f"{name}.mov" for name in "abcd"]
    for place in places:
        place.write_bytes(content)
    versions = [s3.Version(s3.head(p.spot).etag, len(content)) for p in places]  # type: ignore[union-attr] # just put

    def get(which: int) -> None:
        with kept(places[which], versions[which]) as path:
            assert path.read_bytes() == content

    with kept(places[0], versions[0]):
        for which in (1, 2, 0, 3, 0):
            get(which)
    assert fetches == ["a.mov", "b.mov", "c.mov", "d.mov"]
    get(1)
    assert fetches[4:] == ["b.mov"]
    monkeypatch.setenv("REELBRUSH_CACHE_SIZE", "900K")
    with pytest.raises(OutOfResources, match="REELBRUSH_CACHE_SIZE"):
        get(2)


def test_processes_that_want_one_film_fetch_it_once(
    s3_folder: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = s3_folder / "a.mov"
    place.write_bytes(b"x" * 5_000_000)
    version = place.version()
    assert version is not None
    whole = s3.fetch

    def noted(spot: s3_client.Spot, file: Path, wanted: s3.Version) -> None:
        (tmp_path / f"fetched-{os.getpid()}").touch()
        whole(spot, file, wanted)

    monkeypatch.setattr(s3, "fetch", noted)
    readers = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            size = 0
            try:
                with kept(place, version) as path:
                    size = path.stat().st_size
            finally:
                os._exit(int(size != version.bytes))
        readers.append(child)
    assert [os.waitpid(child, 0)[1] for child in readers] == [0, 0, 0]
    assert len(list(tmp_path.glob("fetched-*"))) == 1


# -- what is said --------------------------------------------------------------------------------


def test_keys_stand_nowhere(
    short: Local,
    s3_folder: ObjectPath,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    source, target = laid(short, s3_folder), s3_folder / "painted.mkv"
    job = Job(source, target, RECIPE, keep_work=True)
    stylize(job, progress=Silent(), hire=Washes)
    ended = command("probe", s3_folder / "none.mp4", patch=monkeypatch, capfd=capfd)
    told = [(ended.out + ended.err).encode()]
    told += [key.encode() + (s3_folder / key).read_bytes() for key in names(s3_folder)]
    told += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(told) > 15
    port = os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]
    for secret in (*s3_server.KEYS.values(), f"127.0.0.1:{port}"):
        assert not any(secret.encode() in text for text in told)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://films/none.mp4", "s3://films/none.mp4: no such object"),
        ("s3://nowhere/none.mp4", "s3://nowhere/none.mp4: there is no bucket nowhere"),
        ("s3://private/a.mp4", "s3://private/a.mp4: the S3 service refuses these credentials"),
    ],
)
def test_what_is_not_to_be_had_is_said_in_a_line(
    address: str,
    said: str,
    s3_folder: ObjectPath,  # noqa: ARG001 - the service
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended = command("probe", address, patch=monkeypatch, capfd=capfd)
    assert (ended.code, ended.said) == (3, [f"reelbrush: {said}"])


def test_a_service_without_keys_or_not_there_is_said_in_a_line(
    s3_folder: ObjectPath, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3_client.again()
    with pytest.raises(UnreadableFilm, match=r"S3 service cannot be reached \(\w+\)$"):
        opened(s3_folder / "a.mp4")
    for name in s3_server.KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    s3_client.again()
    with pytest.raises(UnreadableFilm, match="no credentials for s3://"):
        opened(s3_folder / "a.mp4")


def test_without_its_library_what_to_install_is_said(
    s3_folder: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    s3_client.again()
    with pytest.raises(BadRequest, match=r"pip install 'boto3>=1.40'"):
        opened(s3_folder / "a.mp4")


def test_a_work_folder_in_no_bucket_is_refused(short: Local, s3_folder: ObjectPath) -> None:
    with pytest.raises(BadRequest, match="there is no bucket nowhere"):
        WorkFolder(ObjectPath("s3:", "nowhere", "work")).create()
    with pytest.raises(BadRequest, match="there is no bucket nowhere"):
        paint(laid(short, s3_folder), ObjectPath("s3:", "nowhere", "painted.mkv"))
