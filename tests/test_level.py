"""Levelled weights paint what they painted, and weights on disk are all finite."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.paint.level import level_filters, level_gains
from pipeline.paint.networks import Painter
from pipeline.paint.sheets import save_weights
from pipeline.paint.sizes import SIZES
from pipeline.paint.styles import WEIGHTS

APRON = SIZES["S"].apron


def _grown() -> Painter:
    """A net whose filters and gains have grown apart, as they do in training."""
    generator = torch.Generator().manual_seed(2)
    net = Painter(SIZES["S"]).eval().requires_grad_(requires_grad=False)
    for part in net.modules():
        if isinstance(part, torch.nn.Linear):
            part.weight.normal_(std=0.05, generator=generator)
            part.bias.mul_(1 + 3 * float(torch.rand(1, generator=generator)))
        elif isinstance(part, torch.nn.Conv2d):
            part.weight *= 20 * torch.rand(len(part.weight), 1, 1, 1, generator=generator)
    for modulation in net.modulations():
        modulation.typical.uniform_(0.1, 2, generator=generator)
    return net


@pytest.mark.parametrize("level", [level_filters, level_gains])
def test_levelling_changes_weights_and_nothing_that_is_painted(level) -> None:  # type: ignore[no-untyped-def]
    net = _grown()
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(1, 3, 40 + 2 * APRON, 40 + 2 * APRON, generator=generator)
    code = torch.randn(1, 256, generator=generator)
    before, kernel = net(x, code)[0], net.state_dict()["up.weight"].clone()
    stem = net.stem.weight.clone()
    level(net)
    assert not torch.equal(stem, net.stem.weight) or not torch.equal(kernel, net.up.weight)
    assert (net(x, code)[0] - before).abs().mean() < 1e-5


def test_levelled_filters_are_of_one_length() -> None:
    net = _grown()
    level_filters(net)
    for layer in (net.stem, net.down):
        lengths = layer.weight.flatten(1).norm(dim=1)
        torch.testing.assert_close(lengths, torch.full_like(lengths, 3**-0.5))


def test_what_float16_has_no_room_for_is_kept(tmp_path: Path) -> None:
    net = _grown()
    net.modulations()[8].typical[5] = 1e6
    save_weights(net, tmp_path / "painter.safetensors")
    found = load_file(tmp_path / "painter.safetensors")
    assert found["body.3.first_modulation.typical"][5] == 1e6
    assert found["up.weight"].dtype == torch.float16


def test_all_weights_that_ship_are_finite() -> None:
    for path in WEIGHTS.glob("*.safetensors"):
        assert all(values.isfinite().all() for values in load_file(path).values()), path
