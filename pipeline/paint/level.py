"""A painter's weights to other weights of the same painter, that learn faster.

Where a layer is normalised, the length of its filters is of no consequence to what is painted, but
of all consequence to how fast they turn: under Adam they only ever grow, and a filter ten times as
long turns a tenth as far in a step. *Levelling* brings them back to the length that they were drawn
with. So does the rest of this module for the gains, which grow with them. (Salimans 2016 on weights
and their length; Karras 2024, section 2.3, for doing it after each step.)
"""

from collections.abc import Iterator

import torch
from torch import nn

from pipeline.paint.networks import Gain, Modulation, Painter, Residual

_LENGTH = 3**-0.5
"""Of a filter, as torch draws it."""


@torch.no_grad()
def level_filters(net: Painter) -> None:
    """Give each filter that is normalised after it the same length; nothing painted changes."""
    for layer, modulation in _normalised(net):
        share = _LENGTH / layer.weight.flatten(1).norm(dim=1).clamp_min(1e-8)
        layer.weight *= share[:, None, None, None]
        modulation.typical *= share.square()


@torch.no_grad()
def level_gains(net: Painter) -> None:
    """Bring gains to about 1, and even out the layers behind them; nothing painted changes."""
    blocks = _blocks(net)
    _shrink([net.stem_modulation], then=[net.down_modulation])
    for block in blocks:
        _shrink([block.first_modulation], then=[block.second_modulation])
    stream = [net.down_modulation, *(block.second_modulation for block in blocks)]
    net.up.weight *= _shrink(stream, then=[block.first_modulation for block in blocks])
    _even_out(net)


def _normalised(net: Painter) -> Iterator[tuple[nn.Conv2d, Modulation]]:
    yield net.stem, net.stem_modulation
    yield net.down, net.down_modulation
    for block in _blocks(net):
        yield block.first, block.first_modulation
        yield block.second, block.second_modulation


def _blocks(net: Painter) -> list[Residual]:
    return [block for block in net.body if isinstance(block, Residual)]


def _shrink(parts: list[Modulation], *, then: list[Modulation]) -> float:
    """Divide what the parts give by their typical gain, which is returned.

    Args:
        parts: whose outputs are added up, or one alone.
        then: normalise what is made of that.
    """
    gains = torch.cat([part.affine.bias[: part.channels] for part in parts])
    share = float(gains.square().mean().sqrt())
    for part in parts:
        part.affine.weight.div_(share)
        part.affine.bias.div_(share)
    for part in then:
        part.typical.div_(share**2)
    return share


def _even_out(net: Painter) -> None:
    """Let the three layers at the end have weights of one size."""
    layers = (net.up, net.detail, net.last)
    sizes = [float(layer.weight.square().mean().sqrt()) for layer in layers]
    wanted = float(torch.tensor(sizes).log().mean().exp())
    ahead = 1.0
    for layer, size, gain in zip(
        layers, sizes, (net.up_modulation, net.detail_modulation, None), strict=True
    ):
        layer.weight *= wanted / size
        ahead *= wanted / size
        if gain is not None:  # a bias is added to what is ``ahead`` times what it was
            _scale_biases(layer, gain, ahead)


def _scale_biases(layer: nn.Conv2d, gain: Gain, share: float) -> None:
    if layer.bias is not None:
        layer.bias *= share
    gain.affine.weight[gain.channels :] *= share
    gain.affine.bias[gain.channels :] *= share
