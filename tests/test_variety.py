"""Variety: crops, palettes and textures are what they say; copies of held-out works are found."""

from pathlib import Path

import cv2
import numpy as np
import torch

from pipeline.paint.inherit import inherit
from pipeline.paint.networks import Painter
from pipeline.paint.sizes import SIZES
from pipeline.paint.split import HELD_OUT, is_held_out, without_copies
from pipeline.paint.variety import made_texture, random_crop, recoloured


def _picture(seed: int, side: int = 96) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (6, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (side * 4 // 3, side)), np.uint8)


def test_a_crop_is_square_and_depends_on_its_generator_alone() -> None:
    one, two = (random_crop(_picture(1), side=64, rng=np.random.default_rng(5)) for _ in range(2))
    assert one.shape == (64, 64, 3)
    assert np.array_equal(one, two)


def test_a_recoloured_work_has_the_other_ones_palette_in_lab() -> None:
    own, other = _picture(1), _picture(2)
    out = recoloured(own, other)
    got, wanted = (
        cv2.cvtColor(p, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(float) for p in (out, other)
    )
    assert np.abs(got.mean(0) - wanted.mean(0)).max() < 3
    assert np.abs(got.std(0) - wanted.std(0)).max() < 4
    assert np.abs(recoloured(own, own).astype(int) - own).mean() < 2


def test_made_textures_differ_and_fill_their_square() -> None:
    rng = np.random.default_rng(3)
    made = [made_texture([_picture(1), _picture(2)], side=64, rng=rng) for _ in range(8)]
    assert {m.shape for m in made} == {(64, 64, 3)}
    assert min(m.std() for m in made) > 1
    assert len({m.tobytes() for m in made}) == 8


def test_copies_are_found_reduced_and_mirrored_and_others_are_kept() -> None:
    work, other = _picture(1), _picture(2)
    copy = np.asarray(cv2.resize(work, (60, 45), interpolation=cv2.INTER_AREA), np.uint8)
    kept = without_copies([other, copy, np.ascontiguousarray(work[:, ::-1])], [work])
    assert [k.tobytes() for k in kept] == [other.tobytes()]
    assert without_copies([work], []) == [work]


def test_held_out_works_are_known_by_their_files() -> None:
    assert len(HELD_OUT) == 7
    assert is_held_out(Path("paintings/homer_canoe_watercolour.jpg"))
    assert not is_held_out(Path("paintings/hokusai_great_wave_1831.jpg"))


def test_an_heir_paints_known_works_as_the_older_painter_did_in_its_own_codes() -> None:
    torch.manual_seed(0)
    older, net = Painter(SIZES["S"]), Painter(SIZES["S"])
    for modulation in older.modulations():
        torch.nn.init.normal_(modulation.affine.weight, std=0.05)
    pairs = {str(i): (torch.randn(256), 2 * torch.randn(256)) for i in range(4)}
    inherit(net, older, pairs)
    x = torch.rand(1, 3, 128, 128).expand(4, -1, -1, -1)
    before, now = (torch.stack(codes) for codes in zip(*pairs.values(), strict=True))
    with torch.no_grad():
        wanted, found = older(x, before)[0], net(x, now)[0]
    assert (found - wanted).abs().mean() < 0.3 * (wanted - wanted.roll(1, 0)).abs().mean()


def test_an_heir_of_the_same_codes_paints_any_code_as_the_older_painter_did() -> None:
    torch.manual_seed(0)
    older, net = Painter(SIZES["S"]), Painter(SIZES["S"])
    for part in older.heads():
        torch.nn.init.normal_(part.affine.weight, std=0.05)
    known, other = torch.randn(2, 1, 256)
    inherit(net, older, {"known": (known[0], known[0])})
    x = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        assert (net(x, other)[0] - older(x, other)[0]).abs().mean() < 1e-5
