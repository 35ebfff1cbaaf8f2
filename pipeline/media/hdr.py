"""High dynamic range to a picture for an ordinary screen, and back to where the light was.

A *view* is what an ordinary screen would show: graphics white (203 cd/m2, ITU-R BT.2408) is its
white, its gamma is that of BT.1886, and what is lighter is bent under white. What that took from a
pixel, as a factor on its light, is its *headroom*; it is 1 up to three quarters of white. A painted
view gets the headroom of the film's own pixels back: an unpainted one is the film again, and paint
that is white shines as graphics white does, not as the sun, unless the sun is where it is laid.
Primaries stay as they are. Signals are non-linear R'G'B' from 0 to 1, as ITU-R BT.2100 has them.
"""

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Code points of transfer functions (ITU-T H.273)."""
TRANSFERS = frozenset({PQ, HLG})

Signal = NDArray[np.float32]
"""[H, W, 3], 0 to 1."""
Headroom = NDArray[np.float32]
"""[H, W, 1], 1 or more."""

_WHITE_LIGHT = 203 / 10000
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_WHITE_SCENE = (np.exp((0.75 - _C) / _A) + _B) / 12
_GAMMA = {PQ: 2.4, HLG: 2.0}
"""HLG's light is the scene's, to which its display would add a gamma of 1.2."""
_KNEE = 0.75


def view(signal: Signal, transfer: int) -> Signal:
    """Show a signal on an ordinary screen, 0 to 1."""
    light = _light(signal, transfer)
    return _power(light / _headroom(light), 1 / _GAMMA[transfer])


def headroom(signal: Signal, transfer: int) -> Headroom:
    """Give what ``view`` takes from each pixel's light."""
    return _headroom(_light(signal, transfer))


def restored(shown: Signal, room: Headroom, transfer: int) -> Signal:
    """Turn a view into a signal, with the headroom that the film has there."""
    light = _power(np.maximum(shown, 0), _GAMMA[transfer]) * room
    return np.clip(_signal(light, transfer), 0, 1)


def _headroom(light: Signal) -> Headroom:
    most = light.max(axis=-1, keepdims=True)
    over = np.maximum(most - np.float32(_KNEE), 0) / np.float32(1 - _KNEE)
    bent = np.minimum(most, _KNEE) - np.float32(1 - _KNEE) * np.expm1(-over)
    factor = np.where(over > 0, most / np.maximum(bent, np.float32(_KNEE)), np.float32(1))
    return np.asarray(factor, np.float32)


def _light(signal: Signal, transfer: int) -> Signal:
    """Give light as a multiple of white's (BT.2100: the EOTF of PQ, the inverse OETF of HLG)."""
    if transfer == PQ:
        root = _power(signal, 1 / _M2)
        share = np.maximum(root - np.float32(_C1), 0) / (np.float32(_C2) - np.float32(_C3) * root)
        return _power(share, 1 / _M1) / np.float32(_WHITE_LIGHT)
    high = (np.exp((signal - np.float32(_C)) / np.float32(_A)) + np.float32(_B)) / 12
    light = np.where(signal <= np.float32(0.5), signal * signal / 3, high)
    return np.asarray(light / np.float32(_WHITE_SCENE), np.float32)


def _signal(light: Signal, transfer: int) -> Signal:
    """Give the signal of light as a multiple of white's."""
    if transfer == PQ:
        root = _power(light * np.float32(_WHITE_LIGHT), _M1)
        share = (np.float32(_C1) + np.float32(_C2) * root) / (1 + np.float32(_C3) * root)
        return _power(share, _M2)
    scene = light * np.float32(_WHITE_SCENE)
    above = np.maximum(12 * scene - np.float32(_B), np.float32(1e-6))
    high = np.float32(_A) * np.log(above) + np.float32(_C)
    signal = np.where(scene <= np.float32(1 / 12), np.sqrt(3 * scene), high)
    return np.asarray(signal, np.float32)


def _power(base: Signal, exponent: float) -> Signal:
    return np.asarray(np.power(base, np.float32(exponent)), np.float32)
