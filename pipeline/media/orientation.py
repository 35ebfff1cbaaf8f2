"""A frame as it is stored to as a viewer sees it, and back."""

from dataclasses import replace

import numpy as np

from pipeline.media.color import Plane, Planes, turned
from pipeline.media.container import Film


def upright_of(planes: Planes, film: Film) -> Planes:
    """Turn a stored frame upright, and mirror it if the film says so."""
    return _mirrored(turned(planes, film.rotation), film)


def stored_of(planes: Planes, film: Film) -> Planes:
    """Lay an upright frame as the film stores it: what ``upright_of`` undoes."""
    return turned(_mirrored(planes, film), -film.rotation)


def _mirrored(planes: Planes, film: Film) -> Planes:
    if not film.mirrored:
        return planes
    return replace(
        planes,
        luma=_swapped(planes.luma),
        blue=_swapped(planes.blue),
        red=_swapped(planes.red),
        alpha=None if planes.alpha is None else _swapped(planes.alpha),
    )


def _swapped(plane: Plane) -> Plane:
    return np.ascontiguousarray(plane[:, ::-1])
