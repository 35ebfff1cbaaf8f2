"""A film to the pure cost of each step, in CPU seconds of all threads, per frame of 1080p.

The film is brought to 1920x1080 first, so that figures can be compared. Each step runs alone, on
inputs that lie ready; decoding inside of a step is measured apart and taken off. A first round,
in which libraries are loaded and loops compiled, does not count.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np

from actors.assembler import Assembler
from actors.stylizer import Stylizer
from jobs.progress import Progressing, Silent
from jobs.results import Spread, spread
from jobs.stylize import Job, stylize
from pipeline.curve import flat
from pipeline.fill.chain import chain
from pipeline.fill.render import render
from pipeline.fill.strength import Laying
from pipeline.fill.tiles import Tile
from pipeline.media.color import Plane, Planes, in_eight_bits, resolved
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import Encoding, choose_encoding, write_segment
from pipeline.motion.analysis import analyse
from pipeline.motion.flow import analysis_size, estimate, small_luma
from pipeline.needs import read_keys, samples
from pipeline.paint.styles import load_code
from pipeline.paint.working import working
from pipeline.plan import Part, Shot, plan
from pipeline.recipe import Recipe

_SIZE = (1920, 1080)
_FRAMES = 37
"""Three full gaps and their keys."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One step's cost."""

    step: str
    unit: str
    """what one measurement is of"""
    milliseconds: Spread


class _Bench:
    """Collects samples of a step's seconds."""

    def __init__(self) -> None:
        self.costs: list[Cost] = []

    def add(self, step: str, unit: str, seconds: list[float]) -> None:
        self.costs.append(Cost(step, unit, spread([1000 * s for s in seconds])))


def bench(source: Path, *, style: str, repeats: int, progress: Progressing) -> list[Cost]:
    """Measure every step on the first frames of a film, and the whole path.

    Args:
        source: any film that can be painted, 37 frames or more.
        style: of the gallery.
        repeats: how often each step is measured.
        progress: is told of steps.
    """
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        film = _at_1080p(read_film(source), place)
        result = _Bench()
        progress.stage("steps", repeats + 1)
        _steps(film, style, place, _Bench())
        progress.advance(1)
        for _ in range(repeats):
            _steps(film, style, place, result)
            progress.advance(1)
        progress.stage("whole", 1)
        recipe = Recipe(style=style)
        began = time.process_time()
        stylize(Job(film.path, place / "whole.mp4", recipe, threads=1), progress=Silent())
        result.add("whole", "frame", [(time.process_time() - began) / film.frames])
    return _pooled(result.costs)


def _pooled(costs: list[Cost]) -> list[Cost]:
    """Join the repeats of a step: the spread of their medians."""
    order = list(dict.fromkeys(c.step for c in costs))
    pooled = []
    for step in order:
        own = [c for c in costs if c.step == step]
        medians = spread([c.milliseconds.median for c in own])
        pooled.append(replace(own[0], milliseconds=medians))
    return pooled


def _steps(film: Film, style: str, place: Path, result: _Bench) -> None:
    clock = time.process_time
    began = clock()
    pictures = list(frames(film, 0, film.frames))
    decode = (clock() - began) / film.frames
    result.add("decode", "frame", [decode])
    result.add("flow, fast", "call", [_flow(film, pictures)])

    began = clock()
    rows = analyse(film, 0, film.frames)
    result.add("analysis", "frame", [(clock() - began) / film.frames - decode])

    recipe = Recipe(style=style)
    whole = plan(rows, recipe, size=film.size)
    shot, part = whole.shots[0], whole.chunks[0].parts[0]
    small = working(film.size, recipe.style_scale)
    stylizer = Stylizer(load_code(style), threads=1, working=small)
    tags = resolved(film.color, film.height)

    began = clock()
    decoded = read_keys(film, part, shot, apron=stylizer.apron)
    between = part.keys[-1] - part.keys[0]
    result.add("keys: motion and holes", "frame", [(clock() - began) / between - decode])

    given = samples(film, shot)
    result.add("measure", "shot", [_timed(lambda: stylizer.measure(given, tags))])
    moments = stylizer.measure(given, tags)
    few = dict(islice(decoded.keys.items(), 4))
    result.add("paint", "key", [_timed(lambda: stylizer.paint(few, moments, tags)) / len(few)])
    fresh = stylizer.paint(decoded.keys, moments, tags)
    began = clock()
    tiles = stylizer.tiles(decoded.windows, moments, tags)
    result.add("paint: tiles", "frame", [(clock() - began) / between])

    def harmonised() -> dict[int, Planes]:
        return chain(part.keys, fresh=fresh, motions=decoded.motions, boundary=None, rho=recipe.rho)

    result.add("harmonise", "key", [_timed(harmonised) / max(1, len(part.keys) - 1)])
    keys = harmonised()
    filling = _Filling(part, shot, keys, tiles)
    seconds, painted = filling.fill(film)
    result.add("fill", "in-between frame", [seconds])
    seconds, _ = filling.in_ten_bits().fill(_at_1080p(film, place, depth=10))
    result.add("fill, 10 bits", "in-between frame", [seconds])
    _coding(film, pictures, painted, place, result)


@dataclass(frozen=True, slots=True)
class _Filling:
    """What a fill is given."""

    part: Part
    shot: Shot
    keys: dict[int, Planes]
    tiles: dict[int, tuple[Tile, ...]]

    def fill(self, film: Film) -> tuple[float, list[Frame]]:
        """Fill; gives seconds for each in-between frame, decoding taken off, and the frames."""
        first, last = self.part.keys[0], self.part.keys[-1]
        decode = _timed(lambda: list(frames(film, first, last + 1)))
        began = time.process_time()
        made = render(
            film,
            self.part,
            self.shot,
            keys=self.keys,
            tiles=self.tiles,
            laying=Laying(flat(1)),
            knob=3.0,
        )
        painted = [one.frame for one in made]
        return (time.process_time() - began - decode) / (last - first), painted

    def in_ten_bits(self) -> "_Filling":
        """Give the same in 10 bits."""
        return replace(
            self,
            keys={frame: _deeper(planes) for frame, planes in self.keys.items()},
            tiles={
                frame: tuple(replace(one, planes=_deeper(one.planes)) for one in known)
                for frame, known in self.tiles.items()
            },
        )


def _deeper(planes: Planes) -> Planes:
    luma, blue, red = (p.astype(np.uint16) for p in (planes.luma, planes.blue, planes.red))
    for part in (luma, blue, red):
        part <<= 2
    return Planes(luma, blue, red, depth=10)


def _coding(
    film: Film, pictures: list[Frame], painted: list[Frame], place: Path, result: _Bench
) -> None:
    """Encode what was painted, reopening and comparing included; join it with the sound."""
    for codec, name in (("h264", "b.mp4"), ("ffv1", "b.mkv")):
        target = place / name
        encoding, _ = choose_encoding(
            film, codec="h264" if codec == "h264" else "ffv1", target=target
        )
        path = place / f"segment{encoding.suffix}"
        began = time.process_time()
        segment = write_segment(iter(painted), film=film, encoding=encoding, path=path, crf=16)
        spent = (time.process_time() - began) / len(painted)
        result.add(f"encode and verify {codec}", "frame", [spent])
        if len(painted) == len(pictures):
            began = time.process_time()
            Assembler().assemble(
                film, [segment], target=target, encoding=encoding, start=0, stop=film.frames
            )
            spent = (time.process_time() - began) / film.frames
            result.add(f"assemble and verify {codec}", "frame", [spent])
        path.unlink()
        target.unlink(missing_ok=True)


def _flow(film: Film, pictures: list[Frame]) -> float:
    """Give the seconds of one of the four flows that a fill estimates: a yardstick for machines."""
    size = analysis_size(film.width, film.height)
    lumas = [small_luma(one.planes.luma, size) for one in pictures]
    pairs = list(pairwise(lumas))
    return _timed(lambda: [estimate(now, before) for before, now in pairs]) / len(pairs)


def _timed(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def _at_1080p(film: Film, place: Path, *, depth: int = 8) -> Film:
    """Write the first frames of a film at 1920x1080, 4:2:0; what is there already is read."""
    count = min(_FRAMES, film.frames)
    path = place / f"film-{depth}.mp4"
    if path.is_file():
        return read_film(path)
    pixels = "yuv420p" if depth == 8 else "yuv420p10le"
    shape = replace(
        film,
        width=_SIZE[0],
        height=_SIZE[1],
        pixel_format=pixels,
        rotation=0,
        sample_aspect_ratio=Fraction(1),
    )
    encoding = Encoding(codec="h264", pixel_format=pixels, container="mp4")
    write_segment(_resized(film, count, depth), film=shape, encoding=encoding, path=path, crf=12)
    return read_film(path)


def _resized(film: Film, count: int, depth: int) -> Iterator[Frame]:
    half = (_SIZE[0] // 2, _SIZE[1] // 2)
    for frame in frames(film, 0, count):
        p = in_eight_bits(frame.planes)
        planes = Planes(_sized(p.luma, _SIZE), _sized(p.blue, half), _sized(p.red, half))
        yield replace(frame, planes=planes if depth == 8 else _deeper(planes))


def _sized(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def as_json(costs: list[Cost]) -> list[dict[str, object]]:
    """The costs as they are stored."""
    return [asdict(cost) for cost in costs]
