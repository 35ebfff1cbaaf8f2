"""The encoder: any picture gets a code; regression lowers its error; crews agree."""

from pathlib import Path

import numpy as np
import pytest
import torch
from test_losses import made_vgg
from test_variety import _picture
from torch import distributed, multiprocessing

from pipeline.errors import BadRequest
from pipeline.paint import styles
from pipeline.paint import targets as targets_of
from pipeline.paint.crew import everyone, rank, share_gradients
from pipeline.paint.encoder import StyleEncoder, encode
from pipeline.paint.encoder_training import (
    Coder,
    Lessons,
    explained,
    make_lessons,
    save_encoder,
    train_encoder,
)
from pipeline.paint.schedule import Settings, with_words

FEW = targets_of.Spread(crops=130, palettes=20, recoloured=0.5, made=5, photos=2, side=32)


def test_a_picture_of_any_size_gets_a_code() -> None:
    net = StyleEncoder().eval()
    for shape in ((40, 700, 3), (700, 513, 3), (32, 32, 3)):
        picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        code = encode(net, picture)
        assert code.shape == (styles.CODE_LENGTH,)
        assert np.isfinite(code).all()


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    works = {"one": _picture(1), "two": _picture(2)}
    vgg = made_vgg()
    aims, basis = targets_of.make_targets(works, [_picture(3)], vgg, side=64, spread=FEW)
    coder = Coder.of(vgg, basis, aims)
    whole = coder.code(targets_of.manner_of(works["one"], vgg, 64))
    assert torch.allclose(whole, aims.codes[0], atol=1e-4)
    return make_lessons(list(works.values()), [_picture(4)], coder, count=24, side=32)


def test_regression_learns_what_vgg_says(lessons: Lessons, tmp_path: Path) -> None:
    seen: list[float] = []
    net = train_encoder(lessons, steps=40, batch=8, tell=lambda _, loss: seen.append(loss))
    assert len(seen) == 40
    assert np.mean(seen[-5:]) < 0.7 * np.mean(seen[:5])
    lessons.save(tmp_path / "l.safetensors")
    back = Lessons.load(tmp_path / "l.safetensors")
    assert torch.equal(back.pictures, lessons.pictures)
    save_encoder(net, tmp_path / "e.safetensors", basis="b")
    assert (tmp_path / "e.safetensors").stat().st_size < 2.5e6


def test_explained_is_one_for_the_truth_and_zero_for_the_mean() -> None:
    wanted = torch.randn(9, 4)
    spread = torch.tensor([4.0, 2, 1, 0])
    assert explained(wanted, wanted, spread) == 1
    assert abs(explained(wanted.mean(0).expand(9, 4), wanted, spread)) < 1e-6
    wrong = wanted + torch.tensor([0, 0, 0, 9.0])  # in what stands for nothing
    assert explained(wrong, wanted, spread) == 1


def test_settings_are_changed_by_words_and_wrong_words_are_refused() -> None:
    changed = with_words(Settings(), ["crop=256", "consistency=0", "project=no"])
    assert (changed.crop, changed.consistency, changed.project) == (256, 0.0, False)
    for word in ("crops=1", "crop=wide", "project=perhaps", "size=M"):
        with pytest.raises(BadRequest, match=word.split("=")[0]):
            with_words(Settings(), [word])


def test_alone_a_worker_is_its_own_crew() -> None:
    net = torch.nn.Linear(2, 1)
    net(torch.ones(1, 2)).backward()
    before = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    share_gradients(net)
    for kept, weights in zip(before, net.parameters(), strict=True):
        assert weights.grad is not None
        assert torch.equal(kept, weights.grad)
    assert rank() == 0
    assert everyone(False, torch.device("cpu")) is False


def _one_of_two(number: int, folder: str) -> None:
    place = f"file://{folder}/meet"
    distributed.init_process_group("gloo", init_method=place, rank=number, world_size=2)
    net = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.ones_(net.weight)
    net(torch.full((1, 2), float(number + 1))).backward()
    share_gradients(net)
    said = everyone(number == 0, torch.device("cpu"))
    gradient = net.weight.grad
    assert gradient is not None
    Path(folder, str(number)).write_text(f"{gradient.tolist()} {said}", encoding="utf-8")
    distributed.destroy_process_group()


def test_two_workers_take_the_mean_of_their_gradients_and_the_firsts_decision(
    tmp_path: Path,
) -> None:
    multiprocessing.spawn(_one_of_two, (str(tmp_path),), nprocs=2)  # type: ignore[no-untyped-call,attr-defined]
    said = {(tmp_path / str(n)).read_text("utf-8") for n in range(2)}
    assert said == {"[[1.5, 1.5]] True"}
