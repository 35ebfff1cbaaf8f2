"""What travels to a cluster: code, weights and the job file; never a film, never anything large."""

import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from actors import sources
from jobs.parcel import pack
from pipeline.errors import BadRequest

JOB = "schema: reelbrush/v1\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a module and weights, and things that stay."""
    for name in ("pipeline/weights", "actors/__pycache__", "jobs/.hidden", "films", ".git"):
        (tmp_path / name).mkdir(parents=True)
    for name in (
        "pipeline/one.py",
        "pipeline/weights/net.safetensors",
        "actors/two.py",
        "actors/__pycache__/two.pyc",
        "jobs/three.py",
        "jobs/.hidden/x.py",
        "jobs/.env",
        "films/reel.mov",
        ".git/config",
    ):
        (tmp_path / name).write_text(name)
    (tmp_path / "night.yaml").write_text(JOB)
    (tmp_path / "out").mkdir()
    return tmp_path


def test_code_weights_and_the_job_file_travel_and_nothing_else(checkout: Path) -> None:
    parcel = pack(checkout / "night.yaml", checkout / "out", root=checkout)
    with ZipFile(parcel.path) as inside:
        names = set(inside.namelist())
        assert inside.read(parcel.job).decode() == JOB
    (label,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    assert names - {label} == {
        "pipeline/one.py",
        "pipeline/weights/net.safetensors",
        "actors/two.py",
        "jobs/three.py",
        "job/night.yaml",
    }
    assert (parcel.files, parcel.bytes) == (len(names), parcel.path.stat().st_size)


def test_the_same_code_makes_the_same_bytes(checkout: Path) -> None:
    first = pack(checkout / "night.yaml", checkout / "out", root=checkout).path.read_bytes()
    os.utime(checkout / "pipeline" / "one.py", (0, 2_000_000_000))
    assert pack(checkout / "night.yaml", checkout / "out", root=checkout).path.read_bytes() == first
    (checkout / "pipeline" / "one.py").write_text("changed")
    assert pack(checkout / "night.yaml", checkout / "out", root=checkout).path.read_bytes() != first


def test_a_film_among_the_code_is_refused_by_name(checkout: Path) -> None:
    (checkout / "pipeline" / "weights" / "Holiday.MP4").write_text("film")
    with pytest.raises(BadRequest, match=r"pipeline/weights/Holiday\.MP4 is a film"):
        pack(checkout / "night.yaml", checkout / "out", root=checkout)


def test_too_much_is_refused_and_the_largest_is_named(checkout: Path) -> None:
    (checkout / "jobs" / "big.bin").write_bytes(bytes(3 << 20))
    with pytest.raises(BadRequest, match=r"3 MiB, more than the 2 MiB that travel; jobs/big\.bin"):
        pack(checkout / "night.yaml", checkout / "out", root=checkout, most=2 << 20)


def test_our_own_code_travels_whole(tmp_path: Path) -> None:
    (tmp_path / "night.yaml").write_text(JOB)
    parcel = pack(tmp_path / "night.yaml", tmp_path)
    with ZipFile(parcel.path) as inside:
        inside.extractall(tmp_path / "there")
    there = {
        path.relative_to(tmp_path / "there").as_posix(): path.read_bytes()
        for path in (tmp_path / "there").rglob("*")
        if path.is_file() and path.relative_to(tmp_path / "there").parts[0] in sources._PACKAGES
    }
    here = {
        path.relative_to(sources._ROOT).as_posix(): path.read_bytes()
        for package in sources._PACKAGES
        for path in (sources._ROOT / package).rglob("*")
        if path.suffix == ".py" or path.name == "manifest.json"
    }
    assert {name: there.get(name) for name in here} == here
    assert any(name.endswith(".safetensors") for name in there)
