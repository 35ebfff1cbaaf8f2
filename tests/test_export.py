"""The painter as ONNX: another runtime paints the same picture from the same file."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from test_runtime import APRON, SIZE, _codes, _painter

from commands import command
from jobs import export as job
from pipeline.errors import BadRequest
from pipeline.paint.layers import Weights
from pipeline.paint.onnx_graph import painting_model
from pipeline.paint.runtime_torch import TorchNet

TOLERANCE = 2e-5
"""Of 0..1: a 200th of an 8-bit code."""


@pytest.fixture(scope="module")
def weights() -> Weights:
    return {name: value.numpy() for name, value in _painter().state_dict().items()}


@pytest.mark.parametrize("shape", [(1, 40, 52), (2, 32, 36)])
def test_onnx_runtime_paints_what_torch_paints(
    weights: Weights, shape: tuple[int, int, int]
) -> None:
    count, height, width = shape
    x = np.random.default_rng(2).random(
        (count, 3, height + 2 * APRON, width + 2 * APRON), np.float32
    )
    net = TorchNet(weights, SIZE)
    affine = net.measure(x, _codes())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # its pool was once seen to spin for minutes beside others
    session = onnxruntime.InferenceSession(painting_model(weights, SIZE, facts={}), options)
    (painted,) = session.run(["painted"], {"picture": x, "affine": affine})
    assert painted.shape == (count, 3, height, width)
    np.testing.assert_allclose(painted, net.paint(x, affine), rtol=0, atol=TOLERANCE)


def test_the_command_writes_a_model_that_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "painter.onnx"
    ended = command("export", "--onnx", target, patch=monkeypatch, capfd=capfd)
    assert ended.code == 0, ended.err
    facts = {entry.key: entry.value for entry in onnx.load(target).metadata_props}
    assert facts["size"] == "S"
    assert facts["apron"] == "48"
    assert len(facts["weights"]) == 64


def test_without_the_package_the_command_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "find_spec", lambda _name: None)
    with pytest.raises(BadRequest, match="needs the package onnx"):
        job.export(tmp_path / "painter.onnx", size="S")
