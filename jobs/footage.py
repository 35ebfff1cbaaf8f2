"""Made films, and folders in which batches of them are painted.

What became of a batch is read from what it left: logs, receipts, films.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from actors import sources
from jobs.log import read as read_log
from jobs.made_films import make_film
from jobs.progress import Progressing

Event = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Footage:
    """Made films, and what a batch of them is asked for."""

    folder: Path
    count: int
    frames: int
    size: tuple[int, int]
    longest: int = 300
    """frames of the longest shot"""
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """what a film of a name is asked for besides, as in a job file"""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the films."""
        return tuple(f"film{number}" for number in range(self.count))

    def source(self, name: str) -> Path:
        """Where a film lies."""
        return self.folder / f"{name}.mp4"

    def make(self, progress: Progressing) -> None:
        """Make the films that are not there."""
        progress.stage("making", self.count)
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(self.names):
            make_film(
                self.source(name), self.frames, size=self.size, seed=number, longest=self.longest
            )
            progress.advance(1)

    @property
    def key(self) -> str:
        """What the films and their pixels are made of."""
        return f"{self.count} {self.frames} {self.size} {self.longest} {sources.digest()}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch is painted: its job file, results and work folders."""

    folder: Path
    footage: Footage

    @property
    def job(self) -> Path:
        """The job file."""
        return self.folder / "job.yaml"

    def target(self, name: str) -> Path:
        """The painted film of a name."""
        return self.folder / f"{name}.mkv"

    def work(self, name: str) -> Path:
        """Its work folder."""
        return self.folder / f"{name}.mkv.work"

    def prepare(self, machines: Mapping[str, object]) -> Self:
        """Write the job file in an empty folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        films = [
            {
                "source": str(self.footage.source(name).absolute()),
                "name": name,
                "output": self.target(name).name,
                **self.footage.settings.get(name, {}),
            }
            for name in self.footage.names
        ]
        defaults = {"style": "adele", "codec": "ffv1", "keep_work": True, "retries": 20}
        job = {
            "schema": "reelbrush/v1", "defaults": defaults, "films": films, "machines": machines,
        }  # fmt: skip
        self.job.write_text(json.dumps(job), encoding="utf-8")  # which is YAML, too
        return self

    def events(self) -> dict[str, list[Event]]:
        """The log of each film."""
        return {name: list(read_log(self.work(name))) for name in self.footage.names}

    def committed(self) -> set[tuple[str, str]]:
        """Film and name of each receipt."""
        return {
            (name, path.name)
            for name in self.footage.names
            for path in (self.work(name) / "receipts").glob("*.json")
        }

    def alive(self) -> tuple[int, ...]:
        """Numbers that change as long as anything goes on."""
        return tuple(
            path.stat().st_size if path.is_file() else 0
            for name in self.footage.names
            for path in (self.work(name) / "log.jsonl", self.target(name))
        )
