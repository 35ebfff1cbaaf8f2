"""The members of the painter's family: how wide and deep each is, known without loading a library.

An *apron* is the context that a painted pixel needs on each side; a *modulation* is a place of the
net that scales and shifts its channels, by the style code and the shot.
"""

from dataclasses import dataclass

CODE_LENGTH = 256
"""Numbers of a style code."""
STRIDE = 4
"""Tiles and padded frames start on multiples of this many pixels."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and depth of one member of the family."""

    stem: int
    """Channels at half resolution."""
    body: int
    """Channels at quarter resolution."""
    blocks: int
    """Residual blocks."""

    @property
    def apron(self) -> int:
        """Pixels of context that a painted pixel needs on each side; a multiple of 4."""
        return 16 + 8 * self.blocks

    @property
    def modulations(self) -> tuple[str, ...]:
        """The places that modulate, in the order in which a picture passes them."""
        body = (f"body.{i}.{nth}" for i in range(self.blocks) for nth in ("first", "second"))
        return ("stem", "down", *body)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each modulation."""
        return (self.stem, *[self.body] * (1 + 2 * self.blocks))

    @property
    def channels(self) -> int:
        """Channels of all modulations together."""
        return sum(self.widths)


SIZES = {"S": Size(stem=24, body=48, blocks=4), "M": Size(stem=32, body=64, blocks=6)}
"""S is made for CPUs, M for GPUs; both understand the same style codes."""
