"""The same film on Ray: the plain loop's pixels, whoever is killed on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import cv2
import numpy as np
import psutil
import pytest

import painters
from actors import remote
from actors.stylizer import Moments, Painting
from films import Size, make_film, numbered, texture
from jobs import demand
from jobs.bench_runs import read_log, receipts, samples_digest
from jobs.engine import Machines
from jobs.footprint import Tree, marked
from jobs.given import Offer
from jobs.ledger import Receipt
from jobs.patience import Patience
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from painters import Washes
from pipeline.errors import ChunkFailed, CorruptFilm
from pipeline.media.color import Planes
from pipeline.media.container import read_film
from pipeline.recipe import Recipe

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parent.parent
TINY: Size = (96, 64)
RECIPE = Recipe(style="made", codec="ffv1", flicker_budget=6.0)
"""At this budget some chunks ask for more keys, and some do not."""
QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
CALM = Patience()
_SECONDS = 120.0
"""Within which anything ends; never waited for where all is well."""


# -- a painter that does what no painter should ----------------------------------------------------


class Trips(Washes):
    """Paints as ``Washes`` does; at one frame it falls: the first time, or each time."""

    def __init__(self, falls: "Falls") -> None:
        super().__init__()
        self._falls = falls

    def change(self, planes: Planes, moments: Moments, frame: int) -> Planes:
        """Note who paints; fall where that was asked for."""
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        (Path(self._falls.folder) / f"painter-{os.getpid()}").write_text(gpu)
        if frame == self._falls.at and self._falls.now():
            match self._falls.how:
                case "dies":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "sleeps":
                    time.sleep(3600)
                case "bug":
                    raise ValueError("paint was spilt")
                case "data":
                    raise CorruptFilm("frame of PTS 7 does not decode")
        return super().change(planes, moments, frame)


@dataclass(frozen=True)
class Falls:
    """Makes a painter that falls at a frame; -1 for one that never does."""

    folder: str
    at: int = -1
    how: str = ""
    always: bool = False

    def __call__(self) -> Painting:
        """Make the painter."""
        return Trips(self)

    def now(self) -> bool:
        """Whether this is the time to fall: among all processes, only one is told so."""
        try:
            os.close(os.open(Path(self.folder) / "fell", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return self.always
        return True


# -- the film, and what the plain loop makes of it -------------------------------------------------


@dataclass(frozen=True)
class Known:
    """A film as the plain loop painted it."""

    source: Path
    target: Path

    @property
    def made(self) -> list[Receipt]:
        """The receipts, by frames."""
        return receipts(work_of(self.target))


def work_of(target: Path) -> Path:
    """The work folder of a painted film."""
    return target.with_name(target.name + ".work")


def pieces(made: list[Receipt]) -> list[tuple[int, int, int, str, int]]:
    """What receipts say of pixels, and how many keys it took."""
    return [(r.chunk, r.start, r.stop, r.pixels, r.promoted) for r in made]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Shots of 140, 14 and 20 frames; the first stands still for 30 and makes two chunks."""
    folder = tmp_path_factory.mktemp("known")
    long = list(texture(110, TINY, (0.6, 0.3), seed=1))
    long = [*long[:60], *[long[60]] * 30, *long[60:]]
    shots = chain(long, texture(14, TINY, seed=2), texture(20, TINY, (2, 1), seed=3))
    source = make_film(folder / "film.mkv", numbered(shots), codec="ffv1")
    target = folder / "plain.mkv"
    stylize(Job(source, target, RECIPE, keep_work=True), progress=Silent(), hire=Washes)
    made = receipts(work_of(target))
    assert len(made) >= 3
    assert len([r for r in made if r.stop <= 140]) >= 2
    assert 0 < sum(r.promoted > 0 for r in made) < len(made)
    return Known(source, target)


def is_the_same(known: Known, target: Path) -> None:
    """Whether a film has the plain loop's pixels, frames and times, each chunk made once."""
    assert pieces(receipts(work_of(target))) == pieces(known.made)
    film, source = read_film(target), read_film(known.source)
    assert film.frames == source.frames
    assert film.time_base == source.time_base
    assert np.array_equal(film.pts, source.pts)
    assert samples_digest(film) == samples_digest(read_film(known.target))
    committed = [e["chunk"] for e in read_log(work_of(target)) if e["event"] == "committed"]
    assert sorted(committed) == [receipt.chunk for receipt in known.made]  # type: ignore[type-var]


def events(target: Path, name: str) -> list[dict[str, Any]]:
    """The log's events of one name."""
    return [e for e in read_log(work_of(target)) if e["event"] == name]


# -- a Ray of our own, and a cluster on this machine -----------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    """No token, here and in all that this process starts; all is as it was afterwards."""
    with patch.dict(os.environ, {"RAY_AUTH_MODE": "disabled"}):
        import ray

        config: Any = vars(ray._raylet)["Config"]
        config.initialize("")  # Ray reads its environment when it is imported
        by_value: Any = ray.cloudpickle.register_pickle_by_value
        for module in (painters, sys.modules[__name__]):
            by_value(module)
        yield
    config.initialize("")


class Cluster:
    """Two machines with a core and a GPU each, as far as Ray can tell, and one without."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Nodes

        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": QUICK}
        self._nodes: Any = Nodes(initialize_head=True, head_node_args=head)
        for _ in range(2):
            self._nodes.add_node(num_cpus=1, num_gpus=1, wait=False)
        self._nodes.wait_for_nodes()

    @property
    def address(self) -> str:
        """Where it listens."""
        return str(self._nodes.address)

    def raylets(self) -> list[int]:
        """Processes of the two machines' raylets that live."""
        pids = [n.all_processes["raylet"][0].process.pid for n in self._nodes.worker_nodes]
        return [pid for pid in pids if psutil.pid_exists(pid)]

    def workers(self, title: str) -> Iterator[tuple[int, psutil.Process]]:
        """Raylets, and a worker of theirs that is at a step."""
        for pid in self.raylets():
            try:
                for child in psutil.Process(pid).children():
                    if child.cmdline()[:1] and child.cmdline()[0].startswith(f"ray::{title}"):
                        yield pid, child
            except (psutil.Error, IndexError):
                continue  # ended meanwhile

    def close(self) -> None:
        """End it."""
        self._nodes.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Started once, for it takes long."""
    found = Cluster()
    yield found
    found.close()


@contextmanager
def watching(look: Callable[[], bool]) -> Iterator[None]:
    """Look again and again, on a thread, until it is true."""
    ended = threading.Event()

    def watch() -> None:
        while not (ended.is_set() or look()):
            ended.wait(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def paint(
    known: Known,
    target: Path,
    machines: Machines,
    hire: Callable[[], Painting] = Washes,
    *,
    patience: Patience = CALM,
) -> None:
    """Paint the film on Ray and keep its work folder."""
    job = Job(
        known.source,
        target,
        RECIPE,
        keep_work=True,
        backend="ray",
        machines=machines,
        patience=patience,
    )
    stylize(job, progress=Silent(), hire=hire)


# -- the same pixels -------------------------------------------------------------------------------


def test_one_worker_gives_the_pixels_of_the_plain_loop(known: Known, tmp_path: Path) -> None:
    paint(known, tmp_path / "film.mkv", Machines(workers=1, gpus=0))
    is_the_same(known, tmp_path / "film.mkv")
    assert events(tmp_path / "film.mkv", "lost") == []


def test_given_keys_reach_the_workers_by_the_work_folder(known: Known, tmp_path: Path) -> None:
    picture = tmp_path / "painted.png"
    cv2.imwrite(str(picture), np.full((TINY[1], TINY[0], 3), (40, 40, 180), np.uint8))
    given, made = (Offer("20", picture), Offer("75", picture)), []
    for name in ("ray", "inline"):
        target = tmp_path / f"{name}.mkv"
        job = Job(known.source, target, RECIPE, given=given, keep_work=True)
        if name == "ray":
            job = replace(job, backend="ray", machines=Machines(workers=1, gpus=0))
        stylize(job, progress=Silent(), hire=Washes)
        made.append(pieces(receipts(work_of(target))))
    assert made[0] == made[1] != pieces(known.made)


# -- whoever is killed -----------------------------------------------------------------------------


def test_a_worker_killed_in_a_chunk_and_a_stylizer_killed_at_a_key_cost_no_pixel(
    known: Known, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    hired = Mock(side_effect=remote.stylizer)
    monkeypatch.setattr(remote, "stylizer", hired)
    monkeypatch.setattr(demand, "stylizers", Mock(return_value=2))  # both, to the end
    target, killed, loaded = tmp_path / "film.mkv", list[int](), dict[int, bool]()

    def look() -> bool:
        for kind in ("decode", "fill"):
            for _, worker in cluster.workers(kind):
                maps = Path(f"/proc/{worker.pid}/maps").read_text()
                loaded[worker.pid] = loaded.get(worker.pid, False) or "libtorch" in maps
                if kind == "fill" and not killed:
                    worker.kill()
                    killed.append(worker.pid)
        return False

    with watching(look):
        falls = Falls(str(tmp_path), at=12, how="dies")
        paint(known, target, Machines(address=cluster.address), falls)
    is_the_same(known, target)
    assert killed
    assert (tmp_path / "fell").exists()
    lost = events(target, "lost")
    assert {event["class"] for event in lost} == {"machine"}
    assert {"fill", "paint"} <= {event["kind"] for event in lost}

    tasks = events(target, "task")
    introduced = [task for task in tasks if task["kind"] == "introduce"]
    assert len({task["node"] for task in introduced}) == 2
    painting = {"measure", "paint", "repaint"}
    painted = {task["pid"] for task in tasks if task["kind"] in painting}
    stylizers = painted | {task["pid"] for task in introduced}
    assert hired.call_count == 3, "the stylizer was not replaced"
    seen = {int(p.name.partition("-")[2]): p.read_text() for p in tmp_path.glob("painter-*")}
    assert seen.keys() <= stylizers, "a key was painted by none of the stylizers"
    assert all(seen.values()), "a stylizer saw no GPU"
    others = {task["pid"] for task in tasks if task["kind"] in ("sample", "decode", "fill")}
    assert not stylizers & others
    assert loaded.keys() & others
    assert not any(loaded.values()), "who decodes and fills has loaded torch"


def test_a_step_that_never_ends_is_given_up_and_done_again(
    known: Known, tmp_path: Path, cluster: Cluster
) -> None:
    target, falls = tmp_path / "film.mkv", Falls(str(tmp_path), at=140, how="sleeps")
    machines = Machines(address=cluster.address, gpus=0)
    paint(known, target, machines, falls, patience=Patience(first=8, least=5, times=3))
    is_the_same(known, target)
    assert "stuck" in {event["class"] for event in events(target, "lost")}


def test_a_machine_that_dies_costs_no_pixel(known: Known, tmp_path: Path, cluster: Cluster) -> None:
    import ray

    target, killed = tmp_path / "film.mkv", list[int]()

    def look() -> bool:
        for raylet, _ in cluster.workers("fill"):
            worker: Any = ray._private.worker.global_worker
            if (
                f"--raylet_socket_name={worker.node._raylet_socket_name}"
                in psutil.Process(raylet).cmdline()
            ):
                continue  # the driver's own
            os.kill(raylet, signal.SIGKILL)
            killed.append(raylet)
            return True
        return False

    with watching(look):
        paint(known, target, Machines(address=cluster.address), Falls(str(tmp_path)))
    is_the_same(known, target)
    assert killed
    assert events(target, "lost")


# -- what will not succeed -------------------------------------------------------------------------


def test_a_bug_ends_the_job_at_once_and_tells_how_to_see_it_again(
    known: Known, tmp_path: Path, cluster: Cluster
) -> None:
    target = tmp_path / "film.mkv"
    work, falls = work_of(target), Falls(str(tmp_path), at=12, how="bug", always=True)
    with pytest.raises(ChunkFailed, match="paint was spilt") as told:
        paint(known, target, Machines(address=cluster.address, gpus=0), falls)
    chunk = next(r.chunk for r in known.made if r.start <= 12 < r.stop)
    note = work / f"failed-{chunk}.txt"
    assert str(told.value).startswith(f"chunk {chunk} (frames ")
    assert f"(see {note}); see it again: reelbrush replay {work} {chunk}" in str(told.value)
    assert "in change" in note.read_text()
    assert [(e["class"], e["chunk"]) for e in events(target, "lost")] == [("bug", chunk)]
    assert not target.exists()


def test_a_damaged_film_is_tried_once_more_and_then_refused(
    known: Known, tmp_path: Path, cluster: Cluster
) -> None:
    target = tmp_path / "film.mkv"
    falls = Falls(str(tmp_path), at=12, how="data", always=True)
    with pytest.raises(CorruptFilm, match=r"^frame of PTS 7 does not decode$") as told:
        paint(known, target, Machines(address=cluster.address, gpus=0), falls)
    assert told.value.exit_code == 3
    assert [event["class"] for event in events(target, "lost")] == ["data", "data"]


# -- the command itself ----------------------------------------------------------------------------

DRIVER = """
import sys
from pathlib import Path
import cv2
cv2.setNumThreads(1)
from test_ray import Falls
from jobs.engine import Machines
from jobs.progress import Silent
from jobs.stylize import Job, stylize
from pipeline.recipe import Recipe
source, target, recipe, folder, at = sys.argv[1:]
job = Job(Path(source), Path(target), Recipe.model_validate_json(recipe), keep_work=True,
          backend="ray", machines=Machines(workers=2, gpus=0))
stylize(job, progress=Silent(), hire=Falls(folder, at=int(at), how="sleeps"))
"""
"""Paints; the first time that it comes to a frame, it stays there."""


@dataclass(frozen=True)
class Command:
    """A command in a process of its own, and all that it has started."""

    process: subprocess.Popen[str]
    tree: Tree

    def left(self, *, but: str = "") -> list[str]:
        """Who is still there some seconds after its end, without some."""
        end = time.monotonic() + 20
        while (left := self._titles(but)) and time.monotonic() < end:
            time.sleep(0.1)
        return left

    def _titles(self, but: str) -> list[str]:
        found = []
        for pid in self.tree.members():
            with suppress(psutil.Error):
                title = " ".join(psutil.Process(pid).cmdline()).strip()
                if not (but and title.endswith(but)):
                    found.append(title)
        return found


@contextmanager
def started(*words: str) -> Iterator[Command]:
    """Run Python with these words, as a person would: without what these tests have set."""
    mark, environment = marked({k: v for k, v in os.environ.items() if not k.startswith("RAY_")})
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # whoever starts the tests behind a shell has SIGINT ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    ) as process:
        command = Command(process, Tree(process.pid, mark=mark))
        try:
            yield command
        finally:
            for pid in command.tree.members():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def until(look: Callable[[], bool], command: Command) -> None:
    """Wait for something while a command runs."""
    end = time.monotonic() + _SECONDS
    while not look():
        assert command.process.poll() is None, command.process.communicate()
        assert time.monotonic() < end
        command.tree.members()  # whoever starts something and ends is still known
        time.sleep(0.02)


def test_a_killed_command_goes_on_and_makes_no_committed_chunk_again(
    known: Known, tmp_path: Path
) -> None:
    target = tmp_path / "film.mkv"
    last = known.made[-1]
    films = (str(known.source), str(target), RECIPE.model_dump_json())
    words = ("-c", DRIVER, *films, str(tmp_path), str(last.stop - 20))  # its last shot's first
    folder = work_of(target) / "receipts"
    with started(*words) as command:
        until((tmp_path / "fell").exists, command)
        until(lambda: len(receipts(work_of(target))) == len(known.made) - 1, command)
        command.process.kill()
        command.process.wait()
        before = {path: (path.stat().st_mtime_ns, path.read_text()) for path in folder.iterdir()}
        assert len(before) == len(known.made) - 1
        left = command.left(but="Agent")  # two of Ray's wait a minute for who is dead, then end
    assert left == []
    with started(*words) as command:
        assert command.process.wait(_SECONDS) == 0, command.process.communicate()
    is_the_same(known, target)
    after = {path: (path.stat().st_mtime_ns, path.read_text()) for path in folder.iterdir()}
    assert {path: after[path] for path in before} == before
    epochs = {json.loads(text)["epoch"] for _, text in after.values()}
    assert len(epochs) == 2


@pytest.mark.parametrize(
    ("how", "at"),
    [(signal.SIGINT, "decode"), (signal.SIGTERM, "begun")],
    ids=["interrupted-while-painting", "terminated-while-ray-starts"],
)
def test_an_interrupted_command_says_how_to_go_on_and_leaves_nobody_behind(
    known: Known, tmp_path: Path, how: signal.Signals, at: str
) -> None:
    target = tmp_path / "film.mkv"
    words = ["stylize", str(known.source), "-o", str(target), "--codec", "ffv1", "--workers", "2"]
    with started("-m", "jobs.cli", *words, "--backend", "ray", "--gpus", "0") as command:
        until(lambda: any(at in e.values() for e in read_log(work_of(target))), command)
        if at == "begun":
            until(lambda: len(command.tree.members()) > 1, command)
        command.process.send_signal(how)
        _, said = command.process.communicate(timeout=_SECONDS)
        left = command.left()
    assert said.splitlines()[-1:] == ["reelbrush: interrupted; the same command goes on from here"]
    assert "Traceback" not in said
    assert command.process.returncode == 130
    assert left == []
    assert not target.exists()
