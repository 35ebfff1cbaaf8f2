"""Films in work and calls on their way to the work that is left, and how much may be sent of it."""

from collections.abc import Collection, Iterable, Sequence

from jobs import demand, workload
from jobs.crowd import Crowd, Out
from jobs.demand import Left
from jobs.production import Production
from jobs.workload import Guess


def left(
    films: Collection[Production], outs: Sequence[Out], *, gpu: bool, planned: bool, now: float
) -> Left:
    """Sum up what is left of all films.

    Args:
        films: that are open.
        outs: what is on its way.
        gpu: whether for GPUs, or for cores.
        planned: whether no other film will come.
        now: by the clock of what is on its way.
    """
    seconds = list[float]()
    lasted = _lasted(films, outs, now=now) if gpu else {}
    for film in films:
        made = film.errands
        if made is not None:
            foretold = film.forecast.get("gpu_s" if gpu else "cpu_s", 0.0)
            guess = Guess(foretold / film.meter.whole, lasted.get(film.name, 0.0))
            ended = workload.worked(film.board, made.receipts, made.seconds)
            found = workload.left(film.board, ended, gpu=gpu, guess=guess)
            seconds += [] if found is None else [found]
    return Left(
        chunks=_unpainted(films) if gpu else _undone(films),
        planned=planned and all(film.survey.complete for film in films),
        seconds=sum(seconds) if seconds else None,
    )


def most(films: Iterable[Production], crowd: Crowd, *, deep: int) -> int | None:
    """Say how many steps of painting may be sent now, with regard to stylizers that will come.

    Args:
        films: that are open.
        crowd: who is there, and what is on its way.
        deep: steps that a stylizer may have at a time.

    Returns:
        None if any number may.
    """
    boards, wanted = [film.board for film in films], crowd.stylists.wanted
    steps, up = sum(len(board.todo) for board in boards), len(crowd.stylists.numbers)
    if up >= wanted or steps >= wanted * deep:
        return None
    steps += sum(piece is None for b in boards for c in b.open.values() for piece in c.painted)
    found = demand.share(steps, wanted=wanted, up=up, deep=deep)
    return None if found is None else max(0, found - sum(out.paints for out in crowd.out))


def _undone(films: Iterable[Production]) -> int:
    return sum(len(film.board.todo) + len(film.board.open) for film in films)


def _unpainted(films: Collection[Production]) -> int:
    """Chunks to be painted; at least one while any is not done, for the gate may ask for keys."""
    unopened = sum(len(film.board.todo) for film in films)
    courses = [course for film in films for course in film.board.open.values()]
    lacking = sum(None in course.painted for course in courses)
    return max(unopened + lacking, min(1, len(courses)))


def _lasted(films: Iterable[Production], outs: Iterable[Out], *, now: float) -> dict[str, float]:
    """Seconds for which each key of a call has been painted that runs now, by film."""
    boards, calls = {film.name: film.board for film in films}, dict[int, list[Out]]()
    for out in outs:
        if out.paints and out.since is not None and out.film in boards:
            calls.setdefault(id(out.call), []).append(out)
    found: dict[str, float] = {}
    for several in calls.values():
        courses = [boards[out.film].course(out.sent.task) for out in several]
        keys = sum(workload.keys(course.chunk) for course in courses if course is not None)
        for out in several if keys else []:
            lasted = (now - (out.since or now)) / keys
            found[out.film] = max(found.get(out.film, 0.0), lasted)
    return found
