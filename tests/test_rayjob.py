"""The manifest for Kubernetes: fields and types as KubeRay has them, and what a job relies on.

Names and types are those of KubeRay's resource RayJob, ray.io/v1 (its API reference, release 1.6),
and of Kubernetes' PodSpec, as far as the manifest uses them; what is not listed here is refused.
"""

import copy
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from jobs.cli import app
from jobs.doctor import locked
from jobs.engine import _SYSTEM
from jobs.jobfile_machines import Machines

ROOT = Path(__file__).parent.parent

Int32 = Annotated[int, Field(ge=0, lt=2**31)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
Quantity = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?(m|[KMGT]i?)?$")]


class Part(BaseModel):
    """Nothing that is unknown, and no number for a text."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel)


class Variable(Part):
    """Kubernetes: EnvVar with a value."""

    name: str
    value: str


class Port(Part):
    """Kubernetes: ContainerPort."""

    name: Annotated[str, StringConstraints(max_length=15)]
    container_port: Annotated[int, Field(gt=0, lt=65536)]


class Amounts(Part):
    """Kubernetes: ResourceRequirements."""

    requests: dict[str, Quantity]
    limits: dict[str, Quantity]


class Mount(Part):
    """Kubernetes: VolumeMount."""

    name: Label
    mount_path: str


class Container(Part):
    """Kubernetes: Container."""

    name: Label
    image: str
    env: list[Variable] = []
    ports: list[Port] = []
    resources: Amounts
    volume_mounts: list[Mount]


class Claim(Part):
    """Kubernetes: PersistentVolumeClaimVolumeSource."""

    claim_name: Label


class Empty(Part):
    """Kubernetes: EmptyDirVolumeSource."""

    medium: Literal["", "Memory"] = ""
    size_limit: Quantity


class Volume(Part):
    """Kubernetes: Volume."""

    name: Label
    persistent_volume_claim: Claim | None = None
    empty_dir: Empty | None = None


class User(Part):
    """Kubernetes: PodSecurityContext."""

    run_as_non_root: bool
    run_as_user: int
    run_as_group: int
    fs_group: int


class Toleration(Part):
    """Kubernetes: Toleration."""

    key: str
    operator: Literal["Exists", "Equal"]
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Pod(Part):
    """Kubernetes: PodSpec."""

    restart_policy: Literal["Always", "OnFailure", "Never"]
    security_context: User
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    containers: list[Container]
    volumes: list[Volume]


class Template(Part):
    """Kubernetes: PodTemplateSpec."""

    spec: Pod


class Head(Part):
    """KubeRay: HeadGroupSpec."""

    ray_start_params: dict[str, str]
    template: Template


class Group(Part):
    """KubeRay: WorkerGroupSpec."""

    group_name: Label
    replicas: Int32 = 0
    min_replicas: Int32
    max_replicas: Int32
    idle_timeout_seconds: Int32 | None = None
    ray_start_params: dict[str, str]
    template: Template


class Auth(Part):
    """KubeRay: AuthOptions."""

    mode: Literal["disabled", "token"]
    secret_name: Label


class Autoscaler(Part):
    """KubeRay: AutoscalerOptions."""

    version: Literal["v1", "v2"]
    upscaling_mode: Literal["Default", "Aggressive", "Conservative"]
    idle_timeout_seconds: Int32


class Cluster(Part):
    """KubeRay: RayClusterSpec."""

    ray_version: str
    auth_options: Auth
    enable_in_tree_autoscaling: bool
    autoscaler_options: Autoscaler
    head_group_spec: Head
    worker_group_specs: list[Group]


class Spec(Part):
    """KubeRay: RayJobSpec."""

    entrypoint: str
    entrypoint_num_cpus: float
    submission_mode: Literal["K8sJobMode", "HTTPMode", "InteractiveMode"] = "K8sJobMode"
    backoff_limit: Int32
    active_deadline_seconds: Annotated[Int32, Field(gt=0)]
    shutdown_after_job_finishes: bool
    ttl_seconds_after_finished: Int32
    ray_cluster_spec: Cluster


class Metadata(Part):
    """Kubernetes: ObjectMeta of something that gets a name."""

    generate_name: str


class Job(Part):
    """KubeRay: RayJob."""

    api_version: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: Metadata
    spec: Spec


def written() -> dict[str, Any]:
    """The file as a person writes it."""
    read = yaml.safe_load((ROOT / "deploy" / "rayjob.yaml").read_text())
    assert isinstance(read, dict)
    return read


@pytest.fixture
def job() -> Job:
    """The file, its types checked."""
    return Job.model_validate(written())


def pods(job: Job) -> list[Pod]:
    """The head's and the workers'."""
    cluster = job.spec.ray_cluster_spec
    groups = [group.template for group in cluster.worker_group_specs]
    return [template.spec for template in (cluster.head_group_spec.template, *groups)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("backoffLimits", 3),
        ("backoffLimit", "3"),
        ("activeDeadlineSeconds", 0),
        ("rayClusterSpec.authOptions.mode", "password"),
        ("rayClusterSpec.headGroupSpec.rayStartParams.num-cpus", 0),
        ("rayClusterSpec.headGroupSpec.template.spec.restartPolicy", "never"),
        ("rayClusterSpec.autoscalerOptions.version", 2),
    ],
)
def test_a_broken_copy_is_refused(path: str, value: object) -> None:
    broken = copy.deepcopy(written())
    inside = broken["spec"]
    *names, last = path.split(".")
    for name in names:
        inside = inside[name]
    inside[last] = value
    with pytest.raises(ValidationError):
        Job.model_validate(broken)


def test_a_job_is_tried_again_ends_in_time_and_leaves_nothing(job: Job) -> None:
    spec = job.spec
    assert spec.backoff_limit >= 1
    assert 3600 <= spec.active_deadline_seconds <= 24 * 3600
    assert spec.shutdown_after_job_finishes
    assert 0 < spec.ttl_seconds_after_finished <= 3600


def test_the_driver_runs_on_a_head_without_work(job: Job) -> None:
    head = job.spec.ray_cluster_spec.head_group_spec
    assert job.spec.entrypoint_num_cpus == 0
    assert head.ray_start_params["num-cpus"] == head.ray_start_params["num-gpus"] == "0"


def test_the_entrypoint_is_a_command_that_joins_the_cluster_by_its_job_file(job: Job) -> None:
    program, name, *words = job.spec.entrypoint.split()
    assert program == "reelbrush"
    typer.main.get_group(app).commands[name].make_context(name, words)
    said = re.search(r"machines: \{address: auto\}", (ROOT / "deploy" / "rayjob.yaml").read_text())
    assert said is not None
    Machines.model_validate({"address": "auto"})


def test_a_lost_node_is_given_up_as_soon_as_by_a_ray_of_our_own(job: Job) -> None:
    (head,) = pods(job)[0].containers
    flags = {one.name.removeprefix("RAY_"): int(one.value) for one in head.env}
    assert flags == _SYSTEM


def test_versions_are_the_locks_and_images_the_dockerfiles(job: Job) -> None:
    assert (job.spec.ray_cluster_spec.ray_version,) == locked(ROOT / "requirements.lock")["ray"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for pod in pods(job):
        (container,) = pod.containers
        target = "cuda" if "nvidia.com/gpu" in container.resources.limits else "cpu"
        assert container.image == f"yourname/reelbrush:{version}-{target}"


def test_workers_come_and_go_by_need_spot_on_demand_and_without_gpu(job: Job) -> None:
    cluster = job.spec.ray_cluster_spec
    assert cluster.enable_in_tree_autoscaling
    assert 60 <= cluster.autoscaler_options.idle_timeout_seconds <= 900
    groups = cluster.worker_group_specs
    assert len({group.group_name for group in groups}) == len(groups)
    assert all(group.min_replicas == 0 < group.max_replicas for group in groups)
    kinds = {
        (
            group.template.spec.node_selector["karpenter.sh/capacity-type"],
            "nvidia.com/gpu" in group.template.spec.containers[0].resources.limits,
        )
        for group in groups
    }
    assert kinds == {("spot", True), ("on-demand", True), ("spot", False)}


def test_no_pod_gets_more_than_it_asked_for_or_takes_more_memory_than_it_may(job: Job) -> None:
    for pod in pods(job):
        (container,) = pod.containers
        assert container.resources.requests == container.resources.limits
        (shared,) = [volume.empty_dir for volume in pod.volumes if volume.name == "shared-memory"]
        assert shared is not None
        assert shared.medium == "Memory"
        limit = int(container.resources.limits["memory"].removesuffix("Gi"))
        assert (
            pod is pods(job)[0] or 0.3 * limit <= int(shared.size_limit.removesuffix("Gi")) < limit
        )


def test_every_pod_mounts_the_films_a_disk_to_spill_to_and_shared_memory(job: Job) -> None:
    for pod in pods(job):
        (container,) = pod.containers
        volumes = {volume.name: volume for volume in pod.volumes}
        mounts = {mount.mount_path: volumes[mount.name] for mount in container.volume_mounts}
        assert mounts.keys() == {"/srv/films", "/tmp/ray", "/dev/shm"}
        assert mounts["/srv/films"].persistent_volume_claim is not None
        assert mounts["/tmp/ray"].empty_dir is not None


def test_nobody_gets_in_without_the_token_and_nobody_is_root(job: Job) -> None:
    auth = job.spec.ray_cluster_spec.auth_options
    assert (auth.mode, auth.secret_name) == ("token", "reelbrush-token")
    comment = (ROOT / "deploy" / "rayjob.yaml").read_text().partition("apiVersion")[0]
    assert re.search(
        rf"create secret generic {auth.secret_name} --from-literal=auth_token=", comment
    )
    uid = re.search(r"useradd --uid (\d+)", (ROOT / "deploy" / "Dockerfile").read_text())
    assert uid is not None
    for pod in pods(job):
        assert pod.security_context.run_as_non_root
        assert pod.security_context.run_as_user == int(uid[1])
