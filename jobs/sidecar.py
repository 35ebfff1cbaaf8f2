"""A finished job to the file of words beside its film, and back.

The *sidecar* of ``film.mp4`` is ``film.mp4.json``: what the film was made from, with which settings
and versions, what was verified, digests of all that can be held to it later, and the command that
makes it again. Files are named by their way from its folder, so that a folder of films can move; no
machine, address or person is named.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version

import av
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.command import beside, command, restyled
from jobs.commission import Result
from jobs.costs import spent_by
from jobs.given import Offer
from pipeline.errors import UnreadableFilm
from pipeline.media.color import ColorTags
from pipeline.media.container import Film
from pipeline.media.encode import Encoding
from pipeline.media.verify import written_as
from pipeline.paint.styles import StyleCode, manifest
from pipeline.plan import RENDER_VERSION
from pipeline.recipe import Recipe

SUFFIX = ".json"
_KIND = "reelbrush sidecar 1"
_LIBRARIES = ("av", "numba", "numpy", "opencv-python-headless", "openvino", "ray", "torch")


class _Words(BaseModel):
    """What a later reelbrush adds is ignored by an earlier one."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Origin(_Words):
    """The film that was painted."""

    path: str
    """From the sidecar's folder, "/" between names."""
    fingerprint: str
    """As ``pipeline.media.index.fingerprint_of`` makes it, whatever the file's name."""
    bytes: int
    frames: int


class Made(_Words):
    """The painted film."""

    path: str
    bytes: int
    sha256: str
    """Of the file."""
    start: int
    """The first of the source's frames that it shows; ``stop`` is the one after the last."""
    stop: int
    codec: str
    """As FFmpeg calls what is coded."""
    pixel_format: str
    """That a decoder gives."""
    container: str
    color: ColorTags | None = None
    """Where the samples mean something else than the source's."""


class Stretch(_Words):
    """A segment's frames, of the source's, and the digest of what they decode to."""

    start: int
    stop: int
    pixels: str


class Sidecar(_Words):
    """All of it."""

    kind: str = _KIND
    source: Origin
    result: Made
    command: str | None
    """Makes the same film again when given in the sidecar's folder; None if none can."""
    recipe: dict[str, object]
    versions: dict[str, str]
    weights: dict[str, str]
    """sha256 by file, and the style code's; empty if something stood in for the net."""
    painter: str
    """Digest of weights and runtime, as in the identity of each chunk."""
    keys: int
    promoted: int
    chunks: int
    held: tuple[int, ...] = ()
    """The source's frames that could not be decoded and show another one instead."""
    notes: tuple[str, ...] = ()
    """What the container could not hold."""
    checks: tuple[dict[str, str | bool], ...] = ()
    """What was verified: name, ok, found."""
    tracks: tuple[dict[str, str | int | None], ...] = ()
    """Digests of what was copied."""
    segments: tuple[Stretch, ...] = ()
    seconds: dict[str, float] = Field(default_factory=dict)
    """By step, summed over workers; "wall" from the command's start."""
    cost: dict[str, float] = Field(default_factory=dict)
    """Seconds for which steps of chunks held GPUs (gpu_s) and cores (cpu_s), in all runs."""


def sidecar_of(target: Path) -> Path:
    """Where the sidecar of a film lies."""
    return target.with_name(target.name + SUFFIX)


def sidecar(
    film: Film,
    recipe: Recipe,
    result: Result,
    *,
    encoding: Encoding,
    target: Path,
    unnamed: Path,
    given: Sequence[Offer],
    codes: Sequence[StyleCode],
    notes: Sequence[str],
    wall: float,
) -> Sidecar:
    """Say all about a film that is about to get its name.

    Args:
        film: the source.
        recipe: what was asked for.
        result: what was done.
        encoding: how it was written.
        target: the final name.
        unnamed: where the film lies meanwhile.
        given: pictures that somebody painted.
        codes: of the styles, the film's own first; none if something stood in for the net.
        notes: what was said of the encoding before work began.
        wall: seconds since the command's start.
    """
    folder = target.absolute().parent
    digest, size = (result.sha256, result.size) if result.sha256 else _digest(unnamed)
    start, stop = recipe.frames or (0, film.frames)
    how, cost = written_as(encoding), spent_by(result.seconds)
    settings = settings_of(recipe, folder)
    return Sidecar(
        source=Origin(
            path=beside(film.place, folder),
            fingerprint=film.fingerprint,
            bytes=film.path.stat().st_size,
            frames=film.frames,
        ),
        result=Made(
            path=target.name,
            bytes=size,
            sha256=digest,
            start=start,
            stop=stop,
            codec=how.codec,
            pixel_format=how.pixel_format,
            container=how.container,
            color=how.color,
        ),
        command=command(recipe, source=film.place, target=target, given=given),
        recipe=settings,
        versions=versions(),
        weights={**manifest(), **digests(codes)} if codes else {},
        painter=result.painter,
        keys=result.keys,
        promoted=result.promoted,
        chunks=result.chunks,
        held=result.held,
        notes=tuple(dict.fromkeys((*notes, *result.notes))),
        checks=tuple(asdict(check) for check in result.verified.checks),
        tracks=tuple(asdict(track) for track in result.verified.tracks),
        segments=tuple(Stretch(start=a, stop=b, pixels=p) for a, b, p in result.pieces),
        seconds={k: round(v, 3) for k, v in {**result.seconds, "wall": wall}.items()},
        cost={"gpu_s": round(cost.gpu_s, 3), "cpu_s": round(cost.cpu_s, 3)},
    )


def settings_of(recipe: Recipe, folder: Path) -> dict[str, object]:
    """Write a recipe for JSON; files of styles are named by their way from a folder."""
    found: dict[str, object] = recipe.model_dump(mode="json")
    found["style"] = restyled(recipe.style, folder)
    found["style_at"] = [
        {**one.model_dump(mode="json"), "style": restyled(one.style, folder)}
        for one in recipe.style_at
    ]
    return found


def written(said: Sidecar) -> str:
    """Lay a sidecar out for people, rows of a list a line each."""
    fields = said.model_dump(mode="json")
    lines = ",\n".join(f" {json.dumps(name)}: {_laid(value)}" for name, value in fields.items())
    return "{\n" + lines + "\n}\n"


def read_sidecar(target: Path) -> Sidecar | None:
    """Read the sidecar of a film; None if there is none.

    Raises:
        UnreadableFilm: If there is one that is not understood.
    """
    path = sidecar_of(target)
    try:
        found = Sidecar.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, OSError):
        raise UnreadableFilm(f"{path.name}: not readable as the sidecar of a film") from None
    return found


def versions() -> dict[str, str]:
    """What a pixel passes through, and what carries it."""
    known = {"reelbrush": version("reelbrush"), "render": str(RENDER_VERSION)}
    ffmpeg = {name: ".".join(map(str, v)) for name, v in sorted(av.library_versions.items())}
    installed = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):  # CPUs paint without torch
            installed[name] = version(name)
    return known | {"Python": python_version()} | installed | ffmpeg


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest(), file.tell()


def digests(codes: Sequence[StyleCode]) -> dict[str, str]:
    """The digests of styles, each once, by names of which no two are the same."""
    found: dict[str, str] = {}
    for code in codes:
        name = f"style {code.name}"
        while found.get(name, code.digest) != code.digest:
            name += " (another)"
        found[name] = code.digest
    return found


def _laid(value: object) -> str:
    """Lay a value out: what is within it takes a line each."""
    if isinstance(value, Mapping) and value:
        inside = (f"{json.dumps(str(k))}: {json.dumps(v)}" for k, v in value.items())
        return "{\n  " + ",\n  ".join(inside) + "\n }"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return "[\n  " + ",\n  ".join(json.dumps(one) for one in value) + "\n ]"
    return json.dumps(value)
