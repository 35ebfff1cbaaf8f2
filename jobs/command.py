"""A job to the command that does it again, from any place that its folders are moved to.

The command is to be given in the folder of the painted film; files are named by their way from
there. Every setting is written out, for a later reelbrush may have other defaults. What does not
change a pixel (cores, memory, machines, work folder) is left out.
"""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from actors.objects import ObjectPath
from jobs.given import Offer
from pipeline.paint.styles import gallery
from pipeline.recipe import Passage, Recipe

NO_OPTIONS = frozenset({"style", "style_at", "given", "frames", "rho", "terms", "max_gap"})
"""Fields of a recipe that are no option of that name: written otherwise, or for programs alone."""

_OF_A_PASSAGE = ("style_scale", "structure", "keep_color", "strength")
_MEMBERS = re.compile(r"([,+])")
_WEIGHT = re.compile(r":(?:\d+\.?\d*|\.\d+)$")


def command(
    recipe: Recipe, *, source: Path, target: Path, given: Sequence[Offer] = ()
) -> str | None:
    """Write the command, quoted for a shell; None if it cannot say all that the recipe does.

    >>> from pathlib import Path
    >>> said = command(Recipe(style="adele"), source=Path("a b.mp4"), target=Path("c.mp4"))
    >>> said[:46]
    "reelbrush stylize 'a b.mp4' --style adele --st"
    """
    plain = Recipe(style="plain")
    if (recipe.rho, recipe.terms, recipe.max_gap) != (plain.rho, plain.terms, plain.max_gap):
        return None
    folder = target.absolute().parent
    words = ["reelbrush", "stylize", beside(source, folder)]
    words += ["--style", restyled(recipe.style, folder)]
    for name, value in recipe.model_dump(mode="json", exclude=set(NO_OPTIONS)).items():
        words += _option(name.replace("_", "-"), value)
    if recipe.frames is not None:
        words += ["--frames", f"{recipe.frames[0]}-{recipe.frames[1] - 1}"]
    for one in recipe.style_at:
        words += ["--style-at", written(one, folder)]
    for offer in given:
        words += ["--key", f"{offer.place}={beside(offer.path, folder)}"]
    named = str(target) if isinstance(target, ObjectPath) else _bare(target.name)
    return shlex.join([*words, "--output", named])


def written(one: Passage, folder: Path) -> str:
    """Write a passage as ``--style-at`` takes it; files are named by their way from a folder.

    >>> written(Passage(start=240, stop=481, style="adele", structure=0.3), Path())
    '240-480=adele;structure=0.3'
    """
    own = {name: value for name in _OF_A_PASSAGE if (value := getattr(one, name)) is not None}
    more = "".join(f";{name.replace('_', '-')}={value}" for name, value in own.items())
    return f"{one.start}-{one.stop - 1}={restyled(one.style, folder)}{more}"


def beside(path: Path, folder: Path) -> str:
    """Name a file by its way from a folder, "/" between names, never like an option.

    An object has its address wherever it is named from. A file of this machine that goes with a
    film among objects has its name alone, for there is no way to it from there.
    """
    if isinstance(path, ObjectPath):
        return str(path)
    if isinstance(folder, ObjectPath):
        return _bare(path.name)
    return _bare(Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix())


def restyled(style: str, folder: Path) -> str:
    """Name the files of a style by their way from a folder."""
    if Path(style).is_file():
        return beside(Path(style), folder)
    return "".join(_member(word, folder) for word in _MEMBERS.split(style))


def _member(word: str, folder: Path) -> str:
    weight = _WEIGHT.search(word)
    name = word[: weight.start()] if weight else word
    path = Path(name.strip()).expanduser()
    if name.strip() in {caption.name for caption in gallery()} or not path.is_file():
        return word
    return beside(path, folder) + (weight[0] if weight else "")


def _option(name: str, value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if isinstance(value, float):
        return [f"--{name}", repr(value)]
    return [f"--{name}", str(value)]


def _bare(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name
