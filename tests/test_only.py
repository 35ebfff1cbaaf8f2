"""Training for one painting: the code moves first, then only the last convolutions."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from test_losses import made_vgg
from test_variety import _picture

from pipeline.errors import MissingWeights
from pipeline.paint import losses, styles
from pipeline.paint.networks import Painter
from pipeline.paint.only import LAST, shipped_scales, tune
from pipeline.paint.schedule import Settings
from pipeline.paint.sizes import SIZES

SCALES = losses.Scales(
    dict.fromkeys(losses.STYLE_LAYERS, 1.0), dict.fromkeys(losses.GRAM_LAYERS, 1.0)
)


def test_what_is_learned_is_a_code_and_a_delta_of_the_last_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "WEIGHTS", tmp_path)
    with pytest.raises(MissingWeights, match="layer constants"):
        shipped_scales()
    (tmp_path / "painter-S.run.json").write_text(json.dumps({"scales": asdict(SCALES)}))
    assert shipped_scales() == SCALES
    torch.manual_seed(2)
    painter = Painter(SIZES["S"])
    before = {name: value.clone() for name, value in painter.state_dict().items()}
    code = np.zeros(styles.CODE_LENGTH, np.float32)
    seen: list[int] = []
    tuned = tune(
        painter,
        _picture(1),
        code,
        [_picture(2)],
        made_vgg(),
        weights="digest",
        settings=Settings(steps=6, batch=1, crop=48, wide_crop=48),
        tell=lambda progress: seen.append(progress.step),
    )
    assert seen == [1, 2, 1, 2, 3, 4]
    assert 0 < np.abs(tuned.code - code).max() <= 4
    assert tuned.delta.painter == "digest"
    assert {name.split(".")[0] for name in tuned.delta.arrays} == set(LAST)
    assert max(float(np.abs(a).max()) for a in tuned.delta.arrays.values()) > 0
    for name, value in painter.state_dict().items():
        assert torch.equal(value, before[name]), name
