"""Gauges and the dashboard on them: each is set and shown, and labels are never without end."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs.dashboard import dashboard, written
from jobs.gauges import KINDS, OTHERS, UNKNOWN, GaugeKind, Gauges
from jobs.standing import FilmStanding, Standing

FILE = Path(__file__).parent.parent / "docs" / "grafana.json"
_METRIC = re.compile(r"\bray_(reelbrush_\w+)(?:\{([^}]*)\})?")


@dataclass
class Board:
    """What was set, by gauge and labels."""

    values: dict[str, dict[tuple[tuple[str, str], ...], float]] = field(default_factory=dict)
    kinds: dict[str, GaugeKind] = field(default_factory=dict)

    def make(self, kind: GaugeKind) -> "_Gauge":
        """Make a gauge."""
        self.kinds[kind.name] = kind
        return _Gauge(kind, self.values.setdefault(kind.name, {}))

    def of(self, name: str, **labels: str) -> float:
        """What one was set to last, for these labels beside the batch's."""
        return self.values[f"reelbrush_{name}"][tuple(sorted({"batch": "b", **labels}.items()))]


@dataclass
class _Gauge:
    kind: GaugeKind
    values: dict[tuple[tuple[str, str], ...], float]

    def set(self, value: float, tags: dict[str, str]) -> None:
        assert set(tags) == set(self.kind.labels)
        self.values[tuple(sorted(tags.items()))] = value


def film(name: str, **more: object) -> FilmStanding:
    made: dict[str, object] = {"status": "painting", "frames": 100, **more}
    return FilmStanding(name=name, **made)  # type: ignore[arg-type]


def test_every_gauge_is_set_to_what_stands() -> None:
    board = Board()
    films = (
        film("one", done=12.5, chunks_done=1, lost=3, gpu_s=7.5, left_s=9.0, forecast_cpu_s=60.0),
        film("two", status="done", done=100),
    )
    gauges = Gauges("b", make=board.make)
    gauges(Standing(films=films, cores=8, cpu_duty=0.5, in_flight=5, budget=9, paused=True))
    assert {kind.name for kind in KINDS} == board.values.keys()
    assert all(board.values.values()), "each has been set"
    assert board.of("films", status="painting") == board.of("films", status="done") == 1
    assert board.of("films", status="failed") == 0, "a status that was left goes back to nothing"
    assert board.of("film_frames_done", film="one") == 12.5
    assert board.of("film_steps_lost", film="one") == 3
    assert board.of("film_gpu_seconds", film="one") == 7.5
    assert board.of("film_cpu_seconds_forecast", film="one") == 60
    assert board.of("film_cpu_seconds_forecast", film="two") == UNKNOWN
    assert (board.of("cpu_duty"), board.of("paused"), board.of("bytes_budget")) == (0.5, 1, 9)
    assert board.of("seconds_left") == UNKNOWN


def test_a_batch_of_many_films_makes_no_more_series_than_are_allowed() -> None:
    board = Board()
    gauges = Gauges("b", make=board.make, most=3)
    gauges(Standing(films=tuple(film(f"film {i}", done=1) for i in range(10))))
    gauges(Standing(films=tuple(film(f"film {i}", done=2) for i in reversed(range(12)))))
    named = {dict(labels)["film"] for labels in board.values["reelbrush_film_frames"]}
    assert named == {"film 0", "film 1", "film 2", OTHERS}
    assert board.of("film_frames_done", film="film 1") == 2
    assert board.of("film_frames_done", film=OTHERS) == 18
    assert board.of("film_frames", film=OTHERS) == 900


def test_nothing_is_set_as_long_as_there_is_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "ray", raising=False)
    gauges = Gauges("b")
    gauges(Standing(films=(film("one"),)))
    board = Board()
    monkeypatch.setattr("jobs.gauges._rays", lambda: board.make)
    gauges(Standing(films=(film("one"),)))
    assert board.of("film_frames", film="one") == 100


def test_the_dashboard_in_docs_is_the_one_that_is_made() -> None:
    assert FILE.read_text("utf-8") == written()


def test_each_expression_names_gauges_and_labels_that_there_are_and_each_gauge_is_shown() -> None:
    labels = {kind.name: set(kind.labels) for kind in KINDS}
    shown = set()
    for expression in _expressions(dashboard()):
        found = _METRIC.findall(expression)
        assert found, expression
        for name, selector in found:
            assert name in labels, expression
            assert set(re.findall(r"(\w+)=~", selector)) <= labels[name], expression
            shown.add(name)
        for grouped in re.findall(r"by \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= {"batch", "film", "status"}
        assert expression.count("(") == expression.count(")")
        assert expression.count("{") == expression.count("}")
    assert shown == labels.keys()


def _expressions(of: object) -> list[str]:
    """All that Prometheus is asked: of panels and of variables."""
    if isinstance(of, list):
        return [one for each in of for one in _expressions(each)]
    if not isinstance(of, dict):
        return []
    own = [of[name] for name in ("expr", "definition") if isinstance(of.get(name), str)]
    return own + [one for each in of.values() for one in _expressions(each)]


def test_the_dashboard_is_what_grafana_imports() -> None:
    made = json.loads(FILE.read_text("utf-8"))
    assert made["uid"] == "reelbrush"
    assert len(made["title"]) > 0
    assert made["schemaVersion"] >= 36
    assert "id" not in made, "of the one who exported it"
    assert made["templating"]["list"][0]["name"] == "datasource"
    assert made["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel in made["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        assert panel["type"] in {"timeseries", "stat"}
        assert panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)
        for source in (panel["datasource"], *(one["datasource"] for one in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken, "panels lie on one another"
        taken |= cells
