"""Batches: one bad film keeps nobody from the next, and nothing is done twice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from unittest.mock import Mock

import psutil
import pytest
import ray

import jobs.batch
import jobs.shared_ray
import jobs.stylize
import painters
from actors.stylizer import Painting
from commands import Ended, command
from films import make_film, scribble, texture
from jobs.batch import How, by_urgency, check, chosen, paint_all
from jobs.batch_result import Outcome, Outcomes
from jobs.commission import Result
from jobs.engine import Machines, running
from jobs.jobfile_read import read_job_file
from jobs.progress import Silent
from jobs.shared_ray import SharedRay
from jobs.sidecar import read_sidecar
from jobs.stylize import Job, stylize
from painters import Identity, Washes, any_code
from pipeline.errors import BadRequest, ClusterFailed, NodeLost, OutOfResources
from pipeline.forecast import Needs
from pipeline.judge.tables import read_rows
from pipeline.media.container import read_film
from pipeline.paint.choice import Choice

HEAD = "schema: reelbrush/v1\ndefaults: {style: adele, codec: ffv1, retries: 1}\nfilms:\n"


class Still(Silent):
    """No progress, where one is entered and left."""

    def __enter__(self) -> "Still":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass
class Studio:
    """A folder with films and a job file, and the order in which films had their turn."""

    folder: Path
    hire: Callable[[], Painting] = Identity
    backend: Literal["ray", "inline"] = "inline"
    turns: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        """The job file."""
        return self.folder / "job.yaml"

    def write(self, films: str) -> None:
        """Write the job file."""
        self.file.write_text(HEAD + films, encoding="utf-8")

    def run(self, films: str = "", *, only: tuple[str, ...] = ()) -> dict[str, Outcome]:
        """Paint a batch; gives what became of each film."""
        if films:
            self.write(films)

        def telling(name: str, _number: int, _of: int) -> Still:
            self.turns.append(name)
            return Still()

        how = How(self.backend, telling, hire=self.hire, pause=0)
        whole = read_job_file(self.file)
        batch = chosen(whole, only)
        result = self.file.with_name("job.yaml.result.json")
        outcomes = Outcomes(whole, names=only, file=result)
        self.turns = []
        paint_all(batch, check(batch, outcomes, how, progress=Silent()), outcomes, how)
        outcomes.save(ended=True)
        return {one.film: one for one in outcomes.all}

    @property
    def result(self) -> dict[str, Any]:
        """What was written down."""
        found = json.loads((self.folder / "job.yaml.result.json").read_text("utf-8"))
        assert isinstance(found, dict)
        return found


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Two films of 8 frames."""
    for name in ("one", "two"):
        make_film(tmp_path / f"{name}.mkv", texture(8, (64, 48)), codec="ffv1")
    return Studio(tmp_path)


ONE = "- {source: one.mkv}\n"
TWO = "- {source: two.mkv}\n"


def test_one_bad_film_keeps_nobody_from_the_next(studio: Studio) -> None:
    (studio.folder / "bad.mkv").write_bytes(b"no film")
    found = studio.run(ONE + "- {source: bad.mkv}\n- {source: gone.mkv}\n" + TWO)
    assert [one.status for one in found.values()] == ["done", "refused", "refused", "done"]
    assert (found["gone"].exit_code, found["one"].frames) == (3, 8)
    assert "no such file" in found["gone"].reason
    assert read_film(studio.folder / "two.painted.mkv").frames == 8
    assert studio.result["status"] == "failed"


def test_a_film_that_fails_is_told_and_the_next_is_painted(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trips(job: Job, **_: object) -> Result:
        if job.source.stem == "one":
            raise ValueError("paint\nwas spilt")
        return stylize(job, progress=Silent(), hire=Identity)

    monkeypatch.setattr(jobs.batch, "stylize", trips)
    found = studio.run(ONE + TWO)
    assert (found["one"].status, found["two"].status) == ("failed", "done")
    assert (found["one"].reason, found["one"].exit_code) == ("ValueError: paint", 4)
    assert found["one"].tries == 1, "a bug is no machine's fault"


def test_nothing_is_painted_twice_and_what_has_changed_is_not_overwritten(studio: Studio) -> None:
    studio.run(ONE + TWO)
    before = (studio.folder / "one.painted.mkv").stat().st_mtime_ns
    made = {one["film"]: one["seconds"] for one in studio.result["films"]}
    again = studio.run()
    assert studio.turns == []
    assert all(one.before and one.status == "done" for one in again.values())
    assert again["one"].seconds == pytest.approx(made["one"], rel=0.5)
    found = studio.run("- {source: one.mkv, strength: 0.5}\n" + TWO)
    assert found["one"].status == "refused"
    assert "was made with another strength; overwrite: true" in found["one"].reason
    found = studio.run("- {source: one.mkv, strength: 0.5, overwrite: true}\n" + TWO)
    assert (found["one"].status, studio.turns) == ("done", ["one"])
    assert (studio.folder / "one.painted.mkv").stat().st_mtime_ns != before


def test_another_film_of_the_same_name_is_noticed(studio: Studio) -> None:
    studio.run(ONE)
    make_film(studio.folder / "one.mkv", texture(9, (64, 48)), codec="ffv1")
    assert "was painted from another film" in studio.run()["one"].reason
    (studio.folder / "one.painted.mkv.json").unlink()
    assert "has no sidecar" in studio.run()["one"].reason


def test_a_run_that_was_killed_before_it_had_written_everything_is_finished(studio: Studio) -> None:
    studio.run("- {source: one.mkv, keep_work: true}\n")
    (studio.folder / "one.painted.mkv.json").unlink()
    (studio.folder / "one.painted.mkv.frames.parquet").unlink()
    found = studio.run()
    assert (found["one"].status, found["one"].before) == ("done", False)
    assert read_sidecar(studio.folder / "one.painted.mkv") is not None


@pytest.mark.parametrize("error", [OutOfResources("full"), ClusterFailed("gone"), OSError(5, "io")])
def test_machines_are_given_another_try(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tries: list[Job] = []

    def trips(job: Job, **_: object) -> Result:
        tries.append(job)
        if len(tries) == 1:
            raise error
        return stylize(job, progress=Silent(), hire=Identity)

    monkeypatch.setattr(jobs.batch, "stylize", trips)
    found = studio.run(ONE)
    assert (found["one"].status, found["one"].tries) == ("done", 2)
    assert found["one"].exit_code == 0


def test_retries_end(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def trips(_job: Job, **_: object) -> Result:
        raise OutOfResources("the disk is full")

    monkeypatch.setattr(jobs.batch, "stylize", trips)
    found = studio.run("- {source: one.mkv, retries: 2}\n")
    assert (found["one"].tries, found["one"].reason) == (3, "the disk is full")
    assert found["one"].exit_code == 6


@pytest.mark.parametrize("error", [KeyboardInterrupt(), NodeLost("Ray died")])
def test_what_ends_the_command_is_written_down_and_the_same_command_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def ends(_job: Job, **_: object) -> Result:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(jobs.batch, "stylize", ends)
        with pytest.raises(type(error)):
            studio.run(ONE + TWO)
    states = [one["status"] for one in studio.result["films"]]
    assert states == ["failed" if isinstance(error, NodeLost) else "interrupted", "ready"]
    assert [one.status for one in studio.run().values()] == ["done", "done"]


def test_on_failure_stop_begins_no_other_film(studio: Studio) -> None:
    found = studio.run("- {source: gone.mkv}\n" + ONE + "on_failure: stop\n")
    assert [one.status for one in found.values()] == ["refused", "skipped"]
    assert not (studio.folder / "one.painted.mkv").exists()


def test_films_have_their_turn_by_priority_then_deadline(studio: Studio) -> None:
    for name in ("three", "four"):
        make_film(studio.folder / f"{name}.mkv", texture(8, (64, 48)), codec="ffv1")
    studio.write(
        ONE
        + "- {source: two.mkv, deadline: 2026-11-22T08:00Z}\n"
        + "- {source: three.mkv, deadline: 2026-11-22T07:00Z}\n"
        + "- {source: four.mkv, priority: 2}\n"
    )
    orders = by_urgency(read_job_file(studio.file).orders)
    assert [order.name for order in orders] == ["four", "three", "two", "one"]


def test_a_deadline_that_has_passed_is_told(studio: Studio) -> None:
    found = studio.run("- {source: one.mkv, deadline: 2020-01-01}\n- {source: two.mkv}\n")
    assert (found["one"].late, found["two"].late) == (True, False)


def test_some_films_of_a_batch_leave_what_is_known_of_the_others(studio: Studio) -> None:
    studio.run(ONE + TWO, only=("two",))
    assert studio.turns == ["two"]
    found = studio.run(only=("one",))
    assert list(found) == ["one"]
    assert [one["status"] for one in studio.result["films"]] == ["done", "done"]
    with pytest.raises(BadRequest, match="did you mean 'one'"):
        studio.run(only=("on",))


def test_parts_places_and_folders_reach_the_film(studio: Studio) -> None:
    studio.hire = Washes
    studio.run(
        "- source: one.mkv\n"
        "  output: new/folder/{name}\n"
        "  first_frame: 1001\n"
        "  frames: 1002-1006\n"
        "  strength: {keys: {1002: 0, 1006: 1}}\n"
        "  shots: [{from: 1004, to: 0.12s, strength: 0}]\n"
        "work: scratch\n"
    )
    target = studio.folder / "new" / "folder" / "one.mkv"
    said = read_sidecar(target)
    assert said is not None
    assert said.recipe["frames"] == [1, 6]
    assert said.recipe["strength"] == "1:0,2:0.25,3:0,4:0.75,5:1"
    assert [row.frame for row in read_rows([target.with_name("one.mkv.frames.parquet")])] == [
        *range(1, 6)
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("frames: 5-9", "frames 5-9 are not all in the film: it has 0-7"),
        ("first_frame: 1001, frames: 5-9", "it has 1001-1008"),
        ("strength: {keys: {9: 1}}", "frame 9 is not in the film"),
        ('strength: {keys: {"01:00:00:00": 1}}', "the film has no timecode"),
        ("shots: [{from: 6, to: 2, strength: 1}]", "2 comes before 6"),
        ("shots: [{from: 0s, to: 9s, strength: 1}]", "9s is not in the film"),
        ("key: {2: gone.png}", "gone.png"),
        ("keys_from: nowhere", "nowhere"),
        ("output: one.painted.avi.mp4", "ffv1"),
        ("codec: h264, output: one.mkv/x", "is no folder"),
    ],
)
def test_what_a_film_does_not_have_is_refused_before_work(
    studio: Studio, words: str, said: str
) -> None:
    studio.write(f"- {{source: one.mkv, {words}}}\n")
    found = studio.run()
    assert found["one"].status == "refused", found["one"]
    assert said in found["one"].reason


# -- one Ray for all -------------------------------------------------------------------------------


def test_one_ray_does_for_all_films_and_has_room_for_the_largest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[Needs] = []
    ended: list[bool] = []

    class Running:
        def __enter__(self) -> str:
            return "engine"

        def __exit__(self, *_: object) -> None:
            ended.append(True)

    def running(_machines: object, needs: Needs, *, cores: int) -> Running:  # noqa: ARG001
        begun.append(needs)
        return Running()

    monkeypatch.setattr(jobs.shared_ray, "running", running)
    needs = [Needs(1, 5, 3), Needs(2, 4, 9)]
    with SharedRay(Machines(), needs) as shared:
        assert shared.engine() is shared.engine()
        assert begun == [Needs(2, 5, 9)]
        shared.leave()
        assert ended == [True]
        shared.engine()
    assert len(begun) == len(ended) == 2


@pytest.mark.ray
def test_films_of_a_batch_share_one_ray_and_one_that_fails_ends_alone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_value: Any = ray.cloudpickle.register_pickle_by_value
    by_value(painters)  # workers have no folder of tests
    begun = Mock(side_effect=running)
    monkeypatch.setattr(jobs.shared_ray, "running", begun)
    bad = make_film(studio.folder / "bad.mkv", texture(30, (64, 48)), codec="ffv1")
    scribble(bad, at=bad.stat().st_size // 2, size=400)
    studio.hire, studio.backend = Washes, "ray"
    films = "- {source: bad.mkv, priority: 2}\n" + ONE + TWO
    found = studio.run(films + "machines: {workers: 1, gpus: 0}\n")
    assert [one.status for one in found.values()] == ["failed", "done", "done"], found
    assert (found["bad"].exit_code, found["bad"].tries) == (3, 1)
    begun.assert_called_once()
    assert not ray.is_initialized()
    assert not [p for p in psutil.Process().children() if "raylet" in p.name()]
    studio.backend = "inline"
    for name in ("one", "two"):
        studio.run(f"- {{source: {name}.mkv, name: {name}-again}}\n")
        ours, plain = (
            read_sidecar(studio.folder / f"{known}.painted.mkv")
            for known in (name, f"{name}-again")
        )
        assert ours is not None
        assert plain is not None
        assert ours.segments == plain.segments


# -- the command -----------------------------------------------------------------------------------


@pytest.fixture
def reelbrush(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """The command in this process, with a stand-in for the net."""
    monkeypatch.setattr(jobs.stylize, "hire_for", lambda *_, **__: Identity)
    for module in ("jobs.stylize.chosen", "jobs.orders.choose"):
        monkeypatch.setattr(module, lambda style, *_: Choice(any_code(style)))

    def run(*words: object) -> Ended:
        return command("batch", *words, patch=monkeypatch, capfd=capfd)

    return run


def test_the_command_checks_paints_and_sums_up(
    studio: Studio, reelbrush: Callable[..., Ended]
) -> None:
    studio.write(ONE + TWO)
    dry = reelbrush(studio.file, "--dry-run")
    assert dry.code == 0
    assert "2 films: 2 ready" in dry.out
    assert sorted(path.name for path in studio.folder.iterdir()) == [
        "job.yaml",
        "one.mkv",
        "two.mkv",
    ]
    done = reelbrush(studio.file, "--backend", "inline")
    assert done.code == 0, done.err
    assert "2 films: 2 done; all about it in job.yaml.result.json" in done.out
    assert '"film": "two", "film_number": 2, "films": 2' in done.err
    again = reelbrush(studio.file, "--backend", "inline", "--json")
    assert [one["reason"] for one in json.loads(again.out)["films"]] == ["was there before"] * 2


def test_the_command_says_how_it_ended(studio: Studio, reelbrush: Callable[..., Ended]) -> None:
    studio.write(ONE + "- {source: gone.mkv}\n")
    some = reelbrush(studio.file, "--backend", "inline")
    assert some.code == 4
    assert some.said[0].startswith("reelbrush: 1 of 2 films are not painted: gone; see ")
    studio.write("- {sauce: one.mkv}\n")
    bad = reelbrush(studio.file)
    assert bad.code == 2
    assert "unknown key 'sauce'" in bad.err
    assert "Traceback" not in bad.err
    assert reelbrush().code == 2


def test_the_schema_is_printed(reelbrush: Callable[..., Ended]) -> None:
    printed = json.loads(reelbrush("--schema").out)
    assert printed["properties"]["schema"]["const"] == "reelbrush/v1"


def test_an_outcome_is_bad_if_there_is_no_film() -> None:
    one = Outcome("x", "x.mp4", "y.mp4", "adele", "done")
    assert not one.bad
    assert replace(one, status="failed").bad
