"""A batch's folder for who cannot see it: read or written on the head, by a small job of its own.

The head sees the folder, for the batch that works in it runs there. The job takes no core, uses the
code that the cluster already has, and is taken off the list of jobs when it has answered.
"""

import json
import secrets
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from shlex import join
from typing import Literal, TypeAlias, cast

from jobs.attempts import Attempt
from jobs.control import WISHES, Control, Wish
from jobs.head import Head
from jobs.run_note import look
from pipeline.errors import ClusterFailed, FilmError

Errand: TypeAlias = Literal["look"] | Wish
_MARK = "reelbrush-folder "
_PATIENCE = 120.0
_TICK = 0.3
_ENDED = ("SUCCEEDED", "FAILED", "STOPPED", "")


def send(head: Head, attempt: Attempt, errand: Errand, *, python: str) -> Mapping[str, object]:
    """Have something asked of an attempt, or only looked at; gives what lies in its folder.

    Raises:
        ClusterFailed: If the job does not get through.
    """
    name = f"folder-{secrets.token_hex(6)}"
    words = [python, "-m", "jobs.folder_job", attempt.folder, attempt.run, errand]
    head.submit(
        name,
        join(words),
        parcel=attempt.parcel,
        variables={"OMP_NUM_THREADS": "1"},
        metadata={"reelbrush.for": attempt.id},
    )
    until = time.monotonic() + _PATIENCE
    while head.state(name) not in _ENDED:
        if time.monotonic() > until:
            head.stop(name)
            raise ClusterFailed(f"{head.address}: no answer about {attempt.id} in {_PATIENCE:g} s")
        time.sleep(_TICK)
    said = head.logs(name)
    head.forget(name)
    for line in reversed(said.splitlines()):
        if line.startswith(_MARK):
            return cast("Mapping[str, object]", json.loads(line.removeprefix(_MARK)))
    last = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
    raise ClusterFailed(f"{head.address}: {attempt.folder} cannot be asked: {last[-1].strip()}")


def main(folder: str, run: str, errand: str) -> None:
    """Do it, on the head."""
    wish = next((one for one in WISHES if one == errand), None)
    if wish is not None:
        Control(Path(folder), attempt=run).ask(wish)
    sys.stdout.write(f"{_MARK}{json.dumps(look(Path(folder)))}\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except FilmError as error:
        sys.exit(str(error))
