"""Every node of a cluster proves that it sees a batch's films and folders, before work begins.

A step may run on any node. One that does not see a film, or sees another one under its name, would
fail it late and again and again; here it is told of in a line, and nothing is painted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from actors.reach import Places, Reached
from actors.vitals import Tried, read_ends
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
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadRequest(f"cannot write {folder}: {error.strerror}") from None
            place, note = stack.enter_context(note_in(folder))
            if place is None or note is None or note.problem:
                raise BadRequest(f"cannot write {folder}: {note and note.problem}")
            notes[str(place)] = note
        stack.enter_context(running(Machines(address=machines.address), Needs(0, 0, 0), cores=1))
        from actors import visits

        places = visits.places()
        hosts = Counter(place.host for place in places)
        names = {one.node: node_of(one, alone=hosts[one.host] == 1).name for one in places}
        wishes = {node: Places((*films,), (*notes,), name) for node, name in names.items()}
        answers = visits.reach_all(wishes, seconds=seconds)
        alive = {place.node for place in visits.places()}
        here = {path: read_ends(path) for path in films}
        wrong = [
            f"{names[node]}: {problem}"
            for node, said in answers.items()
            if node in alive and (problem := _problem(names[node], said, here, notes))
        ]
    if wrong:
        of = f"{len(wrong)} of {len(answers)} nodes do not see what the batch needs"
        raise ClusterFailed("\n".join([f"{of}; nothing was painted", *wrong]))
    return len(answers)


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
        why = mine.problem or heard(Path(place), note.value, name)
        if why:
            found.append(f"cannot write {Path(place).parent} ({why})")
    return "; ".join(found)
