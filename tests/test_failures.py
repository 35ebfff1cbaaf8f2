"""Failures: whose fault, how often again, and what a person reads of it."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray.exceptions

from jobs.board import Kind, Task
from jobs.failures import Class, Failure, Tries, bug, read
from jobs.ledger import WorkFolder
from pipeline.errors import ChunkFailed, ClusterFailed, CorruptFilm, MissingWeights
from pipeline.plan import Chunk, Part

ray_errors: Any = ray.exceptions  # half of their constructors are without types
PAINT = Task("paint", 3, 1)
CHUNK = Chunk(3, (Part(0, 72, 144, (72, 144), opens=False, closes=False, setup=0),))


def raised(cause: Exception, *, trace: str = "Traceback\n  somewhere") -> BaseException:
    """What Ray raises when a step has raised."""
    error = ray_errors.RayTaskError("paint 3", trace, cause, proctitle="paint", pid=1, ip="1.2.3.4")
    dual: BaseException = error.as_instanceof_cause()
    return dual


def lost_object() -> Exception:
    error: Exception = ray_errors.ObjectLostError("00" * 28, None, "")
    return error


def gone(number: int) -> OSError:
    return OSError(number, "something of the system")


MACHINE: dict[str, Callable[[], BaseException]] = {
    "worker": ray_errors.WorkerCrashedError,
    "actor": ray_errors.RayActorError,
    "actor-died": ray_errors.ActorDiedError,
    "unavailable": lambda: ray_errors.ActorUnavailableError("away", b"0" * 16),
    "node": lambda: ray_errors.NodeDiedError("a machine"),
    "memory": lambda: ray_errors.OutOfMemoryError("too much"),
    "disk-of-ray": lambda: ray_errors.OutOfDiskError("too much"),
    "store": lambda: ray_errors.ObjectStoreFullError("full"),
    "object": lost_object,
    "owner": lambda: ray_errors.OwnerDiedError("00" * 28, None, ""),
    "freed": lambda: ray_errors.ObjectFreedError("00" * 28, None, ""),
    "raylet": ray_errors.LocalRayletDiedError,
    "system": lambda: ray_errors.RaySystemError("what"),
    "cancelled": lambda: ray_errors.TaskCancelledError(),
    "unschedulable": lambda: ray_errors.TaskUnschedulableError("nowhere"),
    "environment": lambda: ray_errors.RuntimeEnvSetupError("no"),
    "object-of-a-step": lambda: raised(lost_object()),
    "memory-of-a-step": lambda: raised(MemoryError()),
    "file-of-a-step": lambda: raised(gone(errno.ESTALE)),
}


@pytest.mark.parametrize("name", MACHINE)
def test_what_a_machine_does_is_nobodys_fault(name: str) -> None:
    found = read(MACHINE[name]())
    assert found.kind == "machine"
    assert found.lost == (name.split("-")[0] in ("object", "owner", "freed", "node"))


def test_a_frame_that_does_not_decode_is_the_data() -> None:
    found = read(raised(CorruptFilm("film.mkv: no frame at PTS 7")))
    assert (found.kind, found.lost) == ("data", False)
    assert type(found.error) is CorruptFilm
    assert found.line == "CorruptFilm: film.mkv: no frame at PTS 7"


@pytest.mark.parametrize(
    "error",
    [ValueError("no\nway"), KeyError(3), ray_errors.RayError("what?"), MissingWeights("none")],
    ids=lambda error: type(error).__name__,
)
def test_anything_else_is_a_bug(error: Exception) -> None:
    found = read(raised(error))
    assert (found.kind, found.lost) == ("bug", False)
    assert "\n" not in found.line


def test_what_cannot_be_sent_is_a_bug_too() -> None:
    class Odd(Exception):
        def __reduce__(self) -> str:
            raise TypeError("not to be pickled")

    assert read(raised(Odd("odd"))).kind == "bug"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_final_and_told_as_it_is(tmp_path: Path, number: int) -> None:
    found = read(raised(gone(number)))
    assert not Tries().again(PAINT, found)
    error = bug(found, "paint", CHUNK, work=WorkFolder(tmp_path))
    assert isinstance(error, OSError)
    assert error.errno == number
    assert list(tmp_path.iterdir()) == []


def failure(kind: Class, error: Exception | None = None) -> Failure:
    return Failure(kind, error or RuntimeError("what happened"), lost=False)


@pytest.mark.parametrize(
    "found",
    [
        failure("machine"),
        failure("stuck", TimeoutError("no answer for 120 s")),
        read(MACHINE["memory-of-a-step"]()),
    ],
    ids=["machine", "stuck", "memory"],
)
def test_machines_may_fail_a_step_nine_times_and_then_the_cluster_has_failed(
    found: Failure,
) -> None:
    tries = Tries()
    assert [tries.again(PAINT, found) for _ in range(9)] == [True] * 9
    with pytest.raises(ClusterFailed, match="paint 3 failed 10 times") as raised_:
        tries.again(PAINT, found)
    assert found.line in str(raised_.value)


def test_a_file_system_that_fails_ten_times_is_told_as_it_is(tmp_path: Path) -> None:
    tries, found = Tries(), read(raised(gone(errno.ESTALE)))
    assert [tries.again(PAINT, found) for _ in range(10)] == [True] * 9 + [False]
    assert isinstance(bug(found, "paint", CHUNK, work=WorkFolder(tmp_path)), OSError)


def test_data_gets_one_more_try_and_a_bug_none() -> None:
    tries = Tries()
    assert tries.again(PAINT, failure("data"))
    assert not tries.again(PAINT, failure("data"))
    assert not tries.again(PAINT, failure("bug"))


def test_each_step_has_tries_of_its_own() -> None:
    tries, other = Tries(), Task("paint", 3, 2)
    assert tries.number(PAINT) == 1
    assert tries.again(PAINT, failure("data"))
    assert tries.again(PAINT, failure("machine"))
    assert tries.again(other, failure("data"))
    assert (tries.number(PAINT), tries.number(other)) == (3, 2)
    assert tries.number(Task("fill", 3)) == 1


def test_a_failed_chunk_is_named_with_where_to_look_and_how_to_see_it_again(
    tmp_path: Path,
) -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: all\nover'
    found = read(raised(ValueError("all\nover"), trace=trace))
    error = bug(found, "paint", CHUNK, work=WorkFolder(tmp_path))
    assert isinstance(error, ChunkFailed)
    assert str(error) == (
        f"chunk 3 (frames 72 to 143) failed: ValueError: all (see {tmp_path / 'failed-3.txt'}); "
        f"see it again: reelbrush replay {tmp_path} 3"
    )
    note = (tmp_path / "failed-3.txt").read_text()
    assert "a.py" in note
    assert "\x1b" not in note, "it is a file, not a terminal"


@pytest.mark.parametrize("kind", ["measure", "introduce"])
def test_a_step_of_no_chunk_is_named_too(tmp_path: Path, kind: Kind) -> None:
    error = bug(read(raised(ValueError("odd"))), kind, None, work=WorkFolder(tmp_path))
    assert f"the step '{kind}' failed: ValueError: odd" in str(error)
    assert "replay" not in str(error)
    assert (tmp_path / "failed-step.txt").is_file()


def test_what_the_world_does_wrong_is_told_as_it_is(tmp_path: Path) -> None:
    error = bug(read(raised(MissingWeights("none"))), "paint", CHUNK, work=WorkFolder(tmp_path))
    assert isinstance(error, MissingWeights)
    assert str(error) == "none"
    assert list(tmp_path.iterdir()) == []
