"""Vital signs to verdicts: what is out of order on a machine, and what to do about it.

A check takes the facts of one machine and what is expected of all, and finds in words; nothing is
asked of any machine here. *Failed* is what a job stops at or waits for; a *warning* is what makes
it slow, unsafe or likely to fail later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from actors.vitals import PACKAGES, Vitals
from jobs.nodes import Expected, Node

State: TypeAlias = Literal["ok", "warning", "failed"]

_LIBRARIES = ("av", "numba", "numpy", "opencv-python-headless", "openvino", "ray", "torch")
"""Whose versions have to be equal everywhere; of the others it is better."""
_WORKER = 1424 << 20
"""Bytes that a worker takes with a film of 1920x1080; what Ray itself takes comes on top."""
_RAY = 640 << 20
_SHM = 256 << 20
"""Bytes of shared memory that the smallest film is happy with."""
_FULL, _NEARLY = 0.05, 0.15
"""Shares of a disk left free: Ray writes nothing more from the first on."""
_FILES, _FEW = 4096, 1024
_SLOW, _WRONG = 1.0, 3.0
"""Seconds between clocks: a lease is given up after 6 without a sign of life."""
_ENCODERS = {"libx264": "h264", "ffv1": "ffv1"}
"""Of the default codec, and of what is kept along the way."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found on a machine."""

    check: str
    node: str
    state: State
    found: str
    do: str = ""
    """one line; empty where all is well"""


Finding: TypeAlias = tuple[State, str, str]
Check: TypeAlias = Callable[[Node, Vitals, Expected], Finding | None]
"""None where there is nothing to say."""


def diagnose(nodes: Sequence[Node], expected: Expected) -> tuple[Verdict, ...]:
    """Hold every machine to what is expected: verdicts by check, then by machine."""
    verdicts = [Verdict("answers", node.name, *_answers(node)) for node in nodes]
    for name, check in _CHECKS.items():
        for node in nodes:
            found = None if node.vitals is None else check(node, node.vitals, expected)
            if found is not None:
                verdicts.append(Verdict(name, node.name, *found))
    if expected.cluster:
        verdicts += _cluster(nodes)
    return tuple(verdicts)


def _fine(found: str) -> Finding:
    return "ok", found, ""


def _answers(node: Node) -> Finding:
    if node.vitals is None:
        return "failed", node.problem, "`ray stop` there takes it out; raylet.out there says more"
    return _fine("yes")


def _python(_: Node, vitals: Vitals, expected: Expected) -> Finding:
    if vitals.python.split(".")[:2] != expected.python.split(".")[:2]:
        said = f"{vitals.python}, here {expected.python}"
        return "failed", said, "set every machine up with the same minor version (one image)"
    return _fine(vitals.python)


def _versions(node: Node, vitals: Vitals, expected: Expected) -> Finding:
    wrong, missing = [], []
    for name in PACKAGES:
        here, locked = vitals.versions.get(name, ""), expected.lock.get(name, ())
        if name == "torch" and not here and not (node.gpus or vitals.devices):
            continue  # CPUs paint without
        if not here:
            missing.append(name)
        elif locked and here.partition("+")[0] not in locked:
            wrong.append(f"{name} {here}, locked {' or '.join(locked)}")
    if missing:
        return "failed", "missing: " + ", ".join(missing), "make .venv/ready there, or its image"
    if wrong:
        grave = any(said.split()[0] in _LIBRARIES for said in wrong)
        do = "install requirements.lock there (make .venv/ready), or use the image made of it"
        return "failed" if grave else "warning", "; ".join(wrong), do
    said = "as locked" if expected.lock else "no requirements.lock here to compare with"
    return _fine(f"ray {vitals.versions.get('ray', '')}, {said}")


def _sources(_: Node, vitals: Vitals, expected: Expected) -> Finding | None:
    if not expected.cluster:
        return None
    if vitals.digest != expected.digest:
        do = "equal libraries first; then start the job from the sources that you want to run"
        return "failed", "other code or media libraries than here: no job would start", do
    return _fine(f"the same ({expected.digest[:12]})")


def _memory(node: Node, vitals: Vitals, _: Expected) -> Finding:
    room = max(0, vitals.memory.free - _RAY) // _WORKER
    said = f"{_gib(vitals.memory.free)} of {_gib(vitals.memory.total)} free"
    if room < 1:
        return "failed", f"{said}: not enough for one worker", "free some, or take another machine"
    if room < node.cores:
        do = f"start Ray there with --num-cpus={room}, or paint smaller films"
        said += f": at 1080p enough for {room} of {node.cores} cores"
        return "warning", said, do if node.store else f"--workers {room} for films of 1080p"
    return _fine(said)


def _shm(node: Node, vitals: Vitals, _: Expected) -> Finding:
    size = vitals.shm.total
    if size < max(node.store, _SHM):
        wanted = max(node.store, _SHM)
        said = f"{_gib(size)}, the object store wants {_gib(wanted)}: it lies on disk"
        do = f"docker run --shm-size={-(-wanted >> 30)}g; on Kubernetes a memory emptyDir there"
        return "warning", said, do
    return _fine(f"{_gib(size)}, object store {_gib(node.store)}" if node.store else _gib(size))


def _disk(_: Node, vitals: Vitals, __: Expected) -> Finding:
    free, total = vitals.disk.free, vitals.disk.total
    said = f"{_gib(free)} of {_gib(total)} free where Ray spills"
    do = "clear it, or start Ray with --temp-dir on a larger disk"
    if free < _FULL * total:
        return "failed", said, do
    return ("warning", said, do) if free < _NEARLY * total else _fine(said)


def _token(_: Node, vitals: Vitals, expected: Expected) -> Finding:
    if not vitals.private:
        return "warning", "others may read the token's file", "chmod 600 ~/.ray/auth_token"
    if not expected.cluster:
        return _fine("this user has one" if vitals.token else "none; a cluster wants one")
    if vitals.auth != "token":
        do = "ray get-auth-token --generate, the file to all machines, RAY_AUTH_MODE=token, restart"
        return "warning", "off: whoever reaches the head runs code there", do
    if not vitals.token:
        do = "copy ~/.ray/auth_token from the head: Ray cannot start again there without"
        return "warning", "on, but this user has no token", do
    return _fine("on, and this user has one")


def _gpus(node: Node, vitals: Vitals, expected: Expected) -> Finding | None:
    if not node.gpus and not vitals.devices:
        return None
    if node.gpus > vitals.devices:
        said = f"Ray counts {node.gpus}, the machine shows {vitals.devices}"
        return "failed", said, "give the container its GPUs (--gpus all), or start Ray without"
    if vitals.cuda is not None and vitals.cuda.problem:
        do = "see nvidia-smi there: the driver has to know the CUDA of the locked torch"
        return "failed", f"torch does not compute: {vitals.cuda.problem}", do
    if expected.cluster and vitals.visible:
        do = "start Ray there with RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO=1"
        return "warning", "tasks that asked for no GPU see them", do
    name = vitals.cuda.value if vitals.cuda else ""
    if expected.cluster and node.gpus < vitals.devices:
        said = f"{vitals.devices} of them ({name}), Ray counts {node.gpus}"
        return "warning", said, "start Ray there without --num-gpus"
    return _fine(f"{vitals.devices}, {name}")


def _threads(node: Node, vitals: Vitals, expected: Expected) -> Finding | None:
    if not expected.cluster or not node.cores:
        return None
    if vitals.threads != "1":
        said = f"OMP_NUM_THREADS={vitals.threads}" if vitals.threads else "OMP_NUM_THREADS not set"
        return "warning", said, "start Ray there with OMP_NUM_THREADS=1: a task has one core"
    return _fine("one a task")


def _clock(node: Node, _: Vitals, expected: Expected) -> Finding | None:
    if not expected.cluster or node.ahead is None:
        return None
    said = f"{abs(node.ahead):.1f} s {'ahead' if node.ahead > 0 else 'behind'}"
    do = "run a time service there (chrony): leases and logs go by the clock"
    if abs(node.ahead) > _SLOW:
        return "failed" if abs(node.ahead) > _WRONG else "warning", said, do
    return _fine("within a second")


def _files(_: Node, vitals: Vitals, __: Expected) -> Finding:
    most = vitals.files
    if 0 <= most < _FILES:
        do = "ulimit -n 65536 before Ray starts (docker run --ulimit nofile=65536)"
        return "failed" if most < _FEW else "warning", f"at most {most} open", do
    return _fine("no limit" if most < 0 else f"up to {most} open")


def _encoders(_: Node, vitals: Vitals, __: Expected) -> Finding:
    do = "install PyAV as locked (make .venv/ready); a system's FFmpeg is not used"
    if vitals.encoders.problem:
        return "failed", vitals.encoders.problem, do
    missing = [name for name in vitals.encoders.value.split() if not name.endswith("_nvenc")]
    if missing:
        grave = any(name in _ENCODERS for name in missing)
        return "failed" if grave else "warning", "missing: " + ", ".join(missing), do
    return _fine("all")


def _compiled(_: Node, vitals: Vitals, __: Expected) -> Finding:
    if vitals.compiled.problem:
        do = "let the user write to its ~/.cache, or set NUMBA_CACHE_DIR: workers start slowly"
        return "warning", f"nothing is kept: {vitals.compiled.problem}", do
    return _fine("kept")


def _source(_: Node, vitals: Vitals, expected: Expected) -> Finding | None:
    if expected.source is None or vitals.source is None:
        return None
    do = "mount the shared folder there under the same path, readable for Ray's user"
    if expected.source.problem:
        return "failed", f"not even here: {expected.source.problem}", "give a film that is there"
    if vitals.source.problem:
        return "failed", vitals.source.problem, do
    if vitals.source.value != expected.source.value:
        return "failed", "another file than here", do
    return _fine("read, the same file")


def _work(node: Node, vitals: Vitals, expected: Expected) -> Finding | None:
    if expected.work is None or vitals.work is None:
        return None
    do = "mount the shared folder there under the same path, writable for Ray's user"
    if expected.work.problem:
        return "failed", f"not even here: {expected.work.problem}", "give a folder to write in"
    if vitals.work.problem:
        return "failed", vitals.work.problem, do
    if vitals.work.value != expected.work.value:
        return "failed", "another folder than here", do
    if node.heard:
        return "failed", f"what it wrote does not get here: {node.heard}", do
    return _fine("read and written both ways")


_CHECKS: dict[str, Check] = {
    "Python": _python,
    "versions": _versions,
    "sources": _sources,
    "memory": _memory,
    "/dev/shm": _shm,
    "disk": _disk,
    "token": _token,
    "GPUs": _gpus,
    "threads": _threads,
    "clock": _clock,
    "open files": _files,
    "encoders": _encoders,
    "compiled loops": _compiled,
    "source": _source,
    "work folder": _work,
}


def _cluster(nodes: Sequence[Node]) -> list[Verdict]:
    """What concerns the machines together."""
    found = []
    if not any(node.cores for node in nodes):
        do = "start a worker (ray start --address=HEAD:6379), or see why none was launched"
        found.append(Verdict("workers", "all", "failed", "no machine has cores to work with", do))
    for node in nodes:
        if node.head and node.cores and len(nodes) > 1:
            do = "start the head with --num-cpus=0 --num-gpus=0: with it the job is lost"
            found.append(Verdict("head", node.name, "warning", "it paints too", do))
    return found


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
