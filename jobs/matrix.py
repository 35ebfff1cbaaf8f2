"""Every kind of film into every codec: what comes out exact, and what is refused and why.

Each cell is a job like any other on a specimen, painted by a stand-in that gives keys back as they
are, and verified as every film is. The table of the README is made of what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from jobs.bench_long import AsItIs
from jobs.progress import Progressing, Silent
from jobs.specimens import SPECIMENS, Specimen, make
from jobs.stylize import Job, stylize
from pipeline.errors import FilmError
from pipeline.media.codecs import CODECS, Codec, usual_suffix
from pipeline.recipe import Recipe

BEGIN, END = "<!-- made by: reelbrush bench matrix -->", "<!-- end -->"
ANYWHERE = tuple(codec for codec in CODECS if not codec.endswith("_nvenc"))
"""Codecs that need no GPU."""
_SIZE = (256, 144)
"""Enough for every codec."""
_MARKS = "abcdefghijklmnopqrstuvwxyz"
_KINDS = (
    ("cannot hold", "the codec would lose depth, chroma or alpha; --pixel-format gives them up"),
    ("which loses nothing", "written in a wider pixel format, which loses nothing"),
    ("has no place in", "a track of sound has no place in that container: left out"),
    ("does not hold", "some metadata has no place in that container: left out"),
    ("counts milliseconds", "Matroska and WebM count milliseconds: times go to the nearest"),
    ("is encoded from", "encoded from fewer bits than the file says"),
    ("come back within", "RGB of 16 bits comes back within 2 of 65,535 codes"),
    ("a grey film is", "a grey film is painted in colours"),
    ("interlaced", "fields are made whole pictures (bwdif)"),
    ("colours: the container says", "container and pictures disagree on colours: the container's"),
    ("does not say its colours", "untagged colours are written as they are taken"),
)
"""What a line is about: each kind is told once."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of film into one codec."""

    kind: str
    codec: str
    end: Literal["exact", "refused", "failed"]
    """"failed" is what must never be: anything but a verified film or a line and its exit code"""
    said: tuple[str, ...]
    """what was said before work started, or why it was refused"""


class _Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


def matrix(
    codecs: Sequence[Codec] = ANYWHERE,
    specimens: Sequence[Specimen] = SPECIMENS,
    *,
    frames: int,
    progress: Progressing,
) -> list[Cell]:
    """Try each kind of film with each codec."""
    progress.stage("matrix", len(codecs) * len(specimens))
    cells = []
    with TemporaryDirectory() as folder:
        for number, specimen in enumerate(specimens):
            wide = replace(specimen, size=_SIZE)
            source = make(wide, Path(folder) / f"{number}{specimen.suffix}", frames=frames)
            for codec in codecs:
                cells.append(_cell(specimen, source, codec))
                progress.advance(1)
    return cells


def as_json(cells: Sequence[Cell]) -> list[dict[str, object]]:
    """The cells as they are stored."""
    return [asdict(cell) for cell in cells]


def table(stored: Sequence[Mapping[str, object]]) -> str:
    """Lay stored cells out as Markdown: a row a kind, a column a codec, reasons beneath."""
    codecs = list(dict.fromkeys(str(cell["codec"]) for cell in stored))
    known: dict[str, str] = {}
    rows: dict[str, list[str]] = {}
    for cell in stored:
        said = cast(Sequence[str], cell["said"])
        lines = dict.fromkeys(_kind(line) for line in said)
        marks = "".join(_mark(known, line) for line in lines)
        word = {"exact": "exact", "refused": "–"}.get(str(cell["end"]), "FAILED")
        rows.setdefault(str(cell["kind"]), []).append(f"{word} {marks}".strip())
    head = ["| film | " + " | ".join(codecs) + " |", "|---" * (1 + len(codecs)) + "|"]
    body = [f"| {kind} | " + " | ".join(words) + " |" for kind, words in rows.items()]
    notes = [f"- {mark}: {line}" for line, mark in known.items()]
    return "\n".join([*head, *body, "", *notes])


def laid_in(page: str, content: str) -> str:
    """Put the table between a page's markers.

    Raises:
        ValueError: If the page has none.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def _cell(specimen: Specimen, source: Path, codec: Codec) -> Cell:
    notes = _Notes()
    with TemporaryDirectory(dir=source.parent) as folder:
        target = Path(folder) / f"painted{usual_suffix(codec)}"
        job = Job(source, target, Recipe(style="none", codec=codec))
        try:
            result = stylize(job, progress=notes, hire=AsItIs)
        except FilmError as error:
            line = str(error).replace(source.name, "the film").replace(target.name, "the film")
            return Cell(specimen.name, codec, "refused", (line,))
        except Exception as error:  # noqa: BLE001 - that there is none is what is measured
            return Cell(specimen.name, codec, "failed", (f"{type(error).__name__}: {error}",))
        end: Literal["exact", "failed"] = "exact" if result.verified.ok else "failed"
        return Cell(specimen.name, codec, end, tuple(dict.fromkeys(notes.said)))


def _mark(known: dict[str, str], line: str) -> str:
    if line not in known:
        number = len(known)
        letter = _MARKS[number % len(_MARKS)]
        known[line] = letter * (1 + number // len(_MARKS))
    return f"<sup>{known[line]}</sup>"


def _kind(line: str) -> str:
    for words, about in _KINDS:
        if words in line:
            return about
    return line.removeprefix("the film: ")
