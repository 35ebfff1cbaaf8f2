"""What travels to the workers of a cluster with a job: code, and variables of its environment."""

import json
import os
from pathlib import Path

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # else workers are wrapped in the driver's uv
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # no GPU for tasks that ask for none
    "OMP_NUM_THREADS": "1",
}
_ROOT = Path(__file__).parent.parent
_STAYS_HERE = [".git", ".venv", ".demo", "tests", "bench", "docs", "out", "runs", "*.work"]
"""Never shipped to a cluster; neither is what git ignores."""


def luggage() -> dict[str, object] | None:
    """Ray's runtime environment for who joins a cluster.

    None for a submitted job: it has brought its own along, and Ray refuses to be told twice.
    """
    brought = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR") or "{}")
    if (brought.get("runtime_env") or {}).get("working_dir"):
        return None
    return {"working_dir": str(_ROOT), "excludes": _STAYS_HERE, "env_vars": ENVIRONMENT}
