"""A film on a cluster that grows, by a painter that takes its time: what ``bench elastic`` runs.

``python -m jobs.elastic_painter ADDRESS SOURCE TARGET GPUS SECONDS WORTH SURPLUS`` is a process of
its own, so that it can be killed.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

from actors.stylizer import Moments
from jobs import demand, engine
from jobs.bench_long import AsItIs
from jobs.engine import Machines
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from pipeline.media.color import ColorTags, Planes
from pipeline.recipe import Recipe

KEYS = 4
"""Frames from key to key: so many keys that a call to a stylizer is about one chunk."""


class Slow(AsItIs):
    """Gives back what it gets, after so many seconds for each chunk's batch."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def paint(
        self, keys: Mapping[int, Planes], moments: Moments, tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint keys."""
        time.sleep(self._seconds)
        return super().paint(keys, moments, tags)

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint keys."""
        time.sleep(self._seconds * len(lots))
        return super().paint_lots(lots, tags)


def main(words: Sequence[str]) -> None:
    """Paint the film."""
    address, source, target, gpus, seconds, worth, surplus = words
    from jobs import stylists  # it imports Ray, which listens to what the engine has set by then

    joined = engine._init

    def join(**options: object) -> None:
        """Join without shipping: machines of the fake cloud share one folder for what comes."""
        joined(**{**options, "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}}})

    job = Job(
        Path(source),
        Path(target),
        Recipe(style="as it is", codec="ffv1", keys=KEYS),
        keep_work=True,
        backend="ray",
        machines=Machines(address=address, gpus=int(gpus)),
    )
    with (
        patch.object(engine, "_init", join),
        patch.object(demand, "_WORTH", float(worth)),
        patch.object(stylists, "_SURPLUS", float(surplus)),
    ):
        stylize(job, progress=Silent(), hire=partial(Slow, float(seconds)))


if __name__ == "__main__":
    main(sys.argv[1:])
