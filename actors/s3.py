"""Objects of an S3 service: the few requests that are made of it.

Whatever is written appears whole or not at all. What was put under a condition counts once, also
where the service's answer was lost and the request sent again.
"""

import errno
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.s3_client import SIDE_BY_SIDE, Spot, asking

_PART = 16 << 20
_PARTS = 10_000
"""Of one object, at most; so larger ones have larger parts."""
_AT_ONCE = 1000
"""Names in one request to delete."""
_BREAKS = 3
"""Broken connections in the middle of one range that are put up with."""
_CONFLICTS = 8
"""Tries of a put while the service is busy with another one of the same name."""


@dataclass(frozen=True, slots=True)
class Version:
    """One content of an object: another content has another tag."""

    etag: str
    bytes: int


def check_bucket(bucket: str) -> None:
    """Make sure that a bucket is there.

    Raises:
        OSError: If it is not, or may not be asked for.
    """
    with asking(Spot(bucket, "")) as client:
        client.head_bucket(Bucket=bucket)


def head(spot: Spot) -> Version | None:
    """What an object is now; None if there is none.

    Raises:
        OSError: If the service does not say.
    """
    try:
        with asking(spot) as client:
            answer = client.head_object(Bucket=spot.bucket, Key=spot.key)
    except FileNotFoundError:
        return None
    return Version(answer["ETag"], int(answer["ContentLength"]))


def get(spot: Spot) -> tuple[bytes, Version]:
    """Read a small object.

    Raises:
        FileNotFoundError: If there is none.
        OSError: If the service does not give it.
    """
    with asking(spot) as client:
        answer = client.get_object(Bucket=spot.bucket, Key=spot.key)
        content: bytes = answer["Body"].read()
    return content, Version(answer["ETag"], len(content))


def put(
    spot: Spot, content: bytes, *, new: bool = False, over: Version | None = None
) -> Version | None:
    """Write a small object whole; None if the condition does not hold.

    Args:
        spot: its name.
        content: all of it.
        new: only if there is none of that name.
        over: only in place of this content.

    Raises:
        OSError: If the service does not take it.
    """
    only = {"IfNoneMatch": "*"} if new else {"IfMatch": over.etag} if over else {}
    for wait in range(_CONFLICTS):
        try:
            with asking(spot) as client:
                answer = client.put_object(Bucket=spot.bucket, Key=spot.key, Body=content, **only)
            return Version(answer["ETag"], len(content))
        except BlockingIOError:
            time.sleep(0.05 * 2**wait)
        except (FileExistsError, FileNotFoundError):
            if not only:
                raise
            return _mine(spot, content)
    return None


def upload(spot: Spot, file: Path, *, new: bool = False) -> Version | None:
    """Write a file as an object, which appears whole; None if ``new`` and the name is taken.

    Raises:
        OSError: If the service does not take it.
    """
    size = file.stat().st_size
    if size <= _PART:
        return put(spot, file.read_bytes(), new=new)
    if new and head(spot) is not None:
        return None

    def sent(client: Any, upload: str, part: int, start: int, stop: int) -> str:
        with file.open("rb") as source:
            source.seek(start)
            body = source.read(stop - start)
        where = {"Bucket": spot.bucket, "Key": spot.key, "UploadId": upload, "PartNumber": part}
        etag: str = client.upload_part(**where, Body=body)["ETag"]
        return etag

    return _in_parts(spot, size, sent, new=new)


def copy(source: Spot, spot: Spot, version: Version, *, new: bool = False) -> bool:
    """Give an object another name too, without fetching it; False if ``new`` and it is taken.

    Raises:
        OSError: If the source is no longer that version, or the service does not do it.
    """
    known = {"Bucket": source.bucket, "Key": source.key}
    if not new and version.bytes <= _PART:
        with asking(spot) as client:
            names = {"Bucket": spot.bucket, "Key": spot.key, "CopySource": known}
            client.copy_object(**names, CopySourceIfMatch=version.etag)
        return True
    if version.bytes == 0:
        return put(spot, b"", new=new) is not None

    def sent(client: Any, upload: str, part: int, start: int, stop: int) -> str:
        where = {"Bucket": spot.bucket, "Key": spot.key, "UploadId": upload, "PartNumber": part}
        answer = client.upload_part_copy(
            **where,
            CopySource=known,
            CopySourceRange=f"bytes={start}-{stop - 1}",
            CopySourceIfMatch=version.etag,
        )
        etag: str = answer["CopyPartResult"]["ETag"]
        return etag

    return _in_parts(spot, version.bytes, sent, new=new) is not None


def fetch(spot: Spot, file: Path, version: Version) -> None:
    """Write an object's content to a file.

    Raises:
        FileNotFoundError: If there is no such object any more.
        FileExistsError: If it is another version by now.
        OSError: If the service does not give it, or the disk is full.
    """
    with file.open("wb") as target:
        target.truncate(version.bytes)

        def got(start: int) -> None:
            body = _range(spot, version, start, min(start + _PART, version.bytes))
            while body:
                done = os.pwrite(target.fileno(), body, start)
                body, start = body[done:], start + done

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for _ in pool.map(got, range(0, version.bytes, _PART)):
                pass


def listed(spot: Spot) -> dict[str, Version]:
    """List the objects whose keys begin with ``spot``'s, by keys.

    Raises:
        OSError: If the service does not say.
    """
    found = {}
    with asking(spot) as client:
        pages = client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=spot.bucket, Prefix=spot.key):
            for one in page.get("Contents", ()):
                found[str(one["Key"])] = Version(one["ETag"], int(one["Size"]))
    return found


def delete(bucket: str, keys: Sequence[str]) -> None:
    """Delete objects; those that are not there are no matter.

    Raises:
        OSError: If the service does not do it.
    """
    with asking(Spot(bucket, keys[0] if keys else "")) as client:
        for first in range(0, len(keys), _AT_ONCE):
            some = [{"Key": key} for key in keys[first : first + _AT_ONCE]]
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
            for refused in answer.get("Errors", ()):
                code, spot = refused.get("Code", ""), Spot(bucket, str(refused.get("Key", "")))
                raise PermissionError(errno.EACCES, f"cannot be deleted ({code})", str(spot))


def _range(spot: Spot, version: Version, start: int, stop: int) -> bytes:
    """Read bytes [start, stop); a connection that breaks in the middle is tried again."""
    where = {"Bucket": spot.bucket, "Key": spot.key, "IfMatch": version.etag}
    for left in range(_BREAKS, -1, -1):
        try:
            with asking(spot) as client:
                answer = client.get_object(**where, Range=f"bytes={start}-{stop - 1}")
                body: bytes = answer["Body"].read()
                return body
        except ConnectionError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _mine(spot: Spot, content: bytes) -> Version | None:
    """What lies there, if it is what was to be put: then only the answer had been lost."""
    with suppress(FileNotFoundError):
        found, version = get(spot)
        if found == content:
            return version
    return None


def _in_parts(spot: Spot, size: int, sent: Any, *, new: bool) -> Version | None:
    """Make an object of parts; it appears, if at all, when the last one is there."""
    part = max(_PART, -(-size // _PARTS))
    starts = range(0, size, part)
    name = {"Bucket": spot.bucket, "Key": spot.key}
    with asking(spot) as client:
        upload = client.create_multipart_upload(**name)["UploadId"]

        def one(number: int) -> dict[str, object]:
            start = starts[number - 1]
            with asking(spot):
                etag = sent(client, upload, number, start, min(start + part, size))
            return {"ETag": etag, "PartNumber": number}

        try:
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                parts = list(pool.map(one, range(1, len(starts) + 1)))
            only = {"IfNoneMatch": "*"} if new else {}
            with asking(spot):
                answer = client.complete_multipart_upload(
                    **name, UploadId=upload, MultipartUpload={"Parts": parts}, **only
                )
            return Version(answer["ETag"], size)
        except FileExistsError:
            _abort(client, name, upload)
            return None
        except BaseException:
            _abort(client, name, upload)
            raise


def _abort(client: Any, name: dict[str, str], upload: str) -> None:
    with suppress(OSError), asking(Spot(name["Bucket"], name["Key"])):
        client.abort_multipart_upload(**name, UploadId=upload)
