"""A cluster on loopback, from submitting a batch to its films: the commands as people give them.

The cluster is a process of its own that ends when its standard input does, and so with this one.
It lets in who has its token, and its jobs run as they do anywhere, with the code that travels.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import Ended, command
from films import make_film, texture
from pipeline.media.container import read_film

pytestmark = pytest.mark.ray

CLUSTER = """
import sys
from ray._private.node import Node
from ray._private.parameter import RayParams
from ray._private.utils import write_ray_address

port, folder = int(sys.argv[1]), sys.argv[2]
node = Node(
    RayParams(
        num_cpus=1, num_gpus=0, object_store_memory=100 << 20, include_log_monitor=False,
        include_dashboard=True, dashboard_host="127.0.0.1", dashboard_port=port,
        dashboard_agent_listen_port=0, min_worker_port=0, max_worker_port=0, temp_dir=folder,
    ),
    head=True,
)
write_ray_address(node.gcs_address, folder)
print("up", flush=True)
sys.stdin.read()
node.kill_all_processes(check_alive=False, allow_graceful=True)
"""
"""``ray.init`` would do, but that the port of its agent is everybody's."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it is, and what lets one in."""

    address: str
    token: str


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head with one core; Ray gives one up that a busy machine keeps from coming up in 30 s."""
    token = secrets.token_hex(32)
    for _ in range(_TRIES):
        with (
            tempfile.TemporaryDirectory(
                prefix="rb", dir="/tmp", ignore_cleanup_errors=True
            ) as folder,
            _begun(token, Path(folder)) as address,
        ):
            if address is not None:
                yield Cluster(address, token)
                return
    pytest.fail("no cluster comes up")


@contextmanager
def _begun(token: str, folder: Path) -> Iterator[str | None]:
    """A head in a process of its own, by its address; None if it does not come up."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    found = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "AWS_"))}
    environment = found | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_NUM_REDIS_GET_RETRIES": "120",
        "RAY_worker_niceness": "0",
        "AWS_SECRET_ACCESS_KEY": KEY,
    }
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER, str(port), str(folder)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{port}" if process.stdout.readline() == "up\n" else None
        finally:
            process.stdin.close()
            process.wait(60)


_TRIES = 3
KEY = "a-key-of-an-object-store-that-nobody-is-shown"
"""Of an object store, as the cluster's machines have it."""
Says = Callable[..., Ended]


@pytest.fixture
def says(
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Says:
    """Gives a command about the cluster."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", cluster.address)

    def saying(*words: object, token: str = cluster.token) -> Ended:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
        return command(*words, patch=monkeypatch, capfd=capfd)

    return saying


def test_who_has_no_token_or_another_one_is_told_what_to_do(says: Says) -> None:
    for token, said in (
        ("", "lets in who has its token, and there is none here"),
        ("f" * 64, "does not take the token that is here"),
    ):
        ended = says("status", token=token)
        assert ended.code == 6
        assert said in ended.err
        assert "ray get-auth-token" in ended.err
        assert "f" * 64 not in ended.out + ended.err


def test_a_batch_is_submitted_paused_resumed_and_done_and_knows_itself_again(
    says: Says, cluster: Cluster, tmp_path: Path
) -> None:
    make_film(tmp_path / "one.mkv", texture(8, (64, 48)), codec="ffv1")
    job = tmp_path / "night.yaml"
    job.write_text(
        "schema: reelbrush/v1\ndefaults: {style: adele, codec: ffv1}\n"
        f"films:\n- {{source: {tmp_path}/one.mkv}}\nwork: {tmp_path}/work\n"
    )
    assert says("status").out.startswith("no batch was submitted to http://127.0.0.1:")

    begun = says("submit", job, "--no-wait")
    assert begun.code == 0, begun.err
    assert "films do not travel" in begun.out
    (name,) = (one["id"] for one in json.loads(says("status", "--json").out))
    assert name.endswith("-1")
    paused = says("pause", job)
    assert paused.code == 0, paused.err
    _wait(lambda: _seen(says, job).get("run") is not None)
    _wait(lambda: (_seen(says, job).get("standing") or {}).get("paused") is True)
    table = says("status", job).out
    assert name in table
    assert "asked to pause" in table
    assert not (tmp_path / "one.painted.mkv").exists()

    assert says("resume", name).code == 0
    again = says("submit", job, "--follow")
    assert again.code == 0, again.out + again.err
    assert f"{name} runs already" in again.out
    assert f"{name} done" in again.out
    assert read_film(tmp_path / "one.painted.mkv").frames == 8
    over = says("submit", job)
    assert over.code == 0
    assert f"{name} is done: 1 films" in over.out
    assert says("pause", job).code == 2
    assert "does not run: done" in says("cancel", job).out
    log = says("logs", name)
    assert "1 film: 1 done" in log.out
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    told = (log.out + again.out + says("status", "--json").out).encode()
    for secret in (cluster.token, KEY):
        assert not any(secret.encode() in one for one in [*written, told])


def _seen(says: Says, job: Path) -> dict[str, Any]:
    found = json.loads(says("status", job, "--json").out)
    assert isinstance(found, dict)
    assert found["state"] in ("pending", "running"), found
    return found


def _wait(come: Callable[[], bool], *, seconds: float = 300.0) -> None:
    until = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < until, "it does not come"
        time.sleep(0.5)
