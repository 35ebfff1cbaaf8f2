"""Losses: zero where they must be, and the statistics that they say they are."""

import torch

from pipeline.paint.losses import (
    PALETTE,
    STYLE_LAYERS,
    Manner,
    Vgg16,
    consistency_loss,
    content_loss,
    manner,
    opponents,
    palette_loss,
    scales,
    style_losses,
)


def made_vgg(seed: int = 0) -> Vgg16:
    """VGG16's first blocks with random weights, a quarter as wide: made, so that tests are fast."""
    return Vgg16(made_weights(seed), dtype=torch.float32)


def made_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """What ``made_vgg`` is made of, by torchvision's names."""
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, torch.Tensor] = {}
    before = 3
    plan = {0: 16, 2: 16, 5: 32, 7: 32, 10: 32, 12: 32, 14: 32, 17: 64, 19: 64, 21: 64}
    for index, after in plan.items():
        scale = (2 / (9 * before)) ** 0.5
        kernel = torch.randn(after, before, 3, 3, generator=generator) * scale
        weights[f"features.{index}.weight"] = kernel
        weights[f"features.{index}.bias"] = torch.zeros(after)
        before = after
    return weights


def _features(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        layer: torch.rand(1, 8, 16 >> i, 16 >> i, generator=generator)
        for i, layer in enumerate(STYLE_LAYERS)
    }


def test_features_come_with_the_sizes_of_their_layers() -> None:
    features = made_vgg()(torch.rand(1, 3, 32, 48), last="relu4_3")
    shapes = {name: tuple(f.shape[1:]) for name, f in features.items()}
    assert shapes == {
        "relu1_2": (16, 32, 48),
        "relu2_2": (32, 16, 24),
        "relu3_3": (32, 8, 12),
        "relu4_3": (64, 4, 6),
    }


def test_a_picture_has_no_distance_to_its_own_manner() -> None:
    own: Manner = manner(_features(1))
    moments, gram = style_losses(own, own, scales([own]))
    assert float(moments) == float(gram) == 0


def test_a_manner_is_mean_deviation_and_gram() -> None:
    f = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    got = manner({"relu2_2": f})
    assert got.mean["relu2_2"].tolist() == [[2.0, 2.0]]
    assert torch.allclose(got.std["relu2_2"], torch.tensor([[1.0, 0.0]]), atol=4e-3)
    assert got.gram["relu2_2"].tolist() == [[[5.0, 4.0], [4.0, 4.0]]]


def test_content_does_not_see_gain_and_offset() -> None:
    f = torch.rand(1, 4, 16, 16) * 30
    assert float(content_loss(f * 2 + 5, f)) < 1e-3
    assert float(content_loss(torch.rand(1, 4, 16, 16) * 30, f)) > 1


def test_consistency_counts_only_what_is_valid() -> None:
    painted, expected = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    expected[..., 0] = 1
    valid = torch.ones(1, 1, 4, 4)
    assert float(consistency_loss(painted, expected, valid)) == 0.25
    valid[..., 0] = 0
    assert float(consistency_loss(painted, expected, valid)) == 0


def test_palette_loss_sees_hue_and_which_hues_go_with_light() -> None:
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, 32, 32, generator=generator)

    def palette(x: torch.Tensor) -> Manner:
        return manner({PALETTE: opponents(x)})

    own = palette(picture)
    assert palette_loss(palette(picture.flip(3)), own) == 0
    assert palette_loss(palette(picture.mean(1, keepdim=True).expand(-1, 3, -1, -1)), own) > 0.5
    assert palette_loss(palette(picture * torch.tensor([1, 0.5, 0.5]).view(1, 3, 1, 1)), own) > 0.1
    along = torch.linspace(-0.2, 0.2, 32).expand(1, 1, 32, 32)
    red = torch.cat([along, -0.299 / 0.587 * along, 0 * along], 1)
    assert palette_loss(palette(0.5 + along + red), palette(0.5 + along + red.flip(3))) > 0.1
