"""The cluster file for a cloud: Ray's own code takes it, and the rest of the house agrees."""

import re
import shlex
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jobs.engine import _SYSTEM
from jobs.luggage import ENVIRONMENT
from launcher import Cluster, prepared, read, variables

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture
def cluster() -> Cluster:
    """The file as a person writes it."""
    return read("cluster.yaml")


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch) -> Callable[[Cluster], Cluster]:
    """What Ray's launcher makes of a file."""
    return partial(prepared, patch=monkeypatch)


def options(command: str) -> list[str]:
    """Words of the last command of a line."""
    return shlex.split(command.rpartition(";")[2])


def workers(cluster: Cluster) -> dict[str, Any]:
    """The kinds of machines that work."""
    kinds: dict[str, Any] = cluster["available_node_types"]
    return {name: kind for name, kind in kinds.items() if name != cluster["head_node_type"]}


def spot(kind: dict[str, Any]) -> bool:
    """Whether a kind of machine may be taken away."""
    market = kind["node_config"].get("InstanceMarketOptions", {})
    return bool(market.get("MarketType") == "spot")


def test_ray_takes_the_file(cluster: Cluster, prepare: Callable[[Cluster], Cluster]) -> None:
    prepared = prepare(cluster)
    assert prepared["available_node_types"].keys() == cluster["available_node_types"].keys()
    for name in ("head_setup_commands", "worker_setup_commands"):
        assert prepared[name] == cluster["setup_commands"], "Ray would add some of its own"


@pytest.mark.parametrize(
    "broken",
    [
        {"head_node_types": "head"},
        {"idle_timeout_minutes": "five"},
        {"docker": {"image": "x", "container_name": "reelbrush", "images": "x"}},
        {"available_node_types": {"head": {"node_config": {}}}},
        {"available_node_types": {"head": {"node_config": {}, "resources": {"CPU": "0"}}}},
        {"initialization_commands": "true"},
    ],
)
def test_ray_refuses_a_broken_copy(
    cluster: Cluster, prepare: Callable[[Cluster], Cluster], broken: Cluster
) -> None:
    from jsonschema import ValidationError  # type: ignore[import-untyped]

    with pytest.raises(ValidationError):
        prepare(cluster | broken)


def test_ray_refuses_more_machines_than_it_may_have(
    cluster: Cluster, prepare: Callable[[Cluster], Cluster]
) -> None:
    cluster["available_node_types"]["cpu"]["min_workers"] = cluster["max_workers"] + 1
    with pytest.raises(ValueError, match="max_workers"):
        prepare(cluster)


def test_the_head_does_no_steps(cluster: Cluster) -> None:
    head = cluster["available_node_types"][cluster["head_node_type"]]
    assert head["resources"] == {"CPU": 0, "GPU": 0}
    assert head["min_workers"] == head["max_workers"] == 0
    assert not spot(head)
    start = options(cluster["head_start_ray_commands"][-1])
    assert {"--head", "--num-cpus=0", "--num-gpus=0"} <= set(start)


def test_workers_are_spot_and_on_demand_with_gpus_and_cpus_alone(cluster: Cluster) -> None:
    kinds = workers(cluster).values()
    found = {(kind["resources"].get("GPU", 0), spot(kind)) for kind in kinds}
    assert found == {(1, True), (1, False), (0, True)}
    assert all(kind["resources"]["CPU"] > 0 for kind in kinds)


def test_spot_machines_are_asked_for_first(cluster: Cluster) -> None:
    gpus = [kind for kind in workers(cluster).values() if "GPU" in kind["resources"]]
    first, last = sorted(gpus, key=spot, reverse=True)
    assert first["priority"] > last["priority"]
    assert first["node_config"]["InstanceType"] == last["node_config"]["InstanceType"]


def test_the_cluster_grows_from_nothing_within_limits_and_goes_when_idle(cluster: Cluster) -> None:
    kinds = workers(cluster).values()
    assert all(kind["min_workers"] == 0 for kind in kinds)
    assert sum(kind["max_workers"] for kind in kinds) == cluster["max_workers"]
    assert 1 <= cluster["idle_timeout_minutes"] <= 15
    assert cluster["provider"]["cache_stopped_nodes"] is False


def test_a_lost_node_is_given_up_as_soon_as_by_a_ray_of_our_own(cluster: Cluster) -> None:
    from ray._raylet import Config  # type: ignore[attr-defined]

    flags = {
        name.removeprefix("RAY_"): int(value)
        for name, value in variables(cluster["head_start_ray_commands"][-1]).items()
        if name.startswith("RAY_health_check_")
    }
    assert flags == _SYSTEM
    assert all(hasattr(Config, name) for name in flags)
    assert flags["health_check_period_ms"] * flags["health_check_failure_threshold"] == 5000


def test_workers_have_the_environment_of_a_ray_of_our_own(cluster: Cluster) -> None:
    given = variables(cluster["worker_start_ray_commands"][-1])
    assert given["RAY_AUTH_MODE"] == "token"
    assert given.items() - {("RAY_AUTH_MODE", "token")} <= ENVIRONMENT.items()
    assert {"OMP_NUM_THREADS", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"} <= given.keys()


def test_every_node_asks_for_the_token_and_gets_it(cluster: Cluster) -> None:
    for role in ("head", "worker"):
        start = variables(cluster[f"{role}_start_ray_commands"][-1])
        assert start["RAY_AUTH_MODE"] == "token"
        assert start["RAY_USAGE_STATS_ENABLED"] == "0"
    assert cluster["file_mounts"] == {"~/.ray/auth_token": "~/.ray/auth_token"}
    assert "chmod 600 ~/.ray/auth_token" in cluster["setup_commands"]


def test_the_head_starts_the_workers_at_its_own_port_and_is_open_to_nobody_else(
    cluster: Cluster,
) -> None:
    head = options(cluster["head_start_ray_commands"][-1])
    assert "--port=6379" in head
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in head
    assert not any(word.startswith("--dashboard-host") for word in head)
    assert "--address=$RAY_HEAD_IP:6379" in options(cluster["worker_start_ray_commands"][-1])


def test_every_machine_mounts_the_shared_folder_and_gives_it_to_its_container(
    cluster: Cluster,
) -> None:
    mounting = " ".join(cluster["initialization_commands"])
    assert "mount -t nfs4" in mounting
    assert cluster["provider"]["region"] in mounting
    assert "--volume /srv/films:/srv/films" in cluster["docker"]["run_options"]
    (check,) = [line for line in cluster["setup_commands"] if line.startswith("reelbrush doctor")]
    assert "--work /srv/films/" in check


def test_images_are_those_of_the_dockerfile_in_this_version(cluster: Cluster) -> None:
    targets = re.findall(r"^FROM .* AS (\w+)$", (ROOT / "deploy/Dockerfile").read_text(), re.M)
    images = {"cpu": cluster["docker"]["image"]}
    for kind in workers(cluster).values():
        if "GPU" in kind["resources"]:
            images["cuda"] = kind["docker"]["worker_image"]
    assert {name: image.partition(":")[2] for name, image in images.items()} == {
        target: f"{VERSION}-{target}" for target in targets
    }
    for kind in workers(cluster).values():
        assert ("docker" in kind) == ("GPU" in kind["resources"])


def test_ids_are_nobodys(cluster: Cluster) -> None:
    text = (ROOT / "cluster.yaml").read_text()
    ids = re.findall(r"\b(?:ami|fs|sg|subnet)-([0-9a-f]+)\b", text)
    assert len(ids) >= 2
    assert all(int(found, 16) == 0 for found in ids)
    for image in (cluster["docker"]["image"], *re.findall(r"image: (\S+)", text)):
        assert re.fullmatch(r"yourname/reelbrush:[\w.-]+", image)
