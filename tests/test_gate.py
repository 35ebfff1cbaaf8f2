"""The gate: what stands passes, what the film does is allowed, what flickers needs keys."""

import numpy as np
import pytest

from films import planes_of, still
from pipeline.fill.gate import FLOOR, NeedsKeys, budget, gate_luma, measure, over
from pipeline.judge.temporal import counted, warping_error
from pipeline.media.color import Plane
from pipeline.motion.bridge import Step, steps


def step(before: Plane, now: Plane) -> Step:
    return steps([before, now])[0]


def test_a_picture_that_stands_has_no_loss() -> None:
    luma = planes_of(still()).luma
    loss = measure(luma, luma, luma, luma, step=step(luma, luma))
    assert (loss.painted, loss.content, loss.coverage) == (0, 0, 1)


def test_a_painting_that_moves_with_its_film_passes_and_one_that_flickers_does_not() -> None:
    before, now = planes_of(still()).luma, planes_of(still(offset=(2, 1))).luma
    motion = step(before, now)
    moves = measure(now, before, now, before, step=motion)
    noise = np.random.default_rng(0).normal(0, 20, now.shape)
    restless = np.clip(now + noise, 0, 255).astype(np.uint8)
    flickers = measure(restless, before, now, before, step=motion)
    allowed = budget(moves.content, 1, 1, knob=3)
    assert moves.painted == moves.content
    assert over([None, moves.painted, flickers.painted], [None, allowed, allowed]) == (2,)


def test_the_loss_is_the_published_warping_error_of_both_films() -> None:
    before, now = planes_of(still()).luma, planes_of(still(offset=(2, 1))).luma
    motion = step(before, now)
    judged = counted(motion.back, motion.forth)
    loss = measure(255 - now, 200 - before // 2, now, before, step=motion)
    ours = warping_error(255 - now, 200 - before // 2, there=motion.back, judged=judged)
    theirs = warping_error(now, before, there=motion.back, judged=judged)
    assert loss.painted == pytest.approx(ours.error, rel=1e-4)
    assert loss.content == pytest.approx(theirs.error, abs=1e-7)
    assert loss.coverage == ours.coverage


def test_motion_that_does_not_come_back_cannot_be_judged() -> None:
    luma = planes_of(still()).luma
    away = np.full((*luma.shape, 2), 5, np.float32)
    loss = measure(luma, luma, luma, luma, step=Step(away, away, still=False))
    assert loss.painted is loss.content is None
    assert loss.coverage == 0
    assert budget(loss.content, 1, 1, knob=3) is None


def test_what_no_one_sees_passes_always() -> None:
    assert budget(0.0, 1, 1, knob=3) == 3 * FLOOR


def test_the_budget_grows_with_the_gradients_of_the_painting() -> None:
    own = budget(0.01, 2, 1, knob=3)
    assert own is not None
    assert abs(own - 0.06) < 1e-9


def test_losses_are_measured_at_540_lines_at_most() -> None:
    assert gate_luma(np.zeros((1080, 1920), np.uint8)).shape == (540, 960)
    small = np.zeros((96, 160), np.uint8)
    assert gate_luma(small) is small


def test_needs_keys_are_values() -> None:
    assert NeedsKeys((3, 5)) == NeedsKeys((3, 5))
