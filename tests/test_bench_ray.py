"""Benchmarks of Ray: the excerpt is the film's beginning, the log is read right, runs compare."""

import json
import subprocess
import sys
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from films import Sound, make_film, number_of, numbered, texture
from jobs import bench_memory, bench_ray
from jobs.bench_cli import bench_app
from jobs.bench_memory import memory, memory_of_made
from jobs.bench_ray import Efficiency, Painted, compared, efficiency
from jobs.bench_runs import (
    Cost,
    Running,
    closed_count,
    coordinating,
    excerpt,
    forecast,
    read_log,
    samples_digest,
    timeline,
)
from jobs.progress import Silent
from jobs.pulse import Pulse, shares
from pipeline.errors import BadRequest, ChunkFailed, VerificationFailed
from pipeline.media.container import Film, read_film
from pipeline.media.decode import frames

# -- the excerpt ---------------------------------------------------------------------------------


def film(path: Path, count: int = 30, *, bframes: int = 0, first: Fraction = Fraction(0)) -> Film:
    make_film(path, numbered(texture(count)), bframes=bframes, first=first, sounds=[Sound()])
    return read_film(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("first", [Fraction(0), Fraction(1, 5)])
def test_an_excerpt_is_the_beginning_frame_for_frame(
    tmp_path: Path, suffix: str, first: Fraction
) -> None:
    source = film(tmp_path / f"film{suffix}", first=first)
    found = excerpt(source, tmp_path / "cut", seconds=0.8)
    assert found.frames == 20
    assert [number_of(f.planes.luma) for f in frames(found, 0, 20)] == list(range(20))
    assert [track.kind for track in found.tracks] == ["audio"]


def test_with_b_frames_an_excerpt_ends_where_all_it_needs_is_there(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", bframes=3)
    wanted = [closed_count(source, seconds=n / 25) for n in range(1, 31)]
    assert wanted == sorted(wanted)
    assert all(0 <= n - count <= 3 for n, count in enumerate(wanted, 1))
    assert len(set(wanted)) < 30
    found = excerpt(source, tmp_path / "cut", seconds=wanted[-4] / 25)
    pictures = list(frames(found, 0, found.frames))
    assert [number_of(f.planes.luma) for f in pictures] == list(range(wanted[-4]))


def test_an_excerpt_as_long_as_the_film_is_the_film(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", 10)
    assert excerpt(source, tmp_path / "cut", seconds=60) is source


def test_a_film_that_cannot_be_cut_so_early_is_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", 10)
    with pytest.raises(BadRequest, match="cannot be cut"):
        excerpt(source, tmp_path / "cut", seconds=0)


def test_other_samples_or_other_times_have_another_digest(tmp_path: Path) -> None:
    plain = film(tmp_path / "a.mp4", 5)
    late = film(tmp_path / "b.mp4", 5, first=Fraction(1))
    other = read_film(make_film(tmp_path / "c.mp4", numbered(texture(5), first=1)))
    assert samples_digest(plain) == samples_digest(film(tmp_path / "d.mp4", 5))
    assert len({samples_digest(f) for f in (plain, late, other)}) == 3


# -- the log -------------------------------------------------------------------------------------


def task(kind: str, node: str, began: float, ended: float, cpu: float) -> dict[str, object]:
    times = {"time": ended, "began": began, "ended": ended, "cpu": cpu}
    return {"event": "task", "kind": kind, "node": node, "pid": 1, "attempt": 1, **times}


LOG: list[dict[str, object]] = [
    {"time": 1001.0, "event": "begun", "backend": "ray", "workers": 2},
    task("analyse", "driver", 1001.0, 1005.0, 4.0),
    {"time": 1008.0, "event": "ray", "seconds": 7.0},
    task("analyse", "driver", 1008.0, 1012.0, 3.0),
    task("introduce", "b", 1009.0, 1010.0, 0.5),
    task("paint", "a", 1011.0, 1019.0, 7.5),
    task("paint", "b", 1010.0, 1018.0, 8.0),
    {"time": 1015.0, "event": "forecast", "memory": 5, "disk": 6},
    {"time": 1016.0, "event": "lost", "kind": "paint", "class": "machine", "why": "killed"},
    {"time": 1020.0, "event": "committed", "chunk": 1, "start": 48, "stop": 96},
    {"time": 1018.5, "event": "committed", "chunk": 0, "start": 0, "stop": 48},
    {"time": 1021.0, "event": "published"},
]


def test_a_log_becomes_times_since_the_command_was_started() -> None:
    times = timeline(LOG, began=1000.0)
    assert (times.ray, times.first_task, times.first_work) == (8.0, 9.0, 10.0)
    assert (times.first_commit, times.published) == (18.5, 21.0)
    assert times.lost == 1
    assert times.kinds == {
        "analyse": Cost(2, 8.0, 7.0),
        "introduce": Cost(1, 1.0, 0.5),
        "paint": Cost(2, 16.0, 15.5),
    }
    assert forecast(LOG) == 5


def test_what_the_driver_did_ahead_is_cut_off_at_the_first_task() -> None:
    assert timeline(LOG, began=1000.0).ahead == 4.0 + 3.0 / 4


@pytest.mark.parametrize("missing", ["task", "published", "committed", "ray"])
def test_a_log_that_does_not_tell_all_is_refused(missing: str) -> None:
    with pytest.raises(VerificationFailed, match="does not tell"):
        timeline([e for e in LOG if e["event"] != missing], began=1000.0)


def test_a_run_without_a_log_has_no_events(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []
    assert forecast([]) is None


def test_ratios_are_what_they_are_said_to_be() -> None:
    plain = Painted("inline", 25.0, 20.0, 2, "", "", None)
    ray = Painted("ray", 22.0, 3.0, 2, "", "", timeline(LOG, began=1000.0))
    ratios = compared(plain, ray, workers=2, imports=3.0)
    assert ratios.efficiency == pytest.approx(20 / (2 * 12))
    assert ratios.strict == pytest.approx((20 - 4.75) / (2 * 12))
    assert ratios.steady == pytest.approx((20 - 4.75 - 3) / (2 * 11))
    assert ratios.speedup == pytest.approx(25 / 22)
    assert ratios.tax == pytest.approx(23 / 20)
    assert ratios.extra == pytest.approx(1 / ratios.steady - 1)


def test_coordinating_begins_when_nothing_is_analysed_here_any_more() -> None:
    assert coordinating(LOG) == {"start": 1012.0, "stop": 1020.0}
    without = [event for event in LOG if event.get("node") != "driver"]
    assert coordinating(without) == {"start": 1009.0, "stop": 1020.0}
    with pytest.raises(VerificationFailed, match="does not tell"):
        coordinating([event for event in LOG if event["event"] != "committed"])


def test_a_process_that_burns_and_rests_is_seen_to() -> None:
    code = "import time\nwhile time.process_time() < 0.4: pass\ntime.sleep(0.6)"
    with subprocess.Popen([sys.executable, "-c", code]) as run, Pulse(run.pid, interval=0.05) as it:
        run.wait()
    last = it.beats[-1]
    assert last.main == pytest.approx(0.4, abs=0.1)
    assert last.whole == pytest.approx(last.main, abs=0.05)
    found = shares(it.beats, start=last.time - 0.4, stop=last.time)
    assert found is not None
    assert max(found) < 0.05
    assert shares(it.beats[:1], start=0, stop=1) is None


# -- runs ----------------------------------------------------------------------------------------

STAND_IN = """
import json, pathlib, shutil, sys, time
began = time.time()
words = dict(zip(sys.argv, sys.argv[1:]))
work, ray = pathlib.Path(words["--work"]), words["--backend"] == "ray"
(work / "receipts").mkdir(parents=True)
shutil.copy(sys.argv[2], words["-o"])
receipt = dict(identity="x", chunk=0, start=0, stop=9, segment="", bytes=0, sha256="", keys=1,
               promoted=0, tiles=0, seconds={}, epoch=1, pixels="OTHER" if ray else "same")
(work / "receipts" / "x.json").write_text(json.dumps(receipt))
held = bytes(1 << 20) * (200 if "film." in sys.argv[2] else 220)
while time.process_time() < 0.3:
    pass
time.sleep(1 if ray else 0)  # time enough to be seen on a busy machine
now = time.time()
task = dict(event="task", time=now, kind="paint", chunk=0, node="n", pid=1, attempt=1,
            began=began, ended=now, cpu=0.2)
events = [dict(event="forecast", time=began, memory=1 << 30, disk=1), dict(event="ray", time=began),
          task, dict(event="committed", time=now), dict(event="published", time=now)]
if ray:
    (work / "log.jsonl").write_text("".join(json.dumps(e) + "\\n" for e in events))
"""


def program(folder: Path, *, other: str = "same") -> list[str]:
    """A command that copies the film and writes the log of one task."""
    path = folder / "stand_in.py"
    path.write_text(STAND_IN.replace("OTHER", other))
    return [sys.executable, str(path)]


def compare(folder: Path) -> Efficiency:
    source = film(folder / "source.mp4", 9).path
    return efficiency(
        source,
        seconds=0.2,
        workers=1,
        repeats=2,
        style="starry-night",
        progress=Silent(),
        program=program(folder),
    )


def test_runs_take_turns_and_are_compared_in_pairs(tmp_path: Path) -> None:
    found = compare(tmp_path)
    assert [run.backend for run in found.runs] == ["inline", "ray", "inline", "ray"]
    assert (found.frames, found.runs[0].chunks) == (5, 1)
    assert found.equal_segments
    assert found.equal_films
    assert found.efficiency.count == len(found.ratios) == 2
    assert all(0.2 < run.cpu <= run.wall + 0.1 for run in found.runs)
    assert found.runs[0].coordinator is None
    assert found.process is not None
    assert 0 < found.process.median < 1.5
    assert found.imports > 0.5
    stored = json.loads(json.dumps(bench_ray.as_json(found)))
    assert stored["runs"][1]["times"]["kinds"]["paint"]["tasks"] == 1


def test_the_peak_of_a_film_is_put_beside_that_of_its_beginning(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", 9).path
    peaks = memory(
        source,
        seconds=0.2,
        workers=1,
        style="starry-night",
        progress=Silent(),
        program=program(tmp_path),
    )
    assert [peak.frames for peak in peaks] == [5, 9]
    assert all(200 << 20 < peak.bytes < 260 << 20 for peak in peaks)
    assert [peak.forecast for peak in peaks] == [1 << 30] * 2
    assert all(sum(peak.roles.values()) == peak.bytes for peak in peaks)
    assert bench_memory.as_json(peaks)["ratio"] == peaks[1].bytes / peaks[0].bytes


def test_a_made_film_is_held_to_its_forecast(tmp_path: Path) -> None:
    peak = memory_of_made(
        0.01, rate=25, workers=1, style="any", progress=Silent(), program=program(tmp_path)
    )
    assert (peak.film, peak.frames) == ("0.01 minutes", 15)
    assert peak.over == pytest.approx((1 << 30) / peak.bytes)
    assert not peak.met, "five times as much was foretold"
    assert bench_memory.facts(peak)["over"] == peak.over


def command(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, other: str) -> Result:
    """Run a command of ``reelbrush bench`` with the stand-in."""
    made = program(folder, other=other)
    monkeypatch.setattr(bench_ray, "_LOAD", "")  # torch takes its time
    monkeypatch.setattr(bench_ray, "efficiency", partial(efficiency, program=made))
    monkeypatch.setattr(bench_memory, "memory", partial(memory, program=made))
    source = film(folder / "source.mp4", 9).path
    said = [*words, str(source), "--seconds", "0.2", "--workers", "1"]
    return CliRunner().invoke(bench_app, [*said, "-o", str(folder / "result.json")])


def test_the_commands_print_and_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = command(monkeypatch, tmp_path, "efficiency", "--repeats", "1", other="same")
    assert done.exit_code == 0
    assert "segments yes, films yes" in done.stdout
    stored = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert stored["circumstances"]["commit"]
    assert stored["workers"] == 1
    done = command(monkeypatch, tmp_path, "memory", other="same")
    assert done.exit_code == 0
    assert "source.mp4, 0.2 s" in done.stdout
    stored = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert [row["frames"] for row in stored["rows"]] == [5, 9]


def test_other_pixels_are_stored_and_then_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command(monkeypatch, tmp_path, "efficiency", "--repeats", "1", other="another")
    assert isinstance(done.exception, VerificationFailed)
    assert "segments NO, films yes" in done.stdout
    assert not json.loads((tmp_path / "result.json").read_text("utf-8"))["equal_segments"]


def test_a_film_that_is_its_own_beginning_has_no_peak_to_compare(tmp_path: Path) -> None:
    source = film(tmp_path / "source.mp4", 9).path
    with pytest.raises(BadRequest, match="not longer"):
        memory(source, seconds=9, workers=1, style="starry-night", progress=Silent(), program=[])


def test_a_run_that_fails_is_told_with_its_last_line(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('reelbrush: no such style\\nbye'); sys.exit(2)"
    command = [sys.executable, "-c", code]
    with (
        Running(command, environment={}, said=tmp_path / "said") as run,
        pytest.raises(ChunkFailed, match="ended with 2: reelbrush: no such style"),
    ):
        run.wait()


def test_an_interrupt_ends_the_run_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    began = time.monotonic()
    with (
        pytest.raises(KeyboardInterrupt),
        Running(command, environment={}, said=tmp_path / "said") as run,
    ):
        raise KeyboardInterrupt
    assert time.monotonic() - began < 10
    assert not Path(f"/proc/{run.pid}").exists()


def test_the_cpu_of_a_run_is_what_it_burnt(tmp_path: Path) -> None:
    code = "import time\nwhile time.process_time() < 0.5: pass"
    with Running([sys.executable, "-c", code], environment={}, said=tmp_path / "said") as run:
        ended = run.wait()
    assert np.isclose(ended.cpu, 0.5, atol=0.1)
    assert ended.wall >= ended.cpu - 0.1
