"""A painted film to the words and sums of its report.

Nothing here is HTML; names come as they are and are escaped by whoever puts them on a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from jobs.provenance import Provenance, Setting
from jobs.report_chart import codes
from jobs.report_choice import excess
from jobs.report_read import Painted, elapsed
from jobs.source import listed
from pipeline.judge.tables import Row

Lines = list[tuple[str, str]]
_LONGEST = 300
"""Letters of a setting that are shown."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What the rows come to."""

    frames: int
    keys: int
    judged: int
    """Frames that have a loss."""
    over: int
    """Frames over their budget."""
    promoted: int
    """Keys that the gate asked for."""
    mean: float | None
    """Loss, [0, 1]^2; None if no frame was judged."""
    worst: float | None
    """The largest loss."""
    hole: float | None
    """Mean share of in-between frames that no key explains, 0 to 1; None if there are none."""
    with_hole: int
    """In-between frames of which a hundredth or more is not explained."""
    held: tuple[int, ...] = ()
    """The source's frames that could not be decoded and show another one."""


def sums(rows: Sequence[Row]) -> Sums:
    """Sum rows up."""
    losses = [row.loss for row in rows if row.loss is not None]
    holes = [row.hole for row in rows if row.hole is not None and not row.key]
    return Sums(
        frames=len(rows),
        keys=sum(row.key for row in rows),
        judged=len(losses),
        over=sum((excess(row) or 0) > 1 for row in rows),
        promoted=sum(row.promoted is not None for row in rows),
        mean=sum(losses) / len(losses) if losses else None,
        worst=max(losses, default=None),
        hole=sum(holes) / len(holes) if holes else None,
        with_hole=sum(hole >= 0.01 for hole in holes),
        held=tuple(row.frame for row in rows if row.shown is not None),
    )


def verdict(painted: Painted, found: Sums, worst: Sequence[int]) -> str:
    """Say in a sentence or two how still the film holds."""
    if not worst:
        return "No frame could be measured against the frame before it."
    place = worst[0]
    where = f"frame {painted.first + place} at {painted.clock(place)}"
    share = excess(painted.rows[place]) or 0.0
    at = f"{share:.2f} times its budget"
    if not found.over:
        return f"Every measured frame is within its flicker budget. The worst is {where}: {at}."
    are = "frame is" if found.over == 1 else "frames are"
    return f"{found.over} of {found.judged} measured {are} over budget. The worst is {where}: {at}."


def facts(painted: Painted, found: Sums, shots: int) -> Lines:
    """List what is known of the film."""
    film, about = painted.film, painted.about
    rate = f"{float(film.frame_rate):.5g} a second"
    size = f"{film.size[0]} x {film.size[1]}"
    last = painted.rows[-1].frame
    lines = [
        ("Painted film", film.path.name),
        ("Source", painted.source.path.name),
        ("Picture", size + (f", turned by {film.rotation} degrees" if film.rotation else "")),
        ("Video", f"{film.codec}, {film.pixel_format}"),
        ("Frames", f"{found.frames} (frames {painted.first} to {last} of the source)"),
        ("Frame rate", rate + (" on average, variable" if film.variable_rate else "")),
        ("Length", elapsed(Fraction(painted.times()[-1]))),
        *([("Timecode from", film.timecode)] if film.timecode else []),
        ("Shots", str(shots)),
        ("Keys (frames the net painted)", counted(found.keys, found.frames)),
    ]
    if about is not None:
        lines.append(("Keys the gate asked for", str(about.promoted)))
        lines.append(("Chunks", str(about.chunks)))
    if found.promoted:
        lines.append(("Promoted keys (of those, what made their gap better)", str(found.promoted)))
    if found.hole is not None:
        lines.append(("Mean hole share between keys", f"{100 * found.hole:.2f} %"))
        lines.append(("Frames with holes of 1 % or more", counted(found.with_hole, found.frames)))
    if found.held:
        lines.append(("Frames held (they could not be decoded)", held_words(found)))
    return [
        *lines,
        ("Frames measured", counted(found.judged, found.frames)),
        ("Mean loss", measure(found.mean)),
        ("Worst loss", measure(found.worst)),
        ("Frames over budget", counted(found.over, found.judged)),
    ]


def held_words(found: Sums) -> str:
    """Say which frames show another one.

    >>> held_words(Sums(9, 1, 8, 0, 0, None, None, None, 0, held=(3, 4, 5)))
    '3: frames 3 to 5'
    """
    return f"{len(found.held)}: frame{'s' * (len(found.held) > 1)} {listed(found.held)}"


def settings(about: Provenance | None) -> Lines:
    """List the recipe."""
    if about is None:
        return [("Recipe", "not kept by the version that painted this film")]
    known = {name: value for name, value in about.recipe.items() if value not in ("", [])}
    return [(name.replace("_", " "), _shown(value)) for name, value in known.items()]


def versions(about: Provenance | None) -> Lines:
    """List what painted the film."""
    if about is None:
        return [("Versions", "not kept by the version that painted this film")]
    return list(about.versions.items())


def knob(about: Provenance | None) -> float | None:
    """Give the flicker budget of the recipe, a multiple above 0; None if it is not known."""
    value = None if about is None else about.recipe.get("flicker_budget")
    number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if number and isinstance(value, int | float) else None


def measure(loss: float | None) -> str:
    """Write a loss in codes, and as it stands in the table.

    >>> measure(4e-4)
    '5.1 codes (4.00e-04)'
    """
    return "not measured" if loss is None else f"{codes(loss):.1f} codes ({loss:.2e})"


def counted(part: int, whole: int) -> str:
    """Write a number and its share.

    >>> counted(3, 60)
    '3 (5.0 %)'
    """
    return f"{part} ({100 * part / whole:.1f} %)" if whole else str(part)


def _shown(value: Setting) -> str:
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return f"{value[0]} to {value[1] - 1}" if len(value) == 2 else ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
