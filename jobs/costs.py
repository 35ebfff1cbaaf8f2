"""What a film will take and what it took: seconds of GPUs and cores, bytes on disk and on the way.

The forecast is what ``reelbrush plan`` prints. What it took counts the time for which hands were
held, because that is what machines are paid for. A receipt holds the seconds of its chunk's steps,
so what earlier runs spent on chunks that are there counts after a resume too; what they spent on
analysis, and on what they did not finish, does not.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from jobs.ledger import Receipt
from pipeline.forecast import pieces_bytes, predict, predict_all, predict_times
from pipeline.media.container import Film
from pipeline.plan import Plan, covering
from pipeline.recipe import Recipe

ON_A_GPU = " on a GPU"
"""Ends the name of a step, in a receipt's seconds, that held a GPU and no core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a film takes."""

    gpu_s: float = 0.0
    """seconds of GPUs"""
    cpu_s: float = 0.0
    """seconds of cores"""
    bytes: int = 0
    """of disk: forecast for work folder and film together at most; actual is that of segments"""
    in_flight: int = 0
    """bytes that pieces of chunks take in the object store at a time, at most"""

    def facts(self) -> dict[str, float | int]:
        """For JSON, in seconds and bytes, rounded to what is known."""
        return {name: round(value, 1) for name, value in asdict(self).items()}


def foretold(
    plan: Plan, film: Film, recipe: Recipe, *, wanted: tuple[int, int], gpu: bool, hands: int
) -> Cost:
    """Forecast a film's cost, all runs together.

    Args:
        plan: of the whole film.
        film: the source.
        recipe: what was asked for.
        wanted: frames [start, stop) that are to be painted; they take their share of the whole.
        gpu: whether GPUs paint.
        hands: how many chunks can be worked on at a time: cores.
    """
    times, (start, stop) = predict_times(plan, film, recipe), wanted
    share = (stop - start) / plan.shots[-1].stop
    return Cost(
        gpu_s=share * times.gpu if gpu else 0.0,
        cpu_s=share * (times.beside if gpu else times.whole),
        bytes=round(share * predict(plan, film, recipe).disk_bytes),
        in_flight=most_in_flight(plan, film, wanted=wanted, hands=hands),
    )


def most_in_flight(plan: Plan, film: Film, *, wanted: tuple[int, int], hands: int) -> int:
    """Forecast the bytes of pieces on their way: a chunk for each hand and one more."""
    pieces = sorted((pieces_bytes(c, film) for c in covering(plan, *wanted)), reverse=True)
    return sum(pieces[: hands + 1])


def in_a_line(
    plan: Plan, film: Film, recipe: Recipe, *, wanted: tuple[int, int], gpu: bool, hands: int
) -> dict[str, float]:
    """Forecast a film for its log: ``memory`` and ``disk`` in bytes, ``cpu_s``, ``gpu_s``."""
    cost = foretold(plan, film, recipe, wanted=wanted, gpu=gpu, hands=hands)
    return {
        "memory": predict_all(plan, film, recipe, workers=hands),
        "disk": cost.bytes,
        "cpu_s": round(cost.cpu_s, 1),
        "gpu_s": round(cost.gpu_s, 1),
    }


def booked(kind: str, *, gpu: bool) -> str:
    """Name a step as a receipt's seconds have it."""
    return kind + ON_A_GPU if gpu else kind


class Spent:
    """What one film took so far."""

    def __init__(self) -> None:
        self._gpu_s = self._cpu_s = 0.0
        self._bytes = self._in_flight = 0

    def kept(self, receipt: Receipt) -> None:
        """A chunk was done by an earlier run, which spent what its receipt says."""
        gpu_s, cpu_s = _halves(receipt.seconds)
        self._gpu_s += gpu_s
        self._cpu_s += cpu_s
        self._bytes += receipt.bytes

    def took(self, seconds: float, *, gpu: bool) -> None:
        """A step of this run held a GPU or a core so long, whatever became of it."""
        if gpu:
            self._gpu_s += max(0.0, seconds)
        else:
            self._cpu_s += max(0.0, seconds)

    def committed(self, receipt: Receipt) -> None:
        """A chunk of this run is there; its steps have been counted as they ended."""
        self._bytes += receipt.bytes

    def on_the_way(self, bytes_: int) -> None:
        """So many bytes of its pieces are on their way now."""
        self._in_flight = max(self._in_flight, bytes_)

    @property
    def cost(self) -> Cost:
        """All of it; bytes on the way are the most that there were."""
        return Cost(
            gpu_s=self._gpu_s, cpu_s=self._cpu_s, bytes=self._bytes, in_flight=self._in_flight
        )


def spent_by(seconds: Mapping[str, float], *, bytes_: int = 0) -> Cost:
    """Add up the seconds of steps as receipts have them, over as many chunks as they are of."""
    gpu_s, cpu_s = _halves(seconds)
    return Cost(gpu_s=gpu_s, cpu_s=cpu_s, bytes=bytes_)


def _halves(seconds: Mapping[str, float]) -> tuple[float, float]:
    on_gpus = sum(spent for step, spent in seconds.items() if step.endswith(ON_A_GPU))
    return on_gpus, sum(seconds.values()) - on_gpus


def hours(seconds: float) -> str:
    """Write seconds of machines as hours, as bills do.

    >>> hours(0), hours(30), hours(5400), hours(720000)
    ('0', '0.0083', '1.5', '200')
    """
    found = seconds / 3600
    return f"{found:.0f}" if found >= 100 else f"{found:.2g}" if found < 1 else f"{found:.3g}"


def size(bytes_: int) -> str:
    """Write bytes as people say them.

    >>> size(0), size(5 << 20), size(3 << 29), size(5000 << 30)
    ('0 MiB', '5 MiB', '1.5 GiB', '4.9 TiB')
    """
    for unit, shift in (("TiB", 40), ("GiB", 30)):
        if bytes_ >= 1 << shift:
            return f"{bytes_ / (1 << shift):.1f} {unit}"
    return f"{bytes_ / (1 << 20):.0f} MiB"
