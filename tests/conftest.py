"""What every test has: one thread for each library, and real clips only where they lie."""

import atexit
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

import s3_server
from actors import s3_client
from actors.objects import ObjectPath

# Read when Ray is imported: it listens on loopback only, on clusters too, and reports to nobody.
os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0")

CLIPS = Path(__file__).parent.parent.parent / "shared" / "data" / "clips"


_ended = pytest.StashKey[int]()


def pytest_configure() -> None:
    cv2.setNumThreads(1)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_ended] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here, with all said: native threads of libraries once crashed in Python's own ending."""
    if hasattr(config, "workerinput") or _ended not in config.stash:
        return  # who runs tests for another process ends with it
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(config.stash[_ended])


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # two threads that wait for each other cost more than one


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of real clips; the test is skipped where it is not."""
    if not CLIPS.is_dir():
        pytest.skip("the real clips are not beside the checkout")
    return CLIPS


@pytest.fixture(scope="session")
def s3_service() -> Iterator[str]:
    """Address of an S3 service on loopback, with the bucket ``films``."""
    with s3_server.serving() as address:
        s3_server.make_bucket(address, "films")
        yield address


@pytest.fixture
def s3_folder(
    s3_service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObjectPath]:
    """A place of its own in the bucket, which this process can reach; nothing is in it."""
    for name, value in s3_server.environment(s3_service).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REELBRUSH_CACHE", str(tmp_path / "cache"))
    s3_client.again()
    yield ObjectPath("s3:", "films", tmp_path.name)
    s3_client.again()
