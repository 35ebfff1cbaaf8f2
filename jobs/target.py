"""A recipe and a name to how a film is written, with what will be lost said beforehand."""

from pathlib import Path

from pipeline.media.assemble import foreseen
from pipeline.media.container import Film
from pipeline.media.encode import Encoding, choose_encoding
from pipeline.recipe import Recipe


def foretold(film: Film, recipe: Recipe, target: Path) -> tuple[Encoding, list[str]]:
    """Choose how to write a film; give a line for each thing that changes or is left out.

    Raises:
        BadRequest: If it cannot be written so.
    """
    encoding, notes = choose_encoding(
        film,
        codec=recipe.codec,
        target=target,
        crf=recipe.crf,
        pixel_format=recipe.pixel_format,
    )
    start = recipe.frames[0] if recipe.frames else 0
    return encoding, [*film.notes, *notes, *foreseen(film, encoding, start=start)]


def encoding_of(film: Film, recipe: Recipe, target: Path) -> Encoding:
    """Choose how to write a film that a job has begun with.

    Raises:
        BadRequest: If it cannot be written so here.
    """
    return foretold(film, recipe, target)[0]
