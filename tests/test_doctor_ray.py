"""The doctor on a cluster: every node answers for itself, and one that cannot is not waited for."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from jobs.doctor import examine
from jobs.doctor_cli import rows
from jobs.engine import Machines
from jobs.proof import prove
from pipeline.errors import ClusterFailed

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """No token and no niceness in all that this process starts; all is as it was afterwards."""
    with patch.dict(os.environ, {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}):
        import ray

        config: Any = vars(ray._raylet)["Config"]
        config.initialize("")  # Ray reads its environment when it is imported
        yield
    config.initialize("")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores, and a node with a core and a GPU that only Ray believes in."""
    from ray.cluster_utils import Cluster

    patient = {"health_check_failure_threshold": 100}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": patient}
    made: Any = Cluster(initialize_head=True, head_node_args=head)
    made.add_node(num_cpus=1, num_gpus=1)
    yield made
    made.shutdown()


def test_every_node_is_examined_and_proves_that_it_shares_the_folder(
    cluster: Any, tmp_path: Path
) -> None:
    source = tmp_path / "film.mkv"
    source.write_bytes(b"film")
    found = examine(cluster.address, source=source, work=tmp_path, seconds=300)
    head, worker = found.nodes
    assert (head.head, head.cores, worker.head, worker.cores) == (True, 0, False, 1)
    states = {(verdict.check, verdict.node): verdict.state for verdict in found.verdicts}
    alike = ("answers", "Python", "versions", "sources", "clock", "source", "work folder")
    assert all(states[check, node.name] == "ok" for check in alike for node in found.nodes), states
    assert states["token", head.name] == "warning"
    assert ("GPUs", head.name) not in states
    assert states["GPUs", worker.name] == "failed"
    assert ("work folder", "ok", "all 2", "read and written both ways", "") in rows(found.verdicts)
    assert list(tmp_path.iterdir()) == [source]


def test_every_node_proves_what_a_batch_needs_or_is_told_of_in_a_line(
    cluster: Any, tmp_path: Path
) -> None:
    source, work = tmp_path / "film.mkv", tmp_path / "new" / "work"
    source.write_bytes(b"film")
    machines = Machines(address=cluster.address)
    assert prove(machines, sources=[source], folders=[work, tmp_path], seconds=300) == 2
    assert list(work.iterdir()) == []
    gone = tmp_path / "gone.mkv"
    with pytest.raises(ClusterFailed) as caught:
        prove(machines, sources=[source, gone], folders=[work], seconds=300)
    first, *nodes = str(caught.value).splitlines()
    assert first.startswith("2 of 2 nodes do not see what the batch needs; nothing was painted")
    assert all(f": cannot read {gone} (No such file or directory)" in line for line in nodes)
    assert len(nodes) == 2


def test_a_node_that_does_not_answer_is_not_waited_for(cluster: Any) -> None:
    (node,) = cluster.worker_nodes
    raylet = node.all_processes["raylet"][0].process.pid
    os.kill(raylet, signal.SIGSTOP)
    began = time.monotonic()
    try:
        found = examine(cluster.address, source=None, work=None, seconds=15)
    finally:
        os.kill(raylet, signal.SIGCONT)
    _, worker = found.nodes
    assert (worker.vitals, worker.problem) == (None, "no answer in 15 s")
    assert time.monotonic() - began < 90
