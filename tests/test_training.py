"""Training: a run that is stopped and resumed takes the same steps; crops are pure functions."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_losses import made_vgg

from pipeline.paint import pictures, styles, training
from pipeline.paint import targets as targets_of
from pipeline.paint.networks import Painter, load_painter
from pipeline.paint.schedule import MIX, Settings
from pipeline.paint.sheets import save_weights
from pipeline.paint.sizes import SIZES


def _pictures(count: int, seed: int) -> list[pictures.Picture]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 9, 12, 3), np.uint8)
    return [np.kron(c, np.ones((24, 24, 1), np.uint8)) for c in coarse]


SETTINGS = Settings(steps=4, batch=2, crop=48, wide_crop=64)
FEW = targets_of.Spread(crops=60, palettes=40, recoloured=0.5, made=20, photos=3, side=32)


@pytest.fixture(scope="module")
def targets() -> targets_of.Targets:
    works = dict(zip(("one", "two"), _pictures(2, 5), strict=True))
    found, basis = targets_of.make_targets(
        works, _pictures(55, 6), made_vgg(), photos=_pictures(3, 9), side=64, spread=FEW
    )
    assert found.basis == basis.digest
    return found


def _run(folder: Path, targets: targets_of.Targets, *, stop_after: float | None = None) -> bool:
    return training.train(
        folder,
        settings=SETTINGS,
        targets=targets,
        vgg=made_vgg(),
        photos=_pictures(3, 7),
        samples=_pictures(2, 8),
        tell=lambda _: None,
        sheet_every=100,
        save_every=2,
        stop_after=stop_after,
    )


def test_a_resumed_run_ends_with_the_weights_of_one_that_never_stopped(
    tmp_path: Path, targets: targets_of.Targets
) -> None:
    assert _run(tmp_path / "whole", targets)
    trainer = training.Trainer(SETTINGS, targets, made_vgg(), _pictures(3, 7))
    for _ in range(2):
        trainer.take_step()
    (tmp_path / "cut").mkdir()
    trainer.save(tmp_path / "cut" / "checkpoint.pt")
    assert _run(tmp_path / "cut", targets)
    whole = torch.load(tmp_path / "whole" / "checkpoint.pt", weights_only=True)
    cut = torch.load(tmp_path / "cut" / "checkpoint.pt", weights_only=True)
    assert whole["step"] == cut["step"] == SETTINGS.steps
    for name, value in whole["net"].items():
        assert torch.equal(value, cut["net"][name]), name
    assert (tmp_path / "whole" / "000004.png").stat().st_size > 1000


def test_a_folder_of_another_run_is_refused(tmp_path: Path, targets: targets_of.Targets) -> None:
    (tmp_path / "settings.json").write_text(json.dumps({"steps": 1}), encoding="utf-8")
    with pytest.raises(ValueError, match="other settings"):
        _run(tmp_path, targets)


def test_targets_survive_being_kept(tmp_path: Path, targets: targets_of.Targets) -> None:
    targets_of.save_targets(targets, tmp_path / "t.safetensors")
    back = targets_of.load_targets(tmp_path / "t.safetensors")
    assert (back.names, back.basis, back.scales) == (targets.names, targets.basis, targets.scales)
    assert torch.equal(back.codes, targets.codes)
    assert torch.equal(back.manners.gram["relu3_3"], targets.manners.gram["relu3_3"])


def test_every_row_belongs_to_one_kind(targets: targets_of.Targets) -> None:
    rows = [row for kind in MIX for row in targets.rows(kind)]
    assert rows == list(range(len(targets.codes)))
    assert len(targets.rows("works")) == len(targets.names) == 2
    assert list(targets.rows("nothing")) == []


def test_a_mix_of_two_rows_lies_between_them(targets: targets_of.Targets) -> None:
    first, second = torch.tensor([0, 1]), torch.tensor([1, 5])
    codes, manners = targets.mixed(first, second, torch.tensor([0.0, 0.25]))
    assert torch.equal(codes[0], targets.codes[0])
    assert torch.allclose(codes[1], 0.75 * targets.codes[1] + 0.25 * targets.codes[5])
    gram = targets.manners.gram["relu2_2"]
    assert torch.allclose(manners.gram["relu2_2"][1], 0.75 * gram[1] + 0.25 * gram[5])


def test_recomputed_activations_give_the_same_gradients() -> None:
    torch.manual_seed(1)
    net = Painter(SIZES["S"]).eval()
    picture, code = torch.rand(2, 3, 104, 104), torch.randn(2, styles.CODE_LENGTH)
    found = []
    for frugal in (False, True):
        net.zero_grad()
        painted, _ = net(picture, code, frugal=frugal)
        painted.square().mean().backward()
        found.append([weights.grad for weights in net.parameters() if weights.grad is not None])
    assert len(found[0]) == len(list(net.parameters()))
    for kept, recomputed in zip(*found, strict=True):
        assert torch.allclose(kept, recomputed, rtol=1e-4, atol=1e-7)


def test_steps_lower_the_loss(targets: targets_of.Targets) -> None:
    settings = replace(SETTINGS, steps=60, mix=False)
    trainer = training.Trainer(settings, targets, made_vgg(), _pictures(1, 7))
    seen = [trainer.take_step() for _ in range(8)]
    style = [p.moments + p.gram for p in seen]
    assert np.mean(style[-2:]) < 0.97 * np.mean(style[:2])


def test_phases_stay_level_through_training(targets: targets_of.Targets) -> None:
    trainer = training.Trainer(SETTINGS, targets, made_vgg(), _pictures(1, 7))
    trainer.take_step()
    sums = trainer.net.last.weight.view(3, 4, -1, 9).sum(-1)
    assert torch.allclose(sums, sums[:, :1].expand_as(sums), atol=1e-5)


def test_no_motion_moves_nothing() -> None:
    still = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    picture = torch.rand(1, 3, 40, 40)
    out, valid = pictures.moved(picture, still, side=24)
    assert torch.allclose(out, picture[..., 8:32, 8:32], atol=1e-5)
    assert valid.min() == 1


def test_a_basis_whitens_what_it_was_fitted_to() -> None:
    rng = np.random.default_rng(0)
    vectors = list((rng.standard_normal((400, 300)) * np.linspace(3, 1, 300)).astype(np.float32))
    basis = styles.fit_basis(vectors)
    codes = np.stack([basis.code(v) for v in vectors])
    assert codes.shape == (400, styles.CODE_LENGTH)
    assert 0.8 < codes[:, :32].std() < 1.2
    with pytest.raises(ValueError, match="more than 256"):
        styles.fit_basis(vectors[:10])


def test_saved_weights_load_into_the_net(tmp_path: Path) -> None:
    net = Painter(SIZES["S"]).eval()
    save_weights(net, tmp_path / "p.safetensors")
    back = load_painter(tmp_path / "p.safetensors", size="S")
    for name, value in net.state_dict().items():
        assert torch.equal(value.half().float(), back.state_dict()[name]), name
