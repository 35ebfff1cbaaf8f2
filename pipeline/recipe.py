"""What a person asked for, checked once.

A *recipe* is everything that a person may choose about a painted film; a *digest* of it says
whether work done for one recipe may serve another. It does not know the film: a style or a range of
frames that does not exist is refused by those who look it up.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipeline.curve import Curve, flat, parse_curve
from pipeline.errors import BadRequest
from pipeline.media.codecs import Codec, quality_of
from pipeline.terms import Terms

Part = Literal["plan", "measure", "paint", "fill", "encode"]
"""A step of the path, as far as the recipe reaches into it; who paints has measured."""

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
Share = Annotated[float, Field(ge=0, le=1)]
Scale = Literal["film"] | Annotated[int, Field(ge=64)]


def _strength(given: object) -> float | str:
    """Bring a strength into the one form that stands for it."""
    if isinstance(given, str):
        try:
            curve = parse_curve(given)
        except BadRequest as error:
            raise ValueError(str(error)) from None
        return float(curve.points[0].value) if curve.constant else str(curve)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise ValueError("should be from 0 to 1")
    return float(given)


def _most_keys(given: object) -> int | str:
    """Bring a cap into the one form that stands for it."""
    text = str(given).replace(" ", "")
    share = _PERCENT.fullmatch(text)
    if share and 0 < Fraction(share[1]) <= 100:
        return text
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError("should be a number of keys or a share of the frames, as 15%")
    return int(text)


class Passage(BaseModel):
    """Frames [start, stop) that are painted in another style; None is as in the rest."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    start: Annotated[int, Field(ge=0)]
    stop: int
    style: Annotated[str, Field(min_length=1)]
    style_scale: Scale | None = None
    structure: Share | None = None
    keep_color: Share | None = None
    strength: Share | None = None
    """Instead of the film's curve."""

    @model_validator(mode="after")
    def _holds_a_frame(self) -> "Passage":
        if self.start >= self.stop:
            raise ValueError(f"[{self.start}, {self.stop}) holds no frame")
        return self


class Recipe(BaseModel):
    """The settings of a job."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    style: Annotated[str, Field(min_length=1)]
    """A painting or a mix, as ``pipeline.paint.choice`` reads it; in no digest, for the code is."""
    strength: Annotated[float | str, PlainValidator(_strength)] = 1.0
    """0 gives the source's samples back, 1 the painted ones; or a ``Curve`` as text."""
    keep_color: Share = 0.0
    """How much of the film's own colour differences is laid over the painted ones."""
    style_scale: Scale = 540
    """Lines of the film's shorter side that the net works at: fewer lines, broader strokes."""
    structure: Share = 0.0
    """How far the net's deep layers keep to the film's own statistics, so that shapes stay."""
    statistics: Literal["shot", "frame"] = "shot"
    """What the net's normalisation is measured on."""
    size: Literal["auto", "S", "M"] = "auto"
    """Of the net; auto is M on a GPU, S without."""
    keys: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Distance of the keyframes; 1 paints every frame, with harmonise, fill and gate off."""
    max_gap: Annotated[int, Field(ge=1, le=48)] = 12
    """Most frames from one key to the next when ``keys`` is "auto", freezes not counted."""
    max_keys: (
        Annotated[int | str, PlainValidator(_most_keys, json_schema_input_type=int | str)] | None
    ) = None
    """Most frames of the film that may be keys: a number, or a share as text, "15%"."""
    keep_bars: bool = True
    """Leave letterbox bars as they are."""
    codec: Codec = "h264"
    crf: Annotated[int | None, Field(validate_default=True)] = None
    """Quality of a codec that has one: 0 is lossless, more is worse; by default its usual one."""
    pixel_format: str | None = None
    """What it is written in, by FFmpeg's name; None is the film's own or what holds all of it."""
    flicker_budget: Annotated[float, Field(gt=0)] = 3.0
    """The temporal loss a frame may have, as a multiple of its content floor."""
    rho: Share = 0.5
    """How much of the key before is carried into each key by harmonise."""
    terms: Terms = Terms()
    """What the fill does beyond fetching and averaging; for ablations."""
    on_error: Literal["fail", "hold"] = "fail"
    """What to do about a frame that cannot be decoded: give up, or show the one before it; in no
    digest, for the film's identity says which frames are held."""
    interlaced: Literal["deinterlace", "refuse"] = "deinterlace"
    """What to do about a film of fields; in no digest, for there is one way to paint it."""
    stream: Annotated[int, Field(ge=0)] | None = None
    """The track of video that is painted, as the container numbers it; None is the default one. In
    no digest, for the film's fingerprint says which."""
    frames: tuple[Annotated[int, Field(ge=0)], int] | None = None
    """Frames [start, stop) to make, None for the whole film."""
    given: tuple[tuple[Annotated[int, Field(ge=0)], str], ...] = ()
    """Frames that somebody has painted, ascending, each with the digest of its planes; in no
    digest, for the plan's parts name those that they show."""
    style_at: tuple[Passage, ...] = ()
    """Passages in other styles, ascending; in no digest, for what each chunk is painted by is a
    recipe without any (``pipeline.variants``)."""

    @field_validator("crf")
    @classmethod
    def _the_codec_has_that_quality(cls, crf: int | None, info: ValidationInfo) -> int | None:
        codec: Codec | None = info.data.get("codec")
        try:
            return crf if codec is None else quality_of(codec, crf)
        except BadRequest as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _a_frame_for_itself_is_painted_for_itself(self) -> "Recipe":
        if self.statistics == "frame" and self.keys != 1:
            raise ValueError("statistics: frame settles the tones of each frame alone: give keys 1")
        return self

    @model_validator(mode="after")
    def _frames_are_a_range(self) -> "Recipe":
        if self.frames is not None and self.frames[0] >= self.frames[1]:
            raise ValueError(f"frames: [{self.frames[0]}, {self.frames[1]}) holds no frame")
        return self

    @model_validator(mode="after")
    def _a_cap_places_the_keys(self) -> "Recipe":
        if self.max_keys is not None and self.keys != "auto":
            raise ValueError("max_keys: keys stand where they leave least: leave keys at auto")
        return self

    @model_validator(mode="after")
    def _a_frame_is_given_once(self) -> "Recipe":
        if any(a >= b for (a, _), (b, _) in pairwise(self.given)):
            raise ValueError("given: frames have to ascend, each of them once")
        return self

    @model_validator(mode="after")
    def _a_frame_has_one_style(self) -> "Recipe":
        for left, right in pairwise(self.style_at):
            if right.start < left.stop:
                raise ValueError(f"style_at: frame {right.start} is in two of its ranges")
        return self

    @property
    def strength_curve(self) -> Curve:
        """``strength`` over time."""
        return parse_curve(self.strength) if isinstance(self.strength, str) else flat(self.strength)

    def most_keys(self, frames: int) -> int | None:
        """How many of a film's frames may be keys, at least one; None without a cap.

        >>> Recipe(style="x", max_keys="15%").most_keys(130)
        19
        """
        if isinstance(self.max_keys, str):
            return max(1, int(Fraction(self.max_keys[:-1]) * frames / 100))
        return self.max_keys

    @property
    def longest_gap(self) -> int:
        """Frames from one key to the next, at most, freezes not counted."""
        if self.max_keys is not None:
            return LONGEST
        return self.max_gap if self.keys == "auto" else self.keys

    @property
    def every_frame(self) -> bool:
        """Whether every frame is painted on its own: the baseline."""
        return self.keys == 1


LONGEST = 48
"""Frames from one key to the next under a cap, at most, freezes not counted."""

_FIELDS: dict[Part, tuple[str, ...]] = {
    "plan": ("keys", "max_gap", "keep_bars"),
    "measure": ("style_scale", "structure", "statistics", "size"),
    "paint": ("rho", "terms", "style_scale", "structure", "statistics", "size"),
    "fill": ("flicker_budget", "terms", "strength", "keep_color"),
    "encode": ("codec", "crf", "pixel_format"),
}


def read_recipe(settings: Mapping[str, object]) -> Recipe:
    """Check settings as they come from a person.

    Raises:
        BadRequest: In one line, naming each field that is wrong and what was got.

    >>> read_recipe({"style": "starry", "keys": 8}).keys
    8
    """
    try:
        return Recipe.model_validate(dict(settings))
    except ValidationError as error:
        raise BadRequest(_line(error)) from None


def digest(recipe: Recipe, *parts: Part) -> str:
    """Give the sha256, in hex, of the fields that reach into ``parts``.

    ``frames`` is in none of them: a part of a film has the pixels that the whole film has.
    """
    names = [name for part in sorted(set(parts)) for name in _FIELDS[part]]
    given = recipe.model_dump(mode="json")
    fields = {name: given[name] for name in names}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _line(error: ValidationError) -> str:
    wrong: dict[str, list[str]] = {}
    for item in error.errors(include_url=False, include_context=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        text = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
        got = f", got {item['input']!r}" if name and item["type"] != "extra_forbidden" else ""
        wrong.setdefault(name, []).append(text[:1].lower() + text[1:] + got)
    return "; ".join(
        (f"{name}: " if name else "") + " or ".join(texts) for name, texts in wrong.items()
    )
