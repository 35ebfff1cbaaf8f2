"""A plan to what it will cost: keys, memory, disk, time.

Nothing is measured here. Memory and disk are upper bounds that hold for any machine, so that a job
can refuse before it starts; the tests of the steps hold what they use against them. Time is that of
one machine, and no bound.
"""

from dataclasses import dataclass
from itertools import pairwise

from pipeline.given import shown
from pipeline.media.codecs import coder
from pipeline.media.container import Film
from pipeline.media.samples import PIXEL_FORMATS
from pipeline.motion.flow import analysis_size
from pipeline.paint.sizes import SIZES
from pipeline.paint.styles import size_for
from pipeline.paint.working import working, working_size
from pipeline.plan import Chunk, Plan
from pipeline.recipe import Recipe
from pipeline.variants import edges, variant_at, variants

_SHARED = 130 << 20
"""Libraries of an interpreter, which all processes of a machine have in common."""
_OWN = 255 << 20
"""What each has to itself of an interpreter with its libraries, compiled loops and the painter's
weights: 110 were seen, and some 130 from the first fill on. Where torch paints, on a GPU, it is
more, and was not measured."""
_NET = {"S": 600, "M": 730}
"""Bytes of the painter's activations by its size, when four frames are measured at once, which is
its peak, a pixel of one frame with its apron: 558 and 679 were measured from 640x360 to 1280x720 in
OpenVINO. On a GPU they are in the GPU's memory, and this forecast is higher than what is taken."""
_AROUND = 8
"""Bytes a pixel of the film that reducing it and enlarging its painting take: 6.3 at 2160 lines
painted at 540. Nearer to the film's size it is more, but never as much as the net's own peak."""
_FLOWS = 3 * 8 + 3 * 4 + 4 * 8
"""Bytes a pixel and frame at analysis size: a bridge, and what is kept while it is made."""
_LOSSLESS = 0.7
_BITS = {0: 9.0, 8: 2.6, 16: 1.2, 24: 0.5, 32: 0.2, 51: 0.1}
"""Bits a pixel of painted h264 by crf, generously; the others' crf is brought to its scale."""
_FIXED_BITS = {"prores": 6.5, "prores-4444": 14.0, "dnxhr": 7.5}
"""Bits a pixel, at most, of codecs that have one quality: 6.1, 9.4 without alpha and 3.6 (7.1 in
4:4:4) were measured on noise."""


_RAY = 620 << 20
"""Ray's own processes and the coordinator; about 550 were seen with two workers."""
_PIECES = 4.5
"""What a chunk's pieces take in the object store, in keys: decoded, painted, harmonised, and the
windows of holes with their aprons before and after painting."""
_MOST_KEYS = 24
_EVERY_KEY = 121
"""Keys of a chunk, at most, and when every frame is painted."""


_PER_FILM_PIXEL = {"decode": 9, "harmonise": 82, "fill": 155, "h264": 104, "ffv1": 160}
_TO_H264 = {
    "hevc": 2.1,
    "av1": 0.9,
    "vp9": 3.0,
    "prores": 1.2,
    "prores-4444": 1.5,
    "dnxhr": 0.6,
    "h264_nvenc": 0.3,
    "hevc_nvenc": 0.3,
}
"""What encoding and reading back costs beside h264, one core, 640x360; of a GPU's it is a guess."""
_PER_SMALL_PIXEL = {"analysis": 18, "motion": 49}
_PER_WORKING_PIXEL = {"measure": 1205, "paint": 267, "tiles": 158}
"""Milliseconds of one core (AMD EPYC) at 1920x1080, analysed at 270 lines and painted at 540 by the
smaller net: ``reelbrush bench steps``, stored in bench/results/steps.json. Of painting three parts
in four are the net's, and the rest goes with the film's size."""
_NET_SHARE = 0.75
_ON_A_GPU = 30
"""How much faster a GPU does the net's part than a core. It is a guess: no GPU was measured. What
it really took is said beside it."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a film takes, in seconds of one core."""

    analysis: float
    painting: float
    """measuring, keys with their motion, holes, harmonising"""
    filling: float
    """filling, encoding, verifying"""
    net: float = 0.0
    """of painting: measuring, keys and holes, which a GPU does where there is one"""

    @property
    def whole(self) -> float:
        """All of it."""
        return self.analysis + self.painting + self.filling

    @property
    def beside(self) -> float:
        """What is left for cores where a GPU paints."""
        return self.whole - self.net

    @property
    def gpu(self) -> float:
        """Seconds of a GPU, where one paints."""
        return self.net / _ON_A_GPU


@dataclass(frozen=True, slots=True)
class Needs:
    """What a film of some size asks of the machines' memory, in bytes, whatever its plan."""

    base: int
    """once"""
    worker: int
    """for each process that decodes, paints and fills"""
    chunk: int
    """for each chunk on its way, in the object store"""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan asks for."""

    keys: int
    """Frames to be painted, each once."""
    painted: float
    """The same as a share of all frames, 0 to 1; hole tiles not counted."""
    peak_bytes: int
    """Most memory that one chunk needs at a time."""
    disk_bytes: int
    """Most room that the work folder and the film need together."""


def predict(plan: Plan, film: Film, recipe: Recipe) -> Forecast:
    """Forecast the painting of a whole film."""
    painted = {key for chunk in plan.chunks for part in chunk.parts for key in part.keys}
    frames = plan.shots[-1].stop
    pixels, painting = film.width * film.height, _painting(film, recipe)
    frame_bytes = _bytes(film)
    return Forecast(
        keys=len(painted),
        painted=len(painted) / frames,
        peak_bytes=max(
            _peak(c, film, painting=painting, frame_bytes=frame_bytes) for c in plan.chunks
        ),
        disk_bytes=_disk(plan, recipe, frames=frames, pixels=pixels, frame_bytes=frame_bytes),
    )


def predict_times(plan: Plan, film: Film, recipe: Recipe) -> Times:
    """Forecast what a whole film takes on CPU cores, by what was measured at 1080p, by its size.

    Each kind of step is taken to cost in proportion to the pixels that it looks at; freezes, and
    how much of a film is holes, are left out.
    """
    parts = [part for chunk in plan.chunks for part in chunk.parts]
    keys = {key for part in parts for key in part.keys}
    given = {key for part in parts for key in part.keys if key in shown(part.given)}
    frames, alone = plan.shots[-1].stop, recipe.every_frame
    between = 0 if alone else frames - len(keys)
    costs = [_costs(film, one) for one in variants(recipe)]
    setups = {(p.setup, variant_at(recipe, c.start)) for c in plan.chunks for p in c.parts}
    measured, painted, cost = sum(costs[variant]["measure"] for _, variant in setups), 0.0, costs[0]
    for start, stop in pairwise((0, *edges(recipe, frames), frames)):
        own = costs[variant_at(recipe, start)]
        here = {key for key in keys if start <= key < stop}
        holed = 0 if alone else stop - start - len(here)
        painted += len(here - given) * own["paint"] + holed * own["tiles"]
    chained = 0.0 if alone else frames * cost["motion"] + len(keys) * cost["harmonise"]
    return Times(
        analysis=frames * (cost["decode"] + cost["analysis"]),
        painting=frames * cost["decode"] + measured + painted + chained,
        filling=frames * (cost["decode"] + _encoding(cost, recipe)) + between * cost["fill"],
        net=measured + painted,
    )


def _encoding(cost: dict[str, float], recipe: Recipe) -> float:
    known = cost.get(recipe.codec)
    return cost["h264"] * _TO_H264[recipe.codec] if known is None else known


def _costs(film: Film, recipe: Recipe) -> dict[str, float]:
    """Seconds a step, at the film's size."""
    (width, height), (wide, tall) = film.size, analysis_size(*film.size)
    down, across = working_size(film.size, recipe.style_scale)
    large = width * height / (1920 * 1080)
    worked = _NET_SHARE * down * across / (960 * 540) + (1 - _NET_SHARE) * large
    kinds = (
        (_PER_FILM_PIXEL, large),
        (_PER_SMALL_PIXEL, wide * tall / (480 * 270)),
        (_PER_WORKING_PIXEL, worked),
    )
    return {step: ms * size / 1000 for steps, size in kinds for step, ms in steps.items()}


def predict_all(plan: Plan, film: Film, recipe: Recipe, *, workers: int) -> int:
    """Forecast the memory of all processes of a job on one machine together, in bytes.

    Every worker is held to be at its peak, and a chunk for each and one more on their way.
    """
    pieces = sorted((pieces_bytes(chunk, film) for chunk in plan.chunks), reverse=True)
    fixed = needs(film, recipe)
    return fixed.base + workers * fixed.worker + sum(pieces[: workers + 1])


def needs(film: Film, recipe: Recipe) -> Needs:
    """Forecast memory from a film's size alone, before it has been looked at."""
    gap = recipe.longest_gap
    width, height = analysis_size(*film.size)
    # A freeze is held once, so no gap takes more than one without.
    heap = _bytes(film) * 4 * (gap + 1) + width * height * (gap + 1) * _FLOWS
    return Needs(
        base=_RAY + _SHARED,
        worker=_OWN + _painting(film, recipe) + heap,
        chunk=int(_bytes(film) * (_EVERY_KEY if recipe.every_frame else _MOST_KEYS) * _PIECES),
    )


def pieces_bytes(chunk: Chunk, film: Film) -> int:
    """Forecast what a chunk's pieces take in the object store, all of them together."""
    count = sum(len(part.keys) for part in chunk.parts)
    return int(_bytes(film) * count * _PIECES)


def _painting(film: Film, recipe: Recipe) -> int:
    """Count what the painter of the recipe's size holds, at the largest that it works at."""
    return max(_held(film, one) for one in variants(recipe))


def _held(film: Film, recipe: Recipe) -> int:
    name = size_for(recipe.size, "cpu")
    tall, wide = (
        side + 2 * SIZES[name].apron for side in working_size(film.size, recipe.style_scale)
    )
    around = 0 if working(film.size, recipe.style_scale) is None else _AROUND
    return tall * wide * _NET[name] + film.width * film.height * around


def _bytes(film: Film) -> int:
    """Count what a frame takes in memory."""
    (across, down), form = film.chroma, PIXEL_FORMATS[film.pixel_format]
    samples = film.width * film.height * (1 + form.alpha)
    samples += 2 * -(-film.width // across) * -(-film.height // down)
    return samples * (1 if form.depth == 8 else 2)


def _peak(chunk: Chunk, film: Film, *, painting: int, frame_bytes: int) -> int:
    """Count keys before and after painting, the sources of the longest gap, and its flows."""
    count = sum(len(part.keys) for part in chunk.parts)
    gaps = [b - a + 1 for part in chunk.parts for a, b in pairwise(part.keys)]
    longest = max(gaps, default=1)
    small_width, small_height = analysis_size(*film.size)
    small = small_width * small_height * (longest * _FLOWS + chunk.stop - chunk.start)
    return _SHARED + _OWN + painting + frame_bytes * (2 * count + 3 * longest) + small


def _disk(plan: Plan, recipe: Recipe, *, frames: int, pixels: int, frame_bytes: int) -> int:
    """Count segments, the film made of them, and a lossless key at the end of each chunk."""
    frame = frame_bytes * _LOSSLESS
    quality = coder(recipe.codec).quality
    if recipe.crf is not None and quality is not None:
        level = max(crf for crf in _BITS if crf <= recipe.crf * 51 / quality.most)
        frame = min(pixels * _BITS[level] / 8, 2.0 * frame_bytes)
    elif recipe.codec in _FIXED_BITS:
        frame = pixels * _FIXED_BITS[recipe.codec] / 8
    return int(2 * frames * frame + len(plan.chunks) * frame_bytes * _LOSSLESS) + frames * 512
