"""The images: what they are made of is here, and in the versions of the lock."""

import re
import shlex
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from jobs import sidecar
from jobs.doctor import locked
from jobs.luggage import ENVIRONMENT

ROOT = Path(__file__).parent.parent
TORCH = ("torch", "torchvision", "triton")
CUDA = ("nvidia-", "cuda-")


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions of each target: name and argument, lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "deploy" / "Dockerfile").read_text(), flags=re.M)
    found: dict[str, list[tuple[str, str]]] = {}
    for line in re.sub(r"\\\n", " ", text).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name == "FROM":
            base, _, target = rest.partition(" AS ")
            found[target] = [("FROM", base)]
        elif name:
            list(found.values())[-1].append((name, rest))
    return found


def of(target: str, name: str) -> list[str]:
    """Arguments of one instruction."""
    return [rest for found, rest in stages()[target] if found == name]


def environment(target: str) -> dict[str, str]:
    """What a target sets."""
    words = [word for line in of(target, "ENV") for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words)


def test_there_is_an_image_for_cpus_and_one_on_it_for_gpus() -> None:
    assert list(stages()) == ["cpu", "cuda"]
    assert of("cuda", "FROM") == ["cpu"]
    known = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "CMD"}
    assert {name for lines in stages().values() for name, _ in lines} <= known


def test_the_base_is_pinned_and_its_python_is_that_of_the_lock() -> None:
    (base,) = of("cpu", "FROM")
    found = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-\w+", base)
    assert found is not None
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"--python-version (\S+)", makefile)) == {found[1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={found[1]}"


def test_nothing_is_installed_that_no_lock_names_by_its_hash() -> None:
    installs = [
        line
        for target in stages()
        for rest in of(target, "RUN")
        for line in rest.split("&&")
        if "pip install" in line
    ]
    assert len(installs) == 4
    for line in installs:
        assert "--no-deps" in line
        assert ("--require-hashes -r" in line) != ("--no-build-isolation --editable ." in line)


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_each_image_takes_its_part_of_the_lock(target: str) -> None:
    (line,) = [rest for rest in of(target, "RUN") if "sed" in rest]
    command = line.partition(">")[0]
    made = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    taken = set(re.findall(r"^([a-z0-9-]+)==", made, re.M))
    every = locked(ROOT / "requirements.lock").keys()
    heavy = {name for name in every if name in TORCH or name.startswith(CUDA)}
    assert {"torch", "cuda-toolkit", "nvidia-cublas"} <= heavy
    assert taken == (heavy if target == "cuda" else every - heavy)
    lines = [line for line in made.splitlines() if line]
    hashes = sum(line.lstrip().startswith("--hash=sha256:") for line in lines)
    entries = sum(not line.startswith(" ") for line in lines)
    assert hashes + entries == len(lines)
    assert not lines[-1].endswith("\\")
    assert f"-r /tmp/{target}.lock" in line


def test_what_the_cloud_wants_agrees_with_the_lock_but_for_a_date_parser() -> None:
    lock, cloud = locked(ROOT / "requirements.lock"), locked(ROOT / "requirements-aws.lock")
    assert "boto3" in cloud
    differ = {name for name in lock.keys() & cloud if lock[name] != cloud[name]}
    assert differ <= {"python-dateutil"}, "run make lock"
    assert "-r requirements-aws.lock" in (ROOT / "Makefile").read_text() + " ".join(
        of("cpu", "RUN")
    )


def test_an_old_driver_is_told_of_by_the_cuda_of_the_lock() -> None:
    (toolkit,) = locked(ROOT / "requirements.lock")["cuda-toolkit"]
    major, minor, _ = toolkit.split(".")
    assert environment("cuda")["NVIDIA_REQUIRE_CUDA"] == f"cuda>={major}.{minor}"


def test_what_is_copied_is_here_and_all_that_the_project_is_made_of() -> None:
    copied = [word for line in of("cpu", "COPY") for word in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    needed = packages | {project["project"]["readme"], *project["project"]["license-files"]}
    assert needed | {"pyproject.toml", "requirements.lock"} <= set(copied)


def test_only_that_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    copied = {word for line in of("cpu", "COPY") for word in line.split()[:-1]}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert rules[-1] == "**/__pycache__"


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_nobody_runs_as_root(target: str) -> None:
    assert of(target, "USER")[-1] == "reelbrush"
    names = [name for name, _ in stages()[target]]
    assert "RUN" not in names[len(names) - names[::-1].index("USER") :]


def test_the_environment_is_that_of_a_ray_of_our_own_with_a_token() -> None:
    assert environment("cpu") == ENVIRONMENT | {"RAY_AUTH_MODE": "token"}


def test_no_host_is_named() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert "://" not in text
    assert not re.search(r"FROM \S+\.\w+/", text)


def test_a_film_that_was_painted_without_torch_names_what_there_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(name: str) -> str:
        if name == "torch":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(sidecar, "version", found)
    assert "torch" not in sidecar.versions()
    assert sidecar.versions()["ray"] == version("ray")
