"""Every node of a cluster proves that it sees a batch's films and folders, before work begins.

A step may run on any node. One that does not see a film, or sees another one under its name, would
fail it late and again and again; here it is told of in a line, and nothing is painted.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from actors.objects import ObjectPath, located
from actors.reach import Places, Reached, known
from actors.vitals import Tried
from jobs.doctor import heard, node_of, note_in
from jobs.engine import Machines, running
from pipeline.errors import BadRequest, ClusterFailed
from pipeline.forecast import Needs

_PATIENCE = 120.0
"""Seconds to wait for answers."""


def prove(
    machines: Machines,
    *,
    sources: Sequence[Path],
    folders: Sequence[Path],
    seconds: float = _PATIENCE,
) -> int:
    """Have every node read all films and write into all folders; gives how many nodes there are.

    Args:
        machines: a cluster.
        sources: films.
        folders: work folders' and results'; made if they are not there.
        seconds: to wait for answers.

    Raises:
        ClusterFailed: With a line for each node that cannot.
        BadRequest: If a folder cannot be written here.
    """
    films = {str(path.absolute()): path for path in sources}
    with ExitStack() as stack:
        notes: dict[str, Tried] = {}
        for folder in dict.fromkeys(one.absolute() for one in folders):
            place, note = _left(folder, stack)
            notes[str(place)] = note
        stack.enter_context(running(Machines(address=machines.address), Needs(0, 0, 0), cores=1))
        from actors import visits

        places = visits.places()
        hosts = Counter(place.host for place in places)
        names = {one.node: node_of(one, alone=hosts[one.host] == 1).name for one in places}
        wishes = {node: Places((*films,), (*notes,), name) for node, name in names.items()}
        answers = visits.reach_all(wishes, seconds=seconds)
        alive = {place.node for place in visits.places()}
        here = {path: known(path) for path in films}
        for left in notes:
            _swept(left, names.values(), stack)
        wrong = [
            f"{names[node]}: {problem}"
            for node, said in answers.items()
            if node in alive and (problem := _problem(names[node], said, here, notes))
        ]
    if wrong:
        of = f"{len(wrong)} of {len(answers)} nodes do not see what the batch needs"
        raise ClusterFailed("\n".join([f"{of}; nothing was painted", *wrong]))
    return len(answers)


def _left(folder: Path, stack: ExitStack) -> tuple[Path, Tried]:
    """Leave a note in a folder of its own, until the stack is closed."""
    if isinstance(folder, ObjectPath):
        place, note = folder / f"doctor-{secrets.token_hex(6)}", Tried(secrets.token_hex(16))
        try:
            (place / "note").write_text(note.value, "ascii")
        except OSError as error:
            raise BadRequest(f"cannot write {folder}: {error}") from None
        stack.callback(_gone, place / "note")
        return place, note
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f"cannot write {folder}: {error.strerror}") from None
    found, left = stack.enter_context(note_in(folder))
    if found is None or left is None or left.problem:
        raise BadRequest(f"cannot write {folder}: {left and left.problem}")
    return found, left


def _swept(place: str, names: Iterable[str], stack: ExitStack) -> None:
    """Have answers that are objects deleted in the end."""
    folder = located(place)
    if isinstance(folder, ObjectPath):
        for name in names:
            stack.callback(_gone, folder / name)


def _gone(place: Path) -> None:
    with suppress(OSError):
        place.unlink(missing_ok=True)


def _problem(
    name: str, said: Reached | str, here: Mapping[str, Tried], notes: Mapping[str, Tried]
) -> str:
    """Say in a line what a node cannot do; nothing if it can do all."""
    if isinstance(said, str):
        return said
    found = []
    unread = [
        (path, mine.problem or "another film there than here")
        for (path, own), mine in zip(here.items(), said.sources, strict=True)
        if mine.problem or mine.value != own.value
    ]
    if unread:
        path, why = unread[0]
        more = f", nor {len(unread) - 1} more films" if len(unread) > 1 else ""
        found.append(f"cannot read {path} ({why}){more}")
    for (place, note), mine in zip(notes.items(), said.folders, strict=True):
        why = mine.problem or heard(located(place), note.value, name)
        if why:
            found.append(f"cannot write {located(place).parent} ({why})")
    return "; ".join(found)
