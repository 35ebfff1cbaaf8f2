"""What may stand in a job file: films, styles, and what is asked of each, as a person writes it.

Whatever a person may choose in a ``Recipe`` can be set for all films (``defaults``), with a style
(``styles``) and for one film (``films``); the nearest to the film wins. Those fields are taken from
the recipe itself. Files are named from the job file's folder. Nothing here opens a film or a style.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    model_validator,
)

from jobs.command import NO_OPTIONS
from jobs.jobfile_machines import Machines, Text, Words
from jobs.places import kind_of
from pipeline.curve import parse_curve
from pipeline.errors import BadRequest
from pipeline.media.clock import parse_frames
from pipeline.recipe import Recipe, Share

SCHEMA = "reelbrush/v1"
TEMPLATE = ("name", "style", "codec", "source")
"""What may stand in braces in an output's name."""
SETTINGS = tuple(n for n in Recipe.model_fields if n not in NO_OPTIONS | {"strength"})
"""Fields of a recipe that a job file has under their own names, with their own meaning."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _curve(text: str) -> str:
    _refused(parse_curve, text)
    return text


def _place(text: str) -> str:
    _refused(kind_of, text)
    return text


def _range(text: str) -> str:
    _refused(parse_frames, text)
    return text


def _numbered(given: object) -> object:
    """A frame's number is a place like any other, and written as one."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _moment(given: object) -> object:
    if not isinstance(given, datetime) and not _DATE.match(str(given)):
        raise ValueError("should be a time like 2026-11-22T08:00:00+01:00")
    return given


def _template(text: str) -> str:
    try:
        fields = list(Formatter().parse(text))
    except ValueError:
        raise ValueError("should have a name in each pair of braces, as in {name}") from None
    for _, name, form, conversion in fields:
        if name is not None and (name not in TEMPLATE or form or conversion):
            known = ", ".join(f"{{{one}}}" for one in TEMPLATE)
            raise ValueError(f"knows no {{{name}}}{nearest(name, TEMPLATE)}; there are {known}")
    return text


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    """Say which word may have been meant; nothing if none is near.

    >>> nearest("stlye", ["style", "source"])
    ", did you mean 'style'?"
    """
    found = get_close_matches(word, known, n=1)
    return f", did you mean {found[0]!r}?" if found else ""


Name = Annotated[str, Field(pattern=r"^[^/\\.\-][^/\\]*$")]
_Number = BeforeValidator(_numbered, json_schema_input_type=int | str)
Place = Annotated[str, _Number, AfterValidator(_place)]
Range = Annotated[str, _Number, AfterValidator(_range)]


class Keyed(Words):
    """A strength over time."""

    keys: Annotated[dict[Place, Share], Field(min_length=1)]
    """By frame (1001), time (12s, 1:30) or timecode ("01:00:10:05")."""
    shape: Literal["linear", "smooth"] = "linear"
    """Straight from key to key, or resting at each."""


def _form(given: object) -> str:
    if isinstance(given, Mapping | BaseModel):
        return "keyed"
    return "text" if isinstance(given, str) else "number"


Strength = Annotated[
    Annotated[Share, Tag("number")]
    | Annotated[str, AfterValidator(_curve), Tag("text")]
    | Annotated[Keyed, Tag("keyed")],
    Discriminator(_form),
]


class Common(Words):
    """What may be set for all films, and for one."""

    style: Text | None = None
    """A name of ``styles``, or what ``--style`` takes: a gallery name, a picture, a code, a mix."""
    strength: Strength | None = None
    """0 to 1; a curve, 0s:0,2s:1,smooth; or keys at frames, times or timecodes."""
    output: Annotated[str, Field(min_length=1), AfterValidator(_template)] | None = None
    """Of the painted film: out/{name}.{style}.mov; the codec's usual ending is added if there is
    none. By default NAME.painted beside the source."""
    first_frame: Annotated[int, Field(ge=0)] = 0
    """What the source's first frame is called here: 1001 if frames are counted from there."""
    priority: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Weight: a film of 2 gets twice the share of the machines that one of 1 gets."""
    deadline: Annotated[datetime, BeforeValidator(_moment)] | None = None
    """ISO time, 2026-11-22T08:00:00+01:00; without a zone it is this machine's. A film that may
    miss it comes before all others."""
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    """How often a film is tried again when machines, memory or a disk failed it."""
    overwrite: bool = False
    """Replace a result that exists and is not what is asked for."""
    keep_work: bool = False
    """Keep the work folder after success."""


class Shot(Words):
    """A part of a film that is treated otherwise. Both ends belong to it."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["strength"]}, {"required": ["style"]}]}
    )

    frames: Range | None = None
    """1001-1090"""
    start: Annotated[Place | None, Field(alias="from")] = None
    """A frame, a time or a timecode; with ``to``."""
    stop: Annotated[Place | None, Field(alias="to")] = None
    strength: Share | None = None
    style: Text | None = None
    """As a film's: these frames are painted as if all of the film were painted in it."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Shot":
        if self.strength is None and self.style is None:
            raise ValueError("should have a style, a strength or both")
        ends = (self.start is not None, self.stop is not None)
        if all(ends) == (self.frames is not None) or any(ends) != all(ends):
            raise ValueError("should have frames, or from and to")
        return self


class FilmOwn(Common):
    """A film to paint, but for the fields of a recipe."""

    source: Text
    name: Name | None = None
    """In tables, logs and the output's name; by default the source's, without its ending."""
    frames: Range | None = None
    """Only these, inclusive: 100-250."""
    shots: tuple[Shot, ...] = ()
    """Parts of the film that are treated otherwise."""
    key: dict[Place, Text] = Field(default_factory=dict)
    """Pictures by place that take the painter's place at a frame, as --key."""
    keys_from: Text | None = None
    """A folder of pictures named by their frames, as --keys-from."""


class StyleOwn(Words):
    """A style: one of gallery, image, code and mix, and settings that go with it."""

    gallery: Text | None = None
    """A name that ``reelbrush styles`` lists."""
    image: Text | None = None
    """A picture of a painting."""
    code: Text | None = None
    """A code that ``reelbrush styles add`` made."""
    mix: Annotated[dict[Text, Annotated[float, Field(gt=0)]], Field(min_length=1)] | None = None
    """Names, pictures or codes by weight."""
    strength: Strength | None = None
    """As a film's."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "StyleOwn":
        given = (self.gallery, self.image, self.code, self.mix)
        if sum(one is not None for one in given) != 1:
            raise ValueError("should have one of gallery, image, code and mix")
        return self


def _refused(check: Callable[[str], object], text: str) -> None:
    try:
        check(text)
    except BadRequest as error:
        raise ValueError(str(error)) from None


def _with_settings(name: str, base: type[BaseModel]) -> type[BaseModel]:
    """Add the fields of a recipe, as the recipe checks them one by one."""
    fields = {
        one: (Recipe.model_fields[one].annotation, Recipe.model_fields[one]) for one in SETTINGS
    }
    made = create_model(name, __base__=base, __module__=__name__, **cast("Any", fields))
    made.__doc__ = base.__doc__
    return made


if TYPE_CHECKING:  # the fields that are added are got by their names
    Defaults: TypeAlias = Common
    Film: TypeAlias = FilmOwn
    Style: TypeAlias = StyleOwn
else:
    Defaults = _with_settings("Defaults", Common)
    Film = _with_settings("Film", FilmOwn)
    Style = _with_settings("Style", StyleOwn)


def _styled(given: object) -> str:
    return "plain" if isinstance(given, str) else "style"


class JobFile(Words):
    """A batch of films for ``reelbrush batch``."""

    version: Annotated[Literal["reelbrush/v1"], Field(alias="schema")]
    """Which job files these are."""
    defaults: Defaults = Defaults()
    """For every film that does not say otherwise."""
    styles: dict[
        Name,
        Annotated[
            Annotated[Text, Tag("plain")] | Annotated[Style, Tag("style")], Discriminator(_styled)
        ],
    ] = Field(default_factory=dict)
    """By a name of your own: what --style takes, or a style with settings."""
    films: Annotated[tuple[Film, ...], Field(min_length=1)]
    on_failure: Literal["continue", "stop"] = "continue"
    """When a film fails: paint the others, or begin no other."""
    work: Text | None = None
    """Folder for the work folders; by default each lies beside its result."""
    machines: Machines = Machines()


def schema() -> dict[str, object]:
    """The JSON schema of a job file (draft 2020-12)."""
    found = JobFile.model_json_schema(by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reelbrush job file",
    }
    return head | {name: value for name, value in found.items() if name != "title"}
