"""A part of a film in another style to what that changes of the film's settings.

The part is painted as if all of the film were painted in that style: the film's own settings win
over those of the style, and what neither says is as in ``defaults``. Some settings hold for a whole
film: a style that changes one of them is refused for a part.
"""

from collections.abc import Mapping

from jobs.jobfile import SETTINGS, Keyed
from pipeline.curve import parse_curve
from pipeline.errors import BadRequest
from pipeline.recipe import Recipe

OF_A_PART = ("style_scale", "structure", "keep_color")
"""Settings of a recipe that a part may have for itself."""


def changed(
    settings: Mapping[str, object],
    there: Mapping[str, object],
    *,
    strength: float | str | Keyed,
    there_strength: float | str | Keyed,
) -> dict[str, object]:
    """Say what a ``Passage`` has, but for its frames.

    Args:
        settings: Of the film, as a recipe takes them.
        there: The same if all of it were in the part's style.
        strength: Of the film.
        there_strength: The same if all of it were in the part's style, or the part's own.

    Raises:
        BadRequest: If something changes that a part cannot have for itself.
    """
    film, part = Recipe.model_validate(settings), Recipe.model_validate(there)
    differs = [name for name in SETTINGS if getattr(film, name) != getattr(part, name)]
    for name in differs:
        if name not in OF_A_PART:
            raise BadRequest(f"its style has another {name}, which holds for a whole film")
    found = {"style": part.style} | {name: getattr(part, name) for name in differs}
    if there_strength != strength:
        found["strength"] = _constant(there_strength)
    return found


def _constant(strength: float | str | Keyed) -> float:
    if isinstance(strength, str) and parse_curve(strength).constant:
        return float(parse_curve(strength).points[0].value)
    if isinstance(strength, float | int):
        return strength
    raise BadRequest("its style has a strength over time; give the part a strength of its own")
