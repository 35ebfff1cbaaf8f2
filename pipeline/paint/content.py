"""Photographs to training windows, on the device that trains.

A *window* is the piece of a photograph that the net sees: the crop that is judged plus the net's
apron and a little room to move. Photographs are decoded once and lie in device memory as bytes;
every window is a pure function of (seed, step, place in the batch), so that a run can be resumed
exactly. What film does to pictures is done to windows: zooms, grain, coding noise, fades, titles,
black-and-white, and the mirrored border that the painter gives a frame.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pipeline.paint.pictures import Picture

_LUMA = (0.299, 0.587, 0.114)
_MOST_ZOOM = 3.0
_CARDS = 8
_CARD_SIDE = 512


class Photographs:
    """Photographs in device memory."""

    def __init__(self, photos: Sequence[Picture], device: torch.device) -> None:
        self._photos = [
            torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))).to(device) for p in photos
        ]
        self._cards = torch.from_numpy(_cards()).to(device)
        self._basis = torch.from_numpy(_cosines()).to(device)
        self.device = device

    def windows(self, *, count: int, side: int, rng: np.random.Generator) -> Tensor:
        """Draw a batch of windows [count, 3, side, side], 0..1."""
        pictures = torch.cat([self._piece(side, rng) for _ in range(count)])
        pictures = torch.stack([self._as_film(picture, rng) for picture in pictures])
        return pictures.clamp(0, 1)

    def _piece(self, side: int, rng: np.random.Generator) -> Tensor:
        """A random piece of a random photograph, enlarged by up to 3: [1, 3, side, side]."""
        photo = self._photos[int(rng.integers(len(self._photos)))]
        short = min(photo.shape[1:])
        zoom = 1.0 if rng.random() < 0.5 else float(rng.uniform(1, _MOST_ZOOM))
        reach = min(short, int(side / zoom))
        y = int(rng.integers(photo.shape[1] - reach + 1))
        x = int(rng.integers(photo.shape[2] - reach + 1))
        piece = photo[None, :, y : y + reach, x : x + reach].float() / 255
        if rng.random() < 0.5:
            piece = piece.flip(3)
        return functional.interpolate(piece, (side, side), mode="bicubic", align_corners=False)

    def _as_film(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        """What film does to a picture [3, side, side]."""
        kind = rng.random()
        if kind < 0.04:
            picture = picture * float(rng.uniform(0.03, 0.5))
        elif kind < 0.07:
            share = float(rng.uniform(0, 0.15))
            flat = torch.from_numpy(rng.random((3, 1, 1), np.float32)).to(self.device)
            picture = picture * share + flat * (1 - share)
        elif kind < 0.10:
            picture = self._lettered(picture, rng)
        elif kind < 0.20:
            picture = grey(picture)
        if rng.random() < 0.3:
            picture = coded(picture, self._basis, coarse=float(rng.uniform(0.01, 0.08)))
        if rng.random() < 0.15:
            picture = bordered(picture, rng)
        if rng.random() < 0.5:
            generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
            grain = torch.randn(1, *picture.shape[1:], generator=generator, device=self.device)
            picture = picture + grain * float(rng.uniform(0.002, 0.024))
        return picture

    def _lettered(self, picture: Tensor, rng: np.random.Generator) -> Tensor:
        card = self._cards[int(rng.integers(_CARDS))]
        side = picture.shape[-1]
        rows = (torch.arange(side, device=self.device) + int(rng.integers(_CARD_SIDE))) % _CARD_SIDE
        mask = card[rows][:, rows].float() / 255
        return picture + mask * (float(rng.random() < 0.5) - picture)


def grey(picture: Tensor) -> Tensor:
    """[3, H, W] to its luma in all three channels (BT.601)."""
    weights = torch.tensor(_LUMA, device=picture.device)
    return torch.einsum("c,chw->hw", weights, picture).expand_as(picture)


def coded(picture: Tensor, basis: Tensor, *, coarse: float) -> Tensor:
    """Round the cosine transform of 8x8 blocks: block noise as codecs make it.

    Args:
        picture: [3, H, W]; what is beyond a multiple of 8 stays as it is.
        basis: [8, 8], the orthonormal cosines.
        coarse: size of a rounding step in units of the picture, at the finest frequency; a tenth of
            it at the coarsest.
    """
    height, width = (side // 8 * 8 for side in picture.shape[1:])
    blocks = picture[:, :height, :width].reshape(3, height // 8, 8, width // 8, 8)
    blocks = blocks.permute(0, 1, 3, 2, 4)
    waves = basis @ blocks @ basis.T
    order = torch.arange(8, device=picture.device)
    step = coarse * (0.1 + 0.9 * (order[:, None] + order) / 14) * 8
    noisy = basis.T @ (torch.round(waves / step) * step) @ basis
    out = picture.clone()
    out[:, :height, :width] = noisy.permute(0, 1, 3, 2, 4).reshape(3, height, width)
    return out


def bordered(picture: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirror [3, H, W] at a line near one of its sides, as a painter mirrors a frame's border."""
    height, width = picture.shape[1:]
    rows, columns = torch.arange(height), torch.arange(width)
    at = int(rng.integers(8, max(9, min(height, width) // 3)))
    side = int(rng.integers(4))
    if side == 0:
        rows = (rows - at).abs() + at
    elif side == 1:
        rows = height - 1 - at - (rows - (height - 1 - at)).abs()
    elif side == 2:
        columns = (columns - at).abs() + at
    else:
        columns = width - 1 - at - (columns - (width - 1 - at)).abs()
    device = picture.device
    return picture[:, rows.to(device)[:, None], columns.to(device)]


def _cards() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """White letters on black: [8, 512, 512]."""
    cards = np.zeros((_CARDS, _CARD_SIDE, _CARD_SIDE), np.uint8)
    for i, card in enumerate(cards):
        for row in range(20, _CARD_SIDE, 24 + 16 * i):
            text = "reelbrush paints films " * 3
            size = 0.4 + 0.25 * i
            at = (5 - 37 * (row % 7), row)
            cv2.putText(card, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, 1 + i // 2, cv2.LINE_AA)
    return cards


def _cosines() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    k, n = np.mgrid[:8, :8]
    waves = np.cos(np.pi * (2 * n + 1) * k / 16) / 2
    waves[0] /= np.sqrt(2)
    return np.asarray(waves, np.float32)
