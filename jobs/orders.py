"""An order to a job that is ready to be painted, or to the reason why it is not.

All that can be refused is refused here, before any film of the batch is begun: a film that cannot
be read, places that it does not have, a style without a picture, a target that is taken. A film
that is there already, made just so, is *done*.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors.files import opened
from actors.objects import ObjectPath
from jobs.given import Offer, accept, read_offers, with_given
from jobs.job import Job, check_target
from jobs.jobfile import nearest
from jobs.ledger import WorkFolder
from jobs.order import Order
from jobs.places import Places, kind_of
from jobs.sidecar import digests, read_sidecar, settings_of
from jobs.strength import Over, curve_of, folded
from jobs.style_at import passage, with_passages
from jobs.target import foretold
from pipeline.errors import BadRequest, FilmError, UnknownStyle, UnreadableFilm
from pipeline.forecast import Needs, needs
from pipeline.media.container import Film
from pipeline.paint.choice import Choice, choose
from pipeline.recipe import Recipe, read_recipe
from pipeline.variants import variants


@dataclass(frozen=True, slots=True)
class Ready:
    """A film that can be painted."""

    job: Job
    frames: int
    """that will be painted"""
    done: bool
    """whether it is there already, made just so"""
    seconds: float
    """that making it took, if it is there"""
    needs: Needs
    notes: tuple[str, ...]
    pixels: int
    """of a frame"""


def ready(order: Order, job: Job, *, styles: Callable[[str], Choice] | None) -> Ready:
    """Look at a film and all that goes with it.

    Args:
        order: what a person asked for.
        job: where and how it will be painted; all else of it comes from the order.
        styles: finds the code of a style; None if something stands in for the net.

    Raises:
        FilmError: In one line, why it cannot be painted.
    """
    plain = read_recipe(order.settings)
    film = opened(order.source, stream=plain.stream, interlaced=plain.interlaced)
    places = Places(film, order.first_frame)
    recipe = _recipe(order, places)
    offers = _offers(order, places)
    asked = with_given(recipe, accept(offers, film))
    job = replace(
        job,
        source=order.source,
        target=order.target,
        recipe=recipe,
        given=offers,
        work=order.work,
        overwrite=order.overwrite,
        keep_work=order.keep_work,
    )
    choices = _choices(order, recipe, styles) if styles else []
    noted = dict.fromkeys(note for choice in choices for note in choice.notes)
    notes = [*foretold(film, asked, job.target)[1], *noted]
    start, stop = recipe.frames or (0, film.frames)
    job, done = _free(job, asked, film, choices)
    said = read_sidecar(job.target) if done else None
    seconds = said.seconds.get("wall", 0.0) if said else 0.0
    asks, pixels = needs(film, recipe), film.width * film.height
    return Ready(job, stop - start, done, seconds, asks, tuple(notes), pixels)


def style_finder(known: tuple[str, ...] = ()) -> Callable[[str], Choice]:
    """What finds each style once; ``known`` are a job file's own names for styles."""
    found: dict[str, Choice] = {}

    def find(text: str) -> Choice:
        if text not in found:
            try:
                found[text] = choose(text)
            except UnknownStyle as error:
                raise UnknownStyle(f"{error}{nearest(text, known)}") from None
        return found[text]

    return find


def _choices(order: Order, recipe: Recipe, styles: Callable[[str], Choice]) -> list[Choice]:
    """Find the style of each of the recipe's variants."""
    for index, settings in order.styled.items():
        try:
            styles(str(settings["style"]))
        except FilmError as error:
            raise type(error)(f"{_part(order, index)}: {error}") from None
    return [styles(one.style) for one in variants(recipe)]


def _recipe(order: Order, places: Places) -> Recipe:
    where = [_frames(order, index, places) for index in range(len(order.shots))]
    over = [
        Over(*own, shot.strength)
        for shot, own in zip(order.shots, where, strict=True)
        if shot.style is None and shot.strength is not None
    ]
    passages = [passage(where[index], settings) for index, settings in order.styled.items()]
    _check_apart(order, where)
    curve = folded(curve_of(order.strength, places), over, places.film)
    frames = None if order.frames is None else places.frames(order.frames)
    recipe = read_recipe({**order.settings, "strength": str(curve), "frames": frames})
    return with_passages(recipe, passages, where="shots")


def _check_apart(order: Order, where: Sequence[tuple[int, int]]) -> None:
    """Make sure that no frame has two styles, or two strengths of parts."""
    said = [
        {"style"} & order.styled.get(index, {}).keys() | _strong(order, index)
        for index in range(len(where))
    ]
    for index, (start, stop) in enumerate(where):
        for other, (begins, ends) in enumerate(where[:index]):
            if start < ends and begins < stop and said[index] & said[other]:
                what = " and ".join(sorted(said[index] & said[other]))
                raise BadRequest(
                    f"{_part(order, index)}: frame {max(start, begins)} of the film has a {what} "
                    f"from {_part(order, other)} already"
                )


def _strong(order: Order, index: int) -> set[str]:
    own = order.styled.get(index, {}).get("strength", order.shots[index].strength)
    return set() if own is None else {"strength"}


def _part(order: Order, index: int) -> str:
    """Name a part of a film as its job file has it."""
    line = f" (line {order.lines[index]})" if index < len(order.lines) else ""
    return f"shots[{index}]{line}"


def _frames(order: Order, index: int, places: Places) -> tuple[int, int]:
    """The frames [start, stop) of one of the film's parts."""
    shot = order.shots[index]
    try:
        if shot.frames is not None:
            return places.frames(shot.frames)
        start, last = places.frame(shot.start or ""), places.frame(shot.stop or "")
    except BadRequest as error:
        raise BadRequest(f"{_part(order, index)}: {error}") from None
    if last < start:
        raise BadRequest(f"{_part(order, index)}: {shot.stop} comes before {shot.start}")
    return start, last + 1


def _offers(order: Order, places: Places) -> tuple[Offer, ...]:
    """Pictures of frames; numbers are those of the film, from 0."""
    named = [Offer(place, path) for place, path in order.key.items()]
    named += read_offers([], order.keys_from)
    return tuple(
        one if kind_of(one.place) == "time" else Offer(str(places.frame(one.place)), one.path)
        for one in named
    )


def _free(job: Job, asked: Recipe, film: Film, choices: Sequence[Choice]) -> tuple[Job, bool]:
    """Make sure that there is room for the result; says whether it is there already.

    A film that got its name just before its run was killed, and no sidecar, may be replaced: the
    work folder knows it.
    """
    target = job.target
    if isinstance(target, ObjectPath):
        if not target.exists():
            check_target(job)
            return job, False
    elif not os.path.lexists(target):
        _check_folder(target.parent)
        if target.parent.is_dir():
            check_target(job)
        return job, False
    differs = _differs(job, asked, film, choices)
    if differs is None:
        return job, True
    if not job.overwrite and _unfinished(job, asked, film):
        job = replace(job, overwrite=True)
    if not job.overwrite:
        raise BadRequest(f"{target} exists and {differs}; overwrite: true replaces it")
    check_target(job)
    return job, False


def _differs(job: Job, asked: Recipe, film: Film, choices: Sequence[Choice]) -> str | None:
    """Say what tells a film from the one that is wanted; None if nothing does."""
    try:
        said = read_sidecar(job.target)
    except UnreadableFilm as error:
        return str(error)
    if said is None:
        return "has no sidecar that says how it was made"
    if said.source.fingerprint != film.fingerprint:
        return "was painted from another film"
    if _bytes(job.target) != said.result.bytes:
        return "has changed since it was painted"
    wanted = settings_of(asked, job.target.absolute().parent)
    made = Recipe(style="plain").model_dump(mode="json") | said.recipe
    for name, value in wanted.items():
        if made[name] != value:
            return f"was made with another {name}"
    styles = [own for name, own in said.weights.items() if name.startswith("style ")]
    known = list(digests([choice.code for choice in choices]).values())
    return None if styles == known else "was made with another style"


def _bytes(target: Path) -> int | None:
    """Size of what has this name; None if it is no file."""
    if isinstance(target, ObjectPath):
        version = target.version()
        return None if version is None else version.bytes
    return target.stat().st_size if target.is_file() else None


def _unfinished(job: Job, asked: Recipe, film: Film) -> bool:
    """Whether a run that was killed left this film, and its work folder."""
    if job.sidecar.exists():
        return False
    try:
        known = WorkFolder(job.folder).asked()
    except BadRequest:
        return False
    return (known.target, known.film, known.recipe) == (
        job.target.absolute(),
        film.fingerprint,
        asked,
    )


def _check_folder(folder: Path) -> None:
    """Make sure that a folder can be written or made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise BadRequest(f"{folder} is no folder")
    if not os.access(folder, os.W_OK):
        raise BadRequest(f"cannot write to {folder}")
