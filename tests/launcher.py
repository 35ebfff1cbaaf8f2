"""Files for Ray's launcher as its own code reads them: for tests of those that lie here.

Nothing here knows which file it is, and nothing is used outside the tests.
"""

import copy
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parent.parent
Cluster = dict[str, Any]


def read(name: str) -> Cluster:
    """A file of the repository as a person writes it."""
    found = yaml.safe_load((ROOT / name).read_text())
    assert isinstance(found, dict)
    return found


def prepared(cluster: Cluster, *, patch: pytest.MonkeyPatch) -> Cluster:
    """What ``ray up`` makes of a file before it reaches out; ``patch`` is undone by the caller.

    Raises:
        Exception: Of Ray's own, if it refuses the file.
    """
    from ray.autoscaler._private.util import prepare_config, validate_config

    patch.chdir(ROOT)
    made: Cluster = prepare_config(copy.deepcopy(cluster))
    validate_config(made)
    return made


def variables(command: str) -> dict[str, str]:
    """What a start command exports."""
    exported, _, _ = command.removeprefix("export ").partition(";")
    return dict(word.split("=", 1) for word in shlex.split(exported))
