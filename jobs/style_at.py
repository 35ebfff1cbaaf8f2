"""Ranges of a film in other styles: as people write them, to a recipe's passages and back.

``240-480=adele`` is frames 240 to 480, both of them, in the style adele; ends can be times or
timecodes, too. Settings that go with a style follow it: ``240-480=adele;structure=0.3``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import ValidationError

from jobs.places import Places, kind_of
from pipeline.errors import BadRequest
from pipeline.media.clock import parse_frames
from pipeline.media.container import Film
from pipeline.recipe import Passage, Recipe

_HINT = "write 240-480=adele, 10s-20s=adele or 01:00:10:00-01:00:20:00=adele"
_SETTING = re.compile(r";\s*(style-scale|structure|keep-color|strength)=([^;=]*)$")


@dataclass(frozen=True, slots=True)
class StyleAt:
    """One range, as a person wrote it."""

    text: str
    range: str
    settings: tuple[tuple[str, object], ...]
    """of a ``Passage``"""


def read_style_at(texts: Sequence[str]) -> tuple[StyleAt, ...]:
    """Read ``--style-at``.

    Raises:
        BadRequest: If one names no range or no style.
    """
    return tuple(_read(text) for text in texts)


def with_styles(recipe: Recipe, asked: Sequence[StyleAt], film: Film) -> Recipe:
    """Find the ranges' frames and write them into a recipe.

    Raises:
        BadRequest: For a range that the film does not have, two of one frame, or a setting that
            makes no sense.
    """
    if not asked:
        return recipe
    places = Places(film)
    found = []
    for one in asked:
        try:
            found.append(passage(_frames(one.range, places), dict(one.settings)))
        except BadRequest as error:
            raise BadRequest(f"--style-at {one.text!r}: {error}") from None
    return with_passages(recipe, found, where="--style-at")


def passage(frames: tuple[int, int], settings: Mapping[str, object]) -> Passage:
    """Make a passage of frames [start, stop).

    Raises:
        BadRequest: If a setting makes no sense.
    """
    try:
        return Passage.model_validate({"start": frames[0], "stop": frames[1], **settings})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "range"
        said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        raise BadRequest(f"{name}: {said}, got {first['input']!r}") from None


def with_passages(recipe: Recipe, passages: Iterable[Passage], *, where: str) -> Recipe:
    """Write passages into a recipe; ``where`` they were asked for is said.

    Raises:
        BadRequest: If two have a frame in common.
    """
    found = tuple(sorted(passages, key=lambda one: one.start))
    for left, right in pairwise(found):
        if right.start < left.stop:
            raise BadRequest(f"{where}: frame {right.start} of the film is in two of them")
    return recipe.model_copy(update={"style_at": found})


def _read(text: str) -> StyleAt:
    place, equals, style = (word.strip() for word in text.partition("="))
    settings: dict[str, object] = {}
    while found := _SETTING.search(style):
        value = found[2].strip()
        whole = found[1] == "style-scale" and value.isascii() and value.isdigit()
        settings[found[1].replace("-", "_")] = int(value) if whole else value
        style = style[: found.start()].strip()
    if not (place and equals and style):
        raise BadRequest(f"--style-at {text!r} names no range or no style; {_HINT}")
    first, dash, last = place.partition("-")
    for one in (first, last) if dash else (first,):
        try:
            kind_of(one.strip())
        except BadRequest as error:
            raise BadRequest(f"--style-at {text!r}: {error}; {_HINT}") from None
    return StyleAt(text, place, tuple({"style": style, **settings}.items()))


def _frames(words: str, places: Places) -> tuple[int, int]:
    """The frames [start, stop) of a range; both of its ends belong to it."""
    first, dash, last = (word.strip() for word in words.partition("-"))
    if all(kind_of(one) == "frame" for one in (first, last or first)):
        parse_frames(words)
        return places.frames(words)
    start, end = places.frame(first), places.frame(last if dash else first)
    if end < start:
        raise BadRequest(f"{last} comes before {first}")
    return start, end + 1
