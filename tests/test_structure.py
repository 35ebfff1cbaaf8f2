"""Structure: the film's own code in the middle of the net; deltas: for their size only."""

import numpy as np
import pytest

from actors.stylizer import Stylizer
from films import planes_of, still
from pipeline.errors import MissingWeights
from pipeline.media.color import ColorTags
from pipeline.paint import structure, styles, stylize
from pipeline.paint.runtime import read_weights
from pipeline.paint.sizes import SIZES
from pipeline.paint.structure import leaning, middle
from pipeline.paint.styles import StyleCode, delta_of, gallery, load_code, size_for

TAGS = ColorTags(1, 1, 1, full_range=False)


def test_structure_moves_the_middle_layers_and_neither_end() -> None:
    for size in SIZES.values():
        codes = np.zeros((len(size.modulations), 256), np.float32)
        out = leaning(codes, np.ones(256, np.float32), 0.25, size=size)
        assert (out[middle(size)] == 0.25).all()
        assert not out[0].any()
        assert not out[-2:].any()
        assert not codes.any()


def test_structure_changes_what_a_shot_is_measured_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stylize, "own_code", lambda _: np.ones(256, np.float32))
    monkeypatch.setattr(stylize, "encoder_identity", lambda: " encoder")
    picture = np.random.default_rng(0).random((48, 64, 3), np.float32)
    code = load_code(gallery()[0].name)
    found = [
        stylize.measure(stylize.load_brush(code, structure=share), [picture])
        for share in (0.0, 0.5)
    ]
    assert stylize.load_brush(code).weights != stylize.load_brush(code, structure=0.5).weights
    first = SIZES["S"].widths[0]
    assert np.array_equal(found[0][:, :first], found[1][:, :first])
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_without_an_encoder_structure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.paint import encoder

    monkeypatch.setattr(encoder, "FILE", "nothing.safetensors")
    encoder.shipped.cache_clear()
    with pytest.raises(MissingWeights, match="no style encoder"):
        structure.own_code([np.zeros((40, 40, 3), np.float32)])
    encoder.shipped.cache_clear()


def test_a_delta_is_added_to_the_painters_weights_and_one_of_another_size_refused() -> None:
    path, _ = stylize.painter_file("S")
    weights = read_weights(path)
    plain = load_code(gallery()[0].name)
    one = StyleCode(
        "one", plain.values, plain.basis, delta_of({"last.bias": np.ones(12, np.float32)})
    )
    out = stylize.tuned(weights, one)
    assert np.allclose(out["last.bias"] - weights["last.bias"], 1)
    assert np.array_equal(out["up.weight"], weights["up.weight"])
    other = StyleCode(
        "other", plain.values, plain.basis, delta_of({"last.bias": np.ones(13, np.float32)})
    )
    with pytest.raises(MissingWeights, match="another size"):
        stylize.tuned(weights, other)


def test_the_size_follows_the_device_where_its_weights_ship(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert size_for("auto", "cpu") == "S"
    assert size_for("M", "cpu") == "M"
    monkeypatch.setattr(styles, "manifest", lambda: {"painter-M.safetensors": "digest"})
    assert size_for("auto", "cuda") == "M"
    monkeypatch.setattr(styles, "manifest", dict)
    assert size_for("auto", "cuda") == "S"


def test_a_frame_for_itself_has_its_own_tones_and_a_shot_the_same_for_all() -> None:
    bright, dark = (
        planes_of(still((64, 48), seed=seed) // part) for seed, part in ((0, 1), (1, 3))
    )
    code = load_code(gallery()[0].name)
    shared, alone = (Stylizer(code, alone=alone) for alone in (False, True))
    moments = shared.measure([bright, dark], TAGS)
    together = shared.paint({0: bright, 1: dark}, moments, TAGS)
    apart = alone.paint({0: bright, 1: dark}, moments, TAGS)
    own = alone.measure([dark], TAGS)
    assert np.array_equal(apart[1].luma, shared.paint({1: dark}, own, TAGS)[1].luma)
    assert not np.array_equal(apart[1].luma, together[1].luma)
