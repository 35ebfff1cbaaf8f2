"""Footprints: a made tree of processes holds what it was made to hold, and nobody is missed."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.footprint import Footprint, Member, Role, Sampler, Tree, check_linux, marked, measure
from jobs.footprint import role as role_of
from pipeline.errors import BadRequest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").is_file(), reason="only Linux tells what processes hold"
)
MIB = 1 << 20
SIZE = 100 * MIB


@contextmanager
def running(code: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Tree]]:
    """Run a program that says "ready" and waits for the end of its input, as do its children."""
    mark, environment = marked(os.environ)
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process, Tree(process.pid, mark=mark)
        assert process.stdin is not None
        process.stdin.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_process_holds_what_it_allocates() -> None:
    bare = "print('ready', flush=True); input()"
    with running(f"held = b'x' * {SIZE}; {bare}") as (_, much), running(bare) as (_, little):
        found, base = measure(much), measure(little)
    assert found.total - base.total == pytest.approx(SIZE, abs=4 * MIB)
    assert found.by_role()["driver"] == found.total
    assert found.plasma == 0


DETACHED = """
import os, subprocess, sys
inner = "held = b'x' * (100 << 20); print('ready', flush=True); input()"
middle = (
    "import subprocess, sys;"
    "subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
)
environment = os.environ if sys.argv[1] == "marked" else {}
reads, writes = os.pipe()
subprocess.run([sys.executable, "-c", middle, inner], env=environment, stdout=writes)
os.read(reads, 1)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_detached_grandchild_is_found_by_its_mark() -> None:
    with running(DETACHED, "marked") as (process, tree):
        found = measure(tree)
        assert len(found.members) == 2
        assert SIZE < found.total < 2 * SIZE
        assert {m.role for m in found.members if m.pid != process.pid} == {Role.OTHER}
    with running(DETACHED, "bare") as (process, tree):
        assert tree.members() == [process.pid]


def test_who_was_once_found_is_not_lost_when_its_parent_ends() -> None:
    code = """
    import os, signal, subprocess, sys
    middle = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])",
         sys.executable, "-c", "print('ready', flush=True); input()"],
        env={},
    )
    sys.stdin.readline()
    middle.kill()
    middle.wait()
    sys.stdin.read()
    """
    with running(code) as (process, tree):
        assert process.stdin is not None
        whole = tree.members()
        assert len(whole) == 3
        process.stdin.write("\n")
        process.stdin.flush()
        until(lambda: len(tree.members()) < 3)
        assert len(tree.members()) == 2


SHARED = """
import mmap, os, sys, tempfile
file = tempfile.TemporaryFile(dir="/dev/shm")
file.truncate(100 << 20)
block = mmap.mmap(file.fileno(), 0)
block[:] = bytes(len(block))
gate, told = os.pipe(), os.pipe()
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        sum(block[::4096])
        os.write(told[1], b'x')
        os.read(gate[0], 1)
        os._exit(0)
    os.read(told[0], 1)
print('ready', flush=True)
sys.stdin.read()
os.write(gate[1], b'xxx')
"""


@pytest.mark.parametrize("children", [0, 3])
def test_a_shared_mapping_counts_once_however_many_have_it(children: int) -> None:
    with running(SHARED, str(children)) as (_, tree):
        found = measure(tree)
    assert len(found.members) == 1 + children
    assert found.plasma == pytest.approx(SIZE, abs=MIB)
    assert found.files == pytest.approx(SIZE, abs=MIB)
    assert sum(m.shared for m in found.members) == pytest.approx(SIZE, abs=MIB)
    assert found.total - found.plasma < SIZE


def test_shared_memory_that_nobody_has_mapped_any_more_still_counts() -> None:
    code = """
    import os, sys, tempfile
    with tempfile.TemporaryFile(dir="/dev/shm") as file:
        file.write(bytes(100 << 20))
        file.flush()
        print('ready', flush=True)
        sys.stdin.read()
    """
    with running(code) as (_, tree):
        found = measure(tree)
    assert sum(m.shared for m in found.members) < MIB
    assert found.plasma == pytest.approx(SIZE, abs=MIB)


def test_shared_memory_without_a_file_counts_once() -> None:
    code = """
    import mmap, os, sys
    block = mmap.mmap(-1, 100 << 20)
    block[:] = bytes(len(block))
    gate, told = os.pipe(), os.pipe()
    if os.fork() == 0:
        block[:] = bytes(len(block))
        os.write(told[1], b'x')
        os.read(gate[0], 1)
        os._exit(0)
    os.read(told[0], 1)
    print('ready', flush=True)
    sys.stdin.read()
    os.write(gate[1], b'x')
    """
    with running(code) as (_, tree):
        found = measure(tree)
    assert found.files == 0
    assert found.plasma == pytest.approx(SIZE, abs=MIB)


def test_a_sampler_keeps_the_peak_that_has_gone() -> None:
    code = """
    import sys
    held = b'x' * (100 << 20)
    print('ready', flush=True)
    sys.stdin.readline()
    del held
    print('freed', flush=True)
    sys.stdin.read()
    """
    with running(code) as (process, tree):
        assert process.stdin is not None
        assert process.stdout is not None
        with Sampler(process.pid, mark="", interval=0.02) as sampler:
            until(lambda: sampler.peak.total > SIZE)
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            before = sampler.count
            until(lambda: sampler.count > before + 2)
        assert measure(tree).total < SIZE
    assert SIZE < sampler.peak.total < 2 * SIZE
    assert sampler.highest["driver"] >= SIZE
    assert sampler.spent > 0


def test_roles_add_up_to_the_total() -> None:
    members = (
        Member(1, Role.DRIVER, 10, 0),
        Member(2, Role.WORKER, 20, 3),
        Member(3, Role.WORKER, 30, 4),
    )
    found = Footprint(0.0, members, files=9)
    assert found.by_role()["worker"] == 50
    assert found.by_role()["plasma"] == 9
    assert sum(found.by_role().values()) == found.total == 69


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/venv/ray/core/src/ray/raylet/raylet --raylet_socket_name=x", Role.RAYLET),
        ("/venv/ray/core/src/ray/gcs/gcs_server --log_dir=x", Role.GCS),
        ("ray::IDLE", Role.WORKER),
        ("ray::Stylizer.paint", Role.WORKER),
        ("python /venv/ray/_private/workers/default_worker.py --node-ip-address=x", Role.WORKER),
        ("ray::RuntimeEnvAgent", Role.AGENTS),
        ("python -u /venv/ray/dashboard/agent.py", Role.AGENTS),
        ("ray-dashboard-NodeHead-0", Role.AGENTS),
        ("python -u /venv/ray/autoscaler/_private/monitor.py", Role.AGENTS),
        ("/bin/sh -c true", Role.OTHER),
    ],
)
def test_the_processes_of_ray_are_told_by_their_command(command: str, expected: Role) -> None:
    assert role_of(command) is expected


def test_without_smaps_rollup_it_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="only Linux"):
        check_linux(tmp_path)
