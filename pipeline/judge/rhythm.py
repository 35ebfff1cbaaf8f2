"""Numbers of consecutive frames to how much the keys, or the encoder's seams, show in them.

Frames between keys are warped and blended, keys are painted: where that shows, fine structure comes
and goes (*pulse*) or the picture jumps at a key (*pop*). A *seam* is where one encoded segment ends
and the next begins. Everything here is a ratio of per-frame numbers that others have measured; None
says that there was nothing to divide.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np


def detail_ratio(
    details: Sequence[float], each: Sequence[float], keys: Sequence[bool]
) -> float | None:
    """Give the fine structure that filling leaves: the median over the frames that are no keys.

    Args:
        details: Energy of fine structure of each frame, as ``judge.detail`` measures it.
        each: The same of the film in which each frame was painted on its own.
        keys: Which frames are keys.

    Returns:
        0 and more, 1 being what painting has.

    >>> detail_ratio([4.0, 3.0, 4.0], [4.0, 4.0, 4.0], [True, False, True])
    0.75
    """
    found = _shares(details, each)
    between = [found[t] for t, key in enumerate(keys) if not key and t in found]
    return float(np.median(between)) if between else None


def pulse(details: Sequence[float], each: Sequence[float], keys: Sequence[bool]) -> float | None:
    """Give the fine structure half way between keys over that at the keys: the median over gaps.

    Both are shares of what painting each frame has, so that what comes and goes in the film itself
    does not count.

    Args:
        details: As for ``detail_ratio``, and so are the others.
        each: The film in which each frame was painted on its own.
        keys: Which frames are keys.

    Returns:
        0 and more; 1 where nothing pulses.

    >>> pulse([4.0, 3.0, 2.0, 3.0, 4.0], [4.0] * 5, [True, False, False, False, True])
    0.5
    """
    found = _shares(details, each)
    ratios = []
    for left, right in pairwise(t for t, key in enumerate(keys) if key):
        middle = {(left + right) // 2, (left + right + 1) // 2}
        if right - left >= 2 and all(t in found for t in (left, right, *middle)):
            at_keys = (found[left] + found[right]) / 2
            ratios.append(float(np.mean([found[t] for t in middle])) / at_keys)
    return float(np.median(ratios)) if ratios else None


def pop(errors: Sequence[float | None], keys: Sequence[bool]) -> float | None:
    """Give how far the picture jumps at keys: the largest E1 there over the median E1 elsewhere.

    Args:
        errors: E1 of each frame against the one before, [0, 1]^2; None where there is none.
        keys: Which frames are keys.

    Returns:
        0 and more; about 1 where keys do not show.

    >>> pop([None, 1.0, 1.0, 3.0, 1.0], [True, False, False, True, False])
    3.0
    """
    at = [e for e, key in zip(errors, keys, strict=True) if e is not None and key]
    inside = [e for e, key in zip(errors, keys, strict=True) if e is not None and not key]
    typical = float(np.median(inside)) if inside else 0.0
    return max(at) / typical if at and typical > 0 else None


def hole_share(holes: Sequence[float | None], keys: Sequence[bool]) -> float | None:
    """Give the mean share of the frames between keys that no key explains, 0 to 1.

    >>> hole_share([None, 0.1, 0.3, None], [True, False, False, True])
    0.2
    """
    known = [h for h, key in zip(holes, keys, strict=True) if h is not None and not key]
    return float(np.mean(known)) if known else None


def seam(
    coded: Sequence[float | None], uncoded: Sequence[float | None], firsts: Collection[int]
) -> float | None:
    """Give the error at the first frames of segments over that inside of them.

    Both are E1 after the encoder over E1 before it, so that what moves just there does not count.

    Args:
        coded: E1 of each frame of the encoded film, [0, 1]^2; None where there is none.
        uncoded: E1 of the same film before the encoder.
        firsts: The frames with which segments begin, but for the film's own first.

    Returns:
        0 and more; 1 where segments cannot be told from the inside.

    >>> seam([None, 1.0, 1.0, 2.4, 1.0], [None, 1.0, 1.0, 2.0, 1.0], [3])
    1.2
    """
    pairs = [
        (t, after, before)
        for t, (after, before) in enumerate(zip(coded, uncoded, strict=True))
        if after is not None and before is not None
    ]
    at = _growth([pair[1:] for pair in pairs if pair[0] in firsts])
    inside = _growth([pair[1:] for pair in pairs if pair[0] not in firsts])
    return at / inside if at is not None and inside else None


def _growth(pairs: Sequence[tuple[float, float]]) -> float | None:
    """The sum of what is first over the sum of what is second."""
    before = sum(second for _, second in pairs)
    return sum(first for first, _ in pairs) / before if before > 0 else None


def _shares(details: Sequence[float], each: Sequence[float]) -> dict[int, float]:
    """What each frame has of what painting has there; frames without any are left out."""
    pairs = enumerate(zip(details, each, strict=True))
    return {t: own / whole for t, (own, whole) in pairs if own > 0 and whole > 0}
