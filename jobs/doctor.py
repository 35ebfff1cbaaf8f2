"""This machine, or every machine of a cluster, to its vital signs and what is wrong with them.

On a cluster one small task a node looks around there. It needs no core, so a busy node answers,
too, and a node that does not answer is reported and not waited for.
"""

import platform
import re
import secrets
import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from actors import sources
from actors.vitals import Tried, Vitals, Wish, read_ends, reply, take
from jobs.diagnosis import Verdict, diagnose
from jobs.engine import Machines, cores, running
from jobs.nodes import Expected, Node
from pipeline.errors import ClusterFailed
from pipeline.forecast import Needs

if TYPE_CHECKING:
    from actors.visits import Place

_ROOT = Path(__file__).parent.parent
_LOCKED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)
_KNOCK = 5.0
"""Seconds to wait for a head to take a connection."""
_ROUNDS = 3
"""Readings of a clock; the one that took least is believed."""
_TICK = 5.0
"""Seconds to wait for one."""
_SPREAD = 5.0
"""Seconds that a shared folder may take to show here what was written there."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found."""

    address: str | None
    nodes: tuple[Node, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> int:
        """How many checks did."""
        return sum(verdict.state == "failed" for verdict in self.verdicts)


def examine(
    address: str | None, *, source: Path | None, work: Path | None, seconds: float
) -> Examination:
    """Look at all machines of a cluster, or at this one alone, without starting Ray.

    Args:
        address: ``auto`` or HOST:PORT; None for this machine.
        source: a film that every machine is to read.
        work: a folder in which every machine is to write; left as it was.
        seconds: to wait for answers.
    """
    with note_in(work) as (folder, note):
        wish = Wish(
            source=None if source is None else str(source.absolute()),
            work=None if folder is None else str(folder),
        )
        expected = Expected(
            platform.python_version(),
            sources.digest(),
            lock=locked(_ROOT / "requirements.lock"),
            cluster=address is not None,
            source=None if wish.source is None else read_ends(wish.source),
            work=note,
        )
        try:
            nodes = [_this(wish)] if address is None else _visited(address, wish, seconds)
        except ClusterFailed as failed:
            return Examination(address, (), (_unreachable(address, failed),))
        if folder is not None and note is not None:
            nodes = [replace(node, heard=_heard(folder, note.value, node)) for node in nodes]
    return Examination(address, tuple(nodes), diagnose(nodes, expected))


def locked(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Read the versions of a lock file, one or more a package; none if there is no file."""
    found: dict[str, tuple[str, ...]] = {}
    with suppress(OSError):
        for name, version in _LOCKED.findall(path.read_text("utf-8")):
            found[name] = (*found.get(name, ()), version)
    return found


def _unreachable(address: str | None, failed: ClusterFailed) -> Verdict:
    do = "look at `ray status` on the head; give its HOST:PORT (6379), run this on one of its nodes"
    if "oken" in str(failed) or "uthenticat" in str(failed):
        do = "copy ~/.ray/auth_token from the head, and set RAY_AUTH_MODE=token"
    return Verdict("cluster", str(address), "failed", str(failed), do)


@contextmanager
def note_in(work: Path | None) -> Iterator[tuple[Path | None, Tried | None]]:
    """Leave a note in a folder of its own, and take both away again."""
    if work is None:
        yield None, None
        return
    folder = work.absolute() / f"doctor-{secrets.token_hex(6)}"
    note = Tried(secrets.token_hex(16))
    try:
        folder.mkdir()
        (folder / "note").write_text(note.value, "ascii")
    except OSError as error:
        note = Tried(problem=error.strerror or str(error))
    try:
        yield folder, note
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _heard(folder: Path, note: str, node: Node) -> str:
    """Read a machine's answer, if it gave one; the problem in a line, or nothing."""
    if node.vitals is None or node.vitals.work is None or node.vitals.work.problem:
        return ""
    return heard(folder, note, node.name)


def heard(folder: Path, note: str, name: str) -> str:
    """Read the answer that a machine of that name left; the problem in a line, or nothing."""
    began = time.monotonic()
    while True:
        try:
            answer = (folder / name).read_text("ascii")
        except OSError as error:
            if time.monotonic() - began > _SPREAD:
                return error.strerror or str(error)
            time.sleep(0.1)
        else:
            return "" if answer == reply(note, name) else "it is not what was written"


def _this(wish: Wish) -> Node:
    vitals = take(replace(wish, name="here"))
    return Node("here", vitals, head=True, cores=cores(), gpus=vitals.devices)


def _visited(address: str, wish: Wish, seconds: float) -> list[Node]:
    """Visit every machine that Ray believes to be alive.

    Raises:
        ClusterFailed: If there is no cluster.
    """
    _knock(address)
    with running(Machines(address=address), Needs(0, 0, 0), cores=1):
        from actors import visits

        places = visits.places()
        hosts = Counter(place.host for place in places)
        found = {place.node: node_of(place, alone=hosts[place.host] == 1) for place in places}
        wishes = {
            place.node: replace(wish, name=found[place.node].name, folder=place.folder)
            for place in places
        }
        seen = visits.round_trip(wishes, seconds=seconds, rounds=_ROUNDS, tick=_TICK)
    return [_told(node, *seen[key]) for key, node in found.items()]


def node_of(place: "Place", *, alone: bool) -> Node:
    """Name a node for people: by its host, if that is enough."""
    name = place.host if alone else f"{place.host}-{place.node[:6]}"
    return Node(name, head=place.head, cores=place.cores, gpus=place.gpus, store=place.store)


def _told(node: Node, answer: Vitals | str, ahead: float | None) -> Node:
    if isinstance(answer, str):
        return replace(node, problem=answer)
    return replace(node, vitals=answer, ahead=ahead)


def _knock(address: str) -> None:
    """See that somebody listens: Ray itself waits long for a head that is gone."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():  # auto
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()
    except OSError as error:
        raise ClusterFailed(f"nothing listens at {address}: {error.strerror or error}") from error
