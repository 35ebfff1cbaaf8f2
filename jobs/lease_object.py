"""One coordinator at a time in a work folder on an object store.

The lease is one object. It is taken, renewed and taken over by puts that hold only in place of the
very content that was read before, so of two who try one is refused, whatever their clocks say. A
holder counts as dead when its lease was not renewed while somebody watched for three periods, or at
once when it was a process of this machine that is no more.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict

from actors import s3
from actors.objects import ObjectPath
from actors.s3 import Version
from jobs import lease
from jobs.lease import Holder, renewed
from pipeline.errors import BadRequest


class ObjectLease:
    """The lease of one folder."""

    def __init__(self, folder: ObjectPath) -> None:
        self._folder, self._spot = folder, (folder / "lease.json").spot
        self._token = uuid.uuid4().hex
        self._epoch = 0
        self._version: Version | None = None
        self._renewed = 0.0
        self._busy = threading.Lock()
        self._lost = threading.Event()

    @contextlib.contextmanager
    def held(self) -> Iterator[int]:
        """Hold the lease; gives the epoch.

        Raises:
            BadRequest: If someone else holds it.
            OSError: If the service does not answer.
        """
        self._take()
        with renewed(self._beat, give_back=lambda: self._renew(0.0)):
            yield self._epoch

    def check(self) -> None:
        """Make sure that the lease is still ours, by asking if it has not been renewed for long.

        Raises:
            BadRequest: If another machine has taken it over.
        """
        if time.monotonic() - self._renewed > lease.MISSED:
            with contextlib.suppress(OSError):
                self._renew(time.time())
        if self._lost.is_set():
            raise BadRequest(f"{self._folder} was taken over by another machine")

    def _take(self) -> None:
        known, version = self._read()
        if known is not None and known.time > 0 and not _dead(known):
            known, version = self._watched(known, version)
        self._epoch = known.epoch + 1 if known else 1
        now = time.monotonic()
        self._version = s3.put(
            self._spot, self._words(time.time()), new=version is None, over=version
        )
        if self._version is None:
            raise self._refused(self._read()[0])
        self._renewed = now

    def _watched(
        self, known: Holder, version: Version | None
    ) -> tuple[Holder | None, Version | None]:
        """What lies there once its holder has missed its renewals, or given it back.

        Raises:
            BadRequest: If the holder lives.
        """
        end = time.monotonic() + lease.MISSED
        while time.monotonic() < end:
            time.sleep(lease.PERIOD / 4)
            now, newer = self._read()
            if newer != version:
                if now is not None and now.time > 0:
                    raise self._refused(now)
                return now, newer
        return known, version

    def _refused(self, known: Holder | None) -> BadRequest:
        who = f"process {known.pid} on {known.host}" if known else "another process"
        return BadRequest(f"{self._folder} is being worked on by {who}")

    def _beat(self, done: threading.Event) -> None:
        while not done.wait(lease.PERIOD) and not self._lost.is_set():
            with contextlib.suppress(OSError):
                self._renew(time.time())

    def _renew(self, now: float) -> None:
        with self._busy:
            if self._lost.is_set():
                return
            began = time.monotonic()
            renewed = s3.put(self._spot, self._words(now), over=self._version)
            if renewed is None:
                self._lost.set()
            else:
                self._version, self._renewed = renewed, began

    def _read(self) -> tuple[Holder | None, Version | None]:
        try:
            content, version = s3.get(self._spot)
        except FileNotFoundError:
            return None, None
        try:
            words = json.loads(content)
            words.pop("token", None)
            return Holder(**words), version
        except (ValueError, TypeError, AttributeError):
            return None, version

    def _words(self, now: float) -> bytes:
        mine = Holder(self._epoch, os.getpid(), socket.gethostname(), now)
        return json.dumps({**asdict(mine), "token": self._token}).encode()


def _dead(known: Holder) -> bool:
    """Whether it was a process of this machine, and is no more."""
    if known.host != socket.gethostname():
        return False
    try:
        os.kill(known.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
