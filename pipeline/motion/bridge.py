"""The lumas of a gap to how each frame in it reaches both keys.

A *gap* is two keys and the frames between them; a *bridge* is one such frame's motion to the left
key, to the right key and to the frame before it, with the trust in each. All of it is a pure
function of the lumas: those who order holes to be painted and those who fill them later, on another
machine, get the same bits and need to send none.

Flows to far keys are chained from neighbour to neighbour and then registered anew against the key
itself, so that errors do not add up along the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from pipeline.motion.confidence import confidence
from pipeline.motion.dissolve import going_on, left_over
from pipeline.motion.flow import Field, Flow, Luma, compose, estimate, no_motion, warp
from pipeline.terms import ALL, Terms

_ERROR_BOX = (9, 9)
_FULL_DROP = 1.0
"""Codes by which the mean error must drop for a new measurement to be taken as it is."""
_STANDS = 0.5
"""Codes by which no motion may fit worse and still be preferred."""
_SLOW, _FAST = 0.3, 0.8
"""Codes a frame; up to the first a dissolve does no harm, from the second on it is all there is."""


@dataclass(frozen=True, slots=True)
class Step:
    """The motion between two neighbours, t - 1 and t."""

    back: Flow
    """flow(t, t - 1)"""
    forth: Flow
    """flow(t - 1, t)"""
    still: bool
    """Whether both lumas are equal."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The motion of one in-between frame t of a gap with the keys a and b."""

    to_left: Flow
    """flow(t, a)"""
    to_right: Flow
    """flow(t, b)"""
    from_previous: Flow
    """flow(t, t - 1)"""
    trust_left: Field
    trust_right: Field
    trust_previous: Field
    dissolve: float = 0.0
    """How far the film dissolves here, 0 to 1, so that one key is best faded into the other."""


@dataclass(frozen=True, slots=True)
class _Reach:
    """The motion of one frame to a key, with the way back and its trust."""

    to_key: Flow
    from_key: Flow
    trust: Field


def steps(lumas: Sequence[Luma]) -> list[Step]:
    """Estimate the motion between each two neighbours of N lumas: N - 1 steps."""
    return [
        Step(estimate(now, before), estimate(before, now), np.array_equal(now, before))
        for before, now in pairwise(lumas)
    ]


def bridges(
    lumas: Sequence[Luma], *, known: Sequence[Step] | None = None, terms: Terms = ALL
) -> list[Bridge]:
    """Bridge a gap: one bridge for each of its in-between frames.

    Args:
        lumas: The gap's frames from key to key, both included, [h, w] each.
        known: What ``steps(lumas)`` gave, if the caller has it already.
        terms: What is done to measure well.
    """
    along = _checked(lumas, known)
    left = _reach(lumas, along, terms)
    turned = [Step(step.forth, step.back, step.still) for step in reversed(along)]
    right = _reach(lumas[::-1], turned, terms)[::-1]
    fading = dissolves(lumas, along) if terms.dissolve else [0.0] * len(along)
    return [
        Bridge(
            to_left=left[t].to_key,
            to_right=right[t].to_key,
            from_previous=along[t - 1].back,
            trust_left=left[t].trust,
            trust_right=right[t].trust,
            trust_previous=_step_trust(along[t - 1], lumas[t], lumas[t - 1], terms),
            dissolve=fading[t - 1],
        )
        for t in range(1, len(lumas) - 1)
    ]


def dissolves(lumas: Sequence[Luma], along: Sequence[Step]) -> list[float]:
    """Give for each step of a gap how far it is a dissolve, 0 to 1; a gap of one step has none."""
    found, last = [0.0] * len(along), -1
    before: Field | None = None
    for t, step in enumerate(along):
        if step.still:
            continue
        left = left_over(lumas[t + 1], warp(lumas[t], step.back))
        if before is not None:
            share = (going_on(before, left, step.back) - _SLOW) / (_FAST - _SLOW)
            share = min(1.0, max(0.0, share))
            found[last], found[t] = max(found[last], share), share
        before, last = left, t
    return found


def key_motion(
    lumas: Sequence[Luma], *, known: Sequence[Step] | None = None, terms: Terms = ALL
) -> tuple[Flow, Field]:
    """Give flow(b, a) from the last frame of a gap to its first, and the trust in it.

    Args:
        lumas: The gap's frames from key to key, both included, [h, w] each.
        known: What ``steps(lumas)`` gave, if the caller has it already.
        terms: What is done to measure well.
    """
    last = _reach(lumas, _checked(lumas, known), terms, last_only=True)[-1]
    return last.to_key, last.trust


def _checked(lumas: Sequence[Luma], known: Sequence[Step] | None) -> Sequence[Step]:
    if len(lumas) < 2:
        raise ValueError(f"a gap has two keys, got {len(lumas)} frames")
    along = steps(lumas) if known is None else known
    if len(along) != len(lumas) - 1:
        raise ValueError(f"{len(lumas)} frames have {len(lumas) - 1} steps, got {len(along)}")
    return along


def _reach(
    lumas: Sequence[Luma], along: Sequence[Step], terms: Terms, *, last_only: bool = False
) -> list[_Reach]:
    """Chain from frame 0, the key, to every other frame.

    With ``last_only`` the frames before the last are chained but neither registered nor judged.
    """
    key = lumas[0]
    last = max((t for t, step in enumerate(along, start=1) if not step.still), default=0)
    reached = [_at_key(key)]
    for t, step in enumerate(along, start=1):
        before = reached[-1]
        if step.still:
            reached.append(before)  # the same object: a freeze has the same motion, bit for bit
            continue
        if np.array_equal(lumas[t], key):
            reached.append(_at_key(key))
            continue
        to_key = compose(step.back, before.to_key)
        from_key = compose(before.from_key, step.forth)
        trust = before.trust
        if t == last or not last_only:
            if terms.refine and t > 1:  # the first step was measured against the key already
                to_key = _registered(to_key, lumas[t], key)
            if terms.standing:
                to_key = _standing(to_key, lumas[t], key)
                from_key = _standing(from_key, key, lumas[t])
            looks = terms.photometric
            trust = confidence(to_key, from_key, lumas[t], key, looks=looks)
        reached.append(_Reach(to_key, from_key, trust))
    return reached


def _at_key(key: Luma) -> _Reach:
    return _Reach(no_motion(key.shape), no_motion(key.shape), np.ones(key.shape, np.float32))


def _registered(chained: Flow, luma: Luma, key: Luma) -> Flow:
    """Measure a chained flow(t, a) anew and take the result where it fits better, softly."""
    anew = estimate(luma, key, start=chained)
    error_chained = cv2.absdiff(luma, warp(key, chained))
    error_anew = cv2.absdiff(luma, warp(key, anew))
    drop = cv2.subtract(error_chained, error_anew, dtype=cv2.CV_16S)
    share = np.clip(cv2.boxFilter(drop, cv2.CV_32F, _ERROR_BOX) / _FULL_DROP, 0, 1)
    anew -= chained
    return chained + _weighed(anew, share)


def _standing(flow: Flow, luma: Luma, of: Luma) -> Flow:
    """Let what stands still stand: take no motion where it fits as well as the flow, softly.

    A search over patches drags a halo of standing background along with whatever moves before it.
    """
    error, error_standing = cv2.absdiff(luma, warp(of, flow)), cv2.absdiff(luma, of)
    more = cv2.boxFilter(
        cv2.subtract(error_standing, error, dtype=cv2.CV_16S), cv2.CV_32F, _ERROR_BOX
    )
    return _weighed(flow, np.clip((more - _STANDS) / _FULL_DROP + 1, 0, 1))


def _weighed(flow: Flow, share: Field) -> Flow:
    return np.asarray(cv2.multiply(flow, cv2.merge([share, share])), np.float32)


def _step_trust(step: Step, luma: Luma, before: Luma, terms: Terms) -> Field:
    if step.still:
        return np.ones(luma.shape, np.float32)
    return confidence(step.back, step.forth, luma, before, looks=terms.photometric)
