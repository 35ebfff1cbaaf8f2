"""What lets one in, found where Ray finds it, and kept out of all that is said and written.

Credentials are a cluster's token, keys of an object store, and a user name and password in an
address. Nothing here keeps one: a token is read when it is needed, and goes into a header.
"""

import os
import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from pipeline.errors import BadRequest

SECRET = ("RAY_AUTH_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
"""Variables whose values nobody is shown."""
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_HIDDEN = "***"
_SHORT = 6
"""Characters: what is shorter is in any text."""


def token() -> str | None:
    """Find the token as Ray does: in a variable, in the file that one names, in ~/.ray/auth_token.

    Raises:
        BadRequest: If the file that a variable names cannot be read.
    """
    if os.environ.get("RAY_AUTH_MODE", "token").lower() == "disabled":
        return None
    if given := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return given
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        path = Path(named) if named else Path.home() / ".ray" / "auth_token"
        return path.read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        if named:
            why = getattr(error, "strerror", None) or "not text"
            raise BadRequest(f"RAY_AUTH_TOKEN_PATH: {named}: {why}") from None
        return None


def headers(address: str) -> dict[str, str]:
    """Make the headers that let one in at an address: the cluster's token, or what stands in it.

    A user name and password are for what stands before the cluster; the token then goes where
    Ray looks for it second.
    """
    found, user = token(), _USER.search(address)
    bearer = {} if found is None else {"Authorization": f"Bearer {found}"}
    if user is None:
        return bearer
    basic = {"Authorization": "Basic " + b64encode(unquote(user[0][:-1]).encode()).decode()}
    return basic | ({"X-Ray-Authorization": bearer["Authorization"]} if bearer else {})


def bare(text: str) -> str:
    """Leave out user names and passwords in addresses.

    >>> bare("http://ann:secret@head:8265 and s3://key:secret@films/a.mov")
    'http://head:8265 and s3://films/a.mov'
    """
    return _USER.sub("", text)


def lets_in(text: str) -> bool:
    """Whether a text has an address with a user name or password in it.

    >>> lets_in("s3://key:secret@films/a.mov"), lets_in("s3://films/a@2x.mov")
    (True, False)
    """
    return _USER.search(text) is not None


def covered(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Cover every credential that this process knows of in a text that is about to be shown.

    >>> covered("it says hunter22", {"RAY_AUTH_TOKEN": "hunter22"})
    'it says ***'
    """
    known = [environment.get(name, "") for name in SECRET]
    if environment is os.environ:
        with suppress(BadRequest):
            known.append(token() or "")
    for secret in known:
        if len(secret) >= _SHORT:
            text = text.replace(secret, _HIDDEN)
    return bare(text)
