"""Several nodes of Ray on one machine, with GPUs that only Ray believes in: for benchmarks.

What runs on them is real: processes, object stores, the network between them, and their deaths.
Each node has a folder of its own, as on a machine of its own: in a shared one a node that starts
unpacks the code anew, under the feet of all workers.
Ray's own tests are made with the same, private, class.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self, cast

import psutil

from actors.stylizer import Hire, hire_for
from pipeline.errors import ClusterFailed
from pipeline.media.container import Film
from pipeline.paint.styles import load_code
from pipeline.recipe import Recipe

QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""How soon the dead are noticed where nothing is measured that depends on it."""
AS_SHIPPED = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 5,
}
"""As cluster.yaml has it."""

_TRIES = 3


class Raylets:
    """A head without work, and so many nodes."""

    def __init__(
        self,
        count: int,
        *,
        cores: int = 1,
        gpus: int = 0,
        health: Mapping[str, int] = QUICK,
    ) -> None:
        """Say how many nodes, what each has, and how Ray looks for the dead."""
        self._count, self._cores, self._gpus = count, cores, gpus
        self._health = dict(health)
        self._cluster: Any = None
        self._number = 0

    def __enter__(self) -> Self:
        """Start all.

        Raises:
            ClusterFailed: If a node does not start.
        """
        self._folder = TemporaryDirectory(prefix="reel", dir="/tmp")  # sockets have short names
        self._patiently(self._start_head)
        try:
            self.fill_up()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cluster.shutdown()
        with suppress(OSError):  # an agent that ends late may still write
            self._folder.cleanup()

    @property
    def address(self) -> str:
        """Where the head listens."""
        return str(self._cluster.address)

    def fill_up(self) -> None:
        """Start what is missing of the nodes.

        Raises:
            ClusterFailed: If one does not start.
        """
        self._patiently(self._add_missing)

    def pids(self) -> list[int]:
        """The nodes' raylets that live."""
        found = []
        for node in list(self._cluster.worker_nodes):
            process = node.all_processes["raylet"][0].process
            if process.poll() is None:
                found.append(int(process.pid))
            else:
                self._cluster.remove_node(node, allow_graceful=False)
        return found

    def strangers(self) -> list[int]:
        """Raylets that can die without this process: it hangs on one of them."""
        import ray

        own = getattr(
            cast("Any", ray)._private.worker.global_worker.node, "_raylet_socket_name", ""
        )
        return [
            pid
            for pid in self.pids()
            if f"--raylet_socket_name={own}" not in psutil.Process(pid).cmdline()
        ]

    def _start_head(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": self._health}
        self._cluster = cast("Any", Cluster)(initialize_head=True, head_node_args=head)

    def _add_missing(self) -> None:
        for _ in range(self._count - len(self.pids())):
            self._number += 1
            self._cluster.add_node(
                num_cpus=self._cores,
                num_gpus=self._gpus,
                temp_dir=str(Path(self._folder.name) / str(self._number)),
            )

    def _patiently(self, start: Callable[[], None]) -> None:
        """Try again and again: Ray gives a node half a minute, and a busy machine needs more."""
        for left in reversed(range(_TRIES)):
            try:
                start()
            except Exception as error:
                self._end_halves()
                if not left:
                    raise ClusterFailed(f"a node of Ray does not start: {error}") from error
            else:
                return

    def _end_halves(self) -> None:
        """End what has been started and belongs to no node."""
        known = set(self.pids()) if self._cluster is not None else set()
        if self._cluster is not None:
            every = self._cluster.head_node.all_processes.values()
            known |= {one.process.pid for processes in every for one in processes}
        for child in psutil.Process().children():
            with suppress(psutil.Error):
                if child.name() in ("raylet", "gcs_server") and child.pid not in known:
                    child.kill()


def hire_cpu(film: Film, recipe: Recipe) -> Hire:
    """The real painter on the CPU, also where Ray believes in a GPU."""
    return hire_for(recipe, load_code(recipe.style), film.size, device="cpu", threads=1)
