"""A frame and a style code to a painted frame: the feed-forward painter.

A *style code* is 256 floats that stand for a painting; *moments* are the mean and variance that
each normalisation of the net uses. Moments come from outside, pooled over a shot, so the net itself
is strictly local: a pixel of the result depends on the input within an *apron* of pixels and on
nothing else, and tiles give the same pixels as the whole frame. No convolution runs at full
resolution, and none pads: the frame is mirrored once around its edge, by indices, and every layer
is 'valid'.

Modulation by gains and biases from a code follows conditional instance normalisation (Dumoulin
2017, eq. 5); the phase projection of the last layer removes what sub-pixel shuffling (Shi 2016)
leaves of a lattice.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from pipeline.paint.crew import share_mean
from pipeline.paint.layers import EPS_SHARE
from pipeline.paint.sizes import CODE_LENGTH, SIZES, Size


class Gain(nn.Module):
    """x * gamma(z) + beta(z): what a style code does to channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.affine = nn.Linear(CODE_LENGTH, 2 * channels)
        nn.init.normal_(self.affine.weight, std=0.01)
        with torch.no_grad():
            self.affine.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Scale and shift x [N, C, h, w] by code [N, 256]."""
        gamma, beta = self.affine(code).to(x.dtype)[..., None, None].chunk(2, dim=1)
        out: Tensor = x * gamma + beta
        return out


class Modulation(Gain):
    """(x - mu) / sigma * gamma(z) + beta(z), mu and sigma from outside.

    sigma = sqrt(var + 1 % of the channel's typical variance in training), so that black and flat
    shots are not amplified into noise.
    """

    typical: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.register_buffer("typical", torch.ones(channels))

    def forward(self, x: Tensor, code: Tensor, moments: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise and modulate.

        Args:
            x: [N, C, h, w]
            code: [N, 256]
            moments: [N or 1, 2, C]: mean and variance
        """
        mean, variance = moments.unbind(-2)
        gamma, beta = self.affine(code).chunk(2, dim=1)
        scale = gamma * torch.rsqrt(variance + EPS_SHARE * self.typical)
        shift = beta - mean * scale
        out: Tensor = x * scale[..., None, None].to(x.dtype) + shift[..., None, None].to(x.dtype)
        return out


class Residual(nn.Module):
    """conv, modulation, ReLU, conv, modulation, plus the input cropped to what is left."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, bias=False)
        self.first_modulation = Modulation(channels)
        self.second = nn.Conv2d(channels, channels, 3, bias=False)
        self.second_modulation = Modulation(channels)

    def forward(
        self, x: Tensor, code: Tensor, moments: Tensor | None, pooled: bool
    ) -> tuple[Tensor, Tensor]:
        """[N, C, h, w] to [N, C, h - 4, w - 4], and the used moments, [N or 1, 2, 2 C]."""
        given: Sequence[Tensor | None] = (None, None) if moments is None else moments.chunk(2, -1)
        y, first = modulated(self.first_modulation, self.first(x), code, given[0], pooled=pooled)
        y = self.second(functional.relu(y))
        y, second = modulated(self.second_modulation, y, code, given[1], pooled=pooled)
        return y + x[..., 2:-2, 2:-2], torch.cat([first, second], -1)


def modulated(
    modulation: Modulation, x: Tensor, code: Tensor, moments: Tensor | None, *, pooled: bool
) -> tuple[Tensor, Tensor]:
    """Modulate x [N, C, h, w] by given moments [N or 1, 2, C], or by its own; give both.

    Args:
        modulation: where in the net this is.
        x: what is modulated.
        code: [N, 256]
        moments: used as they are; None measures x.
        pooled: measure all pictures of the batch as one, not each for itself.
    """
    if moments is None:
        moments = pooled_moments(x) if pooled else own_moments(x)
    return modulation(x, code, moments), moments


def own_moments(x: Tensor) -> Tensor:
    """[N, C, h, w] to [N, 2, C]: mean and variance of each picture's channels."""
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0)
    return torch.stack([mean, variance], dim=1)


def pooled_moments(x: Tensor) -> Tensor:
    """[N, C, h, w] to [1, 2, C]: mean and variance over all pictures, summed in float64."""
    first, second = 0.0, 0.0
    for picture in x:  # one at a time: float64 doubles the memory
        wide = picture.double().flatten(1)
        first = first + wide.mean(1) / len(x)
        second = second + torch.linalg.vector_norm(wide, dim=1).square() / (wide.shape[1] * len(x))
    mean, square = torch.as_tensor(first), torch.as_tensor(second)
    return torch.stack([mean, (square - mean.square()).clamp_min(0)])[None].float()


class Painter(nn.Module):
    """The net. 0.24 million convolution weights in size S, plus the affine heads."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.settled = False
        """Whether the typical variances are final, though other weights still learn."""
        self.stem = nn.Conv2d(12, size.stem, 3, bias=False)
        self.stem_modulation = Modulation(size.stem)
        self.down = nn.Conv2d(size.stem, size.body, 4, stride=2, bias=False)
        self.down_modulation = Modulation(size.body)
        self.body = nn.ModuleList(Residual(size.body) for _ in range(size.blocks))
        self.up = nn.Conv2d(size.body, size.stem, 3)
        self.up_modulation = Gain(size.stem)
        self.detail = nn.Conv2d(size.stem, size.stem, 3)
        self.detail_modulation = Gain(size.stem)
        self.last = nn.Conv2d(size.stem, 12, 3)
        kernel = torch.tensor([1.0, 2.0, 1.0])
        kernel = kernel[:, None] * kernel / 16
        self.register_buffer("smooth", kernel.expand(size.stem, 1, 3, 3).clone(), persistent=False)

    smooth: Tensor

    @property
    def moment_channels(self) -> int:
        """Length of a moments vector: the channels of all places that normalise."""
        return self.size.stem + self.size.body * (1 + 2 * self.size.blocks)

    def forward(
        self,
        x: Tensor,
        code: Tensor,
        moments: Tensor | None = None,
        *,
        pooled: bool = False,
        frugal: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Paint.

        Args:
            x: [N, 3, H + 2 * apron, W + 2 * apron], 0 to 1, H and W multiples of 4: the picture
                with its context.
            code: [N, 256]
            moments: [N or 1, 2, moment_channels] as an earlier pass returned them; None measures.
            pooled: measure over the whole batch and not each picture for itself.
            frugal: keep no activation of the residual blocks for the gradient, compute them again
                (Chen 2016): a third of the memory for a third more time.

        Returns:
            The painted pictures [N, 3, H, W], 0 to 1, and the moments that were used.
        """
        given = self._shares(moments)
        y = self.stem(functional.pixel_unshuffle(x, 2))
        y, stem = modulated(self.stem_modulation, y, code, given[0], pooled=pooled)
        y = functional.relu(y)
        y = functional.conv2d(y, self.smooth.to(y.dtype), groups=y.shape[1])[..., 1:-1, 1:-1]
        y, down = modulated(self.down_modulation, self.down(y), code, given[1], pooled=pooled)
        y, used = functional.relu(y), [stem, down]
        for block, share in zip(self.body, given[2:], strict=True):
            if frugal:
                y, here = checkpoint(block, y, code, share, pooled, use_reentrant=False)
            else:
                y, here = block(y, code, share, pooled)
            used.append(here)
        everything = torch.cat(used, dim=-1)
        if self.training and moments is None and not self.settled:
            self._learn_typical(everything.detach())
        y = functional.interpolate(y, scale_factor=2, mode="nearest")
        y = functional.relu(self.up_modulation(self.up(y), code))
        y = functional.relu(self.detail_modulation(self.detail(y), code))
        y = functional.pixel_shuffle(self.last(y), 2)[..., 2:-2, 2:-2]
        return 0.5 + 0.5 * torch.tanh(y.float()), everything

    def modulations(self) -> list[Modulation]:
        """All places that normalise and modulate, in the order in which a picture passes them."""
        return [part for part in self.modules() if isinstance(part, Modulation)]

    def heads(self) -> list[Gain]:
        """All places that a style code scales and shifts."""
        return [part for part in self.modules() if isinstance(part, Gain)]

    def _shares(self, moments: Tensor | None) -> Sequence[Tensor | None]:
        """Split moments: stem, down, then one share for each residual block."""
        if moments is None:
            return [None] * (2 + self.size.blocks)
        widths = [self.size.stem, self.size.body] + [2 * self.size.body] * self.size.blocks
        return torch.split(moments, widths, dim=-1)

    @torch.no_grad()
    def _learn_typical(self, used: Tensor) -> None:
        """Let each channel's typical variance follow what training sees."""
        widths = [m.channels for m in self.modulations()]
        variances = torch.split(share_mean(used[:, 1].mean(0)), widths)
        for modulation, variance in zip(self.modulations(), variances, strict=True):
            modulation.typical.lerp_(variance.to(modulation.typical), 0.02)

    @torch.no_grad()
    def project_phases(self) -> None:
        """Give the four sub-pixel phases of the last layer equal response to flat input.

        Per colour and input channel, the kernel sums of the four phases become their mean and so do
        the biases; without this the phases drift apart and print a 2 px lattice.
        """
        kernels = self.last.weight.view(3, 4, -1, 9)
        sums = kernels.sum(-1, keepdim=True)
        kernels -= (sums - sums.mean(1, keepdim=True)) / 9
        bias = self.last.bias
        if bias is not None:
            phases = bias.view(3, 4)
            phases.copy_(phases.mean(1, keepdim=True).expand(3, 4))


def load_painter(path: Path, *, size: str) -> Painter:
    """Read a painter's weights from a safetensors file; computing is in float32."""
    painter = Painter(SIZES[size])
    painter.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    return painter.eval().requires_grad_(requires_grad=False)


def mirrored(picture: Tensor, *, top: int, bottom: int, left: int, right: int) -> Tensor:
    """Pad [..., H, W] by mirrored indices, however small the picture is (edge not repeated)."""
    rows = _mirror_index(picture.shape[-2], top, bottom)
    columns = _mirror_index(picture.shape[-1], left, right)
    return picture[..., rows.to(picture.device)[:, None], columns.to(picture.device)]


def _mirror_index(length: int, before: int, after: int) -> Tensor:
    index = torch.arange(-before, length + after)
    if length == 1:
        return torch.zeros_like(index)
    period = 2 * (length - 1)
    index = index.remainder(period)
    return torch.where(index >= length, period - index, index)
