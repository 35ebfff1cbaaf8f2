"""The doctor: facts that are made up get the verdicts that a person would give."""

import json
import os
import socket
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actors import sources, vitals
from actors.vitals import PACKAGES, Room, Tried, Vitals, Wish, read_ends, reply, take
from jobs.cli import app
from jobs.diagnosis import Verdict, diagnose
from jobs.doctor import Examination, examine, locked
from jobs.doctor_cli import as_dict, rows
from jobs.nodes import Expected, Node

ROOT = Path(__file__).parent.parent
GIB = 2**30
LOCK = dict.fromkeys(PACKAGES, ("1.0",)) | {"numpy": ("1.0", "2.0")}
SOUND = Vitals(
    host="one",
    python="3.11.7",
    versions=dict.fromkeys(PACKAGES, "1.0"),
    digest="abc",
    memory=Room(60 * GIB, 64 * GIB),
    shm=Room(20 * GIB, 20 * GIB),
    disk=Room(90 * GIB, 100 * GIB),
    files=65536,
    auth="token",
    token=True,
    private=True,
    devices=1,
    visible=False,
    cuda=Tried("a GPU"),
    threads="1",
    encoders=Tried(),
    compiled=Tried("cache"),
    source=Tried("film"),
    work=Tried("note"),
)
EXPECTED = Expected(
    "3.11.9", "abc", lock=LOCK, cluster=True, source=Tried("film"), work=Tried("note")
)
HEAD = Node("head", replace(SOUND, devices=0, cuda=None), head=True, cores=0, store=9 * GIB)
WORKER = Node("one", SOUND, cores=8, gpus=1, store=9 * GIB, ahead=0.0)


def of(check: str, *nodes: Node, expected: Expected = EXPECTED) -> list[Verdict]:
    """The verdicts of one check."""
    return [verdict for verdict in diagnose(nodes, expected) if verdict.check == check]


def on(check: str, **facts: Any) -> Verdict:
    """The verdict of a check on a machine that is sound but for some facts."""
    (found,) = of(check, replace(WORKER, vitals=replace(SOUND, **facts)))
    return found


# -- facts to verdicts -----------------------------------------------------------------------------


def test_a_sound_cluster_passes_every_check() -> None:
    verdicts = diagnose([HEAD, WORKER], EXPECTED)
    assert {verdict.state for verdict in verdicts} == {"ok"}
    assert {verdict.do for verdict in verdicts} == {""}
    assert len({verdict.check for verdict in verdicts if verdict.node == "one"}) == 16


@pytest.mark.parametrize(
    ("check", "facts", "state"),
    [
        ("Python", {"python": "3.11.2"}, "ok"),
        ("Python", {"python": "3.12.7"}, "failed"),
        ("versions", {"versions": SOUND.versions | {"numpy": "2.0"}}, "ok"),
        ("versions", {"versions": SOUND.versions | {"torch": "1.0+cu130"}}, "ok"),
        ("versions", {"versions": SOUND.versions | {"av": "1.1"}}, "failed"),
        ("versions", {"versions": SOUND.versions | {"pyarrow": "1.1"}}, "warning"),
        ("versions", {"versions": SOUND.versions | {"ray": ""}}, "failed"),
        ("versions", {"versions": SOUND.versions | {"torch": ""}}, "failed"),
        ("sources", {"digest": "abd"}, "failed"),
        ("sources", {"digest": ""}, "failed"),
        ("memory", {"memory": Room(1 * GIB, 64 * GIB)}, "failed"),
        ("memory", {"memory": Room(8 * GIB, 64 * GIB)}, "warning"),
        ("/dev/shm", {"shm": Room(GIB // 16, GIB // 16)}, "warning"),
        ("disk", {"disk": Room(4 * GIB, 100 * GIB)}, "failed"),
        ("disk", {"disk": Room(14 * GIB, 100 * GIB)}, "warning"),
        ("token", {"auth": "disabled"}, "warning"),
        ("token", {"auth": ""}, "warning"),
        ("token", {"token": False}, "warning"),
        ("token", {"private": False}, "warning"),
        ("GPUs", {"devices": 0}, "failed"),
        ("GPUs", {"devices": 2}, "warning"),
        ("GPUs", {"visible": True}, "warning"),
        ("GPUs", {"cuda": Tried(problem="driver too old")}, "failed"),
        ("threads", {"threads": ""}, "warning"),
        ("threads", {"threads": "8"}, "warning"),
        ("open files", {"files": -1}, "ok"),
        ("open files", {"files": 1024}, "warning"),
        ("open files", {"files": 256}, "failed"),
        ("encoders", {"encoders": Tried("h264_nvenc hevc_nvenc")}, "ok"),
        ("encoders", {"encoders": Tried("libx265")}, "warning"),
        ("encoders", {"encoders": Tried("ffv1 libx265")}, "failed"),
        ("encoders", {"encoders": Tried(problem="No module named 'av'")}, "failed"),
        ("compiled loops", {"compiled": Tried(problem="no locator")}, "warning"),
        ("source", {"source": Tried("another")}, "failed"),
        ("source", {"source": Tried(problem="No such file or directory")}, "failed"),
        ("work folder", {"work": Tried("another")}, "failed"),
        ("work folder", {"work": Tried(problem="Read-only file system")}, "failed"),
    ],
)
def test_one_fact_out_of_order_is_found(check: str, facts: dict[str, Any], state: str) -> None:
    found = on(check, **facts)
    assert found.state == state
    assert (found.do == "") == (state == "ok")
    assert "\n" not in found.found + found.do
    every = diagnose([replace(WORKER, vitals=replace(SOUND, **facts))], EXPECTED)
    assert {verdict.state for verdict in every if verdict.check != check} == {"ok"}


def test_cpus_paint_without_torch() -> None:
    bare = replace(SOUND, versions=SOUND.versions | {"torch": ""}, devices=0, cuda=None)
    assert of("versions", replace(WORKER, vitals=bare, gpus=0))[0].state == "ok"
    assert of("versions", replace(WORKER, vitals=bare, gpus=1))[0].state == "failed"


def test_a_machine_that_does_not_answer_is_reported_and_the_others_are_checked() -> None:
    silent = Node("two", problem="no answer in 60 s", cores=8)
    verdicts = diagnose([WORKER, silent], EXPECTED)
    assert [v.check for v in verdicts if v.node == "two"] == ["answers"]
    assert [v.found for v in verdicts if v.state == "failed"] == ["no answer in 60 s"]


@pytest.mark.parametrize(
    ("ahead", "state"), [(0.4, "ok"), (-1.5, "warning"), (4.0, "failed"), (-4.0, "failed")]
)
def test_clocks_may_differ_by_a_second(ahead: float, state: str) -> None:
    (found,) = of("clock", replace(WORKER, ahead=ahead))
    assert found.state == state
    assert state == "ok" or ("ahead" in found.found) == (ahead > 0)


def test_what_a_machine_wrote_has_to_get_here() -> None:
    (found,) = of("work folder", replace(WORKER, heard="No such file or directory"))
    assert found.state == "failed"
    assert "does not get here" in found.found


def test_what_cannot_be_read_here_is_nobodys_elses_fault() -> None:
    lost = replace(EXPECTED, source=Tried(problem="No such file or directory"))
    (found,) = of("source", WORKER, expected=lost)
    assert found.found.startswith("not even here")


def test_a_head_that_paints_and_a_cluster_without_cores_are_told_of() -> None:
    assert of("head", replace(HEAD, cores=4), WORKER)[0].state == "warning"
    assert not of("head", replace(HEAD, cores=4))
    assert of("workers", HEAD)[0].state == "failed"


def test_one_machine_alone_is_not_held_to_what_clusters_need() -> None:
    alone = replace(SOUND, auth="", token=False, threads="", digest="", visible=True)
    verdicts = diagnose([Node("here", alone, cores=8)], replace(EXPECTED, cluster=False))
    assert {verdict.state for verdict in verdicts} == {"ok"}
    assert not {verdict.check for verdict in verdicts} & {"sources", "threads", "clock"}


# -- what is shown ---------------------------------------------------------------------------------


def test_machines_of_one_verdict_share_a_line_and_others_have_their_own() -> None:
    poor = replace(WORKER, name="two", vitals=replace(SOUND, files=256, python="3.11.5"))
    shown = rows(diagnose([HEAD, WORKER, poor], EXPECTED))
    assert ("Python", "ok", "all 3", "3.11.7; 3.11.5", "") in shown
    files = [row for row in shown if row[0] == "open files"]
    assert [row[1:4] for row in files] == [
        ("ok", "head, one", "up to 65536 open"),
        ("failed", "two", "at most 256 open"),
    ]


def test_json_says_all_and_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "sesame")
    found = examine(None, source=None, work=tmp_path, seconds=1)
    text = json.dumps(as_dict(found))
    assert "sesame" not in text
    assert json.loads(text)["machines"][0]["vitals"]["token"] is True
    assert list(tmp_path.iterdir()) == []


def test_the_command_ends_with_6_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("COLUMNS", "200")
    ran = CliRunner().invoke(app, ["doctor", "--address", f"127.0.0.1:{port}", "--json"])
    assert getattr(ran.exception, "exit_code", None) == 6
    (check,) = json.loads(ran.output)["checks"]
    assert (check["check"], check["state"]) == ("cluster", "failed")
    assert "nothing listens" in check["found"]


def test_the_command_says_what_to_do(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--source", str(tmp_path / "film.mkv")])
    assert getattr(ran.exception, "exit_code", None) == 6
    (line,) = [line for line in ran.output.splitlines() if line.startswith("source")]
    assert "failed" in line
    assert "give a film that is there" in line


# -- facts -----------------------------------------------------------------------------------------


def test_this_machine_is_examined_without_ray(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"film")
    found = examine(None, source=tmp_path / "film.mkv", work=tmp_path, seconds=1)
    assert isinstance(found, Examination)
    states = {verdict.check: verdict.state for verdict in found.verdicts}
    assert states["answers"] == states["source"] == states["work folder"] == "ok"
    assert states["encoders"] == states["versions"] == "ok"
    assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]


def test_a_note_is_read_and_answered_once(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("xyz")
    assert take(Wish(work=str(tmp_path), name="one")).work == Tried("xyz")
    assert (tmp_path / "one").read_text() == reply("xyz", "one")
    again = take(Wish(work=str(tmp_path), name="one")).work
    assert again is not None
    assert again.problem == "File exists"


def test_a_source_is_known_by_its_size_and_both_ends(tmp_path: Path) -> None:
    path, seen = tmp_path / "film.mkv", set()
    middle = 3 << 20
    for text in (b"a" + b"." * middle + b"b", b"a" + b"." * middle + b"c", b"ab", b""):
        path.write_bytes(text)
        assert read_ends(str(path)).problem == ""
        seen.add(read_ends(str(path)).value)
    assert len(seen) == 4
    assert read_ends(str(tmp_path / "none")).problem == "No such file or directory"


def test_a_token_counts_wherever_ray_would_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    assert vitals._token() == (False, True)
    file = tmp_path / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text("sesame")
    file.chmod(0o644)
    assert vitals._token() == (True, False)
    file.chmod(0o600)
    assert vitals._token() == (True, True)


def test_a_library_that_is_missing_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(vitals, "version", absent)
    monkeypatch.setattr("actors.sources.version", absent)
    sources.digest.cache_clear()
    found = take(Wish())
    sources.digest.cache_clear()
    assert set(found.versions.values()) == {""}
    assert found.digest == ""


def test_a_gpu_is_tried_in_a_process_that_may_see_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(
        vitals, "_CUDA", "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), 8)"
    )
    assert vitals._cuda() == Tried("None")
    monkeypatch.setattr(vitals, "_CUDA", "raise RuntimeError('driver too old')")
    assert vitals._cuda() == Tried(problem="RuntimeError: driver too old")


def test_the_lock_is_read_with_every_version_that_it_allows() -> None:
    found = locked(ROOT / "requirements.lock")
    assert set(PACKAGES) <= found.keys()
    assert len(found["numpy"]) == 2
    assert found["ray"][0].startswith("2.60.")
    assert locked(ROOT / "no.lock") == {}


def test_limits_of_a_container_are_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vitals, "_CONTAINER", tmp_path)
    whole = vitals._memory()
    (tmp_path / "memory.max").write_text(str(GIB // 4))
    (tmp_path / "memory.current").write_text(str(GIB // 8))
    assert vitals._memory() == Room(GIB // 8, GIB // 4)
    (tmp_path / "memory.max").write_text("max")
    assert vitals._memory().total == whole.total
    assert os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") == whole.total
