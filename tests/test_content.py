"""Training windows: pure functions of their seed, and what is done to them is what it says."""

import numpy as np
import torch

from pipeline.paint.content import Photographs, _cosines, bordered, coded, grey

CPU = torch.device("cpu")


def _photos() -> Photographs:
    rng = np.random.default_rng(0)
    return Photographs([rng.integers(0, 256, (90, 120, 3), np.uint8) for _ in range(3)], CPU)


def test_windows_are_a_pure_function_of_their_seed() -> None:
    photos = _photos()
    one, two = (
        photos.windows(count=6, side=72, rng=np.random.default_rng((1, 2))) for _ in range(2)
    )
    assert torch.equal(one, two)
    assert one.shape == (6, 3, 72, 72)
    assert 0 <= one.min() <= one.max() <= 1


def test_a_photograph_smaller_than_the_window_is_enlarged() -> None:
    assert _photos().windows(count=2, side=200, rng=np.random.default_rng(1)).shape[-1] == 200


def test_grey_keeps_luma_and_nothing_else() -> None:
    picture = torch.rand(3, 8, 8)
    out = grey(picture)
    assert torch.equal(out[0], out[2])
    assert torch.allclose(out[0], 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2])


def test_fine_rounding_leaves_a_picture_and_coarse_rounding_makes_blocks() -> None:
    picture = torch.rand(3, 20, 24)
    basis = torch.from_numpy(_cosines())
    assert torch.allclose(basis @ basis.T, torch.eye(8), atol=1e-6)
    assert torch.allclose(coded(picture, basis, coarse=1e-6), picture, atol=1e-5)
    blocky = coded(picture, basis, coarse=10.0)
    inside = blocky[:, :16, :24].reshape(3, 2, 8, 3, 8)
    assert inside.std(dim=(2, 4)).max() < 1e-4
    assert torch.equal(blocky[:, 16:], picture[:, 16:])


def test_a_border_mirrors_what_lies_inside_of_it() -> None:
    ramp = torch.arange(64.0).expand(3, 64, 64).contiguous()
    seen = set()
    for seed in range(12):
        out = bordered(ramp, np.random.default_rng(seed))
        changed = (out != ramp).any(0)
        seen.add((bool(changed[:, 0].any()), bool(changed[:, -1].any())))
        columns = out[0, 32]
        assert set(columns.tolist()) <= set(ramp[0, 0].tolist())
        if changed[:, 0].any():
            at = int(columns.argmin())
            assert torch.equal(columns[:at].flip(0), columns[at + 1 : 2 * at + 1])
    assert {(True, False), (False, True)} <= seen
