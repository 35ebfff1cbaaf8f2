"""Which token a Ray asks for: our own one of this process, a cluster the one that it was given.

Ray reads once in a process whether there are tokens, and which, and keeps that from one Ray to the
next. It would ask the second for the token of the first: a cluster without one could then say
nothing to this process, would take it for dead, and end its stylizers before they begin ("all
references to the actor were removed"). So Ray is made to read both anew.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Any

_OURS = secrets.token_hex(32)


def choose(*, local: bool) -> None:
    """Set what the next Ray reads; what a person has set stays.

    Args:
        local: whether it is our own: it listens to nobody who does not know a secret.
    """
    if "RAY_AUTH_MODE" in os.environ:
        return
    if local:
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=_OURS)
    elif (Path.home() / ".ray" / "auth_token").is_file():
        os.environ["RAY_AUTH_MODE"] = "token"  # a HOST:PORT does not turn it on by itself
    _read_anew()


def forget() -> None:
    """Take our own secret back, and have the next Ray of this process read what is set by then."""
    if os.environ.get("RAY_AUTH_TOKEN") == _OURS:
        del os.environ["RAY_AUTH_TOKEN"], os.environ["RAY_AUTH_MODE"]
    _read_anew()


def _read_anew() -> None:
    if "ray" not in sys.modules:
        return  # it reads when it is imported
    import ray

    private: dict[str, Any] = vars(ray._raylet)
    private["Config"].initialize("")
    private["AuthenticationTokenLoader"].instance().reset_cache()
