"""A recipe and a path to the film that is painted, with damage held if the recipe says so.

Whoever begins a job, goes on with it or makes a part of it again reads its film here, so that all
of them see the same frames.
"""

from collections.abc import Mapping
from pathlib import Path

from actors.files import near
from actors.files import opened as read
from jobs.progress import Progressing
from pipeline.media.container import Film
from pipeline.media.hold import with_held
from pipeline.media.order import Told
from pipeline.recipe import Recipe


def opened(path: Path, recipe: Recipe, *, progress: Progressing) -> Film:
    """Read the film of a job.

    Raises:
        BadRequest: If it has no such track of video.
        SourceError: If it cannot be read, or none of its frames can be decoded.
    """
    told = indexing(progress)
    film = read(path, stream=recipe.stream, interlaced=recipe.interlaced, told=told)
    if recipe.on_error == "fail":
        return film
    progress.stage("damage", film.frames)
    with near(film) as here:
        return with_held(here, told=progress.advance)


def indexing(progress: Progressing) -> Told:
    """Say how far it is where a film has to be decoded to be indexed; elsewhere it is quick."""
    begun = False

    def told(packets: int, total: int) -> None:
        nonlocal begun
        if not begun:
            progress.stage("index", total)
            begun = True
        progress.advance(packets)

    return told


def stream_of(settings: Mapping[str, object]) -> int | None:
    """Find which track of video was painted, in a recipe that was written down."""
    stream = settings.get("stream")
    return stream if isinstance(stream, int) else None


def listed(frames: tuple[int, ...], *, most: int = 12) -> str:
    """Write frames as people do.

    >>> listed((3, 7, 8, 9, 12))
    '3, 7 to 9, 12'
    """
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][-1] + 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return ", ".join(words[:most]) + (" and more" if len(words) > most else "")


def warning(held: tuple[int, ...]) -> str:
    """Say that frames are held, in a line.

    >>> warning((3,))
    "warning: 1 of the film's frames could not be decoded and is held: 3"
    """
    verb = "is" if len(held) == 1 else "are"
    what = f"{len(held)} of the film's frames could not be decoded and {verb} held"
    return f"warning: {what}: {listed(held)}"
