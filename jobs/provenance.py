"""A finished job to the words about it that stay beside its film, and back.

They stand in the per-frame table, so that a film and its table say what was painted, how, and with
which versions. The source is named by its way from the table's folder: a folder of films can move.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.command import beside, written
from jobs.commission import Result
from pipeline.media.container import Film
from pipeline.paint.styles import StyleCode, manifest
from pipeline.plan import RENDER_VERSION
from pipeline.recipe import Recipe

_LIBRARIES = ("av", "numba", "numpy", "opencv-python-headless", "openvino")
_DIGITS = 16
"""Of a digest, enough to tell two things apart."""

Setting = str | int | float | bool | list[int] | None


class Provenance(BaseModel):
    """Where a painted film comes from; what a later reelbrush adds is ignored by an earlier one."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    source: str
    """Path of the source, from the folder of the table if it is not absolute; "/" between names."""
    film: str
    """Fingerprint of the source."""
    keys: int
    """Frames painted whole."""
    promoted: int
    """Keys that the gate asked for."""
    chunks: int
    recipe: dict[str, Setting]
    versions: dict[str, str]
    """By program or library; digests of weights and style are cut short."""


def provenance(
    film: Film, recipe: Recipe, result: Result, *, codes: Sequence[StyleCode], folder: Path
) -> Provenance:
    """Say where a painted film comes from.

    Args:
        film: The source.
        recipe: What was asked for.
        result: What was done.
        codes: Of the styles, the film's own first; none if something stood in for the net.
        folder: Of the table.
    """
    versions = {"reelbrush": version("reelbrush"), "render": str(RENDER_VERSION)}
    if codes:
        own = dict.fromkeys(code.digest[:_DIGITS] for code in codes)
        versions |= {"style code": " ".join(own)}
        versions |= {n: d[:_DIGITS] for n, d in manifest().items() if n.startswith("painter-")}
    versions |= {"Python": python_version()} | {name: version(name) for name in _LIBRARIES}
    settings = _flat(recipe.model_dump(mode="json", exclude={"given", "style_at"}))
    if recipe.style_at:
        settings["style_at"] = ", ".join(written(one, folder) for one in recipe.style_at)
    if recipe.given:
        settings["given"] = " ".join(f"{frame}={own[:_DIGITS]}" for frame, own in recipe.given)
    return Provenance(
        source=beside(film.place, folder),
        film=film.fingerprint,
        keys=result.keys,
        promoted=result.promoted,
        chunks=result.chunks,
        recipe=settings,
        versions=versions,
    )


def read_provenance(text: str | None) -> Provenance | None:
    """Read what a table says about its film; None if it says nothing that is understood."""
    if text is None:
        return None
    try:
        return Provenance.model_validate_json(text)
    except ValidationError:
        return None


def _flat(fields: Mapping[str, object], *, within: str = "") -> dict[str, Setting]:
    """Name each setting by the way to it; what is no number, word or row of them becomes text."""
    found: dict[str, Setting] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            found |= _flat(value, within=f"{within}{name} ")
        else:
            found[within + name] = _setting(value)
    return found


def _setting(value: object) -> Setting:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return value
    return json.dumps(value)
