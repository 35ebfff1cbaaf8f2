"""How fast a batch goes, how long it still takes, how busy its machines are: by a recent window.

What a person asks is when it will be ready from here, so the night before does not count. Times are
given, in seconds of one clock that does not jump (``time.monotonic``).
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from jobs.standing import OPEN, RUNNING, FilmStanding

WINDOW = 120.0
"""Seconds: some chunks, so that their bursts even out."""


class Pace:
    """How fast something goes in a recent window."""

    def __init__(self, *, window: float = WINDOW) -> None:
        self._window = window
        self._seen: deque[tuple[float, float]] = deque()

    def note(self, now: float, done: float) -> None:
        """Note how much is done in all, in frames or any unit; call it with each standing.

        What an earlier run did is in it from the first note on, and so counts for no speed.
        """
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self._window:
            self._seen.popleft()

    @property
    def speed(self) -> float:
        """Units a second, at least 0: what is lost can be more than what is done."""
        if len(self._seen) < 2:
            return 0.0
        (began, before), (now, done) = self._seen[0], self._seen[-1]
        # at least a second: the first moment's speed is no speed
        return max(0.0, done - before) / max(1.0, now - began)

    def left(self, all_: float) -> float | None:
        """Seconds until all is done at this speed; None if nothing moves."""
        if not self._seen:
            return None
        rest = max(0.0, all_ - self._seen[-1][1])
        if not rest:
            return 0.0
        return rest / self.speed if self.speed else None


class Duty:
    """How much of the hands' time was work in a recent window: cores, or GPUs."""

    def __init__(self, *, window: float = WINDOW) -> None:
        self._window = window
        self._hands: deque[tuple[float, int]] = deque()
        self._worked: deque[tuple[float, float]] = deque()

    def hands(self, now: float, count: int) -> None:
        """Note how many there are from now on; call it with each standing."""
        self._hands.append((now, count))
        while len(self._hands) > 1 and self._hands[1][0] <= now - self._window:
            self._hands.popleft()

    def worked(self, now: float, seconds: float) -> None:
        """Note that a step has just ended that took one hand so long."""
        self._worked.append((now - max(0.0, seconds), now))

    def share(self, now: float, running: Iterable[float] = ()) -> float:
        """The share, 0 to 1.

        Args:
            now: this moment.
            running: since when each hand works that works now; two calls that wait at one GPU are
                one.
        """
        if not self._hands:
            return 0.0
        start = max(now - self._window, self._hands[0][0])
        while self._worked and self._worked[0][1] <= start:
            self._worked.popleft()
        spans = [*self._worked, *((since, now) for since in running)]
        busy = sum(max(0.0, min(end, now) - max(begin, start)) for begin, end in spans)
        there = self._there(start, now)
        return min(1.0, busy / there) if there > 0 else 0.0

    def _there(self, start: float, now: float) -> float:
        """Seconds that the hands had, all together."""
        known = list(self._hands)
        ends = [at for at, _ in known[1:]] + [now]
        return sum(
            count * max(0.0, end - max(at, start))
            for (at, count), end in zip(known, ends, strict=True)
        )


class Outlook:
    """Speed and time left of each film and of all together."""

    def __init__(self, *, window: float = WINDOW) -> None:
        self._window = window
        self._films: dict[str, Pace] = {}
        self._all, self._total = Pace(window=window), 0.0

    def of(
        self, now: float, films: Sequence[FilmStanding]
    ) -> tuple[tuple[FilmStanding, ...], float | None]:
        """Give the films with their speed and time left, and the seconds left for all of them.

        Call it with each standing. Films that have ended have neither.
        """
        done, total = work(films)
        if abs(total - self._total) > 1e-9 * total:  # a film's forecast came, or a film has gone
            self._all, self._total = Pace(window=self._window), total
        self._all.note(now, done)
        return tuple(self._paced(now, film) for film in films), self._all.left(total)

    def _paced(self, now: float, film: FilmStanding) -> FilmStanding:
        if film.status not in RUNNING:
            self._films.pop(film.name, None)
            return replace(film, speed_fps=0.0, left_s=None)
        pace = self._films.setdefault(film.name, Pace(window=self._window))
        pace.note(now, film.done)
        return replace(film, speed_fps=pace.speed, left_s=pace.left(film.frames))


def work(films: Sequence[FilmStanding]) -> tuple[float, float]:
    """How much of all films is done and how much there is, in one unit, for the pace of all.

    The unit is the forecast seconds of a core or GPU where each open film has a forecast, for a
    frame of one film can cost a hundred times another's; else frames. Films that ended otherwise
    than done are left out.
    """
    counted = [film for film in films if film.status in OPEN or film.status == "done"]
    costs = [_cost(film) for film in counted]
    if all(costs):
        weights = [cost or 0.0 for cost in costs]
    else:
        weights = [float(film.frames) for film in counted]
    done = sum(weight * film.share for weight, film in zip(weights, counted, strict=True))
    return done, sum(weights)


def _cost(film: FilmStanding) -> float | None:
    if film.forecast_cpu_s is None and film.forecast_gpu_s is None:
        return None
    return (film.forecast_cpu_s or 0.0) + (film.forecast_gpu_s or 0.0)
