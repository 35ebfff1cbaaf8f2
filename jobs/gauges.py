"""How a batch stands, to gauges that Ray's own metrics agent hands to Prometheus.

Ray puts ``ray_`` before each name and adds labels of its own. Labels of ours are the batch's name,
the film's and its status. The first hundred films that are told of have series of their own; the
others are one film, ``others``, so that no batch makes more series than a Prometheus likes.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from jobs.standing import STATUSES, FilmStanding, Standing

OTHERS = "others"
UNKNOWN = -1.0
"""What is not known: Ray drops NaN, and would go on showing what was known before."""
_MOST = 100
"""Films with series of their own."""


@dataclass(frozen=True, slots=True)
class GaugeKind:
    """A gauge as it is published."""

    name: str
    """without Ray's prefix"""
    about: str
    labels: tuple[str, ...] = ("batch",)


_OF_FILMS: Mapping[GaugeKind, Callable[[FilmStanding], float | None]] = {
    GaugeKind(f"reelbrush_film_{name}", about, ("batch", "film")): value
    for name, about, value in (
        ("frames", "Frames that are wanted.", lambda f: f.frames),
        ("frames_done", "Frames and parts of frames that are done.", lambda f: f.done),
        ("frames_per_second", "Frames a second, lately.", lambda f: f.speed_fps),
        ("seconds_left", "Seconds until it is done; -1: not known.", lambda f: f.left_s),
        ("chunks", "Chunks, as far as they are known.", lambda f: f.chunks),
        ("chunks_done", "Chunks that are committed.", lambda f: f.chunks_done),
        ("steps_lost", "Steps lost with machines and sent again.", lambda f: f.lost),
        ("attempts", "Tries of the whole film.", lambda f: f.attempts),
        ("gpu_seconds", "Seconds of GPUs it took.", lambda f: f.gpu_s),
        ("cpu_seconds", "Seconds of cores it took.", lambda f: f.cpu_s),
        (
            "gpu_seconds_forecast",
            "Seconds of GPUs forecast; -1: not yet.",
            lambda f: f.forecast_gpu_s,
        ),
        (
            "cpu_seconds_forecast",
            "Seconds of cores forecast; -1: not yet.",
            lambda f: f.forecast_cpu_s,
        ),
    )
}
_OF_ALL: Mapping[GaugeKind, Callable[[Standing], float | None]] = {
    GaugeKind(f"reelbrush_{name}", about): value
    for name, about, value in (
        ("nodes", "Machines that are alive.", lambda s: s.nodes),
        ("cores", "Cores that there are.", lambda s: s.cores),
        ("gpus", "GPUs that there are.", lambda s: s.gpus),
        ("cpu_duty", "Busy share of the cores, lately, 0 to 1.", lambda s: s.cpu_duty),
        ("gpu_duty", "Busy share of the GPUs, lately, 0 to 1.", lambda s: s.gpu_duty),
        ("steps_running", "Steps that somebody works on.", lambda s: s.running),
        ("steps_waiting", "Steps that wait for hands.", lambda s: s.queued),
        ("bytes_in_flight", "Bytes of pieces on their way.", lambda s: s.in_flight),
        ("bytes_budget", "Bytes that they may take.", lambda s: s.budget),
        ("seconds_left", "Seconds until all is done; -1: not known.", lambda s: s.left_s),
        ("paused", "1 while a person has asked for a pause.", lambda s: s.paused),
    )
}
_FILMS = GaugeKind("reelbrush_films", "Films by status.", ("batch", "status"))
KINDS: tuple[GaugeKind, ...] = (_FILMS, *_OF_ALL, *_OF_FILMS)


class Settable(Protocol):
    """A gauge of Ray's."""

    def set(self, value: float, tags: dict[str, str]) -> None:
        """Set it, for these labels."""


class Gauges:
    """A watcher that sets gauges, from when there is a Ray that has them."""

    def __init__(
        self, batch: str, *, make: Callable[[GaugeKind], Settable] | None = None, most: int = _MOST
    ) -> None:
        """Begin.

        Args:
            batch: its name, a label.
            make: makes a gauge; None makes Ray's once Ray runs.
            most: films with series of their own.
        """
        self._batch, self._make, self._most = batch, make, most
        self._gauges: dict[GaugeKind, Settable] = {}
        self._own: dict[str, None] = {}

    def __call__(self, standing: Standing) -> None:
        """Set them all."""
        if not self._gauges and not self._made():
            return
        labels = {"batch": self._batch}
        for kind, of_all in _OF_ALL.items():
            self._set(kind, of_all(standing), labels)
        count = standing.count()
        for status in STATUSES:
            self._set(_FILMS, count.get(status, 0), labels | {"status": status})
        for name, films in self._named(standing.films).items():
            for kind, of_film in _OF_FILMS.items():
                self._set(kind, _sum(map(of_film, films)), labels | {"film": name})

    def _made(self) -> bool:
        make = self._make or _rays()
        if make is not None:
            self._gauges = {kind: make(kind) for kind in KINDS}
        return make is not None

    def _set(self, kind: GaugeKind, value: float | None, labels: dict[str, str]) -> None:
        self._gauges[kind].set(UNKNOWN if value is None else float(value), labels)

    def _named(self, films: Iterable[FilmStanding]) -> dict[str, list[FilmStanding]]:
        """Films by the name under which they are published; one that has had its own keeps it."""
        found: dict[str, list[FilmStanding]] = {}
        for film in films:
            if film.name not in self._own and len(self._own) < self._most:
                self._own[film.name] = None
            name = film.name if film.name in self._own else OTHERS
            found.setdefault(name, []).append(film)
        return found


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _rays() -> Callable[[GaugeKind], Settable] | None:
    """What makes Ray's gauges; None as long as this process has no Ray."""
    if "ray" not in sys.modules:
        return None
    import ray
    from ray.util.metrics import Gauge

    if not ray.is_initialized():
        return None

    def make(kind: GaugeKind) -> Settable:
        return cast("Settable", Gauge(kind.name, kind.about, kind.labels))

    return make
