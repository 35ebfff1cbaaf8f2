"""Style and content: nothing between equals, known distances, and where two curves meet."""

import numpy as np
import pytest
import torch

from pipeline.judge.styles import (
    CONSTANTS,
    at_content,
    average,
    likeness,
    moment_losses,
    ratios,
    ssim,
    tensor,
    with_strength,
)
from pipeline.paint.losses import CODE_LAYERS, Manner, manner


def features(seed: int, shift: float = 0.0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        layer: torch.rand(1, 8, 32 >> i, 32 >> i, generator=generator) + shift
        for i, layer in enumerate(CODE_LAYERS)
    }


def test_a_picture_has_no_distance_to_itself() -> None:
    own = features(1)
    found = likeness(own, manner(own), own["relu3_3"], manner(own))
    assert set(found.values()) == {0.0}


def test_a_shift_of_all_features_is_its_square_over_the_constant() -> None:
    one, other = features(1), features(1, shift=100.0)
    found = likeness(other, manner(other), one["relu3_3"], manner(one))
    for layer, constant in CONSTANTS.moments.items():
        assert found[f"style/{layer}"] == pytest.approx(100.0**2 / constant, rel=1e-3)
    three = [found[f"style/{layer}"] for layer in CODE_LAYERS[:3]]
    assert found["style"] == pytest.approx(sum(three) / 3)
    assert found["content"] < 1e-3  # normalised features do not see it


def test_unrelated_pictures_have_a_content_loss_of_two() -> None:
    random = torch.Generator().manual_seed(0)
    one, two = torch.randn(2, 1, 8, 64, 64, generator=random) * 30
    other = {**features(2), "relu3_3": two}
    found = likeness(other, manner(other), one, manner(features(3)))
    assert found["content"] == pytest.approx(2, rel=0.05)


def test_deviation_counts_as_much_as_the_mean() -> None:
    zero = torch.zeros(1, 2)
    one = Manner({"a": zero}, {"a": zero}, {})
    other = Manner({"a": zero}, {"a": zero + 3}, {})
    assert moment_losses(one, other, {"a": 2.0}) == {"a": pytest.approx(4.5)}


def test_a_sweep_is_met_between_its_points() -> None:
    sweep = {
        1.0: {"content": 1.0, "style": 1.0},
        0.5: {"content": 0.4, "style": 3.0},
        0.75: {"content": 0.6, "style": 2.0},
    }
    strength, there = at_content(sweep, 0.8)
    assert strength == pytest.approx(0.875)
    assert there == {"content": pytest.approx(0.8), "style": pytest.approx(1.5)}
    assert at_content(sweep, 2.0) == (1.0, sweep[1.0])
    assert at_content(sweep, 0.1) == (0.5, sweep[0.5])


def test_averages_and_ratios_keep_to_what_both_have() -> None:
    mean = average([{"a": 1.0, "b": 5.0}, {"a": 3.0}])
    assert mean == {"a": 2.0}
    assert ratios(mean, {"a": 4.0, "c": 1.0}) == {"a": 0.5}


def test_strength_goes_from_the_photograph_to_the_paint() -> None:
    photo = np.full((2, 2, 3), 50, np.uint8)
    paint = np.full((2, 2, 3), 250, np.uint8)
    assert np.array_equal(with_strength(photo, paint, 0), photo / np.float32(255))
    assert np.array_equal(with_strength(photo, paint, 1), paint / np.float32(255))
    assert with_strength(photo, paint, 0.25) * 255 == pytest.approx(np.full((2, 2, 3), 100.0))
    assert tensor(photo).shape == (1, 3, 2, 2)
    assert float(tensor(photo).max()) == pytest.approx(50 / 255)


def test_ssim_is_one_for_equals_and_has_its_formula_for_flat_pictures() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 40)).astype(np.uint8)
    assert ssim(picture, picture) == pytest.approx(1)
    assert ssim(picture, 255 - picture) < 0
    one, other = np.full((20, 20), 100, np.uint8), np.full((20, 20), 150, np.uint8)
    floor = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + floor) / (100**2 + 150**2 + floor)
    assert ssim(one, other) == pytest.approx(expected)
    with pytest.raises(ValueError, match="one size"):
        ssim(one, picture)
