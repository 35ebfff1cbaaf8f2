"""Painted pictures to how clean the paint is: free of grids, edges and grey.

A *period* is what a net with strides may print: power at 4 and 2 px, against the power at the
frequencies beside them, by columns and by rows. The *shift error* is what becomes of the paint when
the picture moves by whole pixels, and the *edge* what becomes of it where the picture ends; both
are differences between two paintings of the same thing. RGB is float, 0 to 1, unless said.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.media.color import Plane

RGB = NDArray[np.float32]
"""[H, W, 3], 0 to 1."""

EDGE = 8
"""Width of the band that counts as the edge, px."""
_BLOCK = 64
_BESIDE = (3, 4, 5)
"""How many 64ths of the sampling rate a neighbour is away: beyond the main lobe of the window."""


def periods(lumas: Sequence[Plane]) -> dict[str, float]:
    """Compare the power at periods of 4 and 2 px with that beside them; 1 is none of its own.

    Blocks of 64 px, Hann window, mean over blocks, rows and pictures before the ratio is taken
    (Welch 1967); at period 4 against both sides, at period 2 against the lower one.

    Args:
        lumas: 8 bit, [H, W] each, 64 px or more a side.

    Returns:
        Ratios by "columns/4", "columns/2", "rows/4" and "rows/2"; columns are what repeats from
        left to right.

    Raises:
        ValueError: If no picture holds a block.
    """
    found = {}
    for name, turned in (("columns", False), ("rows", True)):
        spectra = [_spectrum(luma.T if turned else luma) for luma in lumas]
        spectra = [spectrum for spectrum in spectra if spectrum.size]
        if not spectra:
            raise ValueError(f"pictures of at least {_BLOCK} px a side are needed")
        power = np.mean(spectra, axis=0)
        for period in (4, 2):
            at = _BLOCK // period
            sides = (-1, 1) if period > 2 else (-1,)
            beside = [float(np.mean([power[at + side * n] for n in _BESIDE])) for side in sides]
            level = float(np.exp(np.mean(np.log(np.maximum(beside, 1e-12)))))
            found[f"{name}/{period}"] = float(power[at]) / level
    return found


def _spectrum(luma: Plane) -> NDArray[np.float64]:
    """[H, W] to the mean power along rows at 0 .. 32 64ths of the sampling rate; empty if small."""
    height, width = luma.shape[0], luma.shape[1] // _BLOCK * _BLOCK
    if not width or height < _BLOCK:
        return np.empty(0)
    blocks = luma[:, :width].astype(np.float64).reshape(height, -1, _BLOCK)
    blocks -= blocks.mean(axis=2, keepdims=True)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_BLOCK) / _BLOCK)
    return np.asarray(np.square(np.abs(np.fft.rfft(blocks * window))).mean(axis=(0, 1)))


def shift_error(painted: RGB, moved: RGB, *, by: int, inside: int = 32) -> float:
    """Compare paint(shift by k px) with shift(paint), in codes RMS, well inside the picture.

    Args:
        painted: of the whole picture.
        moved: of the picture without its first ``by`` columns.
        by: k.
        inside: px that are left out on each side.
    """
    difference = (moved - painted[:, by:])[inside:-inside, inside:-inside]
    return _rms(difference) * 255


def edge_differences(within: RGB, alone: RGB, *, at: int) -> tuple[float, float]:
    """Compare a part painted by itself with the same pixels painted within a larger picture.

    Args:
        within: painted larger picture.
        alone: painted part.
        at: row and column of the larger picture where the part begins.

    Returns:
        Codes RMS in the outer 8 px, and in the interior, 64 px and more from the edge.
    """
    height, width = alone.shape[:2]
    difference = alone - within[at : at + height, at : at + width]
    outer = np.ones((height, width), bool)
    outer[EDGE:-EDGE, EDGE:-EDGE] = False
    inner = difference[_BLOCK:-_BLOCK, _BLOCK:-_BLOCK]
    return _rms(difference[outer]) * 255, _rms(inner) * 255


def chroma(picture: RGB) -> float:
    """Give the RMS distance from grey: of Cb and Cr together (BT.601), in codes."""
    red, green, blue = (picture[..., i].astype(np.float64) for i in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    squares = np.square((blue - luma) / 1.772) + np.square((red - luma) / 1.402)
    return float(np.sqrt(squares.mean())) * 255


def _rms(values: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.square(values).mean(dtype=np.float64)))
