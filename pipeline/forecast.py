"""A plan to what it will cost: keys, memory, disk.

Nothing is measured here. The figures are upper bounds that hold for any machine, so that a job can
refuse before it starts; the tests of the steps hold what they use against them.
"""

from dataclasses import dataclass
from itertools import pairwise

from pipeline.media.container import Film
from pipeline.motion.flow import analysis_size
from pipeline.plan import Chunk, Plan
from pipeline.recipe import Recipe

_BASE = 760 << 20
"""An interpreter with its libraries and the painter's weights."""
_NET = 640
"""Bytes a pixel of the painter's activations when four frames are measured at once, which is its
peak; measured at 720p on a CPU (542), and 9 % more with all that lies around it at 1080p. Painting
one frame takes 164."""
_FLOWS = 3 * 8 + 3 * 4 + 4 * 8
"""Bytes a pixel and frame at analysis size: a bridge, and what is kept while it is made."""
_LOSSLESS = 0.7
_BITS = {0: 9.0, 8: 2.6, 16: 1.2, 24: 0.5, 32: 0.2, 51: 0.1}
"""Bits a pixel of painted h264 by crf, generously."""


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
    pixels = film.width * film.height
    samples = pixels + 2 * -(-film.width // film.chroma[0]) * -(-film.height // film.chroma[1])
    return Forecast(
        keys=len(painted),
        painted=len(painted) / frames,
        peak_bytes=max(_peak(c, film, pixels=pixels, samples=samples) for c in plan.chunks),
        disk_bytes=_disk(plan, recipe, frames=frames, pixels=pixels, samples=samples),
    )


def _peak(chunk: Chunk, film: Film, *, pixels: int, samples: int) -> int:
    """Count keys before and after painting, the sources of the longest gap, and its flows."""
    count = sum(len(part.keys) for part in chunk.parts)
    gaps = [b - a + 1 for part in chunk.parts for a, b in pairwise(part.keys)]
    longest = max(gaps, default=1)
    small_width, small_height = analysis_size(*film.size)
    small = small_width * small_height * (longest * _FLOWS + chunk.stop - chunk.start)
    return _BASE + pixels * _NET + samples * (2 * count + 3 * longest) + small


def _disk(plan: Plan, recipe: Recipe, *, frames: int, pixels: int, samples: int) -> int:
    """Count segments, the film made of them, and a lossless key at the end of each chunk."""
    frame = samples * _LOSSLESS
    if recipe.codec == "h264":
        level = max(crf for crf in _BITS if crf <= recipe.crf)
        frame = min(pixels * _BITS[level] / 8, 2.0 * samples)
    return int(2 * frames * frame + len(plan.chunks) * samples * _LOSSLESS) + frames * 512
