"""The work folder: whole or not there, the first commit wins, one coordinator at a time."""

import errno
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from jobs.ledger import Asked, Receipt, WorkFolder, check_space
from pipeline.errors import BadRequest, OutOfResources
from pipeline.fill.boundary import read_boundary, write_boundary
from pipeline.media.color import Planes
from pipeline.recipe import Recipe

CONTENT = b"not really a segment"
RECEIPT = Receipt(
    identity="abc",
    chunk=3,
    start=10,
    stop=20,
    segment="abc.mkv",
    bytes=len(CONTENT),
    sha256=sha256(CONTENT).hexdigest(),
    pixels="0" * 64,
    keys=2,
    promoted=0,
    tiles=1,
    seconds={"fill": 0.5},
    epoch=1,
)

ASKED = Asked(Path("/films/film.mkv"), Path("/films/out.mkv"), "f" * 64, Recipe(style="made"))


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    folder = WorkFolder(tmp_path / "film.mp4.work")
    folder.create()
    folder.note(ASKED)
    return folder


def signed(work: WorkFolder) -> Receipt:
    """Commit a chunk's files and its receipt."""
    (work.path / "segments" / RECEIPT.segment).write_bytes(CONTENT)
    (work.path / "tables" / "abc.parquet").write_bytes(b"")
    return work.sign(RECEIPT)


def test_the_first_commit_of_a_name_wins_and_a_late_one_does_no_harm(work: WorkFolder) -> None:
    assert work.put("plans/one.json", b"first")
    assert not work.put("plans/one.json", b"second")
    assert (work.path / "plans" / "one.json").read_bytes() == b"first"
    assert list((work.path / "attempts").iterdir()) == []


def test_a_name_is_replaced_only_when_asked_to(work: WorkFolder) -> None:
    work.put("plans/one.json", b"first")
    assert work.put("plans/one.json", b"second", replace=True)
    assert (work.path / "plans" / "one.json").read_bytes() == b"second"


def test_a_receipt_comes_back_as_it_was_signed(work: WorkFolder) -> None:
    assert work.receipt("abc") is None
    receipt = signed(work)
    assert work.receipt("abc") == receipt
    assert WorkFolder(work.path).receipt("abc") == receipt


def _flip(work: WorkFolder) -> None:
    content = bytearray(CONTENT)
    content[5] ^= 1
    (work.path / "segments" / "abc.mkv").write_bytes(content)


DAMAGE: dict[str, Callable[[WorkFolder], object]] = {
    "no-segment": lambda work: (work.path / "segments" / "abc.mkv").unlink(),
    "short-segment": lambda work: (work.path / "segments" / "abc.mkv").write_bytes(CONTENT[:-1]),
    "one-bit-off": _flip,
    "no-table": lambda work: (work.path / "tables" / "abc.parquet").unlink(),
    "half-a-receipt": lambda work: (work.path / "receipts" / "abc.json").write_text('{"chunk"'),
    "of-another-version": lambda work: (work.path / "receipts" / "abc.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_receipt_does_not_count_when_what_it_is_for_is_not_whole(
    work: WorkFolder, damage: str
) -> None:
    signed(work)
    DAMAGE[damage](work)
    assert work.receipt("abc") is None
    assert signed(work) == work.receipt("abc")


def test_a_work_folder_that_was_copied_counts_by_what_is_in_it(work: WorkFolder) -> None:
    receipt = signed(work)
    os.utime(work.path / "segments" / "abc.mkv", ns=(1, 1))
    assert work.receipt("abc") == receipt
    _flip(work)
    os.utime(work.path / "segments" / "abc.mkv", ns=(2, 2))
    assert work.receipt("abc") is None


def test_a_boundary_comes_back_sample_for_sample(work: WorkFolder) -> None:
    random = np.random.default_rng(0)
    planes = Planes(*(random.integers(0, 256, (6, 4), np.uint8) for _ in range(3)))
    assert read_boundary(work.boundary("abc")) is None
    part = work.attempt(".npz")
    write_boundary(planes, part)
    work.commit_boundary(part, "abc")
    found = read_boundary(work.boundary("abc"))
    assert found is not None
    for plane, kept in zip(
        (planes.luma, planes.blue, planes.red), (found.luma, found.blue, found.red), strict=True
    ):
        assert np.array_equal(plane, kept)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"no archive"])
def test_a_boundary_that_is_not_whole_is_not_there(work: WorkFolder, content: bytes) -> None:
    (work.path / "boundaries" / "abc.npz").write_bytes(content)
    assert read_boundary(work.boundary("abc")) is None


def lease(work: WorkFolder, **facts: object) -> None:
    """Write a lease of someone else."""
    known = {"epoch": 4, "pid": 1, "host": socket.gethostname(), "time": time.time()}
    (work.path / "lease.json").write_text(json.dumps({**known, **facts}))


def test_two_coordinators_do_not_work_in_one_folder(work: WorkFolder) -> None:
    other = WorkFolder(work.path)
    with work.leased() as epoch:
        with pytest.raises(BadRequest, match=rf"process {os.getpid()} on"), other.leased():
            pass
        held = json.loads((work.path / "lease.json").read_text())
        assert (held["pid"], held["epoch"]) == (os.getpid(), epoch)


def test_a_lease_is_free_with_a_later_epoch_once_its_process_is_dead(work: WorkFolder) -> None:
    child = os.fork()
    if child == 0:
        with WorkFolder(work.path).leased():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert json.loads((work.path / "lease.json").read_text())["pid"] == child
    with work.leased() as epoch:
        assert epoch == work.epoch == 2


def watch(work: WorkFolder, *, seconds: float) -> None:
    """Check a lease until it is lost."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        work.check()
        time.sleep(0.1)


def test_who_was_taken_over_finds_out(work: WorkFolder) -> None:
    with work.leased():
        work.check()
        lease(work, host="elsewhere", epoch=9)
        with pytest.raises(BadRequest, match="taken over"):
            watch(work, seconds=20)
    assert json.loads((work.path / "lease.json").read_text())["epoch"] == 9


def test_who_stood_still_while_it_was_taken_over_commits_nothing_when_it_goes_on(
    work: WorkFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work.leased():
        awake = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: awake() + 7)
        work.check()
        lease(work, host="elsewhere", epoch=9)
        work.check()  # it has just looked
        monkeypatch.setattr(time, "monotonic", lambda: awake() + 14)
        with pytest.raises(BadRequest, match="taken over"):
            work.check()  # its own thread has not looked yet
    assert json.loads((work.path / "lease.json").read_text())["epoch"] == 9


def test_where_there_are_no_links_a_name_is_still_given_once(
    work: WorkFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert work.put("moments/one", b"first")
    assert not work.put("moments/one", b"second")
    assert (work.path / "moments" / "one").read_bytes() == b"first"


def test_a_lease_of_another_machine_counts_for_three_renewals(work: WorkFolder) -> None:
    lease(work, host="elsewhere")
    with pytest.raises(BadRequest, match="elsewhere"), work.leased():
        pass
    lease(work, host="elsewhere", time=time.time() - 7)
    with work.leased() as epoch:
        assert epoch == 5


def test_a_lease_that_was_given_back_is_free_and_epochs_go_on(work: WorkFolder) -> None:
    with work.leased() as first:
        pass
    with work.leased() as second:
        assert second == first + 1


def test_a_lease_is_given_back_when_work_fails(work: WorkFolder) -> None:
    with pytest.raises(RuntimeError), work.leased():
        raise RuntimeError
    assert json.loads((work.path / "lease.json").read_text())["time"] == 0


def test_half_a_lease_holds_nobody_up(work: WorkFolder) -> None:
    (work.path / "lease.json").write_text('{"epoch"')
    with work.leased() as epoch:
        assert epoch == 1


def test_attempts_are_cleared_and_nothing_else(work: WorkFolder) -> None:
    receipt = signed(work)
    work.attempt(".mkv").write_bytes(b"half a segment")
    work.clear_attempts()
    assert list((work.path / "attempts").iterdir()) == []
    assert work.receipt("abc") == receipt


def test_making_a_work_folder_again_keeps_what_is_in_it(work: WorkFolder) -> None:
    receipt = signed(work)
    work.create()
    work.note(replace(ASKED, recipe=Recipe(style="other")))
    assert work.receipt("abc") == receipt
    assert "other" in (work.path / "recipe.json").read_text()
    assert work.asked().recipe.style == "other"


def test_what_was_asked_for_is_noted_for_people_and_comes_back_as_it_was(work: WorkFolder) -> None:
    assert json.loads((work.path / "recipe.json").read_text())["style"] == "made"
    recipe = Recipe(style="made", frames=(3, 9), keys=4)
    work.note(replace(ASKED, recipe=recipe))
    assert WorkFolder(work.path).asked() == replace(ASKED, recipe=recipe)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"source": 3, "recipe": {}}'])
def test_a_folder_without_a_job_is_no_work_folder(work: WorkFolder, content: str | None) -> None:
    (work.path / "job.json").unlink()
    if content is not None:
        (work.path / "job.json").write_text(content)
    with pytest.raises(BadRequest, match=r"is no work folder"):
        work.asked()


def test_a_work_folder_is_removed_without_a_trace(work: WorkFolder) -> None:
    signed(work)
    (work.path / "failed-3.txt").write_text("what went wrong")
    work.remove()
    assert not work.path.exists()


def test_what_is_not_of_a_work_folder_is_neither_written_to_nor_removed(
    work: WorkFolder, tmp_path: Path
) -> None:
    (work.path / "holiday.mp4").write_bytes(b"mine")
    work.remove()
    assert [path.name for path in work.path.iterdir()] == ["holiday.mp4"]
    with pytest.raises(BadRequest, match=r"holiday\.mp4 lies there"):
        WorkFolder(work.path).create()
    assert [path.name for path in work.path.iterdir()] == ["holiday.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == [work.path.name]


def test_space_is_checked_where_a_folder_will_be(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    check_space(tmp_path / "not" / "yet", free // 2)
    with pytest.raises(OutOfResources, match="MiB are needed"):
        check_space(tmp_path / "not" / "yet", free * 2)
    assert not (tmp_path / "not").exists()
