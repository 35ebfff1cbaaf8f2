"""A film whose motion is known to every pixel: smooth ground, and a disc that passes before it.

The *ground* is an endless texture that turns, grows and drifts; the *disc* has a texture of its own
and moves by whole pixels. Both are evaluated where they are asked for, so that every frame, the
flow between any two of them and what the disc hides are exact. Never used outside the tests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.complex128]
"""[h, w], complex: x + iy."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How it moves, in pixels a frame."""

    size: tuple[int, int] = (320, 240)
    drift: complex = 0.9 - 0.4j
    turn: float = 0.004
    """radians"""
    growth: float = 1.004
    disc: complex = 4 + 1j
    radius: float = 40.0

    def luma(self, t: int) -> Luma:
        """Frame t, [h, w]."""
        here = self._grid()
        ground = _texture((here - self._middle) / self._spin(t) + self._middle - self.drift * t, 1)
        disc = _texture(here - self.disc * t, 2)
        shown = np.where(self.covered(t), disc, ground)
        return np.clip(np.rint(shown), 0, 255).astype(np.uint8)

    def covered(self, t: int) -> Mask:
        """Say where the disc is seen."""
        return np.asarray(np.abs(self._grid() - self._disc(t)) <= self.radius, np.bool_)

    def flow(self, t: int, u: int) -> Flow:
        """Say where what is seen in t is found in u."""
        moved = self._found(t, u) - self._grid()
        return np.stack([moved.real, moved.imag], -1).astype(np.float32)

    def hidden(self, t: int, u: int) -> Mask:
        """Say which pixels of t cannot be seen in u: behind the disc, or out of the frame."""
        found = self._found(t, u)
        behind = (np.abs(found - self._disc(u)) <= self.radius) & ~self.covered(t)
        width, height = self.size
        within = (found.real >= 0) & (found.real <= width - 1)
        return np.asarray(
            behind | ~(within & (found.imag >= 0) & (found.imag <= height - 1)), np.bool_
        )

    def _found(self, t: int, u: int) -> Points:
        here = self._grid()
        # The ground at a point of frame t is that of the texture, seen again in frame u.
        origin = (here - self._middle) / self._spin(t) + self._middle - self.drift * t
        ground = (origin + self.drift * u - self._middle) * self._spin(u) + self._middle
        return np.asarray(np.where(self.covered(t), here + self.disc * (u - t), ground))

    def _spin(self, t: int) -> complex:
        return complex(self.growth**t * np.exp(1j * self.turn * t))

    def _disc(self, t: int) -> complex:
        return complex(0.25 * self.size[0], 0.45 * self.size[1]) + self.disc * t

    @property
    def _middle(self) -> complex:
        return complex(self.size[0], self.size[1]) / 2

    def _grid(self) -> Points:
        rows, columns = np.indices((self.size[1], self.size[0]))
        return np.asarray(columns + 1j * rows)


def _texture(points: Points, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    shown = np.full(points.shape, 126.0)
    for _ in range(24):
        length, angle = np.exp(random.uniform(np.log(6), np.log(40))), random.uniform(0, 2 * np.pi)
        wave = 2 * np.pi * np.exp(-1j * angle) / length
        shown += 11 * np.cos((points * wave).real + random.uniform(0, 2 * np.pi))
    return shown
