"""A training run on Ray Train or in this process, and its result into ``pipeline/weights``.

One worker on CPUs; on GPUs one each, which draw pictures of their own and take every step together.
Where Ray is not installed, ``python -m jobs.train_bare`` does the same with torch alone.
"""

import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from jobs.engine import Machines, cores, running
from jobs.progress import Progressing
from pipeline.errors import BadRequest, ClusterFailed, FilmError
from pipeline.forecast import Needs
from pipeline.paint import styles, targets
from pipeline.paint.encoder import FILE as ENCODER
from pipeline.paint.workshop import Run, carry_out, check, steps_of, teach_encoder

_NEEDS = Needs(base=1 << 30, worker=4 << 30, chunk=80 << 20)
"""A worker holds photographs, targets and VGG16's activations: 3.4 GiB with S and batches of 4."""


def train(run: Run, *, machines: Machines | None, progress: Progressing) -> bool:
    """Begin or go on with a run; True when it is done.

    Args:
        run: what to train, and on what.
        machines: of Ray; None trains in this process.
        progress: is told of steps.

    Raises:
        FilmError: What is wrong with the run, as the plain loop says it, before Ray starts where
            that can be seen; ``ClusterFailed`` for what went wrong with Ray.
    """
    check(run)
    progress.stage("training", run.settings.steps, done=run.steps_done)
    if machines is None:
        return carry_out(run, lambda _: progress.advance(1))
    with running(machines, _NEEDS, cores=cores()) as engine, _followed(run, progress):
        return _on_ray(run, engine.gpus())


def teach(run: Run, *, lessons: int, progress: Progressing) -> float:
    """Train the style encoder of a run, in this process; see ``workshop.teach_encoder``."""
    steps = run.settings.steps
    progress.stage("training", steps, done=0)
    return teach_encoder(run, lambda _step, _: progress.advance(1), lessons=lessons, steps=steps)


def best_device() -> str:
    """Name cuda where torch finds one, else cpu."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _on_ray(run: Run, gpus: int) -> bool:
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    scaling = ScalingConfig(
        num_workers=max(1, gpus),
        use_gpu=gpus > 0,
        resources_per_worker={"CPU": 1, "GPU": 1} if gpus else {"CPU": 1},
    )
    with tempfile.TemporaryDirectory() as place:  # our own checkpoints are in the run's folder
        trainer = TorchTrainer(
            _work,
            train_loop_config={"run": run},
            scaling_config=scaling,
            run_config=RunConfig(name="reelbrush", storage_path=place),
        )
        try:
            trainer.fit()
        except Exception as error:
            if (own := of_our_own(error)) is not None:
                raise own from error
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise ClusterFailed(f"training failed: {lines[-1] if lines else error!r}") from error
    return run.steps_done >= run.settings.steps


def of_our_own(error: Exception) -> FilmError | None:
    """Find what our own lines have raised on a worker in what Ray Train raises for it."""
    for failure in getattr(error, "worker_failures", {}).values():
        inner = getattr(failure, "_base_exc", failure)  # with Ray's own trace around it
        if isinstance(inner, FilmError):
            return inner
    return None


def _work(config: dict[str, Run]) -> None:
    """What each worker of Ray Train does."""
    carry_out(config["run"], lambda _: None)


@contextmanager
def _followed(run: Run, progress: Progressing) -> Iterator[None]:
    """Tell of steps as the run's curve grows, one entry for ten steps."""
    over = threading.Event()
    curve, told = run.folder / "curve.jsonl", run.steps_done

    def follow() -> None:
        nonlocal told
        while not over.wait(1):
            lines = curve.read_text("utf-8").splitlines() if curve.is_file() else []
            step = int(json.loads(lines[-1])["step"]) if lines else 0
            if step > told:
                progress.advance(step - told)
                told = step

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def install(folder: Path, *, size: str) -> None:
    """Put a finished run's painter, codes and encoder into pipeline/weights, with their digests.

    A painter of the other size stays if it understands the same codes, else it goes.
    """
    painter = folder / f"painter-{size}.safetensors"
    if not painter.is_file():
        raise BadRequest(f"{folder} holds no finished painter of size {size}")
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    step = steps_of(folder)
    if step < settings["steps"]:
        raise BadRequest(f"{folder} has come to step {step} of {settings['steps']}: go on first")
    aims = targets.load_targets(folder / "targets.safetensors")
    listed = styles.manifest() if (styles.WEIGHTS / "manifest.json").is_file() else {}
    if listed.get("basis") != aims.basis:
        for name in [n for n in listed if n.endswith(".safetensors")]:
            (styles.WEIGHTS / name).unlink(missing_ok=True)
        listed = {"basis": aims.basis}
    for file in (painter, folder / ENCODER):
        if file.is_file():
            shutil.copyfile(file, styles.WEIGHTS / file.name)
            listed[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    targets.save_codes(aims, styles.WEIGHTS / "codes.safetensors")
    _write_json(styles.WEIGHTS / "manifest.json", listed)
    notes = {
        name: json.loads((folder / f"{name}.json").read_text()) for name in ("settings", "data")
    }
    notes["scales"] = asdict(aims.scales)
    _write_json(styles.WEIGHTS / f"painter-{size}.run.json", notes)
    if (folder / "curve.jsonl").is_file():  # it has a line for every ten steps
        shutil.copyfile(folder / "curve.jsonl", styles.WEIGHTS / f"painter-{size}.curve.jsonl")


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
