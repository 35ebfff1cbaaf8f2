"""One film that has been begun, to the same film painted and published by a studio of its own."""

from contextlib import nullcontext

from jobs.billed import Billed
from jobs.commission import Result
from jobs.shared_ray import SharedRay
from jobs.studio import Studio
from jobs.stylize import Begun
from pipeline.forecast import needs


def paint_one(made: Begun) -> Result:
    """Paint and publish one film that has been begun.

    Raises:
        FilmError: In one line.
    """
    film = Billed(made.film.path.name, lambda: nullcontext(made))
    with SharedRay(made.job.machines, [needs(made.film, made.job.recipe)]) as ray:
        Studio([film], ray=ray, patience=made.job.patience).run()
    if film.error is not None:
        raise film.error
    if film.result is None:
        raise ValueError("a film has ended, and nobody knows how")
    return film.result
