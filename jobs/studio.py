"""Many films on one Ray: which are open, what becomes of them, and that each ends in one way.

One loop: open films, send what is ready, hear what came back, give names to what is done. It holds
no frame, and does nothing itself that takes long. A film that fails keeps nobody from anything;
what machines did wrong is tried again after a pause. Everything can be had again from the work
folders: kill it, and the same command goes on.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from actors import remote
from jobs.billed import Billed
from jobs.control import Control, Wish
from jobs.engine import Engine
from jobs.floor import Floor
from jobs.log import Log
from jobs.patience import Patience
from jobs.shares import urgency
from jobs.standing import OPEN, Status, Watcher
from jobs.standings import Standings
from pipeline.errors import ClusterFailed, FilmError, NodeLost

_BEAT = 1.0
"""Seconds to wait for answers before looking at everything else."""
_LOOK = 2.0
"""Seconds between two looks at machines, deadlines and watchers."""
_OPEN = 4
"""Films that are open at a time, as long as they keep all hands busy."""
_MOST = 16
_UNKNOWN = 4
"""Hands that a film is taken to have for itself as long as there is no Ray."""


class Cancelled(Exception):
    """A person asked for no more."""


class Rays(Protocol):
    """Who begins a Ray when it is wanted."""

    def engine(self) -> Engine:
        """Give the Ray, begun if there is none."""

    def leave(self) -> None:
        """End it; who wants it next begins another."""


class Studio:
    """Films that share the machines of one Ray."""

    def __init__(
        self,
        films: Sequence[Billed],
        *,
        ray: Rays,
        patience: Patience,
        stops: bool = False,
        control: Control | None = None,
        watchers: Sequence[Watcher] = (),
        whole: Log | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin nothing yet.

        Args:
            films: in the order in which a person named them.
            ray: the Ray for all of them.
            patience: with steps that do not end.
            stops: whether no other film is begun once one has failed.
            control: where a person asks for a pause, or for the end.
            watchers: are told every other second how it stands.
            whole: the log of all films together.
            clock: seconds, never going back.
        """
        self.films = list(films)
        self._ray, self._patience, self._stops = ray, patience, stops
        self._control, self._watchers, self._whole = control, watchers, whole
        self._clock = clock
        self._floor: Floor | None = None
        self._leaves = self._early = False
        self._standings = Standings(clock())
        self._next = float("-inf")
        self._wish: Wish = "run"

    def add(self, film: Billed) -> None:
        """Put another film on the bill, also while others are painted."""
        self.films.append(film)

    def run(self) -> None:
        """Go on until something has become of each film.

        Raises:
            NodeLost: If this process will not live on; so films that were open are not given up.
        """
        try:
            while any(film.status in OPEN for film in self.films):
                self._turn()
        except BaseException as error:
            self._interrupted(error)
            raise
        finally:
            self._tell()
        if self._floor is not None:
            self._floor.crowd.dismiss()

    def _turn(self) -> None:
        """Once around."""
        if self._leaves:
            self._leave_ray()
        self._obey()
        self._admit()
        for film in self.films:
            if film.aside is not None and film.aside.done:
                self._opened_or_named(film)
        if self._floor is None and any(film.production for film in self.films):
            self._begin_ray()
        if self._clock() >= self._next:
            self._look()
        if self._floor is None:
            self._wait()
            return
        self._floor.step(_BEAT, sends=self._wish == "run")
        for film in self.films:
            if film.production is not None and film.aside is None:
                self._moved(film)

    # -- films come and go -----------------------------------------------------------------------

    def _admit(self) -> None:
        """Open films, the most urgent and then the weightiest first."""
        if self._wish != "run":
            return
        now = self._clock()
        waiting = [f for f in self.films if f.status == "waiting"]
        if self._stops and any(film.status == "failed" for film in self.films):
            for film in waiting:
                film.become("skipped")
            return
        ready = [f for f in waiting if f.after <= now and not f.active]
        for film in sorted(ready, key=self._rank):
            active = [one for one in self.films if one.active]
            opening = any(one.production is None for one in active)
            idle = self._floor is not None and self._floor.idle and not opening
            room = _MOST if idle else _OPEN
            if len(active) < room or (self._urgency(film) is not None and len(active) < _MOST):
                film.begin(self._whole)

    def _rank(self, film: Billed) -> tuple[float, float, float]:
        due = self._urgency(film)
        hurry = float("inf") if due is None else due
        return hurry, -film.weight, film.deadline or float("inf")

    def _opened_or_named(self, film: Billed) -> None:
        """A film is open, or has its name, or neither."""
        aside, film.aside = film.aside, None
        try:
            if aside is not None:
                aside.result()
        except Exception as error:  # noqa: BLE001 - no film stops the others
            self._failed(film, error)
            return
        if film.result is not None:
            film.production = None
            film.become("done")
        elif film.production is not None:
            early = self._floor is None and not self._early
            self._early = True
            film.production.begin(early=early)
            if self._floor is not None:
                self._floor.enter(film.production, weight=film.weight)

    def _moved(self, film: Billed) -> None:
        production = film.production
        if production is None:
            return
        if production.result is not None:
            if self._floor is not None:
                self._floor.leave(film.name)
            film.end(production.result)
        elif production.joining:
            film.become("joining")
        elif production.meter.shown:
            film.become("painting")

    def _failed(self, film: Billed, error: BaseException) -> None:
        if self._floor is not None:
            self._floor.leave(film.name)
        film.fail(error, now=self._clock())
        alone = not any(one.production for one in self.films)
        self._leaves = self._leaves or (isinstance(error, ClusterFailed) and alone)

    def _give_up(self, name: str, error: Exception) -> None:
        self._failed(next(film for film in self.films if film.name == name), error)

    # -- the Ray ---------------------------------------------------------------------------------

    def _begin_ray(self) -> None:
        """Start or join it, which takes a while; meanwhile the first film is analysed."""
        open_ = [film for film in self.films if film.production is not None]
        try:
            engine = self._ray.engine()
            self._floor = Floor(
                engine, patience=self._patience, give_up=self._give_up, clock=self._clock
            )
        except NodeLost:
            raise
        except (FilmError, OSError, MemoryError) as error:
            for film in open_:
                film.fail(error, now=self._clock())
            self._ray.leave()
            return
        for film in open_:
            if film.production is not None:
                self._floor.enter(film.production, weight=film.weight)

    def _lost_ray(self, error: ClusterFailed) -> None:
        """Ray as a whole will not do: each film that was open is tried again on another."""
        if isinstance(error, NodeLost):
            raise error
        for film in self.films:
            if film.production is not None:
                self._failed(film, error)
        self._leaves = True

    def _leave_ray(self) -> None:
        """Nobody is there, or all that came of it was trouble: the next film begins another."""
        floor, self._floor, self._leaves = self._floor, None, False
        if floor is not None:
            floor.crowd.dismiss()
        self._ray.leave()

    # -- people ----------------------------------------------------------------------------------

    def _obey(self) -> None:
        """Do as a person has asked."""
        before, self._wish = self._wish, self._control.wanted() if self._control else "run"
        if self._wish == before:
            return
        if self._whole is not None and self._wish != "cancel":
            self._whole.say("paused" if self._wish == "pause" else "resumed")
        if self._wish == "cancel":
            for film in self.films:
                if film.status in OPEN and film.result is None:
                    if self._floor is not None:
                        self._floor.leave(film.name)
                    film.fail(Cancelled("a person asked for it"), now=0.0, final="cancelled")

    def _look(self) -> None:
        """Every other second: machines, deadlines, watchers."""
        self._next = self._clock() + _LOOK
        if self._floor is not None:
            for film in self.films:
                self._floor.turns.press(film.name, self._urgency(film))
            planned = not any(film.status == "waiting" for film in self.films)
            try:
                self._floor.refresh(planned=planned)
            except ClusterFailed as error:
                self._lost_ray(error)
        self._tell()

    def _tell(self) -> None:
        if self._watchers:
            paused = self._wish == "pause"
            standing = self._standings.of(self.films, self._floor, now=self._clock(), paused=paused)
            for watcher in self._watchers:
                watcher(standing)

    def _urgency(self, film: Billed) -> float | None:
        if film.deadline is None:
            return None
        hands = self._floor.crowd.cores if self._floor is not None else _UNKNOWN
        due = film.deadline - time.time()
        return urgency(due, left=self._standings.left(film) / max(1, hands))

    # -- the end ---------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Nobody works: wait for films that are being opened or named, or for a pause to end."""
        aside = [film.aside for film in self.films if film.aside is not None]
        if aside:
            aside[0].wait(_BEAT)
        else:
            remote.wait([], _BEAT)

    def _interrupted(self, error: BaseException) -> None:
        """This process ends: let go of all films, whose work folders know how to go on."""
        final: Status = "failed" if isinstance(error, Exception) else "interrupted"
        bug = isinstance(error, Exception) and not isinstance(error, NodeLost)
        if (
            self._floor is not None and bug
        ):  # else nobody is left to be sent home, or Ray sees to it
            self._floor.crowd.dismiss()
        for film in self.films:
            if film.active:
                film.retries = 0
                film.fail(error, now=0.0, final=final)
