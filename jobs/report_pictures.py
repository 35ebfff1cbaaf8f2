"""A painted film to the stills of its report: its shots, and where its worst frames flicker.

Each film is decoded where something is shown and nowhere else; what is held are small encoded
pictures, and the lumas that heat maps are made of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.progress import Progressing
from jobs.report_choice import ShownShot
from jobs.report_read import Painted
from pipeline.fill.gate import gate_luma
from pipeline.fill.warp import crop
from pipeline.judge.heat import Heat, colored, heat, scale_colors
from pipeline.media.color import Planes, Rect, eight_bits, resolved, to_rgb
from pipeline.media.container import Film
from pipeline.media.decode import pick
from pipeline.media.preview import display_size, shrunk
from pipeline.motion.light import bars
from pipeline.needs import black, picture_luma
from pipeline.shots import picture

_SHOT_PIXELS, _FRAME_PIXELS = 240 * 135, 640 * 360
_QUALITY = 82
_LEAST_SCALE = 16.0
"""Codes; a heat map's scale does not end below, or noise would look like fire."""
_LEGEND = (256, 12)


@dataclass(frozen=True, slots=True)
class ShotPictures:
    """A shot's middle frame."""

    shot: ShownShot
    source: bytes
    """JPEG, as is ``painted``."""
    painted: bytes


@dataclass(frozen=True, slots=True)
class WorstPictures:
    """A frame that flickers, and where."""

    place: int
    source: bytes
    """JPEG, as are ``painted`` and ``heat``."""
    painted: bytes
    heat: bytes
    error: float | None
    """As measured on the encoded film, [0, 1]^2; None where too little can be judged."""
    coverage: float
    """Share of the picture that was judged, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What is seen in a report and does not move."""

    shots: tuple[ShotPictures, ...]
    worst: tuple[WorstPictures, ...]
    scale: float
    """Codes at which the scale of the heat maps ends."""
    legend: bytes
    """That scale, PNG, from 0 at the left."""

    @property
    def bytes(self) -> int:
        """Of all pictures together."""
        sheet = sum(len(one.source) + len(one.painted) for one in self.shots)
        hot = sum(len(one.source) + len(one.painted) + len(one.heat) for one in self.worst)
        return sheet + hot + len(self.legend)


def take_pictures(
    painted: Painted, *, shots: Sequence[ShownShot], worst: Sequence[int], progress: Progressing
) -> Pictures:
    """Decode and encode what a report shows.

    Args:
        painted: The film.
        shots: For the contact sheet.
        worst: Frames to show where they flicker; none is the film's first.
        progress: Is told of frames.

    Raises:
        CorruptFilm: If a frame cannot be decoded.
    """
    middles, near = {shot.middle for shot in shots}, {p for t in worst for p in (t - 1, t)}
    places = sorted(middles | near)
    progress.stage("pictures", len(places))
    small: dict[int, tuple[bytes, bytes]] = {}
    large: dict[int, tuple[bytes, bytes]] = {}
    heats: dict[int, Heat] = {}
    before: tuple[Planes, Planes] | None = None
    theirs = pick(painted.source, [painted.first + place for place in places])
    for ours, own in zip(pick(painted.film, places), theirs, strict=True):
        pair = (own.planes, ours.planes)
        if ours.index in middles:
            small[ours.index] = _both(painted, pair, _SHOT_PIXELS)
        if ours.index in worst:
            large[ours.index] = _both(painted, pair, _FRAME_PIXELS)
            if before is None:
                raise ValueError("the film's first frame has none before it")
            heats[ours.index] = _heat(painted, pair, before)
        before = pair if ours.index in near else None
        progress.advance(1)
    scale = _scale(list(heats.values()))
    return Pictures(
        shots=tuple(ShotPictures(shot, *small[shot.middle]) for shot in shots),
        worst=tuple(_worst(painted, t, large[t], heats[t], scale) for t in worst),
        scale=scale,
        legend=_legend(),
    )


def _both(painted: Painted, pair: tuple[Planes, Planes], pixels: int) -> tuple[bytes, bytes]:
    films = (painted.source, painted.film)
    source, painting = (_still(*one, pixels) for one in zip(pair, films, strict=True))
    return source, painting


def _still(planes: Planes, film: Film, pixels: int) -> bytes:
    """Encode a frame at no more than some number of square pixels."""
    rgb = to_rgb(shrunk(planes, _fitting(film, pixels)), resolved(film.color, film.height))
    return _encoded(np.rint(rgb * 255).astype(np.uint8), ".jpg")


def _heat(painted: Painted, now: tuple[Planes, Planes], before: tuple[Planes, Planes]) -> Heat:
    """Measure (source, painting) of a frame against those of the frame before, without the bars."""
    rect, dark = _picture(painted, now[0], before[0]), black(painted.film)
    (source, painting), (source_before, painting_before) = (
        (crop(own, rect), crop(ours, rect)) for own, ours in (now, before)
    )
    found = heat(
        gate_luma(painting.luma, depth=painting.depth),
        gate_luma(painting_before.luma, depth=painting_before.depth),
        picture_luma(source),
        picture_luma(source_before),
        black=dark,
    )
    height, width = now[0].luma.shape
    return found if rect == Rect(0, 0, height, width) else _framed(found, rect, (width, height))


def _picture(painted: Painted, now: Planes, before: Planes) -> Rect:
    """Find what is painted of a frame: all of it, or what lies within its bars."""
    height, width = now.luma.shape
    if painted.about is not None and painted.about.recipe.get("keep_bars") is False:
        return Rect(0, 0, height, width)
    lumas = [eight_bits(planes.luma, planes.depth) for planes in (now, before)]
    seen = [bars(luma, black=black(painted.film)) for luma in lumas]
    return picture(np.asarray(seen, np.int32), (width, height))


def _framed(found: Heat, rect: Rect, size: tuple[int, int]) -> Heat:
    """Put a heat map into its place in a frame of ``size``; bars are judged, and cold."""
    share = found.difference.shape[1] / rect.width
    across, down = round(size[0] * share), round(size[1] * share)
    left, top = round(rect.left * share), round(rect.top * share)
    height, width = found.difference.shape
    across, down = max(across, left + width), max(down, top + height)
    difference, judged = np.zeros((down, across), np.float32), np.ones((down, across), np.bool_)
    difference[top : top + height, left : left + width] = found.difference
    judged[top : top + height, left : left + width] = found.judged
    return Heat(difference, judged, found.pair)


def _worst(
    painted: Painted, place: int, pair: tuple[bytes, bytes], found: Heat, scale: float
) -> WorstPictures:
    size = _fitting(painted.film, _FRAME_PIXELS)
    hot = cv2.resize(colored(found, full=scale), size, interpolation=cv2.INTER_AREA)
    drawn = _encoded(np.asarray(hot, np.uint8), ".jpg")
    return WorstPictures(place, *pair, drawn, found.pair.error, found.pair.coverage)


def _scale(heats: Sequence[Heat]) -> float:
    """Choose one scale for all maps: what all but a hundredth of the judged pixels keep under."""
    judged = [one.difference[one.judged][::7] for one in heats if one.judged.any()]
    most = float(np.percentile(np.concatenate(judged), 99)) if judged else 0.0
    return max(_LEAST_SCALE, float(np.ceil(most)))


def _legend() -> bytes:
    across = np.linspace(0, 1, _LEGEND[0], dtype=np.float32)
    return _encoded(scale_colors(np.tile(across, (_LEGEND[1], 1))), ".png")


def _fitting(film: Film, pixels: int) -> tuple[int, int]:
    """Give an even size of a film's shape that has at most so many pixels."""
    width, height = display_size(film)
    scale = min(1.0, (pixels / (width * height)) ** 0.5)
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def _encoded(rgb: NDArray[np.uint8], suffix: str) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if suffix == ".jpg" else []
    _, content = cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), options)
    return content.tobytes()
