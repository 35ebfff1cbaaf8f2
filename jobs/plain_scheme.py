"""A film painted frame by frame to the same film as a plain scheme would have made it.

What seeds and tutorials describe, and what filling has to beat: every tenth frame is painted, the
flow from frame to frame is chained forward from it, and the key is fetched once, bilinearly, to
where the chain says it went. No second key, no confidence, no holes, no harmonising. It is given
what it could not know by itself: keys painted with the shot's statistics, a new key at each cut,
and the same flow (dense inverse search at 270 lines) that the fill uses.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.fill.warp import warp_planes
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import choose_encoding, write_segment
from pipeline.motion.analysis import analyse
from pipeline.motion.cuts import CUT
from pipeline.motion.flow import analysis_size, compose, estimate, no_motion, small_luma

EVERY = 10
"""Frames from key to key."""


def shot_starts(film: Film, count: int) -> list[int]:
    """Find the frames with which shots begin among a film's first ``count``, 0 included."""
    cut = analyse(film, 0, count).cut[:count]
    return [0, *(1 + np.flatnonzero(cut[1:] >= CUT)).tolist()]


def keys_of(starts: Sequence[int], count: int) -> list[bool]:
    """Say which of a film's first ``count`` frames are keys.

    >>> [t for t, key in enumerate(keys_of([0, 13], 30)) if key]
    [0, 10, 13, 23]
    """
    head, found = 0, []
    for t in range(count):
        head = t if t in starts else head
        found.append((t - head) % EVERY == 0)
    return found


def plain_scheme(source: Film, each: Path, target: Path, *, keys: Sequence[bool]) -> None:
    """Write what the plain scheme makes of the first frames of a film, losslessly.

    Args:
        source: the film.
        each: its first frames painted one by one, as many as there are ``keys``.
        target: a Matroska file; it is there whole, or not at all.
        keys: which frames are keys; the first is one.
    """
    painted = read_film(each)
    encoding, _ = choose_encoding(painted, codec="ffv1", target=target)
    partial = target.with_name(f".{target.name}")
    made = _filled(source, painted, keys)
    write_segment(made, film=painted, encoding=encoding, path=partial, crf=0)
    partial.replace(target)


def _filled(source: Film, painted: Film, keys: Sequence[bool]) -> Iterator[Frame]:
    size = analysis_size(*source.size)
    theirs = (frame.planes for frame in frames(source, 0, len(keys)))
    lumas = (small_luma(planes.luma, size, depth=planes.depth) for planes in theirs)
    kept = frames(painted, 0, len(keys))
    held, before, chained = None, None, no_motion((size[1], size[0]))
    for key, luma, ours in zip(keys, lumas, kept, strict=True):
        if key or held is None or before is None:
            held, chained = ours.planes, no_motion(luma.shape)
        else:
            chained = compose(estimate(luma, before), chained)
        before = luma
        yield Frame(ours.index, ours.pts, warp_planes(held, chained, luma="linear"))
