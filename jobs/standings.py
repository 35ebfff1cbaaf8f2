"""Films and hands to how a batch stands, every other second, for whoever watches."""

import time
from collections.abc import Sequence
from dataclasses import replace

from jobs.billed import Billed
from jobs.costs import Cost, foretold
from jobs.floor import Floor
from jobs.pace import Duty, Outlook
from jobs.production import Production
from jobs.standing import FilmStanding, Standing
from pipeline.plan import Plan


class Standings:
    """Makes a standing after another."""

    def __init__(self, began: float) -> None:
        """Begin; ``began`` is of the monotonic clock, as all times here."""
        self._began = began
        self._outlook, self._cores, self._gpus = Outlook(), Duty(), Duty()
        self._last: dict[str, FilmStanding] = {}
        self._costs: dict[str, tuple[Plan, Cost]] = {}

    def of(
        self, films: Sequence[Billed], floor: Floor | None, *, now: float, paused: bool
    ) -> Standing:
        """How it stands."""
        known = []
        for film in films:
            found = self._film(film, floor)
            self._last[film.name] = found
            known.append(found)
        paced, left = self._outlook.of(now, known)
        cores, gpus = (floor.crowd.cores, len(floor.crowd.stylists.numbers)) if floor else (0, 0)
        cpu, gpu = self._duty(floor, now=now, cores=cores, gpus=gpus)
        out = floor.crowd.out if floor else []
        return Standing(
            films=paced,
            running=sum(one.since is not None for one in out),
            queued=floor.queued if floor else 0,
            nodes=len(floor.budget.nodes) or 1 if floor else 0,
            cores=cores,
            gpus=gpus,
            cpu_duty=cpu,
            gpu_duty=gpu,
            seconds=round(now - self._began, 3),
            left_s=left,
            paused=paused,
            in_flight=floor.budget.held if floor else 0,
            budget=floor.budget.total if floor else 0,
            time=round(time.time(), 3),
        )

    def left(self, film: Billed) -> float:
        """Guess the seconds of hands that a film still takes."""
        known = self._last.get(film.name)
        if known is None or not (known.forecast_cpu_s or known.forecast_gpu_s):
            return film.size
        whole = (known.forecast_cpu_s or 0.0) + (known.forecast_gpu_s or 0.0)
        return whole * (1.0 - known.share)

    def _film(self, film: Billed, floor: Floor | None) -> FilmStanding:
        before, production = self._last.get(film.name), film.production
        if production is None:
            return _at_rest(film, before)
        return self._working(film, production, floor)

    def _working(self, film: Billed, production: Production, floor: Floor | None) -> FilmStanding:
        meter, made = production.meter, production.made
        held = sum(course.bytes for course in production.board.open.values())
        production.spent.on_the_way(held)
        spent, foreseen = production.spent.cost, self._foreseen(production, floor)
        start, stop = made.job.recipe.frames or (0, made.film.frames)
        shots_done, shots = meter.shots
        return FilmStanding(
            name=film.name,
            status=film.status,
            frames=stop - start,
            done=round(meter.frames, 3),
            chunks=meter.chunks or meter.chunks_done,
            chunks_done=meter.chunks_done,
            shots=shots,
            shots_done=shots_done,
            attempts=film.tries,
            lost=production.lost,
            gpu_s=round(spent.gpu_s, 3),
            cpu_s=round(spent.cpu_s, 3),
            forecast_gpu_s=foreseen.gpu_s if foreseen else None,
            forecast_cpu_s=foreseen.cpu_s if foreseen else None,
            bytes=spent.bytes,
            forecast_bytes=foreseen.bytes if foreseen else None,
            in_flight=held,
            forecast_in_flight=foreseen.in_flight if foreseen else None,
        )

    def _foreseen(self, production: Production, floor: Floor | None) -> Cost | None:
        """What the film will take, once it is planned."""
        plan = production.survey.plan
        if floor is None or plan is None or not production.survey.complete:
            return None
        known = self._costs.get(production.name)
        if known is None or known[0] is not plan:
            made = production.made
            cost = foretold(
                plan,
                made.film,
                made.job.recipe,
                wanted=made.job.recipe.frames or (0, made.film.frames),
                gpu=floor.paints_on_gpus,
                hands=floor.crowd.cores,
            )
            known = self._costs[production.name] = plan, cost
        return known[1]

    def _duty(
        self, floor: Floor | None, *, now: float, cores: int, gpus: int
    ) -> tuple[float, float]:
        """How busy cores and GPUs were."""
        self._cores.hands(now, cores)
        self._gpus.hands(now, gpus)
        if floor is None:
            return self._cores.share(now), self._gpus.share(now)
        for paints, ended, seconds in floor.worked():
            (self._gpus if paints else self._cores).worked(ended, seconds)
        running = [one for one in floor.crowd.out if one.since is not None]
        at_cores = [one.since for one in running if not one.paints and one.since is not None]
        first: dict[int | None, float] = {}  # of calls that wait at one GPU only one is work
        for one in running:
            if one.paints and one.since is not None:
                who = one.call.stylist
                first[who] = min(one.since, first.get(who, one.since))
        return self._cores.share(now, at_cores), self._gpus.share(now, first.values())


def _at_rest(film: Billed, before: FilmStanding | None) -> FilmStanding:
    """A film that nobody works on, with what was known of it last."""
    known = before or FilmStanding(name=film.name, status=film.status, frames=film.frames)
    known = replace(known, status=film.status, attempts=film.tries, in_flight=0)
    if film.status != "done":
        return known
    return replace(
        known, done=float(known.frames), chunks_done=known.chunks, shots_done=known.shots
    )
