"""A Ray to work on: one of our own for one job, or a cluster that is there already.

``address="local"`` always begins a new one: a plain ``ray.init`` can find the address file of a
cluster that has died and wait for it. Our own listens on loopback, sends no usage statistics, and
ends with the job, or with this process however that ends.
"""

import atexit
import contextlib
import logging
import os
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil

from jobs import secret
from jobs.luggage import ENVIRONMENT, luggage
from pipeline.errors import BadRequest, ClusterFailed, NodeLost
from pipeline.forecast import Needs

_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Where this is 0, on Linux too, Ray takes 127.0.0.1 for the machine's address and listens there
only; it turns a ``_node_ip_address`` of 127.0.0.1 into one that others can reach."""
_CONTAINER = Path("/sys/fs/cgroup")
_SHARE = 0.8
"""Of the memory that is free when a job begins."""
_STORE = 0.5
"""Of a cluster's object stores; the rest is Ray's, and others'."""
_SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 5,
}


@dataclass(frozen=True, slots=True)
class Machines:
    """Where to work, as a person chose it; None leaves the choice to us."""

    workers: int | None = None
    """cores to use"""
    memory: int | None = None
    """bytes, of all processes together"""
    gpus: int | None = None
    address: str | None = None
    """of a running cluster; None starts Ray here"""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Ray that runs."""

    machines: Machines
    store: int
    """bytes that pieces of chunks may take in the object stores together"""
    raylet: psutil.Process | None = None
    """of our own Ray"""

    def check(self) -> None:
        """Make sure that our own Ray still runs: where it does not, it soon ends this process.

        Raises:
            NodeLost: If it does not.
        """
        if self.raylet is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            if self.raylet.status() != psutil.STATUS_ZOMBIE:
                return
        raise NodeLost("Ray on this machine died; the same command goes on from here")

    @property
    def local(self) -> bool:
        """Whether this Ray is our own."""
        return self.machines.address is None

    def cores(self) -> int:
        """Cores to use, of all machines that are alive now."""
        return self._now("CPU", self.machines.workers)

    def gpus(self) -> int:
        """GPUs to use, of all machines that are alive now."""
        return self._now("GPU", self.machines.gpus)

    def nodes(self) -> list[str]:
        """Ray's ids of the machines with cores that are alive now."""
        return sorted(str(node["NodeID"]) for node in _working())

    def stores(self) -> dict[str, int]:
        """Bytes that pieces of chunks may take on each machine with cores that is alive now."""
        return {
            str(node["NodeID"]): int(_STORE * node["Resources"].get("object_store_memory", 0))
            for node in _working()
        }

    @staticmethod
    def _now(kind: str, most: int | None) -> int:
        here = int(_resources().get(kind, 0))
        return here if most is None else min(here, most)


def parse_bytes(text: str) -> int:
    """Read an amount of memory.

    >>> parse_bytes("1.5G") == 3 * 2**29
    True
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    if not found:
        raise BadRequest(f"--memory: an amount like 6G or 800M, got {text!r}")
    return int(float(found[1]) * 1024 ** ("KMGT".index(found[2].upper()) + 1))


def share_out(machines: Machines, needs: Needs, *, cores: int) -> tuple[int, int]:
    """Divide a machine's memory: how many workers, and how many bytes for the object store.

    Raises:
        BadRequest: If the memory that was given does not do for one worker.
    """
    memory = machines.memory if machines.memory is not None else int(_SHARE * _free())
    wanted = machines.workers or cores
    for workers in range(wanted, 0, -1):
        spare = memory - needs.base - workers * needs.worker
        if spare >= needs.chunk:
            return workers, min(spare, (workers + 2) * needs.chunk)
    least = needs.base + needs.worker + needs.chunk
    raise BadRequest(
        f"a film of this size needs about {least / 2**20:.0f} MiB of memory, "
        f"{memory / 2**20:.0f} MiB are " + ("allowed" if machines.memory else "free")
    )


def prepare(machines: Machines) -> None:
    """Set what Ray reads when it is imported; what a person has set stays."""
    os.environ.update(ENVIRONMENT)
    if machines.address is None:
        os.environ.setdefault(_LOOPBACK, "0")
    secret.choose(local=machines.address is None)


@contextlib.contextmanager
def running(machines: Machines, needs: Needs, *, cores: int) -> Iterator[Engine]:
    """Start or join Ray, and leave it at the end.

    Raises:
        ClusterFailed: If it does not start, or no cluster answers.
        BadRequest: If the memory does not do.
    """
    if machines.address and machines.memory is not None:
        raise BadRequest("--memory is for a Ray of our own; a cluster's nodes have what they have")
    workers, store = (0, 0) if machines.address else share_out(machines, needs, cores=cores)
    prepare(machines)
    import ray

    try:
        if machines.address:
            _join(machines.address)
        else:
            _start(workers, machines.gpus, store)
        if machines.address:
            store = int(_STORE * _resources().get("object_store_memory", 0))
        yield Engine(machines, store, None if machines.address else _raylet())
    except NodeLost:
        atexit.unregister(ray.shutdown)  # it would end this process before it can say why
        raise
    except BaseException:
        _stop()
        raise
    else:
        _stop()


def _raylet() -> psutil.Process | None:
    children = psutil.Process().children()
    return next((child for child in children if "raylet" in child.name()), None)


def _stop() -> None:
    import ray

    with contextlib.suppress(Exception):
        ray.shutdown()
    secret.forget()


def _start(workers: int, gpus: int | None, store: int) -> None:
    try:
        _init(
            address="local",
            num_cpus=workers,
            num_gpus=gpus,
            object_store_memory=max(store, 80 << 20),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            _system_config=dict(_SYSTEM),  # Ray adds to it
        )
    except Exception as error:
        raise ClusterFailed(f"Ray does not start here: {_line(error)}") from error


def _join(address: str) -> None:
    try:
        _init(
            address=address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env=luggage(),
        )
    except Exception as error:
        raise ClusterFailed(f"no Ray cluster answers at {address}: {_line(error)}") from error


def _init(**options: object) -> None:
    """Start or join Ray on a thread of its own.

    There it leaves SIGTERM to us, and who interrupts us has to wait until it is up: half of it
    would take this process with it, or stay behind. The thread stays: Linux ends Ray's processes
    with the thread that began them, not with the process.
    """
    import ray

    failures: list[BaseException] = []
    up = threading.Event()

    def live() -> None:
        try:
            cast("Any", ray.init)(**options)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is heard
            failures.append(error)
        up.set()
        threading.Event().wait()

    threading.Thread(target=live, name="ray", daemon=True).start()
    try:
        up.wait()
    except KeyboardInterrupt:
        up.wait()
        raise
    finally:
        if threading.current_thread() is threading.main_thread():  # its C++ has taken SIGTERM
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)
    if failures:
        raise failures[0]


def _resources() -> dict[str, float]:
    import ray

    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def _working() -> list[dict[str, Any]]:
    """Machines with cores that are alive now, as Ray describes them."""
    import ray

    every = ray.nodes()  # type: ignore[no-untyped-call]
    return [n for n in every if n["Alive"] and n["Resources"].get("CPU", 0) >= 1]


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux tells
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free() -> int:
    """Bytes of memory that can be had here now, in a container its share."""
    free = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        limit, used = (int((_CONTAINER / n).read_text()) for n in ("memory.max", "memory.current"))
        free = min(free, limit - used)
    return free
