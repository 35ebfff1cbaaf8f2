"""Rows to a chart of flicker over time, as SVG, and to the numbers that a script draws it from.

The vertical axis is in *codes*: the root of a loss, times 255, which is by how many of 256 steps
the luma is off, on average over the judged pixels. The picture shows the whole film and needs no
script; the numbers allow to look closer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt

from jobs.markup import Html, element
from jobs.report_choice import Stretch, excess
from jobs.report_read import Painted
from pipeline.judge.tables import Row

Values = Sequence[float | None]

WIDTH, HEIGHT = 960, 292
LEFT, TOP, ACROSS, DOWN = 46, 12, 900, 210
KEYS, PLAYABLE, FRAMES, CLOCKS = 228, 243, 264, 282
"""Where the rows under the plot begin."""
_TICKS = 8


def codes(loss: float) -> float:
    """Turn a loss, [0, 1]^2, into 8-bit codes RMS.

    >>> codes(0.25)
    127.5
    """
    return 255 * sqrt(loss)


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn; N numbers each, [0, 1]^2."""

    loss: Values
    budget: Values
    floor: Values
    """What the content lets the painting have, or the film's own error if that is not known."""

    @property
    def most(self) -> float:
        """Codes at the top of the plot: all losses, and budgets as far as they are near them."""
        worst = max((codes(v) for v in self.loss if v is not None), default=0.0)
        allowed = max((codes(v) for v in self.budget if v is not None), default=0.0)
        return 1.06 * max(worst, min(allowed, 1.8 * worst), 4.0)


def curves(rows: Sequence[Row], knob: float | None) -> Curves:
    """Take what is drawn out of rows; ``knob`` is the recipe's flicker budget, a multiple."""
    budget = [row.budget for row in rows]
    content = [row.content for row in rows]
    own = content if knob is None else [None if b is None else b / knob for b in budget]
    return Curves([row.loss for row in rows], budget, own)


def chart(
    painted: Painted, drawn: Curves, *, cuts: Sequence[int], stretches: Sequence[Stretch]
) -> Html:
    """Draw the whole film.

    Args:
        painted: The film.
        drawn: Its curves.
        cuts: First frames of shots, but for the first one.
        stretches: What plays; not marked where that is the whole film.
    """
    rows, most = painted.rows, drawn.most
    count, base = len(rows), TOP + DOWN
    over = [i for i, row in enumerate(rows) if (excess(row) or 0) > 1]
    parts = [
        element("defs", element("clipPath", _frame(), attributes={"id": "inside"})),
        _scale(most),
        _path("p-floor", "floor", _line(drawn.floor, most, area=True)),
        _path("p-cuts", "cut", _marks([c - 0.5 for c in cuts], count, TOP, base)),
        _path("p-budget", "budget", _line(drawn.budget, most)),
        _path("p-loss", "loss", _line(drawn.loss, most)),
        _path("p-over", "over", _dots(over, drawn.loss, most)),
        _path("p-keys", "key", _marks(planned(rows), count, KEYS, KEYS + 8)),
        _path("p-promoted", "promoted", _marks(promoted(rows), count, KEYS - 6, KEYS + 8)),
    ]
    if len(stretches) > 1:
        spans = (
            f"M{_x(s.start - 0.5, count)} {PLAYABLE}H{_x(s.stop - 0.5, count)}" for s in stretches
        )
        parts.append(_path("p-playable", "playable", "".join(spans)))
    parts += [
        _times(painted),
        _shape(
            "rect", {"id": "selection", "class": "selection", "y": str(TOP), "height": str(DOWN)}
        ),
        _shape("line", {"id": "cursor", "class": "cursor", "y1": str(TOP), "y2": str(KEYS + 8)}),
    ]
    words = {
        "id": "plot", "viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img",
        "aria-label": "Flicker over time, frame by frame; the table of facts has the sums",
    }  # fmt: skip
    return element("svg", *parts, attributes=words)


def planned(rows: Sequence[Row]) -> list[int]:
    """Give the keys that the plan had set."""
    return [i for i, row in enumerate(rows) if row.key and row.promoted is None]


def promoted(rows: Sequence[Row]) -> dict[int, float]:
    """Give the keys that the gate asked for, and how far over its budget each frame was."""
    return {i: row.promoted for i, row in enumerate(rows) if row.promoted is not None}


def plot(drawn: Curves) -> dict[str, object]:
    """Say where the chart has what, for whoever draws it anew."""
    rows = {"keys": KEYS, "playable": PLAYABLE, "frames": FRAMES, "clocks": CLOCKS}
    place: dict[str, object] = {"left": LEFT, "top": TOP, "width": ACROSS, "height": DOWN}
    return place | {"most": round(drawn.most, 4), "row": rows}


def even_steps(most: float, count: int) -> float:
    """Choose a step of 1, 2 or 5 times a power of ten that goes at most ``count`` times into most.

    >>> even_steps(11.5, 5), even_steps(289, 8)
    (5.0, 50.0)
    """
    ten = 10.0 ** floor(log10(most / count))
    return next(n * ten for n in (1, 2, 5, 10) if n * ten * count >= most * (1 - 1e-9))


def _line(values: Values, most: float, *, area: bool = False) -> str:
    """Draw a curve with gaps where nothing is known; of frames too close, the largest."""
    count = len(values)
    size = max(1, ceil(count / (2 * ACROSS)))
    base, drawn, open_at = f"{TOP + DOWN}", [], ""
    for start in range(0, count, size):
        known = [v for v in values[start : start + size] if v is not None]
        if not known:
            drawn += [f"L{open_at} {base}Z"] if area and open_at else []
            open_at = ""
            continue
        x, y = _x(start + (size - 1) / 2, count), _y(max(known), most)
        if open_at:
            drawn.append(f"L{x} {y}")
        else:
            drawn.append(f"M{x} {base}L{x} {y}" if area else f"M{x} {y}h.1")
        open_at = x
    return "".join([*drawn, f"L{open_at} {base}Z" if area and open_at else ""])


def _marks(places: Iterable[float], count: int, above: int, below: int) -> str:
    return "".join(dict.fromkeys(f"M{_x(place, count)} {above}V{below}" for place in places))


def _dots(places: Iterable[int], values: Values, most: float) -> str:
    known = ((place, values[place]) for place in places)
    return "".join(f"M{_x(p, len(values))} {_y(v, most)}h.1" for p, v in known if v is not None)


def _scale(most: float) -> Html:
    """Draw the lines of the vertical axis."""
    step = even_steps(most, 5)
    lines = []
    for i in range(floor(most / step) + 1):
        y = TOP + DOWN * (1 - i * step / most)
        lines.append(_path("", "grid", f"M{LEFT} {y:.1f}H{LEFT + ACROSS}"))
        lines.append(_text(f"{i * step:g}", LEFT - 8, y + 4, "end"))
    return element("g", *lines)


def _times(painted: Painted) -> Html:
    """Write frame numbers and times under the plot."""
    count = len(painted.rows)
    step = max(1, round(even_steps(max(count, 2), _TICKS)))
    begin = -(-painted.first // step) * step
    written = []
    for frame in range(begin, painted.first + count, step):
        place = frame - painted.first
        x = min(max(float(_x(place, count)), LEFT + 20), LEFT + ACROSS - 36)
        written.append(_text(str(frame), x, FRAMES, "middle"))
        written.append(_text(painted.clock(place), x, CLOCKS, "middle"))
    return element("g", *written, attributes={"id": "ticks"})


def _x(place: float, count: int) -> str:
    return f"{LEFT + (place + 0.5) / count * ACROSS:.1f}"


def _y(value: float, most: float) -> str:
    return f"{TOP + DOWN * (1 - min(codes(value), 2 * most) / most):.1f}"


def _path(name: str, kind: str, line: str) -> Html:
    named = {"id": name} if name else {}
    clipped = {"clip-path": "url(#inside)"} if name in ("p-floor", "p-budget", "p-loss") else {}
    return _shape("path", named | clipped | {"class": kind, "d": line})


def _frame() -> Html:
    place = {"x": LEFT, "y": TOP, "width": ACROSS, "height": DOWN}
    return _shape("rect", {name: str(value) for name, value in place.items()})


def _shape(name: str, attributes: dict[str, str]) -> Html:
    return element(name, attributes=attributes)


def _text(words: str, x: float, y: float, anchor: str) -> Html:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    return element("text", words, attributes=place)
