"""Paintings to more styles than there are paintings: crops, other palettes, made textures.

A painter that has seen twenty works knows twenty; one that has seen each at several stroke sizes
and in the colours of others learns what the numbers of a style code mean. All draws come from the
generator that is passed in.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.paint.pictures import Picture


def random_crop(painting: Picture, *, side: int, rng: np.random.Generator) -> Picture:
    """Cut a square of 40 to 100 % of the shorter side out of a painting: [side, side, 3]."""
    short = min(painting.shape[:2])
    reach = max(16, round(short * float(rng.uniform(0.4, 1))))
    reach = min(reach, short)
    y = int(rng.integers(painting.shape[0] - reach + 1))
    x = int(rng.integers(painting.shape[1] - reach + 1))
    how = cv2.INTER_AREA if reach > side else cv2.INTER_CUBIC
    piece = np.ascontiguousarray(painting[y : y + reach, x : x + reach])
    return np.asarray(cv2.resize(piece, (side, side), interpolation=how), np.uint8)


def recoloured(painting: Picture, like: Picture) -> Picture:
    """Give a painting the palette of another: mean and covariance in Lab (Reinhard 2001, eq. 10).

    The whole covariance is matched, by the symmetric roots of both (Pitie 2007, eq. 4).
    """
    own, other = _lab(painting), _lab(like)
    mean, target = own.mean(0), other.mean(0)
    here, there = np.cov(own.T) + np.eye(3), np.cov(other.T) + np.eye(3)
    root = _root(here)
    inverse = np.linalg.inv(root)
    transfer = inverse @ _root(root @ there @ root) @ inverse
    moved = (own - mean) @ transfer.T + target
    lab = np.clip(np.rint(moved), 0, 255).astype(np.uint8).reshape(painting.shape)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _lab(picture: Picture) -> NDArray[np.float64]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.float64).reshape(-1, 3)


def _root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T, np.float64)


def made_texture(palettes: Sequence[Picture], *, side: int, rng: np.random.Generator) -> Picture:
    """Make a style that nobody painted: hatching, halftone, wash or stripes in a work's colours."""
    dark, light, accent = _colours(palettes[int(rng.integers(len(palettes)))], rng)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle, period = float(rng.uniform(0, np.pi)), float(rng.uniform(4, 24))
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    tone, wobble = _clouds(side, 6, rng), _clouds(side, 24, rng)
    match int(rng.integers(4)):
        case 0:  # hatching
            ink = np.sin(2 * np.pi * (along + 6 * wobble) / period) > 2 * tone - 1
        case 1:  # halftone
            dots = np.cos(2 * np.pi * along / period) + np.cos(2 * np.pi * across / period)
            ink = dots > 4 * tone - 2
        case 2:  # wash
            ink = np.clip(tone + 0.3 * (wobble - 0.5) + 0.1 * rng.standard_normal(x.shape), 0, 1)
        case _:  # stripes
            ink = np.floor((along + 10 * wobble) / period) % 2
    share = cv2.GaussianBlur(np.asarray(ink, np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))
    picture = dark + share[..., None] * (light - dark)
    picture += (_clouds(side, 10, rng) > 0.7)[..., None] * 0.5 * (accent - picture)
    grain = rng.standard_normal((side, side, 1)) * float(rng.uniform(0, 8))
    return np.asarray(np.clip(np.rint(picture + grain), 0, 255), np.uint8)


def _colours(picture: Picture, rng: np.random.Generator) -> NDArray[np.float32]:
    """Three of a picture's colours, darkest first: [3, 3]."""
    pixels = picture.reshape(-1, 3)
    found = pixels[rng.integers(0, len(pixels), 24)].astype(np.float32)
    return found[np.argsort(found.sum(1))][[3, 20, 12]]


def _clouds(side: int, cells: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise, 0 to 1: [side, side]."""
    coarse = rng.random((cells, cells), np.float32)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth, 0, 1), np.float32)
