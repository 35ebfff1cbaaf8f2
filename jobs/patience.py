"""How long a step may take before it is held to be stuck."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """When a step is held to be stuck, in seconds."""

    first: float = 1800.0
    """as long as none of its kind has ended"""
    least: float = 120.0
    times: float = 6.0
    """of the longest that its kind has taken"""
