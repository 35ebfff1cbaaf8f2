"""A clip and a style to the films that are compared, each in a folder under a name of its own.

What is there under that name is not made again: the name stands for film, recipe, weights and
version of the renderer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import av

from jobs.bench_runs import excerpt
from jobs.plain_scheme import keys_of, plain_scheme, shot_starts
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from pipeline.errors import UnsupportedFilm
from pipeline.judge.tables import read_rows
from pipeline.media.container import Film, read_film
from pipeline.media.decode import Frame, frames
from pipeline.media.encode import choose_encoding, disk, write_segment
from pipeline.media.seam import Seams
from pipeline.paint.styles import manifest
from pipeline.plan import RENDER_VERSION
from pipeline.recipe import Recipe

EACH, OURS, PLAIN, CODED, WITHOUT = "every frame", "ours", "plain scheme", "coded", "without "
_CRF = 16
_SPARE = 8
"""Frames that an excerpt has beyond those that are judged: it ends where decoding order lets it."""
_NEVER = 1e9


@dataclass(frozen=True, slots=True)
class Bench:
    """What is to be compared."""

    clips: Sequence[Path]
    styles: Sequence[str]
    folder: Path
    count: int = 60
    """frames from the start"""
    raft_weights: Path | None = None
    terms_off: bool = False
    """the first style also without each term of the fill"""


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted film in the folder."""

    path: Path
    keys: Sequence[bool]
    holes: Sequence[float | None]


def opened(clip: Path, folder: Path, count: int) -> Film:
    """Read a clip's beginning, copied by packets into the folder so that no more is painted.

    Args:
        clip: a film; one in a container that is not covered is copied into Matroska first.
        folder: where copies are kept.
        count: frames that are wanted; a few more are kept, where they can be cut off exactly.
    """
    try:
        film = read_film(clip)
    except UnsupportedFilm:
        copy = folder / f"{clip.stem}.mkv"
        if not copy.exists():
            _remuxed(clip, copy)
        film = read_film(copy)
    if film.frames <= count + _SPARE:
        return film
    kept = folder / f"{clip.stem}-{count}{'.mkv' if film.container == 'matroska' else '.mov'}"
    if not kept.exists():
        seconds = float((count + _SPARE) / film.frame_rate)
        excerpt(film, folder / f".{kept.stem}.part", seconds=seconds).path.replace(kept)
    short = read_film(kept)
    return short if short.frames >= count else film


def without_terms(recipe: Recipe) -> dict[str, Recipe]:
    """Give the recipe with one term of the fill off at a time, by the term's name.

    Terms are the switches that the recipe has under ``terms``, and what its numbers turn off.
    """
    terms = getattr(recipe, "terms", None)
    off: dict[str, dict[str, object]] = {}
    if is_dataclass(terms) and not isinstance(terms, type):
        on = [field.name for field in fields(terms) if getattr(terms, field.name) is True]
        off = {name: {"terms": replace(terms, **{name: False})} for name in on}
    off = {"harmonise": {"rho": 0.0}, "gate": {"flicker_budget": _NEVER}, **off}
    return {name: recipe.model_copy(update=change) for name, change in off.items()}


def recipes(bench: Bench, style: str, count: int) -> dict[str, Recipe]:
    """Give the recipe of each run that the pipeline itself makes."""
    ours = Recipe(style=style, codec="ffv1", frames=(0, count))
    found = {EACH: ours.model_copy(update={"keys": 1}), OURS: ours}
    if bench.terms_off and style == bench.styles[0]:
        found |= {WITHOUT + name: recipe for name, recipe in without_terms(ours).items()}
    return found


def runs(
    film: Film, stem: str, bench: Bench, style: str, count: int
) -> Iterator[tuple[str, Painted]]:
    """Make what the folder does not hold, one run after the other.

    Args:
        film: the clip.
        stem: its name.
        bench: what is compared.
        style: one of its styles.
        count: frames from the start.
    """
    made = {}
    for run, recipe in recipes(bench, style, count).items():
        facts = [film.fingerprint, recipe.model_dump_json(), manifest(), RENDER_VERSION]
        mark = sha256(repr(facts).encode()).hexdigest()[:12]
        name = f"{stem}.{style}.{run.replace(' ', '-')}.{mark}.mkv"
        job = Job(film.path, bench.folder / name, recipe)
        if not job.target.exists():
            stylize(job, progress=Silent())
        rows = read_rows([job.table])
        made[run] = Painted(job.target, [r.key for r in rows], [r.hole for r in rows])
        yield run, made[run]
    starts = shot_starts(film, count)
    keys = keys_of(starts, count)
    plain = made[EACH].path.with_suffix(".plain.mkv")
    if not plain.exists():
        plain_scheme(film, made[EACH].path, plain, keys=keys)
    yield PLAIN, Painted(plain, keys, [None] * count)
    coded = made[OURS].path.with_suffix(".coded.mkv")
    if not coded.exists():
        _code(made[OURS].path, coded)
    yield CODED, replace(made[OURS], path=coded)


def seams(count: int) -> tuple[int, int]:
    """Where a film is divided to look at its seams."""
    return count // 3, 2 * count // 3


def _code(painted: Path, target: Path) -> None:
    """Encode a film in three segments as is the default, and keep what they decode to."""
    film = read_film(painted)
    encoding, _ = choose_encoding(film, codec="h264", target=target)
    kept: list[Frame] = []
    ends = [0, *seams(film.frames), film.frames]
    for start, stop in pairwise(ends):
        path = target.with_suffix(f".{start}.mp4")
        part = frames(film, start, stop)
        own = Seams(stop - start, before=start > 0, after=stop < film.frames)
        write_segment(part, film=film, encoding=replace(encoding, seams=own), path=path, crf=_CRF)
        decoded = frames(read_film(path), 0, stop - start)
        kept += [
            replace(one, index=start + i, pts=int(film.pts[start + i]))
            for i, one in enumerate(decoded)
        ]
        path.unlink()
    lossless, _ = choose_encoding(film, codec="ffv1", target=target)
    partial = target.with_name(f".{target.name}")
    write_segment(iter(kept), film=film, encoding=lossless, path=partial, crf=0)
    partial.replace(target)


def _remuxed(clip: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}")
    with disk(target), av.open(str(clip)) as source, av.open(str(partial), "w") as container:
        stream = source.streams.video[0]
        copy = container.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                container.mux(packet)
    partial.replace(target)
