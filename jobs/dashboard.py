"""The gauges of ``jobs.gauges`` to a dashboard that Grafana imports: ``docs/grafana.json``.

``python -m jobs.dashboard > docs/grafana.json`` writes it anew; a test holds the file to this.
"""

import json
import sys
from dataclasses import dataclass
from typing import Literal

_PREFIX = "ray_reelbrush_"
_WIDE = 24
"""Columns of Grafana's grid."""
_HIGH = 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_BATCH, _FILM = 'batch=~"$batch"', 'batch=~"$batch", film=~"$film"'
Unit = Literal["short", "percentunit", "bytes", "s", "h", "none"]


@dataclass(frozen=True, slots=True)
class _Panel:
    """A picture of one or more series."""

    title: str
    about: str
    unit: Unit
    series: tuple[tuple[str, str], ...]
    """expression and legend"""
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = _WIDE // 2
    high: int = _HIGH
    stacked: bool = False


def _all(name: str) -> str:
    # a run that went on elsewhere has labels of Ray's of its own until the old ones are forgotten
    return f"max by (batch) ({_PREFIX}{name}{{{_BATCH}}})"


def _films(name: str) -> str:
    return f"max by (batch, film) ({_PREFIX}film_{name}{{{_FILM}}})"


def _known(expression: str) -> str:
    return f"({expression} >= 0)"


def _one(title: str, about: str, unit: Unit, expression: str) -> _Panel:
    series = ((expression, "{{batch}}"),)
    return _Panel(title, about, unit, series, kind="stat", width=_WIDE // 6, high=_HIGH // 2)


_FRAMES = f"sum by (batch) ({_films('frames_done')}) / sum by (batch) ({_films('frames')})"
_PANELS = (
    _one("Frames done", "Of all films that are chosen.", "percentunit", _FRAMES),
    _one("Time left", "For all films of the batch.", "s", _known(_all("seconds_left"))),
    _one("Cores busy", "In the last two minutes.", "percentunit", _all("cpu_duty")),
    _one("GPUs busy", "In the last two minutes.", "percentunit", _all("gpu_duty")),
    _one("Machines", "That are alive.", "none", _all("nodes")),
    _one("Paused", "1 while a person has asked for a pause.", "none", _all("paused")),
    _Panel(
        "Films",
        "How many are waiting, painting, done, failed.",
        "short",
        ((f"max by (batch, status) ({_PREFIX}films{{{_BATCH}}})", "{{status}}"),),
        stacked=True,
    ),
    _Panel(
        "Frames done, by film",
        "Share of the frames that are wanted.",
        "percentunit",
        ((f"{_films('frames_done')} / {_films('frames')}", "{{film}}"),),
    ),
    _Panel(
        "Speed, by film",
        "Frames a second in the last two minutes.",
        "short",
        ((_films("frames_per_second"), "{{film}}"),),
        stacked=True,
    ),
    _Panel(
        "Time left, by film",
        "At the speed of the last two minutes.",
        "s",
        ((_known(_films("seconds_left")), "{{film}}"),),
    ),
    _Panel(
        "Chunks",
        "Committed, of how many as far as they are known.",
        "short",
        ((_films("chunks_done"), "{{film}} done"), (_films("chunks"), "{{film}} known")),
    ),
    _Panel(
        "Lost and tried again",
        "Steps that were lost with machines, and tries of whole films.",
        "short",
        ((_films("steps_lost"), "{{film}} steps"), (_films("attempts"), "{{film}} tries")),
    ),
    _Panel(
        "Duty",
        "Busy share of cores and GPUs.",
        "percentunit",
        ((_all("cpu_duty"), "cores"), (_all("gpu_duty"), "GPUs")),
    ),
    _Panel(
        "Machines",
        "What there is to work on.",
        "short",
        ((_all("nodes"), "machines"), (_all("cores"), "cores"), (_all("gpus"), "GPUs")),
    ),
    _Panel(
        "Steps",
        "That somebody works on, and that wait for hands.",
        "short",
        ((_all("steps_running"), "running"), (_all("steps_waiting"), "waiting")),
        stacked=True,
    ),
    _Panel(
        "Pieces on their way",
        "Bytes in the object stores at most, and what they may take.",
        "bytes",
        ((_all("bytes_in_flight"), "on their way"), (_all("bytes_budget"), "allowed")),
    ),
    _Panel(
        "Hours of GPUs",
        "Taken so far, earlier runs included, and forecast.",
        "h",
        (
            (f"{_films('gpu_seconds')} / 3600", "{{film}}"),
            (f"{_known(_films('gpu_seconds_forecast'))} / 3600", "{{film}} forecast"),
        ),
    ),
    _Panel(
        "Hours of cores",
        "Taken so far, earlier runs included, and forecast.",
        "h",
        (
            (f"{_films('cpu_seconds')} / 3600", "{{film}}"),
            (f"{_known(_films('cpu_seconds_forecast'))} / 3600", "{{film}} forecast"),
        ),
    ),
)


def dashboard() -> dict[str, object]:
    """All of it, as Grafana 10 and later import it."""
    return {
        "uid": "reelbrush",
        "title": "reelbrush",
        "description": "Batches of films that are painted on Ray.",
        "tags": ["reelbrush", "ray"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables()},
        "panels": _laid(),
    }


def _variables() -> list[dict[str, object]]:
    source = {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "current": {},
        "options": [],
    }
    return [
        source,
        _labels("batch", f"label_values({_PREFIX}films, batch)"),
        _labels("film", f"label_values({_PREFIX}film_frames{{{_BATCH}}}, film)"),
    ]


def _labels(name: str, query: str) -> dict[str, object]:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "hide": 0,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def _laid() -> list[dict[str, object]]:
    """Panels from left to right, row by row."""
    made: list[dict[str, object]] = []
    across = down = 0
    for number, panel in enumerate(_PANELS, 1):
        if across + panel.width > _WIDE:
            across, down = 0, down + _PANELS[number - 2].high
        at = {"x": across, "y": down, "w": panel.width, "h": panel.high}
        across += panel.width
        made.append(_panel(panel, number, at))
    return made


def _panel(panel: _Panel, number: int, at: dict[str, int]) -> dict[str, object]:
    limits = {"min": 0, "max": 1} if panel.unit == "percentunit" else {"min": 0}
    custom = {
        "fillOpacity": 20 if panel.stacked else 0,
        "lineWidth": 1,
        "showPoints": "never",
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
    }
    lines = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
             "tooltip": {"mode": "multi", "sort": "desc"}}  # fmt: skip
    words = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
             "colorMode": "none", "graphMode": "area", "textMode": "value"}  # fmt: skip
    drawn = panel.kind == "timeseries"
    defaults: dict[str, object] = {"unit": panel.unit, **limits}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": at,
        "fieldConfig": {
            "defaults": defaults | ({"custom": custom} if drawn else {}),
            "overrides": [],
        },
        "options": lines if drawn else words,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _SOURCE,
                "expr": expression,
                "legendFormat": legend,
                "range": True,
            }
            for place, (expression, legend) in enumerate(panel.series)
        ],
    }


def written() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
