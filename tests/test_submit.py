"""Submitting: a batch begins once, travels with its code, and can be asked from near and far."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

import pytest

import jobs.submit
from commands import command
from jobs import folder_job, follow, run_note, watch
from jobs.attempts import Attempt, State, attempt_of
from jobs.control import Control
from jobs.head import Head, read_address
from jobs.jobfile_read import read_job_file
from jobs.submit import asked, cancel, submit, visit
from pipeline.errors import BadRequest, BatchFailed, ClusterFailed

HEAD = "schema: reelbrush/v1\ndefaults: {style: adele}\nfilms:\n"


@dataclass
class FakeHead:
    """A head that keeps what it is sent, and begins nothing."""

    jobs: dict[str, Attempt] = field(default_factory=dict)
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    taken: int = 0
    """how many more submissions find their name used, by somebody else's attempt"""
    address: str = "http://head:8265"

    def attempts(self) -> list[Attempt]:
        """All of them."""
        return list(self.jobs.values())

    def attempt(self, job: str) -> Attempt:
        """One."""
        return self.jobs[job]

    def submit(self, job: str, entrypoint: str, **facts: Any) -> bool:
        """Keep it."""
        found = attempt_of(job, "PENDING", facts["metadata"])
        assert found is not None
        self.jobs[job] = found
        if self.taken:
            self.taken -= 1
            return False
        with ZipFile(facts["parcel"]) as parcel:
            names = parcel.namelist()
        self.sent.append({"job": job, "entrypoint": entrypoint, "names": names, **facts})
        return True

    def stop(self, job: str) -> None:
        """It stops at once."""
        self.stopped.append(job)
        self.becomes(job, "stopped")

    def becomes(self, job: str, state: State) -> None:
        """Something has become of an attempt."""
        self.jobs[job] = replace(self.jobs[job], state=state)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A job file that a cluster can read."""
    path = tmp_path / "night.yaml"
    path.write_text(
        HEAD + f"- {{source: /srv/one.mov}}\n- {{source: /srv/two.mov}}\nwork: {tmp_path}/w\n"
    )
    return path


def begin(head: FakeHead, path: Path, **options: Any) -> Any:
    """Submit a job file; what travels is not told of."""
    wanted = asked(path, names=options.pop("names", ()))
    return submit(cast("Head", head), wanted, tell=lambda _: None, **options)


def test_a_batch_is_sent_with_its_code_and_what_it_is(job: Path) -> None:
    head = FakeHead()
    done = begin(head, job, names=["one"])
    (sent,) = head.sent
    assert (done.fresh, done.over, done.attempt.films) == (True, False, 1)
    folder = f"{job.parent}/w/night.yaml.batch"
    assert sent["entrypoint"] == (
        f"python3 -m jobs.cli batch job/night.yaml --address auto --folder {folder} --result "
        f"{folder}/night.yaml.result.json --run {done.attempt.run} --only one"
    )
    assert {"job/night.yaml", "jobs/cli.py", "pipeline/weights/manifest.json"} <= {*sent["names"]}
    assert attempt_of(done.attempt.id, "PENDING", sent["metadata"]) == done.attempt
    assert set(sent["variables"]) == {
        "RAY_USAGE_STATS_ENABLED",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO",
        "OMP_NUM_THREADS",
    }


def test_submitted_again_it_is_attached_to_then_over_then_begun_anew(job: Path) -> None:
    head = FakeHead()
    first = begin(head, job).attempt
    again = begin(head, job)
    assert (again.attempt.id, again.fresh, again.over) == (first.id, False, False)
    head.becomes(first.id, "failed")
    second = begin(head, job)
    assert (second.fresh, second.attempt.number, second.last.id) == (True, 2, first.id)
    head.becomes(second.attempt.id, "done")
    over = begin(head, job)
    assert (over.attempt.id, over.over, len(head.sent)) == (second.attempt.id, True, 2)
    assert begin(head, job, again=True).attempt.number == 3


def test_who_comes_second_attaches_to_who_came_first(job: Path) -> None:
    head = FakeHead(taken=1)
    done = begin(head, job)
    assert (done.fresh, done.attempt.number, head.sent) == (False, 1, [])


def test_another_version_is_in_the_way_until_it_is_replaced(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.submit, "_TICK", 0.01)
    head = FakeHead()
    first = begin(head, job).attempt
    job.write_text(job.read_text() + "on_failure: stop\n")
    with pytest.raises(BadRequest, match=f"{first.id} works on another version"):
        begin(head, job)
    second = begin(head, job, replaced=True)
    assert (head.stopped, second.fresh, second.attempt.number) == ([first.id], True, 1)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("- {source: a.mov}\n", 4, "films[0].source: 'a.mov' is named from this file's folder"),
        ("- {source: ~/a.mov}\n", 4, "films[0].source: '~/a.mov' is named"),
        ("- {source: /a.mov, output: out/b.mov}\n", 4, "films[0].output: 'out/b.mov' is"),
        ("- {source: /a.mov, key: {12s: b.png}}\n", 4, "films[0].key.12s: 'b.png' is"),
        ("- {source: /a.mov, keys_from: keys}\n", 4, "films[0].keys_from: 'keys' is"),
        ("- {source: /a.mov, style: 'adele:1,b.jpg:2'}\n", 4, "films[0].style: 'b.jpg' is"),
        ("- {source: /a.mov}\nwork: w\n", 5, "work: 'w' is"),
        ("- {source: /a.mov}\nstyles: {x: {image: b.jpg}}\n", 5, "styles.x.image: 'b.jpg' is"),
        ("- {source: /a.mov}\nstyles: {x: {mix: {b/c: 1}}}\n", 5, "styles.x.mix.b/c: 'b/c' is"),
        ("- {source: /a.mov}\nstyles: {x: b.style}\n", 5, "styles.x: 'b.style' is"),
    ],
)
def test_what_the_cluster_cannot_find_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(HEAD + text)
    with pytest.raises(BadRequest) as caught:
        asked(path)
    assert f"night.yaml:{line}: {said}" in str(caught.value)


def test_styles_by_name_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(
        HEAD
        + "- {source: /a.mov, style: dusk}\n- {source: /b.mov, style: 'adele:0.7,newton:0.3'}\n"
        "styles: {wave: {gallery: great-wave}, dusk: {mix: {wave: 1, adele: 1}}, old: wave}\n"
    )
    assert asked(path).films == 2


def test_a_password_in_a_job_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(HEAD + "- {source: 's3://AKIA:hunter22@films/a.mov'}\n")
    with pytest.raises(BadRequest, match=r"films\[0\]\.source: s3://films/a.mov has a") as caught:
        asked(path)
    assert "hunter22" not in str(caught.value)


def test_memory_and_folders_that_mean_nothing_there_are_refused(job: Path) -> None:
    with pytest.raises(BadRequest, match="--folder: here is on the cluster"):
        asked(job, folder=Path("here"))
    job.write_text(job.read_text() + "machines: {memory: 4G}\n")
    with pytest.raises(BadRequest, match=r"machines\.memory is for a Ray of our own"):
        asked(job)


# -- asking ----------------------------------------------------------------------------------------


def begun(head: FakeHead, job: Path) -> Attempt:
    """An attempt that runs, as its run would leave its note."""
    attempt: Attempt = begin(head, job).attempt
    head.becomes(attempt.id, "running")
    run_note.begin(Path(attempt.folder), run=attempt.run, began="now", result=Path(attempt.result))
    return head.jobs[attempt.id]


def test_a_folder_that_is_seen_is_asked_directly(job: Path) -> None:
    head = FakeHead()
    attempt = begun(head, job)
    seen = visit(cast("Head", head), attempt, "pause", python="python3")
    assert cast("Any", seen["asked"])["wish"] == "pause"
    assert Control(Path(attempt.folder), attempt=attempt.run).wanted() == "pause"


def test_a_folder_of_the_same_name_that_is_anothers_is_asked_through_the_head(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = FakeHead()
    attempt = replace(begun(head, job), run="of another cluster")
    sent = []

    def send(*words: Any, python: str) -> dict[str, object]:
        sent.append((words[1].id, words[2], python))
        return {"asked": {}}

    monkeypatch.setattr(jobs.submit, "send", send)
    visit(cast("Head", head), attempt, "pause", python="python3")
    assert sent == [(attempt.id, "pause", "python3")]
    assert Control(Path(attempt.folder)).asked().wish == "run"


def test_the_job_on_the_head_writes_and_tells_what_lies_there(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt = begun(FakeHead(), job)
    Path(attempt.result).write_text('{"status": "running"}')
    folder_job.main(attempt.folder, attempt.run, "cancel")
    told = json.loads(capsys.readouterr().out.removeprefix("reelbrush-folder "))
    assert (told["asked"]["wish"], told["asked"]["of"]) == ("cancel", attempt.run)
    assert told["run"]["run"] == attempt.run
    assert told["result"] == {"status": "running"}
    assert told["standing"] is None


def test_cancelling_asks_first_and_stops_who_does_not_hear(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.submit, "_TICK", 0.01)
    head = FakeHead()
    attempt = begun(head, job)
    ended = cancel(cast("Head", head), attempt, patience=0.05, python="python3")
    assert (ended.state, head.stopped) == ("stopped", [attempt.id])
    assert Control(Path(attempt.folder), attempt=attempt.run).wanted() == "cancel"


def test_who_ends_when_asked_is_not_stopped(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.submit, "_TICK", 0.01)
    head = FakeHead()
    attempt = begun(head, job)

    def hears(name: str) -> Attempt:
        if Control(Path(attempt.folder), attempt=attempt.run).wanted() == "cancel":
            head.becomes(name, "failed")
        return head.jobs[name]

    monkeypatch.setattr(head, "attempt", hears)
    assert cancel(cast("Head", head), attempt, patience=60, python="python3").state == "failed"
    assert head.stopped == []


def test_the_latest_attempt_of_a_job_file_is_meant(job: Path) -> None:
    head = FakeHead()
    first = begin(head, job).attempt
    head.becomes(first.id, "failed")
    second = begin(head, job).attempt
    assert watch.meant(cast("Head", head), str(job)).id == second.id
    assert watch.meant(cast("Head", head), first.id).id == first.id
    job.write_text(job.read_text() + "# a remark\n")
    assert watch.meant(cast("Head", head), str(job)).id == second.id
    with pytest.raises(BadRequest, match="no such file"):
        watch.meant(cast("Head", head), "gone.yaml")


def test_a_batch_begun_by_hand_is_asked_by_its_job_file(tmp_path: Path) -> None:
    job = tmp_path / "night.yaml"
    job.write_text(HEAD + "- {source: a.mov}\n")
    assert watch.by_hand(str(job)) is None
    control = run_note.begin(
        tmp_path / "night.yaml.batch", run="", began="now", result=tmp_path / "r.json"
    )
    found = watch.by_hand(str(job))
    assert found is not None
    watch.ask_by_hand(found, "pause")
    assert control.wanted() == "pause"
    gone = replace(found, run=replace(found.run, pid=2**22 + 1))
    with pytest.raises(BadRequest, match="has ended"):
        watch.ask_by_hand(gone, "run")


# -- looking on ------------------------------------------------------------------------------------


class Broken(FakeHead):
    """A head whose log breaks off now and then, and is always told from its beginning."""

    def __init__(self, *tellings: str, attempt: Attempt) -> None:
        super().__init__({attempt.id: attempt})
        self.tellings = list(tellings)

    async def tail(self, job: str) -> AsyncIterator[str]:
        """What is told this time."""
        told = self.tellings.pop(0)
        for start in range(0, len(told), 3):
            yield told[start : start + 3]
        if self.tellings:
            raise ClusterFailed("the line is cut")
        self.becomes(job, "done")


def test_a_log_that_breaks_off_goes_on_where_it_stopped(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_AGAIN", 0.0)
    attempt = begin(FakeHead(), job).attempt
    head = Broken("one two", "one", "one two three", attempt=attempt)
    said: list[str] = []
    ended = follow.follow(cast("Head", head), attempt, said.append)
    assert ("".join(said), ended.state) == ("one two three", "done")


def test_who_is_silent_for_long_is_given_up(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_AGAIN", 0.0)
    monkeypatch.setattr(follow, "_SILENT", 0.0)
    attempt = begin(FakeHead(), job).attempt
    head = Broken("", "", "", "", attempt=attempt)
    with pytest.raises(ClusterFailed, match=f"the line is cut; .*logs {attempt.id} --follow"):
        follow.follow(cast("Head", head), attempt, lambda _: None)


def test_exit_codes_are_the_batchs_own(job: Path) -> None:
    one: Attempt = replace(begin(FakeHead(), job).attempt, state="failed")
    assert follow.raise_if_bad(replace(one, state="done")) == 0
    assert follow.raise_if_bad(replace(one, state="stopped")) == 130
    assert follow.raise_if_bad(replace(one, exit_code=130)) == 130
    assert follow.raise_if_bad(replace(one, exit_code=6)) == 6
    with pytest.raises(BatchFailed, match="some films are not painted"):
        follow.raise_if_bad(replace(one, exit_code=4))
    with pytest.raises(ClusterFailed, match="no such python; the same command begins the next"):
        follow.raise_if_bad(replace(one, message="Traceback\nno such python\n"))


# -- the address -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "auto", "ray://head:10001", "http://", "head:port"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="like http://HEAD:8265"):
        read_address(text)


def test_nobody_at_the_address_is_a_line_and_the_password_stays_out_of_it(
    job: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    address = "http://ann:hunter22@127.0.0.1:1"
    ended = command("submit", job, "--address", address, patch=monkeypatch, capfd=capfd)
    assert ended.code == 6
    (said,) = ended.said
    assert said.startswith("reelbrush: no dashboard at http://127.0.0.1:1: Connection refused")
    assert "hunter22" not in ended.out + ended.err


# -- objects ---------------------------------------------------------------------------------------


def test_films_in_an_object_store_are_named_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(
        HEAD + "- {source: s3://films/a.mov}\n- {source: s3://films/in/b.mov, "
        "output: 's3://films/out/{name}.{style}'}\nwork: /srv/w\n"
    )
    one, two = read_job_file(path, elsewhere=True).orders
    assert (str(one.source), str(one.target)) == ("s3://films/a.mov", "s3://films/a.painted.mp4")
    assert str(two.target) == "s3://films/out/b.adele.mp4"
    assert asked(path).folder == "/srv/w/night.yaml.batch"


def test_a_batch_without_a_folder_of_its_own_asks_for_one(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(HEAD + "- {source: s3://films/a.mov}\n")
    with pytest.raises(BadRequest, match="name one: --folder"):
        asked(path)
    assert asked(path, folder=Path("/home/films/x")).folder == "/home/films/x"
    path.write_text(HEAD + "- {source: 's3://films'}\n")
    with pytest.raises(
        BadRequest, match=r"night.yaml:4: films\[0\]\.source: .*name a bucket and an"
    ):
        asked(path)
