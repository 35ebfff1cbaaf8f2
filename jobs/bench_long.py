"""A film of two hours, painted by nobody: that times stay exact and memory stays flat.

The film is tiny and is made on the spot; a stand-in gives each key back as it is. All the rest is
as ever: index, analysis, plan, chunks, segments, joining, verifying, tables. What is measured is
the process's own memory while it goes through the film.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
import psutil

from actors.stylizer import Moments
from jobs.progress import Progressing
from jobs.stylize import Job, stylize
from pipeline.fill.tiles import Tile
from pipeline.fill.warp import crop
from pipeline.media.color import ColorTags, Plane, Planes
from pipeline.media.container import read_film
from pipeline.media.samples import picture_of
from pipeline.needs import Window
from pipeline.recipe import Recipe

TWO_HOURS = 172_627
"""Frames of 7200 s at 24000/1001 a second."""
RATE = Fraction(24000, 1001)
_SIZE = (64, 36)
_SHOT = 480
"""Frames from cut to cut."""
_MOVES = 8
"""Frames of a shot that move; it stands still for the rest, as most of what is drawn does."""
_BEAT = 0.5
_X264 = {"preset": "ultrafast", "x264-params": "threads=1:keyint=48:bframes=2"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the way."""

    name: str
    seconds: float
    cpu: float
    peaks: tuple[int, ...]
    """bytes, of each quarter of its time"""


@dataclass(frozen=True, slots=True)
class Long:
    """What came of the film."""

    frames: int
    chunks: int
    keys: int
    last: str
    """seconds from the first frame to the last, as a ratio"""
    exact: bool
    """whether every PTS is frame / rate, the last one too"""
    verified: bool
    stages: tuple[Stage, ...]
    disk: int
    """bytes of the painted film"""

    @property
    def growth(self) -> float:
        """Peak of the last quarter of painting over that of the first."""
        painting = next(stage for stage in self.stages if stage.name == "painting")
        return painting.peaks[-1] / painting.peaks[0]


class AsItIs:
    """A painter that gives back what it gets."""

    weights, style, apron = "no weights", "as it is", 4

    def measure(self, samples: Sequence[Planes], _tags: ColorTags) -> Moments:
        """Measure next to nothing."""
        return np.array([len(samples)], np.float32)

    def paint(
        self, keys: Mapping[int, Planes], _moments: Moments, _tags: ColorTags
    ) -> dict[int, Planes]:
        """Paint keys."""
        return dict(keys)

    def paint_lots(
        self, lots: Sequence[tuple[Mapping[int, Planes], Moments]], _tags: ColorTags
    ) -> list[dict[int, Planes]]:
        """Paint keys."""
        return [dict(keys) for keys, _ in lots]

    def tiles(
        self, windows: Mapping[int, Sequence[Window]], _moments: Moments, _tags: ColorTags
    ) -> dict[int, tuple[Tile, ...]]:
        """Paint windows."""
        return {
            frame: tuple(Tile(one.rect, crop(one.planes, one.inner)) for one in here)
            for frame, here in windows.items()
        }


class _Watch:
    """Notes the process's memory and the stages of a job; passes on what it is told."""

    def __init__(self, progress: Progressing) -> None:
        self._progress, self._process = progress, psutil.Process()
        self.stages: list[tuple[str, float, float, list[int]]] = []
        self._done = threading.Event()

    def stage(self, name: str, total: int, *, done: int = 0) -> None:
        """Begin a stage."""
        cpu = self._process.cpu_times()
        self.stages.append((name, time.monotonic(), cpu.user + cpu.system, []))
        self._progress.stage(name, total, done=done)

    def advance(self, frames: float) -> None:
        """Pass it on."""
        self._progress.advance(frames)

    def count(
        self, *, shots: tuple[int, int] | None = None, chunks: tuple[int, int] | None = None
    ) -> None:
        """Pass it on; all chunks done is where joining begins."""
        self._progress.count(shots=shots, chunks=chunks)
        if chunks is not None and chunks[0] == chunks[1]:
            self.stage("joining", 1)

    def note(self, text: str) -> None:
        """Pass it on."""
        self._progress.note(text)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the memory now and then."""
        self.stage("index", 1)
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()
            self.stage("end", 1)

    def _look(self) -> None:
        while not self._done.wait(_BEAT):
            self.stages[-1][3].append(self._process.memory_info().rss)

    def found(self) -> tuple[Stage, ...]:
        """What was seen of each stage."""
        found = []
        for (name, began, cpu, seen), (_, ended, spent, _) in zip(
            self.stages, self.stages[1:], strict=False
        ):
            quarters = [part for part in np.array_split(np.array(seen), 4) if part.size]
            peaks = tuple(int(part.max()) for part in quarters)
            found.append(Stage(name, round(ended - began, 2), round(spent - cpu, 2), peaks))
        return tuple(found)


def long(frames: int, *, progress: Progressing) -> Long:
    """Make a film of so many frames, paint it, and look at every time."""
    with TemporaryDirectory() as folder:
        source = make(Path(folder) / "long.mp4", frames, progress=progress)
        job = Job(source, Path(folder) / "painted.mp4", Recipe(style="none", crf=28))
        watch = _Watch(progress)
        with watch.watching():
            result = stylize(job, progress=watch, hire=AsItIs)
        made = read_film(job.target)
        wanted = np.arange(frames) * RATE.denominator
        ticks = made.time_base * RATE.numerator
        exact = made.frames == frames and ticks.denominator == 1
        exact = exact and bool((made.pts * int(ticks) == wanted).all())
        return Long(
            frames=made.frames,
            chunks=result.chunks,
            keys=result.keys,
            last=str(int(made.pts[-1] - made.pts[0]) * made.time_base),
            exact=exact,
            verified=result.verified.ok,
            stages=watch.found(),
            disk=job.target.stat().st_size,
        )


def make(path: Path, frames: int, *, progress: Progressing) -> Path:
    """Make a film of blotches that move and rest, with a cut every twenty seconds."""
    progress.stage("making", frames)
    width, height = _SIZE
    with av.open(str(path), "w", options={"video_track_timescale": "24000"}) as container:
        stream = container.add_stream("libx264", RATE, options=_X264)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.thread_count, context.time_base = 1, 1 / RATE
        context.color_primaries = context.color_trc = context.colorspace = 1
        context.color_range = 1
        for number in range(frames):
            shot, place = divmod(number, _SHOT)
            t = min(place, _MOVES)
            if not place:
                wide = _blotches(shot, width + _SHOT, height)
            planes = Planes(
                *(
                    plane[:, t // step : t // step + width // step]
                    for plane, step in zip(wide, (1, 2, 2), strict=True)
                )
            )
            picture = picture_of(planes, "yuv420p")
            picture.pts, picture.time_base = number, 1 / RATE
            container.mux(stream.encode(picture))
            if number % 1000 == 999:
                progress.advance(1000)
        container.mux(stream.encode(None))
    return path


def as_json(found: Long) -> dict[str, object]:
    """What is stored."""
    return {"growth": round(found.growth, 4), **asdict(found)}


def _blotches(shot: int, width: int, height: int) -> list[Plane]:
    noise = np.random.default_rng(shot).integers(30, 220, (3, 6, 40)).astype(np.uint8)
    sizes = ((width, height), *[(width // 2, height // 2)] * 2)
    return [
        np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for one, size in zip(noise, sizes, strict=True)
    ]
