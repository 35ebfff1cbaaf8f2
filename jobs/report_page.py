"""All that a report holds to one HTML file, which asks the network for nothing.

What the browser may load is said by a *policy* in the page itself (Content Security Policy 3):
nothing but pictures and video that are in the page, one style and one script, both named by their
digests. All text from names and tables is escaped (``markup``). A pure function: nothing is read
but the page's own template.
"""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from string import Template

import cv2
import numpy as np

from jobs import report_chart
from jobs.markup import Html, element, embedded, image, joined, safe, table
from jobs.report_chart import chart, codes, curves
from jobs.report_choice import ShownShot, Stretch, excess
from jobs.report_facts import facts, knob, settings, sums, verdict, versions
from jobs.report_gate import kind, promoted_keys
from jobs.report_pictures import Pictures, ShotPictures, WorstPictures
from jobs.report_read import Painted, elapsed
from jobs.report_video import played

_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)")
_EXPLAINED = (
    "How far each frame's luma is off the frame before it, moved along the film's own motion: the "
    "root of the loss, in 8-bit codes. The budget is what the film's own content allows, by the "
    "same measure; what is too small to be seen always passes."
)
_HEAD = {"class": "head"}
_UNIT = 1e-8
"""Of losses, as the script gets them: whole numbers are short."""
_LEGEND = (
    ("loss", "M0 6H26", "loss"),
    ("budget", "M0 6H26", "budget"),
    ("over", "M13 6h.1", "over budget"),
    ("cut", "M13 0V12", "cut"),
    ("key", "M13 2V10", "key"),
)
_PROMOTED = ("promoted", "M13 0V12", "key that the gate asked for")


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a page is made of."""

    painted: Painted
    shots: Sequence[ShownShot]
    """All of them."""
    worst: Sequence[int]
    stretches: Sequence[Stretch]
    pictures: Pictures
    video: bytes
    size: tuple[int, int]
    """Width and height of one of the two pictures in the video."""


def page(report: Report) -> str:
    """Make the page."""
    painted, found = report.painted, sums(report.painted.rows)
    drawn = curves(painted.rows, knob(painted.about))
    cuts = [shot.start for shot in report.shots[1:]]
    style, script = _part("report.css"), _part("report.js")
    name = painted.film.path.name
    values = {
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "title": safe(f"{name}: report"),
        "name": safe(name),
        "lead": safe(_lead(painted)),
        "verdict": safe(verdict(painted, found, report.worst)),
        "mood": "bad" if found.over else "good",
        "cards": _cards(report),
        "played": safe(_played(report)),
        "width": str(report.size[0]),
        "height": str(2 * report.size[1]),
        "half": str(report.size[1]),
        "video_label": safe(f"The film above, its painting {name} below"),
        "video": embedded(report.video, "video/mp4"),
        "explained": safe(_EXPLAINED),
        "legend": _legend(report),
        "chart": chart(painted, drawn, cuts=cuts, stretches=report.stretches),
        "promoted": promoted_keys(painted),
        "worst": _worst(report),
        "shots_note": safe(_shots_note(report)),
        "shots": joined([_shot(painted, one) for one in report.pictures.shots]),
        "facts": table(facts(painted, found, len(report.shots))),
        "settings": table(settings(painted.about)),
        "versions": table(versions(painted.about)),
        "data": _data(report, drawn),
    }
    return Template(_part("report.html")).substitute(values)


def _part(name: str) -> str:
    return (files("jobs") / "page" / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Allow what is in the page, by its digest, and nothing else."""
    marks = [b64encode(sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        "default-src 'none'; img-src data:; media-src data: blob:; "
        f"style-src 'sha256-{marks[0]}'; script-src 'sha256-{marks[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _lead(painted: Painted) -> str:
    about = painted.about
    style = "" if about is None else f" in the style {about.recipe.get('style')}"
    style += " and others" if about is not None and about.recipe.get("style_at") else ""
    return f"Painted from {painted.source.path.name}{style}"


def _cards(report: Report) -> Html:
    painted, found = report.painted, sums(report.painted.rows)
    film = painted.film
    mean, worst = (None if v is None else codes(v) for v in (found.mean, found.worst))
    cards = [
        ("Frames", str(found.frames), elapsed(painted.times()[-1])),
        ("Picture", f"{film.size[0]} x {film.size[1]}", f"{float(film.frame_rate):.5g} fps"),
        ("Keys", str(found.keys), f"{100 * found.keys / found.frames:.1f} % of frames"),
        ("Over budget", str(found.over), f"of {found.judged} measured"),
        ("Mean flicker", "-" if mean is None else f"{mean:.1f}", "codes RMS"),
        ("Worst flicker", "-" if worst is None else f"{worst:.1f}", "codes RMS"),
    ]
    return joined(
        [
            element("div", element("dt", name), element("dd", value, element("small", note)))
            for name, value, note in cards
        ]
    )


def _played(report: Report) -> str:
    about = "Both play as one, small and without sound; drag the divider across the picture."
    if len(report.stretches) == 1:
        return f"The whole film. {about}"
    return f"{len(report.stretches)} stretches: around the worst frames, and samples. {about}"


def _legend(report: Report) -> Html:
    known = knob(report.painted.about) is not None
    rows = [
        ("floor", "M0 1H26V11H0Z", "content floor" if known else "the film's own error"),
        *_LEGEND,
    ]
    if report_chart.promoted(report.painted.rows):
        rows.append(_PROMOTED)
    if len(report.stretches) > 1:
        rows.append(("playable", "M0 6H26", "plays above"))
    lines = []
    for name, line, words in rows:
        path = element("path", attributes={"class": name, "d": line})
        mark = element("svg", path, attributes={"viewBox": "0 0 26 12", "aria-hidden": "true"})
        lines.append(element("li", mark, words))
    return joined(lines)


def _worst(report: Report) -> Html:
    pictures = report.pictures
    if not pictures.worst:
        return element("p", "No frame could be measured.", attributes={"class": "note"})
    note = (
        "Ranked by loss over budget. The heat map shows where the painting differs from the frame "
        "before it, moved along the film's motion; hatched is what cannot be judged: uncovered, "
        "or on the rim of what moves."
    )
    scale = element(
        "div",
        element("span", "0"),
        image(pictures.legend, "image/png", alt="", size=(256, 12)),
        element("span", f"{pictures.scale:.0f} codes and more"),
        attributes={"class": "scale"},
    )
    shown = [_flickering(report, one, rank) for rank, one in enumerate(pictures.worst, start=1)]
    return joined([element("p", note, attributes={"class": "note"}), scale, *shown])


def _flickering(report: Report, one: WorstPictures, rank: int) -> Html:
    """Show a frame, its source and where it flickers."""
    painted, row = report.painted, report.painted.rows[one.place]
    frame, when = painted.first + one.place, painted.clock(one.place)
    loss, budget, share = row.loss or 0.0, row.budget or 0.0, excess(row) or 0.0
    anew = "" if one.error is None else f"; {codes(one.error):.1f} in the encoded film"
    words = (
        f"{kind(row)}Loss {codes(loss):.1f} codes ({loss:.2e}){anew}. "
        f"Budget {codes(budget):.1f} ({budget:.2e}), so {share:.2f} times. "
        f"Judged: {100 * one.coverage:.0f} % of the picture."
    )
    go = element(
        "button",
        "Show",
        attributes={"type": "button", "class": "scripted", "data-place": str(one.place)},
    )
    alts = (
        (one.painted, f"Painted frame {frame}", "Painted"),
        (one.source, f"Frame {frame} of the film", "Film"),
        (one.heat, f"Heat map of frame {frame} against frame {frame - 1}", "Where it flickers"),
    )
    row_of = [
        element(
            "figure",
            image(jpeg, "image/jpeg", alt=alt, size=_size(jpeg)),
            element("figcaption", name),
        )
        for jpeg, alt, name in alts
    ]
    return element(
        "article",
        element("div", element("h3", f"{rank}. Frame {frame}, {when}"), go, attributes=_HEAD),
        element("p", words),
        element("div", *row_of, attributes={"class": "row"}),
        attributes={"class": "worst"},
    )


def _shots_note(report: Report) -> str:
    shown, all_of = len(report.pictures.shots), len(report.shots)
    chosen = "" if shown == all_of else f" {shown} of {all_of} shots: the worst, and some between."
    return f"The middle frame of each shot, the film above its painting.{chosen}"


def _shot(painted: Painted, one: ShotPictures) -> Html:
    shot, first = one.shot, painted.first
    frame = first + shot.middle
    pictures = [
        image(jpeg, "image/jpeg", alt=f"{what} {frame}", size=_size(jpeg))
        for jpeg, what in ((one.source, "Film, frame"), (one.painted, "Painted frame"))
    ]
    worst = "not measured"
    if shot.worst is not None:
        worst = f"worst {excess(painted.rows[shot.worst]) or 0:.2f} x budget"
    span = f"Frames {first + shot.start} to {first + shot.stop - 1}, {painted.clock(shot.start)}"
    keys = f"{shot.keys} {'key' if shot.keys == 1 else 'keys'}, {worst}"
    words = element(
        "figcaption", f"Shot {shot.number}", element("span", span), element("span", keys)
    )
    return element("li", element("figure", *pictures, words))


def _data(report: Report, drawn: report_chart.Curves) -> str:
    """Give the script its numbers, as JSON that cannot end the element it stands in."""
    painted = report.painted
    film, times = painted.film, painted.times()
    even = not film.variable_rate
    found = {
        "first": painted.first,
        "unit": _UNIT,
        "step": float(1 / film.frame_rate) if even else None,
        "times": None if even else [round(float(time), 4) for time in times],
        "timecode": _timecode(painted) if even else None,
        "loss": _whole(drawn.loss),
        "budget": _whole(drawn.budget),
        "content": _whole([row.content for row in painted.rows]),
        "keys": report_chart.planned(painted.rows),
        "promoted": [[p, round(x, 2)] for p, x in report_chart.promoted(painted.rows).items()],
        "cuts": [shot.start for shot in report.shots[1:]],
        "worst": list(report.worst),
        "knob": knob(painted.about),
        "plot": report_chart.plot(drawn),
        "stretches": [[s.start, s.stop, s.name] for s in report.stretches],
        "shown": [round(float(time), 5) for time in played(times, report.stretches)],
        "size": list(report.size),
    }
    text = json.dumps(found, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _timecode(painted: Painted) -> dict[str, object] | None:
    """Say where the film's timecode begins, in frames that are counted, for ``clock``'s twin."""
    match = _TIMECODE.fullmatch((painted.film.timecode or "").strip())
    if match is None:
        return None
    hours, minutes, seconds, ticks = (int(match[i]) for i in (1, 2, 3, 5))
    nominal = round(painted.film.frame_rate)
    dropped = nominal // 15 if match[4] in ";." else 0
    total = minutes + 60 * hours
    start = (total * 60 + seconds) * nominal + ticks - dropped * (total - total // 10)
    return {"start": start, "nominal": nominal, "dropped": dropped, "mark": match[4]}


def _whole(values: report_chart.Values) -> list[int | None]:
    return [None if value is None else round(value / _UNIT) for value in values]


def _size(jpeg: bytes) -> tuple[int, int]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return (0, 0) if picture is None else (picture.shape[1], picture.shape[0])
