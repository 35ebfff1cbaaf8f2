"""The members of the painter's family: how wide and deep each is, known without loading a library.

An *apron* is the context that a painted pixel needs on each side; a *modulation* is a place of the
net that scales and shifts its channels, by the style code, and in the encoding half of the net by
the shot, too.
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
    def normalised(self) -> tuple[str, ...]:
        """The places that normalise by the shot's moments before they modulate, in order."""
        body = (f"body.{i}.{nth}" for i in range(self.blocks) for nth in ("first", "second"))
        return ("stem", "down", *body)

    @property
    def modulations(self) -> tuple[str, ...]:
        """All places that modulate, in the order in which a picture passes them."""
        return (*self.normalised, *LATE)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each modulation."""
        return (self.stem, *[self.body] * (1 + 2 * self.blocks), self.stem, self.stem)

    @property
    def channels(self) -> int:
        """Channels of all modulations together."""
        return sum(self.widths)


LATE = ("up", "detail")
"""The layers, back at half resolution, that a style code scales and shifts without a look at the
shot: they hold the palette."""
SIZES = {"S": Size(stem=24, body=48, blocks=4), "M": Size(stem=32, body=64, blocks=6)}
"""S is made for CPUs, M for GPUs; both understand the same style codes."""
