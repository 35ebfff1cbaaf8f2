"""What a training run is made of: the numbers that a person may turn, kept in the run's folder."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from pipeline.errors import BadRequest

MIX = {
    "works": 0.45,
    "crops": 0.1,
    "palettes": 0.07,
    "collection": 0.18,
    "recoloured": 0.06,
    "made": 0.03,
    "photos": 0.04,
}
"""How often a style of each kind is drawn; what is left to 1 are mixes of two rows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run is made of; kept in the run's folder."""

    size: str = "S"
    steps: int = 6000
    batch: int = 4
    """pictures a step, of each worker"""
    crop: int = 128
    """side of the judged crop in pixels"""
    wide_crop: int = 192
    """side during the last fifth of the run"""
    rate: float = 1e-3
    """learning rate; falls linearly to 0 over the last part of the run"""
    head_pace: float = 0.1
    """share of it for the weights that take in a style code: 256 numbers pull at each at once"""
    cooling: float = 0.35
    """that part, as a share of the run"""
    content: float = 1.6
    moments: float = 3.5
    gram: float = 10.0
    palette: float = 2.0
    """weight of the mean colour and its covariance"""
    finest: float = 2.0
    """weight of VGG16's first layer, mostly colours, among the layers of the moments"""
    consistency: float = 50.0
    """weight of the temporal term"""
    ramp: float = 0.5
    """share of the run over which that weight rises from a tenth; 0 where the painter paints"""
    seed: int = 1
    photo_side: int = 512
    """shorter side of the photographs, at most"""
    average: float = 0.998
    """decay of the exponential moving average of the weights"""
    half: bool = False
    """VGG16 and the net in bfloat16 (accumulation in float32)"""
    frugal: bool = False
    """recompute activations for the gradient and not keep them: less memory, more time"""
    project: bool = True
    """level the sub-pixel phases after each step; False only to show what that is for"""
    level: bool = True
    """keep filters that are normalised after them at one length; False to show what that is for"""
    mix: bool = True
    """draw styles as ``MIX`` says; False draws works only"""

    def quick(self) -> "Settings":
        """A few steps of the same thing, to rehearse a command before a long run."""
        return replace(self, steps=4, batch=2, crop=64, wide_crop=64)


def with_words(settings: Settings, words: Sequence[str]) -> Settings:
    """Change settings by words like ``crop=256``.

    Raises:
        BadRequest: If there is no such setting, or the value does not fit it.

    >>> with_words(Settings(), ["crop=256", "project=false"]).crop
    256
    """
    kinds = {f.name: type(getattr(settings, f.name)) for f in fields(Settings)}
    changed: dict[str, object] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in kinds or kinds[name] is str:
            raise BadRequest(f"--with {word}: one of {', '.join(k for k in kinds if k != 'size')}")
        try:
            changed[name] = _TRUTH[value.lower()] if kinds[name] is bool else kinds[name](value)
        except (KeyError, ValueError):
            raise BadRequest(f"--with {word}: {name} is {_KINDS[kinds[name]]}") from None
    return replace(settings, **changed)  # type: ignore[arg-type]


_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
