"""The painter in its runtimes: one function, exact by tiles, at any size, in whatever library."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import bench_speed
from jobs.progress import Silent
from pipeline.media.color import ColorTags, Planes, Rect
from pipeline.paint import runtime
from pipeline.paint.layers import Array, Weights
from pipeline.paint.networks import Modulation, Painter
from pipeline.paint.runtime_cuda import BatchPainter, CudaNet
from pipeline.paint.runtime_openvino import OpenvinoNet
from pipeline.paint.runtime_torch import TorchNet
from pipeline.paint.sizes import SIZES
from pipeline.paint.stylize import Brush, Moments, measure, paint, paint_planes, paint_wholes
from pipeline.paint.working import Working

ROOT = Path(__file__).parent.parent
SIZE = SIZES["S"]
APRON = SIZE.apron


def _painter() -> Painter:
    """A net as training leaves one: heads that differ, typical variances that fit."""
    generator = torch.Generator().manual_seed(3)
    net = Painter(SIZE).eval().requires_grad_(requires_grad=False)
    for part in net.modules():
        if isinstance(part, torch.nn.Linear):
            part.weight.normal_(std=0.02, generator=generator)
        elif isinstance(part, torch.nn.Conv2d):
            fan = part.weight[0].numel()
            part.weight.normal_(std=fan**-0.5, generator=generator)
    x = torch.rand(1, 3, 64 + 2 * APRON, 64 + 2 * APRON, generator=generator)
    code = torch.randn(1, 256, generator=generator)
    _, moments = net(x, code)
    parts = [part for part in net.modules() if isinstance(part, Modulation)]
    widths = [part.channels for part in parts]
    for part, variance in zip(parts, torch.split(moments[0, 1], widths), strict=True):
        part.typical = variance.clone()
    return net


@pytest.fixture(scope="module")
def painter() -> Painter:
    return _painter()


@pytest.fixture(scope="module")
def weights(painter: Painter) -> Weights:
    return {name: value.numpy() for name, value in painter.state_dict().items()}


@pytest.fixture(scope="module", params=["openvino", "torch"])
def net(weights: Weights, request: pytest.FixtureRequest) -> runtime.Net:
    return OpenvinoNet(weights, SIZE) if request.param == "openvino" else TorchNet(weights, SIZE)


@pytest.fixture(scope="module")
def held(net: runtime.Net) -> Brush:
    return Brush(net, _codes(), "made up")


def _codes() -> Array:
    row = np.random.default_rng(1).standard_normal(256).astype(np.float32)
    return np.tile(row, (len(SIZE.modulations), 1))


def _picture(height: int, width: int) -> Array:
    return np.random.default_rng(height * width).random((height, width, 3), np.float32)


def _padded(count: int) -> Array:
    shape = (count, 3, 40 + 2 * APRON, 52 + 2 * APRON)
    return np.random.default_rng(5).random(shape, np.float32)


@torch.inference_mode()
def test_the_affine_is_what_the_trained_net_does_with_code_and_pooled_moments(
    net: runtime.Net, painter: Painter
) -> None:
    x, codes = _padded(2), _codes()
    code = torch.from_numpy(codes[:2])
    _, moments = painter(torch.from_numpy(x), code, pooled=True)
    wanted, _ = painter(torch.from_numpy(x), code, moments)
    affine = net.measure(x, codes)
    assert affine.shape == (2, SIZE.channels)
    np.testing.assert_allclose(net.paint(x, affine), wanted.numpy(), rtol=0, atol=2e-5)


def test_each_modulation_obeys_its_own_row_of_codes(net: runtime.Net) -> None:
    codes = _codes()
    codes[-1] = 0
    before, after = net.measure(_padded(1), _codes()), net.measure(_padded(1), codes)
    assert np.array_equal(before[:, : -SIZE.stem], after[:, : -SIZE.stem])
    assert not np.allclose(before[:, -SIZE.stem :], after[:, -SIZE.stem :])


def test_too_few_rows_of_codes_are_refused(net: runtime.Net) -> None:
    with pytest.raises(ValueError, match="12 rows"):
        net.measure(_padded(1), _codes()[:9])


@given(
    height=st.integers(32, 90),
    width=st.integers(32, 90),
    top=st.integers(0, 8),
    left=st.integers(0, 8),
    data=st.data(),
)
@settings(max_examples=12, deadline=None)
def test_a_tile_has_exactly_the_pixels_of_the_whole(
    held: Brush, height: int, width: int, top: int, left: int, data: st.DataObject
) -> None:
    top, left = 4 * min(top, height // 4 - 1), 4 * min(left, width // 4 - 1)
    tall = data.draw(st.integers(1, height - top), label="tall")
    wide = data.draw(st.integers(1, width - left), label="wide")
    picture = _picture(height, width)
    affine = measure(held, [picture])
    whole = paint(held, picture, affine)
    assert whole.shape == picture.shape
    y, x = max(0, top - APRON), max(0, left - APRON)
    around = picture[y : top + tall + APRON + 4, x : left + wide + APRON + 4]
    inner = Rect(top - y, left - x, tall, wide)
    part = paint(held, around, affine, inner=inner)
    assert np.array_equal(part, whole[top : top + tall, left : left + wide])


def test_a_graph_made_for_one_shape_gives_the_bits_of_the_one_for_any(weights: Weights) -> None:
    fresh, used = OpenvinoNet(weights, SIZE), OpenvinoNet(weights, SIZE, threads=1)
    x = _padded(1)
    affine = used.measure(x, _codes())
    used.paint(_padded(2), affine)
    assert np.array_equal(fresh.paint(x, affine), used.paint(x, affine))


def test_the_affine_does_not_depend_on_the_number_of_threads(weights: Weights) -> None:
    one, two = (OpenvinoNet(weights, SIZE, threads=threads) for threads in (1, 2))
    assert np.array_equal(one.measure(_padded(2), _codes()), two.measure(_padded(2), _codes()))


def test_runtimes_agree_but_for_the_last_bits(weights: Weights) -> None:
    ours, theirs = OpenvinoNet(weights, SIZE), TorchNet(weights, SIZE)
    affine = theirs.measure(_padded(2), _codes())
    np.testing.assert_allclose(ours.measure(_padded(2), _codes()), affine, rtol=2e-5, atol=2e-5)
    painted = ours.paint(_padded(1), affine)
    np.testing.assert_allclose(painted, theirs.paint(_padded(1), affine), rtol=0, atol=2e-5)


def test_without_openvino_torch_paints_and_says_so(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runtime.load_net(weights, size="S").identity.startswith("openvino")
    monkeypatch.setattr(runtime, "find_spec", lambda _name: None)
    assert runtime.load_net(weights, size="S").identity.startswith("torch")


PAINT = """
import sys
import numpy as np
from actors.stylizer import Stylizer
from pipeline.media.color import ColorTags, Planes
from pipeline.paint.styles import gallery, load_code

planes = Planes(*(np.full(side, 99, np.uint8) for side in ((48, 64), (24, 32), (24, 32))))
tags = ColorTags(1, 1, 1, full_range=False)
stylizer = Stylizer(load_code(gallery()[0].name), threads=1)
moments = stylizer.measure([planes], tags)
stylizer.paint({0: planes}, moments, tags)
print(sorted({"torch", "openvino_telemetry"} & set(sys.modules)))
"""


def test_a_key_is_painted_without_torch() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PAINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "torch" not in ran.stdout
    assert "telemetry" not in ran.stdout


def test_a_batch_from_several_shots_is_painted_as_each_picture_alone(weights: Weights) -> None:
    net = TorchNet(weights, SIZE)
    pictures = np.random.default_rng(4).integers(0, 256, (2, 66, 70, 3), np.uint8)
    affines = np.stack([net.measure(_padded(1), _codes()), net.measure(_padded(1), -_codes())])
    painter = BatchPainter(weights, SIZE, batch=(2, 66, 70), device="cpu", dtype=torch.float32)
    together = painter.paint(pictures, affines)
    for picture, affine, painted in zip(pictures, affines, together, strict=True):
        alone = paint(Brush(net, _codes(), ""), np.asarray(picture / 255, np.float32), affine)
        assert np.abs(np.rint(255 * alone) - painted).max() <= 1
    with pytest.raises(ValueError, match="made for"):
        painter.paint(pictures[:1], affines[:1])


def _batching(weights: Weights) -> CudaNet:
    """The net of GPUs as far as it can run here."""
    return CudaNet(weights, SIZE, device="cpu", dtype=torch.float32)


def test_a_key_has_the_same_bits_whatever_it_is_painted_with(weights: Weights) -> None:
    net = _batching(weights)
    one, two = net.measure(_padded(1), _codes()), net.measure(_padded(1), -_codes())
    a, b, c = (_picture(66, 70) + np.float32(n) / 99 for n in range(3))
    (alone,) = net.paint_many([a], [one])
    many = net.paint_many([b, c, a] * 3, [two, one, one] * 3)
    assert len(many) == 9, "more than a batch holds"
    assert all(np.array_equal(alone, picture) for picture in many[2::3])
    assert not np.array_equal(many[0], alone)
    np.testing.assert_allclose(alone, paint(Brush(net, _codes(), ""), a, one), rtol=0, atol=2e-5)


@pytest.mark.parametrize("working", [None, Working(36, of=48)], ids=["film", "smaller"])
def test_keys_of_several_shots_and_sizes_are_painted_together_as_each_alone(
    weights: Weights, working: Working | None
) -> None:
    held = Brush(_batching(weights), _codes(), "made up")
    tags = ColorTags(1, 1, 1, full_range=False)
    moments = [held.net.measure(_padded(1), sign * _codes()) for sign in (1, -1)]
    wholes: list[tuple[Planes, Moments]] = []
    for number, height in enumerate((48, 40, 48, 48)):
        random = np.random.default_rng(number)
        sides = ((height, 64), (height // 2, 32), (height // 2, 32))
        planes = Planes(*(random.integers(16, 236, side).astype(np.uint8) for side in sides))
        wholes.append((planes, moments[number % 2]))
    together = paint_wholes(held, wholes, tags=tags, working=working)
    for (planes, own), painted in zip(wholes, together, strict=True):
        alone = paint_planes(held, planes, own, tags=tags, working=working)
        for plane, other in zip(_planes(alone), _planes(painted), strict=True):
            assert plane.shape == other.shape
            assert np.abs(plane.astype(int) - other).max() <= 1


@pytest.mark.parametrize("working", [None, Working(36, of=48)], ids=["film", "smaller"])
def test_a_film_of_10_bits_is_painted_in_10_bits(weights: Weights, working: Working | None) -> None:
    held = Brush(OpenvinoNet(weights, SIZE, threads=1), _codes(), "made up")
    tags, moments = ColorTags(9, 9, 9, full_range=False), held.net.measure(_padded(1), _codes())
    luma = np.linspace(64, 940, 48 * 64).reshape(48, 64).astype(np.uint16)
    planes = Planes(luma, np.full_like(luma, 512), np.full_like(luma, 500), depth=10)
    eight = Planes(*(np.asarray(p // 4, np.uint8) for p in (luma, planes.blue, planes.red)))
    more, less = (
        paint_planes(held, p, moments, tags=tags, working=working) for p in (planes, eight)
    )
    assert more.depth == 10
    assert (np.bincount(more.luma.ravel() % 4, minlength=4) > 48 * 64 / 8).all()
    assert np.abs(more.luma / 4 - less.luma).mean() < 1.5


def _planes(planes: Planes) -> tuple[Array, ...]:
    return tuple(np.asarray(p, np.float32) for p in (planes.luma, planes.blue, planes.red))


def test_only_the_net_of_gpus_paints_in_batches(net: runtime.Net, weights: Weights) -> None:
    assert not isinstance(net, runtime.Batching)
    assert isinstance(_batching(weights), runtime.Batching)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_on_a_gpu_a_key_has_the_same_bits_in_any_batch_and_is_near_float32(
    weights: Weights,
) -> None:
    net = runtime.load_net(weights, size="S", device="cuda")
    assert isinstance(net, runtime.Batching)
    affine, picture = net.measure(_padded(1), _codes()), _picture(270, 480)
    (alone,) = net.paint_many([picture], [affine])
    many = net.paint_many([_picture(270, 480)[::-1].copy(), picture], [affine, affine])
    assert np.array_equal(many[1], alone)
    exact = paint(Brush(net, _codes(), ""), picture, affine)
    assert 255 * np.sqrt(np.square(alone - exact).mean()) < 4


def test_entrants_of_the_speed_benchmark_answer_and_say_what_they_are() -> None:
    rows = bench_speed.bench(
        size=(64, 36),
        threads=1,
        rounds=1,
        rival=None,
        entrants=["openvino", "no such library"],
        progress=Silent(),
    )
    assert rows[0].ratio == 1
    assert rows[0].runtime.startswith("openvino")
    assert rows[0].seconds is not None
    assert rows[1].seconds is None
    assert rows[1].runtime == "ValueError: no entrant 'no such library'"


@pytest.mark.parametrize(("lives", "told"), [(9, "made up"), (2, "warned / out of luck")])
def test_an_entrant_that_warns_a_lot_is_not_blocked_and_one_that_dies_says_why(
    tmp_path: Path, lives: int, told: str
) -> None:
    rival = tmp_path / "python"
    rival.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"for _, line in zip(range({lives} + 1), sys.stdin):\n"
        "    sys.stderr.write('a warning\\n' * 50_000)\n"
        '    print(\'{"seconds": 1, "with": "made up", "peak_bytes": 1}\', flush=True)\n'
        "sys.exit('warned\\nout of luck')\n"
    )
    rival.chmod(0o755)
    rows = bench_speed.bench(
        size=(64, 36),
        threads=1,
        rounds=3,
        rival=rival,
        entrants=["no such library"],
        progress=Silent(),
    )
    assert rows[1].runtime.endswith(told)
    assert rows[1].seconds is not None
