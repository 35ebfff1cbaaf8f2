"""A job file's values to what is sound of them, and all that is wrong, each with its line.

Parts are held to ``jobs.jobfile`` one by one: what is wrong with one film keeps nobody from looking
at the next. How words for people are made of pydantic's errors is here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from jobs.jobfile import (
    SETTINGS,
    Common,
    Defaults,
    Film,
    FilmOwn,
    JobFile,
    Keyed,
    Shot,
    Style,
    StyleOwn,
    nearest,
)
from jobs.jobfile_machines import Machines
from jobs.yaml_lines import Complaint, Lines, Value, Way

_SHAPES = {
    "model_type": "should be keys with values",
    "model_attributes_type": "should be keys with values",
    "dict_type": "should be keys with values",
    "tuple_type": "should be a list",
    "string_type": "should be text",
}
_Model = TypeVar("_Model", bound=BaseModel)
_UNLIKE = ("missing", "extra_forbidden")


@dataclass(frozen=True, slots=True)
class Sound:
    """The parts of a job file that are as they should be."""

    whole: JobFile | None
    """None if anything is not."""
    defaults: Common
    styles: Mapping[str, str | StyleOwn]
    films: tuple[tuple[int, FilmOwn], ...]
    """With their places in the file."""


def checked(lines: Lines) -> tuple[Sound, list[Complaint]]:
    """Hold what was read to what a job file may say."""
    values = lines.value if isinstance(lines.value, dict) else {}
    try:
        whole = JobFile.model_validate(lines.value)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
    else:
        return Sound(whole, whole.defaults, whole.styles, tuple(enumerate(whole.films))), []
    wrong = {tuple(item["loc"][:2]) for item in errors}
    defaults = _sound(Defaults, values.get("defaults"))
    named = values.get("styles")
    styles: dict[str, str | StyleOwn] = {}
    for name, value in named.items() if isinstance(named, dict) else ():
        style = value if isinstance(value, str) else _sound(Style, value)
        if style is not None and ("styles", name) not in wrong:
            styles[name] = style
    listed = values.get("films")
    films = tuple(
        (i, Film.model_validate(value))
        for i, value in enumerate(listed if isinstance(listed, list) else [])
        if ("films", i) not in wrong
    )
    return Sound(None, defaults or Defaults(), styles, films), complaints_of(errors, lines)


def complaints_of(
    errors: Iterable[ErrorDetails], lines: Lines, *, within: Way = ()
) -> list[Complaint]:
    """Say what is wrong, as many as there are places; ``within`` is the way to what was held."""
    found: dict[Way, list[ErrorDetails]] = {}
    for item in errors:
        way = _way((*within, *item["loc"]), lines.value)
        if item["type"] == "too_short" and isinstance(item["input"], list) and item["input"]:
            continue  # what was there is wrong, and that is said
        if item["type"] in _UNLIKE:
            way = (*way, str(item["loc"][-1])) if way[-1:] != item["loc"][-1:] else way
        found.setdefault(way, []).append(item)
    return [Complaint(lines.of(way), _joined(way, items)) for way, items in found.items()]


def spelled(way: Way) -> str:
    """Write a way as people do.

    >>> spelled(("films", 2, "shots", 0, "from"))
    'films[2].shots[0].from'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way)
    return text.removeprefix(".")


def _sound(model: type[_Model], value: Value) -> _Model | None:
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def _way(loc: Way, value: Value) -> Way:
    """Follow pydantic's way as far as there are values; what it adds of its own is left out."""
    way: list[str | int] = []
    for step in loc:
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            continue
        way.append(step)
    return tuple(way)


def _joined(way: Way, items: list[ErrorDetails]) -> str:
    """All that is wrong at one place: a value that may be two things has failed to be both."""
    if items[0]["type"] in _UNLIKE:
        return _amiss(items[0]["type"], way)
    texts = [_SHAPES.get(one["type"], one["msg"]) for one in items]
    texts = [text.removeprefix("Value error, ").removeprefix("Input ") for text in texts]
    whole = " or ".join(dict.fromkeys(text[:1].lower() + text[1:] for text in texts))
    given = items[0]["input"]
    short = isinstance(given, str | int | float) and str(given) not in whole
    got = f", got {given!r}" if short else ""
    return (f"{spelled(way)}: " if way else "") + whole + got


def _amiss(kind: str, way: Way) -> str:
    """A key that is not there, or that should not be."""
    place, key = spelled(way[:-1]), way[-1]
    at = f" at {place}" if place else ""
    if kind == "missing":
        return f"{key!r} is missing{at}"
    model = _model(way)
    if model is Shot and key in SETTINGS:
        return f"{key!r}{at}: not covered yet for a part of a film; only style and strength are"
    known = [field.alias or name for name, field in model.model_fields.items()]
    return f"unknown key {key!r}{at}{nearest(str(key), known)}"


def _model(way: Way) -> type[BaseModel]:
    """What the last step of a way was looked for in."""
    first, inner = way[0], way[1:-1]
    if first in ("defaults", "films", "styles") and inner[-1:] == ("strength",):
        return Keyed
    if first == "films" and "shots" in inner:
        return Shot
    known: dict[str, type[BaseModel]] = {
        "films": Film,
        "styles": Style,
        "defaults": Defaults,
        "machines": Machines,
    }
    return known.get(str(first), JobFile) if len(way) > 1 else JobFile
