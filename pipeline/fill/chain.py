"""A part's painted keys to harmonised keys, one after the other along the shot.

The *boundary* is a chunk's last key, harmonised: it is the next chunk's first, so a chain can be
taken up from it. *Promoted* keys are those that the gate asks for later; they take from both
neighbours and never change a key that exists. Nothing here paints.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pipeline.fill.between import phases
from pipeline.fill.harmonise import harmonise, harmonise_between
from pipeline.media.color import Planes
from pipeline.media.container import Film
from pipeline.media.decode import frames
from pipeline.motion.bridge import bridges, steps
from pipeline.needs import KeyMotion, picture_luma, unit_picture
from pipeline.plan import Shot
from pipeline.terms import ALL, Terms


def chain(
    keys: Sequence[int],
    *,
    fresh: Mapping[int, Planes],
    motions: Mapping[int, KeyMotion],
    boundary: Planes | None,
    rho: float,
    given: Mapping[int, Planes] | None = None,
) -> dict[int, Planes]:
    """Harmonise a part's keys.

    Args:
        keys: the part's keys, ascending.
        fresh: painted keys by frame; the first is not needed if there is a boundary.
        motions: by frame, for every key but the first.
        boundary: the first key as the chunk before left it, None where the shot begins.
        rho: share of the key before that is carried along, 0 to 1.
        given: keys by frame that nobody may change; what comes after them is harmonised with them.
    """
    final = given or {}
    previous = boundary if boundary is not None else {**fresh, **final}[keys[0]]
    done = {keys[0]: previous}
    for frame in keys[1:]:
        if frame in final:
            previous = done[frame] = final[frame]
            continue
        motion = motions[frame]
        previous = harmonise(
            fresh[frame], previous, motion.flow, motion.trust, rho=rho, same=motion.same
        )
        done[frame] = previous
    return done


def chain_promoted(
    film: Film,
    shot: Shot,
    *,
    keys: Mapping[int, Planes],
    fresh: Mapping[int, Planes],
    rho: float,
    terms: Terms = ALL,
) -> dict[int, Planes]:
    """Harmonise promoted keys from both of their neighbours.

    Args:
        film: the film; the gaps in which keys were promoted are decoded again.
        shot: the keys' shot.
        keys: harmonised keys by frame.
        fresh: promoted keys as they were painted.
        rho: as in ``chain``.
        terms: what is done to measure motion well.

    Returns:
        All keys, old and new.
    """
    done = dict(keys)
    for left, right in pairwise(sorted(keys)):
        here = [frame for frame in sorted(fresh) if left < frame < right]
        if not here:
            continue
        lumas = [
            picture_luma(unit_picture(film, shot, f.index, f.planes))
            for f in frames(film, left, right + 1)
        ]
        along = steps(lumas)
        spans, where = bridges(lumas, known=along, terms=terms), phases(along)
        for frame in here:
            done[frame] = harmonise_between(
                fresh[frame],
                keys[left],
                keys[right],
                spans[frame - left - 1],
                phase=where[frame - left - 1],
                rho=rho,
            )
    return done
