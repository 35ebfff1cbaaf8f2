"""A job file to orders, or to all that is wrong with it, a line each.

An *order* is one film of a batch with everything settled that can be settled without opening it:
paths, names, and which settings win. What only the film can say, whether it has such frames or such
a timecode, is for ``jobs.orders``.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from actors.objects import located
from jobs.engine import Machines, parse_bytes
from jobs.jobfile import SETTINGS, Common, FilmOwn, Keyed, StyleOwn
from jobs.jobfile_check import Sound, checked, complaints_of, spelled
from jobs.jobfile_machines import Machines as MachineWords
from jobs.jobfile_parts import changed
from jobs.jobfile_paths import OBJECT, misplaced
from jobs.order import Order
from jobs.yaml_lines import Complaint, Lines, read_lines
from pipeline.errors import BadRequest
from pipeline.media.codecs import SUFFIXES, Codec, usual_suffix
from pipeline.paint.styles import gallery
from pipeline.recipe import Recipe

_MEMBER = re.compile(r"([,+])")
_WEIGHT = re.compile(r":(?:\d+\.?\d*|\.\d+)$")
_UNNAMED = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Batch:
    """What a job file asks for."""

    path: Path
    orders: tuple[Order, ...]
    styles: tuple[str, ...]
    """the file's own names for styles"""
    stops: bool
    """whether no film is begun after one has failed"""
    machines: Machines
    work: Path | None = None
    """folder for the work folders"""


def read_job_file(path: Path, *, elsewhere: bool = False) -> Batch:
    """Read a job file.

    Args:
        path: where it lies.
        elsewhere: whether it will be read on another machine, too.

    Raises:
        BadRequest: With everything that is wrong with it, each on a line that begins with the file
            and the line in it.
    """
    try:
        lines = read_lines(path.read_text("utf-8-sig"))
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path}: not UTF-8") from None
    if lines.value is None and lines.complaints:
        raise BadRequest(_told(path, list(lines.complaints)))
    sound, complaints = checked(lines)
    reading = _Reading(path, lines, sound)
    orders = reading.orders()
    complaints = [*lines.complaints, *complaints, *reading.complaints]
    complaints += misplaced(lines, elsewhere=elsewhere)
    if complaints or sound.whole is None:
        raise BadRequest(_told(path, complaints))
    return Batch(
        path,
        orders,
        styles=tuple(sound.styles),
        stops=sound.whole.on_failure == "stop",
        machines=_machines(sound.whole.machines),
        work=reading.work(),
    )


def _told(path: Path, complaints: list[Complaint]) -> str:
    """All of it, in the order of the file."""
    told = [
        f"{path}:{one.line}: {one.text}" if one.line else f"{path}: {one.text}"
        for one in sorted(complaints, key=lambda one: one.line)
    ]
    return told[0] if len(told) == 1 else "\n".join([f"{path}: {len(told)} errors", *told])


def _machines(words: MachineWords) -> Machines:
    memory = None if words.memory is None else parse_bytes(words.memory)
    return Machines(words.workers, memory, words.gpus, words.address)


class _Reading:
    """Sound films to orders, and what does not go together."""

    def __init__(self, path: Path, lines: Lines, sound: Sound) -> None:
        self.complaints: list[Complaint] = []
        self._folder = path.absolute().parent
        self._lines, self._sound = lines, sound

    def orders(self) -> tuple[Order, ...]:
        """Each film's, in the order of the file."""
        found: dict[int, Order] = {}
        for index, film in self._sound.films:
            order = self._order(index, film)
            if order is None:
                continue
            for other, known in found.items():
                self._apart(index, order, other, known)
            found[index] = order
        return tuple(found.values())

    def work(self) -> Path | None:
        """The folder for work folders."""
        named = self._sound.whole and self._sound.whole.work
        return self._at(named) if named else None

    def _apart(self, index: int, order: Order, other: int, known: Order) -> None:
        """Make sure that two films do not get in each other's way."""
        if order.name == known.name:
            self._wrong(index, f"films[{other}] is called {order.name!r} too; give it a name")
        elif order.target == known.target:
            self._wrong(index, f"{order.target} is the output of films[{other}] too")
        for one, two in ((order, known), (known, order)):
            if one.target == two.source:
                self._wrong(index, f"{one.target} would replace the source of another film")

    def _order(self, index: int, film: FilmOwn) -> Order | None:
        text = film.style or self._sound.defaults.style
        if text is None:
            self._wrong(index, "'style' is missing here and in defaults")
            return None
        named = isinstance(self._lines.value, dict) and self._lines.value.get("styles")
        for one in (text, *(shot.style for shot in film.shots)):
            if isinstance(named, dict) and one in named and one not in self._sound.styles:
                return None  # what is wrong with the style is said where it stands
        own = self._own(text)
        settings = self._settings(index, film, own, text)
        if settings is None:
            return None
        lines, styled = self._lines, self._styled(index, film, settings, own)
        common, work = self._common(film), self.work()
        source = self._at(film.source)
        name = film.name or source.stem
        codec = Recipe.model_validate(settings).codec
        return Order(
            name=name,
            source=source,
            target=self._target(common.output, source, name=name, style=text, codec=codec),
            work=work / f"{name}.work" if work else None,
            style=text,
            settings=settings,
            strength=self._strength(film, own),
            frames=film.frames,
            first_frame=common.first_frame,
            shots=film.shots,
            styled=styled,
            lines=tuple(lines.of(("films", index, "shots", i)) for i in range(len(film.shots))),
            key={place: self._at(picture) for place, picture in film.key.items()},
            keys_from=self._at(film.keys_from) if film.keys_from else None,
            priority=common.priority,
            deadline=common.deadline.astimezone() if common.deadline else None,
            retries=common.retries,
            overwrite=common.overwrite,
            keep_work=common.keep_work,
        )

    def _own(self, style: str) -> StyleOwn | None:
        """What goes with a style of the file's own."""
        found = self._sound.styles.get(style)
        return found if isinstance(found, StyleOwn) else None

    def _styled(
        self, index: int, film: FilmOwn, settings: Mapping[str, object], base: StyleOwn | None
    ) -> dict[int, dict[str, object]]:
        """What the style of a part changes, by the part."""
        found = {}
        for number, shot in enumerate(film.shots):
            if shot.style is None:
                continue
            own = self._own(shot.style)
            there = self._settings(index, film, own, shot.style) or settings
            strength = self._strength(film, own) if shot.strength is None else shot.strength
            try:
                found[number] = changed(
                    settings, there, strength=self._strength(film, base), there_strength=strength
                )
            except BadRequest as error:
                self._wrong(index, str(error), "shots", number, "style")
        return found

    def _common(self, film: FilmOwn) -> Common:
        """What the film says of what may be said for all, and what is said for all."""
        said = {n: getattr(film, n) for n in Common.model_fields if n in film.model_fields_set}
        return self._sound.defaults.model_copy(update=said)

    def _settings(
        self, index: int, film: FilmOwn, style: StyleOwn | None, text: str
    ) -> dict[str, object] | None:
        """What the recipe will hold; None, with complaints, if that does not go together."""
        found: dict[str, object] = {"style": self._style(text)}
        for words in (self._sound.defaults, style, film):
            if words is not None:
                found |= {n: getattr(words, n) for n in SETTINGS if n in words.model_fields_set}
        try:
            Recipe.model_validate(found)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False)
            self.complaints += complaints_of(errors, self._lines, within=("films", index))
            return None
        return found

    def _strength(self, film: FilmOwn, style: StyleOwn | None) -> float | str | Keyed:
        for words in (film, style, self._sound.defaults):
            if words is not None and words.strength is not None:
                return words.strength
        return 1.0

    def _style(self, text: str | None) -> str:
        """What ``--style`` would take, with paths in full."""
        style = self._sound.styles.get(text or "")
        if style is None:
            return self._located(text or "")
        if isinstance(style, str):
            return self._located(style)
        if style.mix is not None:
            return ",".join(f"{self._mixed(n)}:{w:g}" for n, w in style.mix.items())
        file = style.image or style.code
        return str(self._at(file)) if file else style.gallery or ""

    def _mixed(self, name: str) -> str:
        """A member of a mix, which is no mix itself."""
        style = self._sound.styles.get(name)
        return name if isinstance(style, StyleOwn) and style.mix else self._style(name)

    def _located(self, text: str) -> str:
        """Write the files that a style names with their paths in full."""
        if text.startswith(OBJECT) or self._at(text).is_file():
            return str(self._at(text))
        return "".join(self._member(word) for word in _MEMBER.split(text))

    def _member(self, word: str) -> str:
        weight = _WEIGHT.search(word)
        name = (word[: weight.start()] if weight else word).strip()
        if name in {caption.name for caption in gallery()} or not (
            Path(name).suffix or "/" in name
        ):
            return word
        return str(self._at(name)) + (weight[0] if weight else "")

    def _target(
        self, template: str | None, source: Path, *, name: str, style: str, codec: Codec
    ) -> Path:
        if template is None:
            return source.with_name(f"{name}.painted{usual_suffix(codec)}")
        label = _UNNAMED.sub("-", style if style in self._sound.styles else Path(style).stem)
        text = template.format(name=name, style=label, codec=codec, source=source.stem)
        path = self._at(text + f"{name}.painted" if text.endswith("/") else text)
        known = path.suffix.lower() in SUFFIXES
        return path if known else path.with_name(path.name + usual_suffix(codec))

    def _at(self, text: str) -> Path:
        """A file or folder as the job file names it; what is none has been told of."""
        if text.startswith(OBJECT):
            with suppress(BadRequest):
                return located(text)
        return Path(os.path.normpath(self._folder / Path(text).expanduser()))

    def _wrong(self, index: int, text: str, *inner: str | int) -> None:
        way = ("films", index, *inner)
        self.complaints.append(Complaint(self._lines.of(way), f"{spelled(way)}: {text}"))
