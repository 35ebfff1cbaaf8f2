"""A training run: the same on Ray Train as in this process and with torch alone; then installed."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file
from test_losses import made_vgg, made_weights
from test_variety import _picture

from jobs import train as job
from jobs.engine import Machines
from jobs.progress import Silent
from jobs.train_bare import main as train_bare
from pipeline.errors import BadRequest, FilmError, MissingWeights, UnreadableFilm
from pipeline.paint import styles
from pipeline.paint import targets as targets_of
from pipeline.paint.networks import Painter
from pipeline.paint.schedule import Settings
from pipeline.paint.sheets import save_weights
from pipeline.paint.sizes import SIZES
from pipeline.paint.workshop import Run, carry_out

ROOT = Path(__file__).parent.parent
SETTINGS = Settings(steps=3, batch=1, crop=48, wide_crop=48, half=False)
FEW = targets_of.Spread(crops=130, palettes=20, recoloured=0.5, made=5, photos=2, side=32)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, VGG16's file, and a run's targets."""
    folder = tmp_path_factory.mktemp("made")
    rows = [cv2.imencode(".jpg", _picture(seed))[1].tobytes() for seed in range(4)]
    pq.write_table(pa.table({"jpeg": rows}), folder / "photos.parquet")
    save_file(made_weights(), folder / "vgg.safetensors")
    works = {"one": _picture(1), "two": _picture(2)}
    aims, basis = targets_of.make_targets(works, [_picture(3)], made_vgg(), side=64, spread=FEW)
    (folder / "first").mkdir()
    targets_of.save_targets(aims, folder / "first" / "targets.safetensors")
    targets_of.save_basis(basis, folder / "first" / "basis.safetensors")
    return folder


def _run(made: Path, folder: Path) -> Run:
    return Run(folder, made, made / "vgg.safetensors", SETTINGS, threads=1, codes_of=made / "first")


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "checkpoint.pt", weights_only=True)["net"]
    return found


@pytest.mark.ray
def test_ray_train_takes_the_steps_of_the_plain_loop_and_of_torch_alone(
    made: Path, tmp_path: Path
) -> None:
    assert job.train(_run(made, tmp_path / "ray"), machines=Machines(1, gpus=0), progress=Silent())
    assert job.train(_run(made, tmp_path / "plain"), machines=None, progress=Silent())
    words = ["--data", str(made), "--vgg", str(made / "vgg.safetensors"), "--threads", "1"]
    words += ["--run", str(tmp_path / "bare"), "--codes-of", str(made / "first"), "--steps", "3"]
    words += [f"--with={w}" for w in ("batch=1", "crop=48", "wide_crop=48", "half=no")]
    assert train_bare(words) == 0
    plain = _weights(tmp_path / "plain")
    for other in ("ray", "bare"):
        for name, value in _weights(tmp_path / other).items():
            assert torch.equal(value, plain[name]), (other, name)
    data = json.loads((tmp_path / "ray" / "data.json").read_text("utf-8"))
    assert set(data) == {"photos.parquet", "vgg.safetensors"}


def test_training_with_torch_alone_needs_no_ray_no_av_and_no_terminal_library() -> None:
    code = (
        "import sys, jobs.train_bare; "
        "sys.exit(str([m for m in ('ray', 'av', 'rich', 'typer', 'pydantic') if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"


def test_a_run_without_photographs_or_with_codes_of_nobody_is_refused(
    made: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFilm, match="no photographs"):
        carry_out(replace(_run(made, tmp_path), data=tmp_path), lambda _: None)
    with pytest.raises(BadRequest, match="measured no targets"):
        carry_out(replace(_run(made, tmp_path), codes_of=tmp_path), lambda _: None)


def test_what_is_wrong_with_a_run_is_the_same_line_on_ray_before_ray_starts(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("Ray was started")

    monkeypatch.setattr(job, "running", started)
    ours = _run(made, tmp_path / "ours")
    assert carry_out(ours, lambda _: None)
    other = replace(ours, settings=replace(SETTINGS, batch=2, seed=5))
    bad: list[tuple[Run, type[FilmError], str]] = [
        (
            other,
            BadRequest,
            r"other settings \(batch is 1, not 2; seed is 1, not 5\); give another",
        ),
        (replace(ours, data=tmp_path), UnreadableFilm, "no photographs"),
        (replace(ours, vgg=tmp_path / "none"), MissingWeights, "no VGG16"),
        (replace(ours, folder=tmp_path / "new", codes_of=tmp_path), BadRequest, "no targets"),
        (replace(ours, folder=tmp_path / "new", start=tmp_path), BadRequest, "no painter of size"),
    ]
    for run, kind, line in bad:
        for machines in (None, Machines(1, gpus=0)):
            with pytest.raises(kind, match=line):
                job.train(run, machines=machines, progress=Silent())
    assert not (tmp_path / "new").exists()


def test_what_our_own_lines_raise_on_a_worker_of_ray_train_is_told_as_it_is() -> None:
    class GroupError(Exception):
        """As Ray Train raises it."""

        def __init__(self, *failures: Exception) -> None:
            super().__init__("Training failed due to worker errors")
            self.worker_failures = dict(enumerate(failures))

    class Traced(Exception):
        """As Ray Train wraps what a worker raised."""

        def __init__(self, inner: Exception) -> None:
            self._base_exc = inner

    own = BadRequest("holds a run with other settings")
    assert job.of_our_own(GroupError(ValueError("a bug"), Traced(own))) is own
    assert job.of_our_own(GroupError(own)) is own
    assert job.of_our_own(GroupError(Traced(ValueError("a bug")))) is None
    assert job.of_our_own(RuntimeError("Ray died")) is None


def test_installing_keeps_the_other_size_only_if_it_speaks_the_same_codes(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, run = tmp_path / "weights", tmp_path / "run"
    weights.mkdir()
    monkeypatch.setattr(styles, "WEIGHTS", weights)
    with pytest.raises(BadRequest, match="no finished painter"):
        job.install(run, size="S")
    (weights / "painter-M.safetensors").write_bytes(b"older")
    old = {"basis": "another", "painter-M.safetensors": "x"}
    (weights / "manifest.json").write_text(json.dumps(old), encoding="utf-8")
    assert carry_out(_run(made, run), lambda _: None)
    job.install(run, size="S")
    assert not (weights / "painter-M.safetensors").exists()
    save_weights(Painter(SIZES["M"]), run / "painter-M.safetensors")
    job.install(run, size="M")
    listed = json.loads((weights / "manifest.json").read_text("utf-8"))
    assert set(listed) == {"basis", "painter-S.safetensors", "painter-M.safetensors"}
    told = json.loads((weights / "painter-S.run.json").read_text("utf-8"))
    assert told["settings"]["steps"] == 3
    assert set(told["scales"]) == {"moments", "gram"}
