"""The net: local, exact by tiles, free of a phase lattice, at home with any size."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.paint.networks import Modulation, Painter, mirrored, own_moments
from pipeline.paint.sizes import CODE_LENGTH, SIZES

SIZE = SIZES["S"]
APRON = SIZE.apron


@pytest.fixture(scope="module")
def painter() -> Painter:
    torch.manual_seed(3)
    net = Painter(SIZE).eval()
    for part in net.modules():
        if isinstance(part, torch.nn.Linear):
            torch.nn.init.normal_(part.weight, std=0.05)
    with torch.inference_mode():
        _, moments = net(torch.rand(1, 3, 64 + 2 * APRON, 64 + 2 * APRON), _code())
    at = 0
    for part in net.modules():  # what training would have learnt of this net
        if isinstance(part, Modulation):
            part.typical = moments[0, 1, at : at + part.channels].clone()
            at += part.channels
    return net


def _code() -> torch.Tensor:
    return torch.randn(1, CODE_LENGTH, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_a_painted_picture_has_the_size_of_its_picture(painter: Painter) -> None:
    out, moments = painter(torch.rand(2, 3, 32 + 2 * APRON, 48 + 2 * APRON), _code().expand(2, -1))
    assert out.shape == (2, 3, 32, 48)
    assert moments.shape == (2, 2, painter.moment_channels)
    assert 0 <= out.min() <= out.max() <= 1


@torch.inference_mode()
def test_a_tile_has_the_pixels_of_the_whole(painter: Painter) -> None:
    x = torch.rand(1, 3, 96 + 2 * APRON, 128 + 2 * APRON)
    _, moments = painter(x, _code())
    whole, _ = painter(x, _code(), moments)
    top, left, height, width = 32, 20, 48, 64
    tile, _ = painter(
        x[..., top : top + height + 2 * APRON, left : left + width + 2 * APRON], _code(), moments
    )
    expected = whole[..., top : top + height, left : left + width]
    assert torch.allclose(tile, expected, rtol=0, atol=2e-5)


@torch.inference_mode()
def test_beyond_the_apron_nothing_is_seen(painter: Painter) -> None:
    x = torch.rand(1, 3, 8 + 2 * APRON, 8 + 2 * APRON)
    _, moments = painter(x, _code())
    inner, _ = painter(x, _code(), moments)
    wide = torch.nn.functional.pad(x, (8, 8, 8, 8), value=0.7)
    outer, _ = painter(wide, _code(), moments)
    assert torch.allclose(inner, outer[..., 8:16, 8:16], rtol=0, atol=2e-5)


@torch.inference_mode()
def test_pooled_moments_are_those_of_all_pictures_together(painter: Painter) -> None:
    x = torch.rand(1, 3, 16 + 2 * APRON, 16 + 2 * APRON)
    _, one = painter(x, _code(), pooled=True)
    _, four = painter(x.expand(4, -1, -1, -1), _code().expand(4, -1), pooled=True)
    assert torch.allclose(one, four, rtol=1e-5, atol=1e-6)


@torch.inference_mode()
def test_what_hardly_varies_is_not_amplified_into_noise() -> None:
    part = Modulation(2)
    part.typical = torch.tensor([4.0, 4.0])
    faint = 0.002 * torch.randn(1, 2, 64, 64)
    out = part(faint, torch.zeros(1, CODE_LENGTH), own_moments(faint))
    assert out.std() < 0.02


def test_projection_gives_the_phases_equal_response_to_flat_input() -> None:
    net = Painter(SIZE)
    net.project_phases()
    sums = net.last.weight.view(3, 4, -1, 9).sum(-1)
    assert torch.allclose(sums, sums[:, :1].expand_as(sums), atol=1e-6)
    assert net.last.bias is not None
    phases = net.last.bias.view(3, 4)
    assert torch.equal(phases, phases[:, :1].expand_as(phases))


@given(
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    edge=st.tuples(*[st.integers(0, 20)] * 4),
)
@settings(max_examples=60, deadline=None)
def test_mirroring_works_for_pictures_smaller_than_the_edge(
    height: int, width: int, edge: tuple[int, int, int, int]
) -> None:
    top, bottom, left, right = edge
    picture = torch.arange(float(height * width)).view(1, height, width)
    padded = mirrored(picture, top=top, bottom=bottom, left=left, right=right)
    assert padded.shape == (1, height + top + bottom, width + left + right)
    assert torch.equal(padded[:, top : top + height, left : left + width], picture)
    if top and height > 1:
        assert torch.equal(padded[0, top - 1, left : left + width], picture[0, 1])
