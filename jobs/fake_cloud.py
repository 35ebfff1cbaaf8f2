"""A cloud on one machine: Ray's autoscaler, and machines that are processes, come and go.

GPUs are those that Ray is told of. Ray's own ``AutoscalingCluster`` does the same for Ray's tests,
but ends every Ray of the machine first, and needs a file that the wheel of 2.60 leaves out; the
provider of fake machines, which is there, is the same.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import psutil

from pipeline.errors import ClusterFailed

if TYPE_CHECKING:
    from ray.autoscaler.v2.schema import NodeInfo, ResourceUsage

_HEAD = "ray.head.default"
_HEAD_ID = "fffffffffffffffffffffffffffffffffffffffffffffffffff00000"
"""As Ray's provider of fake machines calls its own head."""
_MAPS = ("auth", "docker", "file_mounts")
_LISTS = (
    "initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands",
    "head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files",
    "rsync_exclude", "rsync_filter",
)  # fmt: skip
"""Which a cloud of no machines leaves empty."""
_MACHINES = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
_STORE = 80 << 20
_UP = 120.0
"""Seconds for the head to come up, at most."""


@dataclass(frozen=True, slots=True)
class MachineType:
    """A type of machine that may come."""

    name: str
    cores: int
    gpus: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The cloud at a moment, as Ray's autoscaler tells of it."""

    at: float
    """seconds since the watch began"""
    machines: int
    """with GPUs, that are up"""
    idle: int
    """of them, with nobody on their GPUs"""
    coming: int
    """with GPUs, that are being started"""
    wanted: int
    """GPUs that stylizers wait for"""

    def same(self, other: "Seen") -> bool:
        """Whether nothing but time has passed."""
        return {**asdict(self), "at": 0} == {**asdict(other), "at": 0}


class FakeCloud:
    """A head without work; machines come when something waits for them and go when they idle."""

    def __init__(self, types: Sequence[MachineType], *, idle_s: float) -> None:
        """Say which machines may come, and after how many idle seconds they go."""
        self._types, self._idle_s = types, idle_s
        self._folder = Path(tempfile.mkdtemp(prefix="cloud-"))
        self._port = _free_port()
        self._head: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the head listens."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        config = self._folder / "cloud.json"
        config.write_text(json.dumps(self._config()), encoding="utf-8")
        words = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *(f"--port={self._port}", "--node-ip-address=127.0.0.1", "--num-cpus=0"),
            *("--num-gpus=0", f"--object-store-memory={_STORE}", "--include-dashboard=false"),
            *(f"--autoscaling-config={config}", f"--temp-dir={self._folder / 'ray'}"),
            *("--min-worker-port=0", "--max-worker-port=0"),
            "--dashboard-agent-listen-port=0",
        ]
        with (self._folder / "said").open("wb") as said:
            self._head = subprocess.Popen(
                words, env=self._environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._head is not None and self._head.poll() is None:
            self._end(psutil.Process(self._head.pid))
            self._head.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def look(self, began: float) -> Seen:
        """Ask the autoscaler; ``began`` is of the monotonic clock."""
        from ray.autoscaler.v2.sdk import get_cluster_status

        status = get_cluster_status(self.address)
        with_gpus = {one.name for one in self._types if one.gpus}
        up = [
            {one.resource_name: one.used for one in _usage(node)}
            for node in (*status.active_nodes, *status.idle_nodes)
            if node.ray_node_type_name in with_gpus
        ]
        demands = status.resource_demands.ray_task_actor_demand
        return Seen(
            at=round(time.monotonic() - began, 1),
            machines=len(up),
            idle=sum(not used.get("GPU") for used in up),
            coming=sum(node.ray_node_type_name in with_gpus for node in status.pending_nodes)
            + sum(
                one.count for one in status.pending_launches if one.ray_node_type_name in with_gpus
            ),
            wanted=sum(
                each.count
                for demand in demands
                for each in demand.bundles_by_count
                if each.bundle.get("GPU")
            ),
        )

    def _config(self) -> Mapping[str, object]:
        kinds: dict[str, object] = {
            one.name: {
                "resources": {
                    "CPU": one.cores,
                    **({"GPU": one.gpus} if one.gpus else {}),
                    "object_store_memory": _STORE,
                },
                "node_config": {},
                "min_workers": one.least,
                "max_workers": one.most,
            }
            for one in self._types
        }
        kinds[_HEAD] = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
        nothing: dict[str, object] = {**{name: {} for name in _MAPS}, **{n: [] for n in _LISTS}}
        return {
            **nothing,
            "cluster_name": "fake",
            "max_workers": sum(one.most for one in self._types),
            "upscaling_speed": 1.0,
            "idle_timeout_minutes": self._idle_s / 60,
            "file_mounts_sync_continuously": False,
            "provider": {
                "type": "external",
                "module": _MACHINES,
                "disable_node_updaters": True,
                "launch_multiple": True,
                "head_node_id": _HEAD_ID,
                "gcs_address": self.address,
            },
            "available_node_types": kinds,
            "head_node_type": _HEAD,
        }

    @staticmethod
    def _environment() -> dict[str, str]:
        return os.environ | {
            "AUTOSCALER_UPDATE_INTERVAL_S": "1",
            "RAY_FAKE_CLUSTER": "1",
            "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": _HEAD_ID,
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": _HEAD_ID,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # else workers starve beside whatever else runs
        }

    def _wait(self) -> None:
        """Until the autoscaler has said what there is.

        Raises:
            ClusterFailed: If it never does.
        """
        until = time.monotonic() + _UP
        while time.monotonic() < until:
            with suppress(Exception):
                # Ray's own client waits 40 s for who is not there yet
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
                if self._ready():
                    return
            if self._head is not None and self._head.poll() is not None:
                break
            time.sleep(1.0)
        said = (self._folder / "said").read_text("utf-8", errors="replace").strip()
        self.__exit__(None, None, None)
        last = " ".join(said.splitlines()[-12:]) or "it says nothing"
        raise ClusterFailed(f"the head of the fake cloud does not start: {last}")

    def _ready(self) -> bool:
        """Whether the machines that are always there have come."""
        from ray.autoscaler.v2.sdk import get_cluster_status

        status = get_cluster_status(self.address)
        least = sum(one.least for one in self._types)
        return len(status.active_nodes) + len(status.idle_nodes) >= 1 + least

    @staticmethod
    def _end(head: psutil.Process) -> None:
        """End the head and all that came of it; nobody else's."""
        family = [head]
        with suppress(psutil.Error):
            family += head.children(recursive=True)
        for one in family:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(family[1:], timeout=10)


def _usage(node: "NodeInfo") -> list["ResourceUsage"]:
    return node.resource_usage.usage if node.resource_usage else []


def _free_port() -> int:
    """A port that nobody listens on, out of the range from which Ray takes its workers'."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
