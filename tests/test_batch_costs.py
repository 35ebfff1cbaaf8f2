"""What films of a batch were to take and took: watched, written down, and shown at the end."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from jobs.batch_result import Outcome, Outcomes, table
from jobs.jobfile_read import read_job_file
from jobs.standing import FilmStanding, Standing

JOB = "schema: reelbrush/v1\ndefaults: {style: adele}\nfilms: [{source: a.mkv}, {source: b.mkv}]\n"


@pytest.fixture
def outcomes(tmp_path: Path) -> Outcomes:
    """Of two films, of which nothing is known."""
    (tmp_path / "night.yaml").write_text(JOB)
    for name in ("a", "b"):
        (tmp_path / f"{name}.mkv").write_bytes(b"")
    return Outcomes(read_job_file(tmp_path / "night.yaml"), file=tmp_path / "result.json")


def stands(**more: object) -> Standing:
    """The first film, painting."""
    facts: dict[str, object] = {"name": "a", "status": "painting", **more}
    return Standing(films=(FilmStanding(**facts),))  # type: ignore[arg-type]


def test_what_watchers_are_told_is_written_down(outcomes: Outcomes, tmp_path: Path) -> None:
    outcomes.watch(stands(cpu_s=2.0, in_flight=500))
    assert outcomes.of("a").forecast is None
    foreseen = {"forecast_cpu_s": 60.0, "forecast_gpu_s": 3.0, "forecast_bytes": 9}
    outcomes.watch(stands(cpu_s=7.04, gpu_s=0.5, bytes=99, in_flight=100, **foreseen))
    outcomes.watch(stands(status="done", cpu_s=7.04, gpu_s=0.5, bytes=99))
    outcomes.save()
    one, other = json.loads((tmp_path / "result.json").read_text())["films"]
    assert one["cost"] == {"gpu_s": 0.5, "cpu_s": 7.0, "bytes": 99, "in_flight": 500}
    assert one["forecast"] == {"gpu_s": 3.0, "cpu_s": 60.0, "bytes": 9, "in_flight": 0}
    assert (other["cost"], other["forecast"]) == (None, None)


def test_films_of_which_nothing_was_asked_are_not_noted(outcomes: Outcomes) -> None:
    before = outcomes.all
    outcomes.watch(Standing(films=(FilmStanding(name="stranger", status="done", cpu_s=9),)))
    assert outcomes.all == before


def shown(*outcomes: Outcome) -> list[str]:
    """The table's lines."""
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(table(outcomes))
    return [" ".join(line.split()) for line in console.export_text().splitlines()]


def test_the_table_has_hours_of_what_was_taken_beside_the_forecast() -> None:
    done = {"source": "", "result": "", "style": "", "status": "done", "frames": 240}
    cost, forecast = {"cpu_s": 5400.0, "gpu_s": 0.0}, {"cpu_s": 7200.0, "gpu_s": 0.0}
    plain = Outcome(film="p", **done)  # type: ignore[arg-type]
    told = Outcome(film="t", cost=cost, forecast=forecast, **done)  # type: ignore[arg-type]
    on_gpu = Outcome(film="g", cost={"cpu_s": 360.0, "gpu_s": 36.0}, **done)  # type: ignore[arg-type]
    assert shown(plain) == ["film frames seconds status reason", "p 240 done"]
    assert shown(plain, told) == [
        "film frames seconds core hours status reason", "p 240 done", "t 240 1.5 of 2 done"
    ]  # fmt: skip
    assert shown(on_gpu, told)[0] == "film frames seconds core hours GPU hours status reason"
    assert shown(on_gpu, told)[1:] == ["g 240 0.1 0.01 done", "t 240 1.5 of 2 done"]
