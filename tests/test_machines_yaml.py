"""The file for machines of one's own: Ray's code takes it, and what a job relies on is in it."""

import shlex
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from launcher import Cluster, prepared, read, variables

ROOT = Path(__file__).parent.parent
PLACEHOLDERS = ip_network("192.0.2.0/24")  # RFC 5737: nobody's machines


@pytest.fixture
def cluster() -> Cluster:
    """The file as a person writes it."""
    return read("deploy/machines.yaml")


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cluster], Cluster]:
    """What Ray's launcher makes of a file."""
    return partial(prepared, patch=monkeypatch)


def starts(cluster: Cluster) -> tuple[str, str]:
    """The commands that start Ray on the head and on a worker."""
    head, worker = cluster["head_start_ray_commands"], cluster["worker_start_ray_commands"]
    return head[-1], worker[-1]


def test_ray_takes_the_file_and_starts_every_worker(
    cluster: Cluster, prepare: Callable[[Cluster], Cluster]
) -> None:
    prepared = prepare(cluster)
    (kind,) = prepared["available_node_types"].values()
    workers = len(cluster["provider"]["worker_ips"])
    assert (kind["min_workers"], kind["max_workers"]) == (workers, workers)
    assert prepared["worker_setup_commands"] == cluster["setup_commands"]


@pytest.mark.parametrize(
    "broken",
    [
        {"head_start_ray_command": ["ray stop"]},
        {"file_mounts_sync_continuously": "no"},
        {"auth": {"user": "reelbrush"}},
        {"rsync_exclude": "__pycache__"},
        {"worker_start_ray_commands": "ray stop"},
    ],
)
def test_ray_refuses_a_broken_copy(
    cluster: Cluster, prepare: Callable[[Cluster], Cluster], broken: Cluster
) -> None:
    from jsonschema import ValidationError  # type: ignore[import-untyped]

    with pytest.raises(ValidationError):
        prepare(cluster | broken)


def test_ray_refuses_a_copy_without_addresses(
    cluster: Cluster, prepare: Callable[[Cluster], Cluster]
) -> None:
    from click import ClickException

    del cluster["provider"]["worker_ips"]
    with pytest.raises(ClickException):
        prepare(cluster)


def test_addresses_are_placeholders(cluster: Cluster) -> None:
    provider = cluster["provider"]
    addresses = [provider["head_ip"], *provider["worker_ips"]]
    assert len(set(addresses)) == len(addresses) >= 3
    assert all(ip_address(address) in PLACEHOLDERS for address in addresses)


def test_a_lost_node_is_given_up_in_seconds(cluster: Cluster) -> None:
    from ray._raylet import Config  # type: ignore[attr-defined]

    head, _ = starts(cluster)
    checks = {
        name.removeprefix("RAY_"): int(value)
        for name, value in variables(head).items()
        if name.startswith("RAY_health_check_")
    }
    assert all(hasattr(Config, name) for name in checks)
    assert checks["health_check_failure_threshold"] == 5
    refused = checks["health_check_failure_threshold"] * checks["health_check_period_ms"]
    silent = refused + checks["health_check_failure_threshold"] * checks["health_check_timeout_ms"]
    assert (refused, silent) == (5000, 15000)


def test_every_node_asks_for_the_token_and_gets_it(cluster: Cluster) -> None:
    assert all(variables(start)["RAY_AUTH_MODE"] == "token" for start in starts(cluster))
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


def test_nothing_is_reported_to_others_and_tasks_have_one_thread(cluster: Cluster) -> None:
    head, worker = starts(cluster)
    assert variables(head)["RAY_USAGE_STATS_ENABLED"] == "0"
    assert variables(worker)["RAY_USAGE_STATS_ENABLED"] == "0"
    assert variables(worker)["OMP_NUM_THREADS"] == "1"


def test_the_head_starts_the_workers_at_its_own_port(cluster: Cluster) -> None:
    head, worker = starts(cluster)
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in shlex.split(head)
    assert variables(head)["RAY_enable_autoscaler_v2"] == "0"
    assert "--port=6379" in shlex.split(head)
    assert "--address=$RAY_HEAD_IP:6379" in shlex.split(worker)


def test_nodes_get_all_that_the_environment_is_made_of(cluster: Cluster) -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    files = {project["project"]["readme"], *project["project"]["license-files"]}
    needed = packages | files | {"Makefile", "pyproject.toml", "requirements.lock"}
    mounts = cluster["file_mounts"]
    assert needed == {mount for mount in mounts.values() if not mount.startswith("~")}
    assert all(mounts[f"~/reelbrush/{name}"] == name for name in needed)
    assert all((ROOT / name).exists() for name in needed)
