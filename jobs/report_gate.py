"""Keys that the gate asked for to what a report says of them: which they are, and why.

A frame whose loss was above its budget was painted, and is a key where its gap is better for it.
"""

from jobs.markup import Html, element, table
from jobs.report_chart import codes, promoted
from jobs.report_choice import excess
from jobs.report_read import Painted
from pipeline.judge.tables import Row

_MOST = 40
"""Keys that are listed, those that were furthest over their budget."""


def kind(row: Row) -> str:
    """Say what kind of key a frame is, if it is one.

    >>> kind(Row(3, 3, True, promoted=1.421))
    'Key that the gate asked for: without it 1.42 times its budget. '
    """
    if row.promoted is None:
        return "Key. " if row.key else ""
    return f"Key that the gate asked for: without it {row.promoted:.2f} times its budget. "


def promoted_keys(painted: Painted) -> Html:
    """List the keys that the gate asked for; nothing if there are none."""
    found = promoted(painted.rows)
    if not found:
        return Html("")
    are = "1 key was" if len(found) == 1 else f"{len(found)} keys were"
    why = (
        "Filled from the keys around it, the frame flickered more than its budget allows; "
        "painted, it made the frames around it better."
    )
    shown = sorted(sorted(found, key=lambda place: -found[place])[:_MOST])
    cut = "" if len(shown) == len(found) else f" The {_MOST} that were furthest over it."
    return element(
        "details",
        element("summary", f"{are} asked for by the gate"),
        element("p", why + cut, attributes={"class": "note"}),
        table([(_named(painted, place), _why(painted.rows[place])) for place in shown]),
        attributes={"class": "promoted-keys"},
    )


def _named(painted: Painted, place: int) -> str:
    return f"Frame {painted.first + place}, {painted.clock(place)}"


def _why(row: Row) -> str:
    now, share = excess(row), row.promoted or 0.0
    allowed = "" if row.budget is None else f" of {codes(row.budget):.1f} codes"
    before = f"{share:.2f} times its budget{allowed} without this key"
    return before if now is None else f"{before}, {now:.2f} times with it"
