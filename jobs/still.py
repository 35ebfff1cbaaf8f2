"""Frames of a film to pictures in several styles, to choose by before painting the film.

A *still* is one frame and what each style makes of it; a *sheet* is frames of the film by styles by
scales, the sizes at which the net works, small enough to see all at once. The net's statistics are
measured on the one frame, not on its shot, so tones can differ a little from those of the painted
film.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from actors.stylizer import Stylizer
from jobs.sheet import RGB, Tile, check_size, check_target, in_rows, labelled, reduced, write
from pipeline.errors import BadRequest
from pipeline.media.clock import frame_at, parse_time
from pipeline.media.color import Planes, resolved, to_rgb
from pipeline.media.container import Film, read_film
from pipeline.media.decode import pick
from pipeline.paint.styles import StyleCode, gallery, load_code, size_for
from pipeline.paint.working import working

Scale = Literal["film"] | int
"""Lines at which the net works."""
_TILE = 360
_FRAMES = 3
_STYLES = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a film, and where."""

    target: Path
    """a PNG or JPEG"""
    codes: Sequence[StyleCode] = ()
    """none are some of the gallery, on a sheet"""
    scales: Sequence[Scale] = (540,)
    times: Sequence[str] = ()
    """none is the first frame, and on a sheet three that are spread over the film"""
    height: int | None = None
    """most lines of each picture; None leaves a still's alone and means 360 on a sheet"""
    size: str = "auto"
    """of the net: S, M, or what painting the film here would take"""
    structure: float = 0.0
    """0 to 1: how far shapes are kept"""
    overwrite: bool = False


def still(source: Path, wanted: Wanted) -> str:
    """Paint a frame in each style and write one picture: the frame, then the styles.

    Returns:
        What is on it.

    Raises:
        BadRequest: If there is no such frame, the target exists, or more than a still is wanted.
        OutOfResources: If the disk is full.
    """
    check_target(wanted.target, overwrite=wanted.overwrite)
    if len(wanted.times) > 1 or len(wanted.scales) != 1:
        raise BadRequest("a still is one frame at one scale; --sheet takes several")
    film = read_film(source)
    index = _index(film, wanted.times[0] if wanted.times else "0s")
    (scale,), lines = wanted.scales, wanted.height
    shown = {frame.index: frame.planes for frame in pick(film, [index])}
    painted = [_painted(film, shown, code, scale, lines, wanted)[index] for code in wanted.codes]
    write(in_rows([_seen(film, shown[index], lines), *painted]), wanted.target)
    return f"{wanted.target}: frame {index}, then {', '.join(code.name for code in wanted.codes)}"


def sheet(source: Path, wanted: Wanted) -> str:
    """Write one picture of frames by styles by scales, with names: a row for a frame and scale.

    Returns:
        What is on it.

    Raises:
        BadRequest: If there is no such frame, the target exists, or all that would be too much.
        OutOfResources: If the disk is full.
    """
    check_target(wanted.target, overwrite=wanted.overwrite)
    film = read_film(source)
    chosen = [_index(film, time) for time in wanted.times] or spread(film.frames)
    styles = list(wanted.codes) or some_styles()
    lines = wanted.height or _TILE
    shown = {frame.index: frame.planes for frame in pick(film, sorted(set(chosen)))}
    count = len(chosen) * len(wanted.scales)
    check_size(_seen(film, shown[chosen[0]], lines), rows=count, columns=1 + len(styles))
    columns = {
        (scale, code): _painted(film, shown, code, scale, lines, wanted)
        for scale in wanted.scales
        for code in styles
    }
    rows: list[list[Tile | None]] = []
    for index in chosen:
        own: Tile | None = Tile(_seen(film, shown[index], lines), f"film, {_time(film, index)}")
        for scale in wanted.scales:
            rows.append([own, *(Tile(columns[scale, c][index], _named(c, scale)) for c in styles)])
            own = None
    write(labelled(rows), wanted.target)
    frames = ", ".join(str(index) for index in chosen)
    return f"{wanted.target}: frames {frames} in {', '.join(code.name for code in styles)}"


def spread(frames: int) -> list[int]:
    """Choose three frames, or all of a shorter film, in the middles of equal parts.

    >>> spread(60), spread(2)
    ([10, 30, 50], [0, 1])
    """
    count = min(_FRAMES, frames)
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)]


def some_styles() -> list[StyleCode]:
    """Choose four styles, spread over the gallery."""
    captions = gallery()
    count = min(_STYLES, len(captions))
    return [load_code(captions[i * len(captions) // count].name) for i in range(count)]


def net_for(asked: str) -> tuple[str, str]:
    """Choose the net's size and device as painting a film does: M on a GPU, where M ships.

    torch, which takes seconds to import, is asked for a GPU only where that makes a difference.
    """
    device = "cpu"
    if asked == "auto" and size_for(asked, "cuda") == "M":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    return size_for(asked, device), device


def _index(film: Film, at: str) -> int:
    time = parse_time(at)
    length = int(film.pts[-1] + film.durations[-1] - film.pts[0]) * film.time_base
    if time >= length:
        raise BadRequest(f"there is no frame at {at}: the film is {float(length):.2f} s long")
    return frame_at(film, time)


def _seen(film: Film, planes: Planes, height: int | None) -> RGB:
    return reduced(to_rgb(planes, resolved(film.color, film.height)), height)


def _painted(
    film: Film,
    shown: Mapping[int, Planes],
    code: StyleCode,
    scale: Scale,
    height: int | None,
    wanted: Wanted,
) -> dict[int, RGB]:
    """Paint frames, each by its own statistics; the net is loaded once."""
    tags = resolved(film.color, film.height)
    size, device = net_for(wanted.size)
    stylizer = Stylizer(
        code,
        size=size,
        device=device,
        working=working(film.size, scale),
        structure=wanted.structure,
    )
    found = {}
    for index, planes in shown.items():
        moments = stylizer.measure([planes], tags)
        found[index] = _seen(film, stylizer.paint({index: planes}, moments, tags)[index], height)
    return found


def _time(film: Film, index: int) -> str:
    return f"{float(int(film.pts[index] - film.pts[0]) * film.time_base):.2f} s"


def _named(code: StyleCode, scale: Scale) -> str:
    return f"{code.name}, {'film' if scale == 'film' else scale} lines"
