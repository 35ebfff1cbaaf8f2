"""The files and folders that a job file names, and which of them cannot be meant as they stand.

A job file that is read on another machine than it was written on has to name everything from the
root, or in an object store. No job file may hold credentials: what it names ends up in tables,
sidecars and logs.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from actors.objects import located
from jobs.credentials import bare, lets_in
from jobs.jobfile_check import spelled
from jobs.yaml_lines import Complaint, Lines, Value, Way
from pipeline.errors import BadRequest
from pipeline.paint.styles import gallery

OBJECT = "s3://"
_MEMBER = re.compile(r"[,+]")
_WEIGHT = re.compile(r":(?:\d+\.?\d*|\.\d+)$")


def misplaced(lines: Lines, *, elsewhere: bool) -> list[Complaint]:
    """Say which files and folders are not named as they have to be.

    Args:
        lines: a job file.
        elsewhere: whether it will be read on another machine.
    """
    found = []
    for way, text in _named(lines.value):
        if lets_in(text):
            why = (
                "has a user name or password in it, which tables and logs would show; leave them "
                "to the machines (AWS_ACCESS_KEY_ID, a profile or a role)"
            )
            found.append(Complaint(lines.of(way), f"{spelled(way)}: {bare(text)} {why}"))
        elif text.startswith(OBJECT):
            try:
                located(text)
            except BadRequest as error:
                found.append(Complaint(lines.of(way), f"{spelled(way)}: {error}"))
        elif elsewhere and not text.startswith("/"):
            why = (
                "is named from this file's folder, which the cluster does not have; "
                "write it from the root (/srv/...) or as s3://..."
            )
            found.append(Complaint(lines.of(way), f"{spelled(way)}: {text!r} {why}"))
    return found


def _named(value: Value) -> Iterator[tuple[Way, str]]:
    """Each file and folder with the way to it."""
    whole = _keys(value)
    styles = _keys(whole.get("styles"))
    yield from _texts(("work",), whole.get("work"))
    yield from _common(("defaults",), _keys(whole.get("defaults")), styles)
    for name, style in styles.items():
        way: Way = ("styles", name)
        yield from _style(way, style, styles)
        inner = _keys(style)
        yield from _texts((*way, "image"), inner.get("image"))
        yield from _texts((*way, "code"), inner.get("code"))
        for member in _keys(inner.get("mix")):
            yield from _style((*way, "mix", member), member, styles)
    films = whole.get("films")
    for index, film in enumerate(films if isinstance(films, list) else []):
        way, said = ("films", index), _keys(film)
        yield from _common(way, said, styles)
        yield from _texts((*way, "source"), said.get("source"))
        yield from _texts((*way, "keys_from"), said.get("keys_from"))
        shots = said.get("shots")
        for number, shot in enumerate(shots if isinstance(shots, list) else []):
            yield from _style((*way, "shots", number, "style"), _keys(shot).get("style"), styles)
        for place, picture in _keys(said.get("key")).items():
            yield from _texts((*way, "key", place), picture)


def _common(
    way: Way, said: dict[str, Value], styles: dict[str, Value]
) -> Iterator[tuple[Way, str]]:
    yield from _texts((*way, "output"), said.get("output"))
    yield from _style((*way, "style"), said.get("style"), styles)


def _style(way: Way, text: Value, styles: dict[str, Value]) -> Iterator[tuple[Way, str]]:
    """Give the files among a style's members; the others are names."""
    if not isinstance(text, str) or (text in styles and way[0] != "styles"):
        return
    if lets_in(text):
        yield way, text
        return
    known = {caption.name for caption in gallery()} | set(styles)
    for word in _MEMBER.split(text):
        name = _WEIGHT.sub("", word.strip()).strip()
        if name and name not in known and (Path(name).suffix or "/" in name):
            yield way, name


def _texts(way: Way, value: Value) -> Iterator[tuple[Way, str]]:
    if isinstance(value, str) and value:
        yield way, value


def _keys(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}
