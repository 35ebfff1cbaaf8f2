"""An analysis and keys to the temporal loss that is to be expected, before anything is painted.

The model has two terms. Where a key explains a frame, the painting is carried along, and its loss
follows the film's own (``content``). In holes it is painted anew, and boils. How large they are:
with x the hole share of each frame (``Analysis.hole``) and S its sum over a gap, a frame up to
which s has been summed has s unexplained by the left key, S - s by the right one, and s (S - s) / S
by both: a sixth of S on average, which is what nine stretches of real footage have (see ``keys``).

::

    loss = 2.0 content + 2.9e-4 holes

Where every frame is painted on its own, all of it is a hole.

Both factors are fitted by ``reelbrush bench outlook`` (least squares of logarithms) to 38 films of
five clips: in three styles with keys as they are chosen and with every frame painted, in one with
keys 4 and 24 apart. The mean loss of a film is forecast at 0.41 to 2.04 of what it became, that of
a frame within a factor of 1.9. Most of that is the style, which is not known here: great-wave came
out at 0.41 to 1.00, starry-night at 0.61 to 2.04. So this is good to compare placements, and for
how much loss there will be within a factor of two. What it does not know: each key brings a little
loss of its own, so on one clip, whose camera stands, keys 4 apart had a quarter more than chosen
ones.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.motion.rows import Analysis

Shares = NDArray[np.float64]
"""One number a frame."""

CONTENT = 2.0
HOLE = 2.9e-4
"""Loss of a frame that is painted anew all over, [0, 1]^2."""
_LEAST_HOLE = 0.02
"""Share that a frame which differs adds to its gap's holes even if none is seen: flows drift."""


def uncovered(analysis: Analysis) -> Shares:
    """Give what each frame adds to the holes of its gap; 0 where it equals the one before."""
    return np.where(analysis.still, 0.0, np.maximum(analysis.hole, _LEAST_HOLE)).astype(np.float64)


def holes(passed: Shares, whole: Shares) -> Shares:
    """Give the share of a frame that neither key of its gap explains, 0 to 1.

    Args:
        passed: Sum of ``uncovered`` from the left key, without it, to the frame.
        whole: The same to the right key; broadcast against ``passed``.
    """
    known = np.maximum(whole, 1e-12)
    return np.clip(passed * (whole - passed) / known, 0.0, 1.0)


def expected_loss(analysis: Analysis, keys: Sequence[int], *, alone: bool = False) -> Shares:
    """Give the loss to expect of the frames after ``keys[0]`` up to and with ``keys[-1]``.

    Args:
        analysis: Of the whole film.
        keys: Of one part of a shot, ascending.
        alone: Whether every frame is painted on its own, whatever the keys.

    Returns:
        [keys[-1] - keys[0]] in [0, 1]^2. A frame that equals the one before has none; what the
        analysis could not judge counts as lossless content.
    """
    content, hole = causes(analysis, keys, alone=alone)
    return np.asarray(CONTENT * content + HOLE * hole, np.float64)


def causes(
    analysis: Analysis, keys: Sequence[int], *, alone: bool = False
) -> tuple[Shares, Shares]:
    """Give what loss comes from, frame by frame: the film's own loss, and the share of holes.

    Arguments are those of ``expected_loss``, and as many numbers come back; where a frame equals
    the one before, both are 0.
    """
    adds = uncovered(analysis)
    found = [np.empty(0)]
    for left, right in pairwise(keys):
        passed = np.cumsum(adds[left + 1 : right + 1])
        found.append(holes(passed, passed[-1:]))
    part = slice(keys[0] + 1, keys[-1] + 1)
    content = np.nan_to_num(analysis.content[part].astype(np.float64))
    hole = np.ones(content.size) if alone else np.concatenate(found)
    still = analysis.still[part]
    return np.where(still, 0.0, content), np.where(still, 0.0, hole)
