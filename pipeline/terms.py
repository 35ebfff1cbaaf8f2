"""What a fill does beyond fetching and averaging, each of it to be switched off.

All of it is on. An ablation leaves out one term at a time and says what that costs; two more terms
have numbers in the recipe that turn them off, ``rho`` and ``flicker_budget``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """Switches of the fill."""

    refine: bool = True
    """Chained motion is measured anew against the key."""
    standing: bool = True
    """What fits as well without motion has none; what no sample of has changed is the keys' own."""
    photometric: bool = True
    """Motion is trusted only where both ends look alike: 4 % more E1 for 3 % less jitter of light
    and .014 more pulse, on three clips."""
    bicubic: bool = True
    """Luma is fetched bicubically; bilinearly without."""
    dissolve: bool = True
    """In a dissolve keys fade one into the other, and nothing is held."""
    variance: bool = True
    """Luma gets part of the texture back that averaging took."""
    holes: bool = True
    """What no key explains is painted."""
    carried: bool = True
    """Holes take what the frame before knows."""


ALL = Terms()
