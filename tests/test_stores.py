"""Work folders on a file system and on an object store keep the same promises."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import s3_server
from actors import s3
from actors.files import reading, writing
from actors.objects import ObjectPath, located
from jobs import lease
from jobs.ledger import Asked, Receipt, WorkFolder
from jobs.log import Log
from pipeline.errors import BadRequest
from pipeline.fill.boundary import read_boundary, write_boundary
from pipeline.media.color import Planes
from pipeline.recipe import Recipe

CONTENT = b"not really a segment"
ASKED = Asked(Path("/films/film.mkv"), Path("/films/out.mkv"), "f" * 64, Recipe(style="made"))
PERIOD = 0.3
"""Seconds between renewals here."""


@pytest.fixture(params=["folder", "objects"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        return tmp_path / "film.mp4.work"
    below: Path = request.getfixturevalue("s3_folder")
    return below / "film.mp4.work"


@pytest.fixture
def work(place: Path) -> WorkFolder:
    folder = WorkFolder(place)
    folder.create()
    folder.note(ASKED)
    return folder


@pytest.fixture
def objects(s3_folder: ObjectPath, monkeypatch: pytest.MonkeyPatch) -> WorkFolder:
    """A work folder on the object store, where leases are short."""
    monkeypatch.setattr(lease, "PERIOD", PERIOD)
    monkeypatch.setattr(lease, "MISSED", 3 * PERIOD)
    folder = WorkFolder(s3_folder / "film.mp4.work")
    folder.create()
    return folder


def written(work: WorkFolder, suffix: str, content: bytes) -> Path:
    """Leave an attempt, as a worker does."""
    part = work.attempt(suffix)
    with writing(part) as path:
        path.write_bytes(content)
    return part


def signed(work: WorkFolder, *, content: bytes = CONTENT, chunk: int = 3) -> Receipt:
    """Commit a chunk's files and its receipt, as the coordinator does."""
    segment = work.settle(written(work, ".mkv", content), "segments/abc.mkv")
    table = work.settle(written(work, ".parquet", b"rows"), "tables/abc.parquet")
    receipt = Receipt(
        identity="abc",
        chunk=chunk,
        start=10,
        stop=20,
        segment=segment,
        bytes=len(content),
        sha256=sha256(content).hexdigest(),
        pixels="0" * 64,
        keys=2,
        promoted=0,
        tiles=1,
        seconds={"fill": 0.5},
        epoch=1,
        table=table,
    )
    return work.sign(receipt)


def test_of_two_who_give_one_name_exactly_one_wins(work: WorkFolder) -> None:
    others = [WorkFolder(work.path) for _ in range(8)]
    contents = [f"from {number}".encode() for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda w, c: w.put("plans/one.json", c), others, contents))
    assert won.count(True) == 1
    assert (work.path / "plans" / "one.json").read_bytes() == contents[won.index(True)]


def test_a_late_attempt_is_refused_its_name_and_leaves_nothing(work: WorkFolder) -> None:
    assert work.commit(written(work, ".npy", b"first"), "moments/one.npy")
    late = written(work, ".npy", b"second")
    assert not work.commit(late, "moments/one.npy")
    assert not late.exists()
    assert (work.path / "moments" / "one.npy").read_bytes() == b"first"
    assert work.commit(written(work, ".npy", b"third"), "moments/one.npy", replace=True)
    assert (work.path / "moments" / "one.npy").read_bytes() == b"third"


def test_a_receipt_comes_back_with_its_files(work: WorkFolder) -> None:
    assert work.receipt("abc") is None
    receipt = signed(work)
    for folder in (work, WorkFolder(work.path)):
        assert folder.receipt("abc") == receipt
        with reading(folder.segment(receipt)) as path:
            assert path.read_bytes() == CONTENT
        with reading(folder.table(receipt)) as path:
            assert path.read_bytes() == b"rows"


@pytest.mark.parametrize("lost", ["segment", "table"])
def test_a_receipt_does_not_count_without_its_files_and_is_replaced(
    work: WorkFolder, lost: str
) -> None:
    receipt = signed(work)
    (work.segment(receipt) if lost == "segment" else work.table(receipt)).unlink()
    again = WorkFolder(work.path)
    assert again.receipt("abc") is None
    newer = signed(again, chunk=4)
    assert newer.chunk == 4
    assert WorkFolder(work.path).receipt("abc") == newer


def test_on_objects_a_receipt_that_stands_is_not_replaced(objects: WorkFolder) -> None:
    first = signed(objects)
    late = signed(WorkFolder(objects.path), content=b"the same frames, later", chunk=3)
    assert late == first
    assert WorkFolder(objects.path).receipt("abc") == first


def test_attempts_are_cleared_but_for_what_receipts_tell_of(work: WorkFolder) -> None:
    receipt = signed(work)
    half = written(work, ".mkv", b"half a segment")
    with work.leased():
        work.clear_attempts()
    assert not half.exists()
    assert WorkFolder(work.path).receipt("abc") == receipt


def test_a_boundary_comes_back_sample_for_sample(work: WorkFolder) -> None:
    random = np.random.default_rng(0)
    planes = Planes(*(random.integers(0, 256, (6, 4), np.uint8) for _ in range(3)))
    assert read_boundary(work.boundary("abc")) is None
    part = work.attempt(".npz")
    with writing(part) as path:
        write_boundary(planes, path)
    work.commit_boundary(part, "abc")
    with reading(work.boundary("abc")) as path:
        found = read_boundary(path)
    assert found is not None
    assert np.array_equal(found.luma, planes.luma)
    assert np.array_equal(found.red, planes.red)


def test_what_was_asked_for_comes_back_as_it_was(work: WorkFolder) -> None:
    away = replace(ASKED, source=located("s3://films/film.mkv"))
    for asked in (ASKED, away):
        work.note(asked)
        assert WorkFolder(work.path).asked() == asked


def test_a_work_folder_is_removed_without_a_trace(work: WorkFolder) -> None:
    with work.leased():
        signed(work)
        work.failed(3, "what went wrong")
        Log(work.path).say("begun", backend="inline")
        work.remove()
    assert not work.path.exists()
    if isinstance(work.path, ObjectPath):
        assert s3.listed(work.path.spot) == {}


def test_what_is_not_of_a_work_folder_is_neither_written_to_nor_removed(place: Path) -> None:
    if not isinstance(place, ObjectPath):
        place.mkdir()
    (place / "diary.txt").write_text("mine")
    with pytest.raises(BadRequest, match=r"no work folder, diary\.txt lies there"):
        WorkFolder(place).create()
    WorkFolder(place).remove()
    assert (place / "diary.txt").read_text() == "mine"


def test_lines_of_all_tries_follow_one_another(work: WorkFolder) -> None:
    for event in ("begun", "published"):
        with work.leased():
            Log(work.path).say(event)
    lines = (work.path / "log.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["begun", "published"]


# -- the lease on objects ------------------------------------------------------------------------


def test_a_second_holder_is_refused_while_the_first_one_renews(objects: WorkFolder) -> None:
    other = WorkFolder(objects.path)
    with objects.leased() as epoch:
        with pytest.raises(BadRequest, match=rf"by process {os.getpid()} on"), other.leased():
            pass
        objects.check()
        assert epoch == 1
    with other.leased() as later:
        assert later == 2


def test_of_many_who_take_a_free_lease_exactly_one_has_it(objects: WorkFolder) -> None:
    won, start = [], threading.Barrier(4)

    def takes() -> None:
        folder = WorkFolder(objects.path)
        start.wait()
        try:
            with folder.leased():
                won.append(folder.epoch)
                time.sleep(6 * PERIOD)
        except BadRequest:
            pass

    threads = [threading.Thread(target=takes) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def watch(work: WorkFolder, *, seconds: float) -> None:
    """Check a lease until it is lost."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work.check()
        time.sleep(PERIOD / 2)


def test_a_holder_that_missed_its_renewals_is_followed_and_stops_at_its_check(
    objects: WorkFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, other = objects, WorkFolder(objects.path)
    with silent.leased() as first:
        renew = silent._lease._renew
        monkeypatch.setattr(silent._lease, "_renew", lambda _: None)
        time.sleep(PERIOD)
        with other.leased() as second:
            assert second == first + 1
            monkeypatch.setattr(silent._lease, "_renew", renew)
            with pytest.raises(BadRequest, match="taken over"):
                watch(silent, seconds=30)
            other.check()
    words = json.loads((objects.path / "lease.json").read_bytes())
    assert (words["epoch"], words["time"]) == (second, 0.0)


def test_a_dead_process_of_this_machine_is_followed_at_once(
    objects: WorkFolder, s3_service: str
) -> None:
    code = (
        "import os, signal, sys; from actors.objects import located; "
        "from jobs.ledger import WorkFolder; "
        "work = WorkFolder(located(sys.argv[1])); held = work.leased(); held.__enter__(); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(objects.path)],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **s3_server.environment(s3_service)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    words = json.loads((objects.path / "lease.json").read_bytes())
    assert words["host"] == socket.gethostname()
    assert words["time"] > 0
    began = time.monotonic()
    with objects.leased() as epoch:
        assert epoch == 2
    assert time.monotonic() - began < 3 * PERIOD + 10  # on a busy machine; not a proof of speed


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["s3://films/a/b.mp4", "s3:/films/a/b.mp4"])
def test_an_address_is_one_whatever_a_path_made_of_it(text: str) -> None:
    path = located(text)
    assert str(path) == "s3://films/a/b.mp4"
    assert path.absolute() == path.resolve() == path
    assert str(path.with_name("c.mp4")) == "s3://films/a/c.mp4"
    assert path.parent / "b.mp4" == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://films", "name a bucket and an object"),
        ("s3://films/../etc", "name a bucket and an object"),
        ("gs://films/a.mp4", "gs:// is not"),
        ("s3://AKIA:secret@films/a.mp4", "do not belong into an address"),
    ],
)
def test_what_is_no_address_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        located(text)
    assert "secret" not in str(caught.value)


def test_an_object_is_never_taken_for_a_file_of_this_machine() -> None:
    with pytest.raises(TypeError, match="no file on this machine"):
        os.stat(located("s3://films/a.mp4"))  # noqa: PTH116 - as libraries do it


def test_a_link_whose_answer_was_lost_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = WorkFolder(tmp_path / "film.work")
    work.create()
    link = os.link

    def asked_again(part: Path, final: Path) -> None:
        link(part, final)
        link(part, final)

    monkeypatch.setattr(os, "link", asked_again)
    assert work.put("moments/one", b"first")
    assert not work.put("moments/one", b"second")
    assert (work.path / "moments" / "one").read_bytes() == b"first"
