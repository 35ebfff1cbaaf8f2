"""A client of an S3 service, and what can go wrong with it in a line each.

Addresses, keys and regions come from where every S3 program takes them: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, a profile, or a machine's role. None of them is
ever named in an error.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.errors import BadRequest

SIDE_BY_SIDE = 4
"""Requests for parts of one object."""
_TRIES = 8
"""Of a request, up to 20 s apart: a service that is away for a moment ends no film."""
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an object is or will be."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@cache
def _client(_process: int) -> Any:
    """The client of this process."""
    try:
        import boto3
        from botocore.config import Config
    except ModuleNotFoundError:
        raise BadRequest("s3:// needs boto3: pip install 'boto3>=1.40'") from None
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    tries = int(os.environ.get("AWS_MAX_ATTEMPTS", _TRIES))
    config = Config(
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=4 * SIDE_BY_SIDE,
        retries={"mode": "standard", "total_max_attempts": tries},
        s3={"addressing_style": "path" if endpoint else "auto"},
    )
    region = region or ("us-east-1" if endpoint else None)
    return boto3.session.Session().client("s3", region_name=region, config=config)


def again() -> None:
    """Look anew for addresses and keys from now on."""
    with _making:
        _client.cache_clear()


@contextmanager
def asking(spot: Spot) -> Iterator[Any]:
    """Give the client; what the service or the way there does wrong is an ``OSError``."""
    with _making:
        client = _client(os.getpid())
    from botocore import exceptions

    try:
        yield client
    except exceptions.ClientError as error:
        raise _refusal(error.response, spot) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
        raise PermissionError(
            errno.EACCES, "no credentials for s3:// (AWS_ACCESS_KEY_ID, a profile or a role)"
        ) from None
    except (exceptions.BotoCoreError, exceptions.HTTPClientError) as error:
        kind = type(error).__name__
        raise ConnectionError(errno.EIO, f"the S3 service cannot be reached ({kind})") from None


def _refusal(answer: Any, spot: Spot) -> OSError:
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NoSuchBucket" or (status == 404 and not spot.key):
        return FileNotFoundError(errno.ENOENT, f"there is no bucket {spot.bucket}")
    if status == 404:
        return FileNotFoundError(errno.ENOENT, "no such object", str(spot))
    if status in (401, 403):
        return PermissionError(errno.EACCES, "the S3 service refuses these credentials", str(spot))
    if status == 409:
        return BlockingIOError(errno.EAGAIN, "is being written by another", str(spot))
    if status == 412:
        return FileExistsError(errno.EEXIST, "is another by now", str(spot))
    return OSError(errno.EIO, f"the S3 service answers {code or status}", str(spot))
