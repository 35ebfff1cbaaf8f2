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
from pipeline.paint.sizes import SIZES


def _pictures(count: int, seed: int) -> list[pictures.Picture]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 9, 12, 3), np.uint8)
    return [np.kron(c, np.ones((24, 24, 1), np.uint8)) for c in coarse]


SETTINGS = training.Settings(steps=4, batch=2, crop=48, wide_crop=64, half=False)


@pytest.fixture(scope="module")
def targets() -> targets_of.Targets:
    works = dict(zip(("one", "two"), _pictures(2, 5), strict=True))
    found, basis = targets_of.make_targets(works, _pictures(55, 6), made_vgg(), side=64)
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
    trainer = training.Trainer(SETTINGS, targets, made_vgg())
    for _ in range(2):
        trainer.take_step(_pictures(3, 7))
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


def test_steps_lower_the_loss(targets: targets_of.Targets) -> None:
    trainer = training.Trainer(replace(SETTINGS, steps=60), targets, made_vgg())
    photos = _pictures(1, 7)
    seen = [trainer.take_step(photos) for _ in range(8)]
    style = [p.moments + p.gram for p in seen]
    assert np.mean(style[-2:]) < 0.97 * np.mean(style[:2])


def test_phases_stay_level_through_training(targets: targets_of.Targets) -> None:
    trainer = training.Trainer(SETTINGS, targets, made_vgg())
    trainer.take_step(_pictures(1, 7))
    sums = trainer.net.last.weight.view(3, 4, -1, 9).sum(-1)
    assert torch.allclose(sums, sums[:, :1].expand_as(sums), atol=1e-5)


def test_a_window_is_a_pure_function_of_its_seed() -> None:
    photos = _pictures(3, 7)
    one = pictures.window(photos, side=96, rng=np.random.default_rng((1, 2)))
    two = pictures.window(photos, side=96, rng=np.random.default_rng((1, 2)))
    assert torch.equal(one, two)
    assert one.shape == (3, 96, 96)
    assert 0 <= one.min() <= one.max() <= 1


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
    training.save_weights(net, tmp_path / "p.safetensors")
    back = load_painter(tmp_path / "p.safetensors", size="S")
    for name, value in net.state_dict().items():
        assert torch.equal(value.half().float(), back.state_dict()[name]), name
