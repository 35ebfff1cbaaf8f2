"""The head of a cluster, asked through its dashboard: its jobs, their logs, new ones.

This is the only place that knows Ray's client for jobs. What goes wrong is a line that says what to
do, without a credential in it. The address that a person gave counts, whatever RAY_ADDRESS says.
"""

import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from jobs.attempts import Attempt, attempt_of
from jobs.credentials import bare, covered, headers, token
from pipeline.errors import BadRequest, ClusterFailed

if TYPE_CHECKING:
    from ray.dashboard.modules.job.pydantic_models import JobDetails

USUAL = "http://127.0.0.1:8265"
VARIABLE = "RAY_API_SERVER_ADDRESS"
"""In which Ray's own commands look for an address, too."""
_KNOCK = 5.0
"""Seconds to wait for a head to take a connection."""
_WARM = 60.0
"""Seconds that a head that has just been started may take until it begins jobs."""
_TICK = 1.0
_PORTS = {"http": 80, "https": 443}


def read_address(text: str) -> str:
    """Read the address of a dashboard.

    Raises:
        BadRequest: If it is none.

    >>> read_address("head:8265")
    'http://head:8265'
    """
    address = text if "://" in text else f"http://{text}"
    try:
        found = urlsplit(address)
        _, known = found.port, found.hostname
    except ValueError:
        known = None
    if not known or found.scheme not in _PORTS or known == "auto":
        raise BadRequest(
            f"--address: the head's dashboard, like http://HEAD:8265, got {bare(text)!r}"
        )
    return address.rstrip("/")


class Head:
    """A cluster's head."""

    def __init__(self, address: str) -> None:
        """Reach it.

        Args:
            address: of its dashboard, as ``read_address`` gives it.

        Raises:
            ClusterFailed: If it does not answer or does not let us in.
        """
        self.address = bare(address)
        """as it may be shown"""
        _knock(self.address)
        os.environ[VARIABLE] = self.address  # else Ray prefers RAY_ADDRESS to what it is told
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.job_submission import JobSubmissionClient

        for name in ("dashboard_sdk", "job.sdk"):
            logging.getLogger(f"ray.dashboard.modules.{name}").setLevel(logging.ERROR)
        with self._asked():
            self._client = JobSubmissionClient(self.address, headers=headers(address))

    def attempts(self) -> list[Attempt]:
        """All attempts at batches that this cluster remembers, the earliest first."""
        with self._asked():
            jobs = self._client.list_jobs()
        found = [one for one in map(_attempt, jobs) if one is not None]
        return sorted(found, key=lambda one: one.began or 0.0)

    def attempt(self, job: str) -> Attempt:
        """One attempt, as it is now.

        Raises:
            BadRequest: If there is no job of that name, or it is none of ours.
        """
        found = self._details(job)
        ours = None if found is None else _attempt(found)
        if ours is None:
            what = "no job" if found is None else "a job, but no batch of reelbrush,"
            raise BadRequest(f"{what} is called {job!r} at {self.address}; see reelbrush status")
        return ours

    def state(self, job: str) -> str:
        """Ray's word for how a job is, ours or not; empty if there is none."""
        found = self._details(job)
        return "" if found is None else str(found.status.value)

    def submit(
        self,
        job: str,
        entrypoint: str,
        *,
        parcel: Path | str,
        variables: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> bool:
        """Have a command run on the head, without a core of its own.

        Args:
            job: its name; False is given, and nothing begun, if there has been one of it.
            entrypoint: what to run, for a shell.
            parcel: the code that it runs in: a file, or where the cluster has it already.
            variables: of its environment, and of its workers'.
            metadata: what Ray keeps with it.
        """
        until = time.monotonic() + _WARM
        while True:
            try:
                with self._asked():
                    self._client.submit_job(
                        entrypoint=entrypoint,
                        submission_id=job,
                        runtime_env={"working_dir": str(parcel), "env_vars": dict(variables)},
                        metadata=dict(metadata),
                        entrypoint_num_cpus=0,
                    )
            except ClusterFailed as error:
                if f"{job} already exists" in str(error):
                    return False
                if "No available agent" not in str(error):
                    raise
                if time.monotonic() > until:
                    raise ClusterFailed(
                        f"{self.address}: the head takes no jobs; dashboard_agent.log there says "
                        "why (its port, 52365 by default, may be another's)"
                    ) from None
                time.sleep(_TICK)
            else:
                return True

    def stop(self, job: str) -> None:
        """End a job: SIGTERM, and three seconds later SIGKILL."""
        with self._asked():
            self._client.stop_job(job)

    def forget(self, job: str) -> None:
        """Take a job that has ended off the list."""
        with self._asked():
            self._client.delete_job(job)

    def logs(self, job: str) -> str:
        """What a job has printed so far."""
        with self._asked():
            return covered(str(self._client.get_job_logs(job)))

    async def tail(self, job: str) -> AsyncIterator[str]:
        """What a job has printed from its beginning on, and goes on to print until it ends."""
        with self._asked():
            async for text in self._client.tail_job_logs(job):
                yield text

    def _details(self, job: str) -> "JobDetails | None":
        try:
            with self._asked():
                return self._client.get_job_info(job)
        except ClusterFailed as error:
            if "does not exist" in str(error):
                return None
            raise

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Turn what Ray's client raises into a line."""
        from aiohttp import ClientError
        from ray.exceptions import AuthenticationError
        from requests import RequestException

        try:
            yield
        except AuthenticationError as error:
            raise ClusterFailed(self._refused(str(error))) from None
        except (RequestException, ConnectionError, ClientError, OSError) as error:
            why = type(error).__name__
            raise ClusterFailed(f"the dashboard at {self.address} does not answer: {why}") from None
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip(" .")]
            said = covered(lines[-1] if lines else type(error).__name__)
            raise ClusterFailed(f"{self.address}: {said}") from None

    def _refused(self, said: str) -> str:
        do = (
            "copy ~/.ray/auth_token from the head to here (`ray get-auth-token` there prints it), "
            "or name its copy in RAY_AUTH_TOKEN_PATH"
        )
        if "Authentication required" in said or token() is None:
            return f"{self.address} lets in who has its token, and there is none here: {do}"
        return f"{self.address} does not take the token that is here: {do}"


def _attempt(job: "JobDetails") -> Attempt | None:
    found = attempt_of(job.submission_id or "", str(job.status.value), job.metadata or {})
    if found is None:
        return None
    environment = cast("Mapping[str, object]", job.runtime_env or {})
    return replace(
        found,
        began=None if job.start_time is None else job.start_time / 1000,
        ended=None if not job.end_time else job.end_time / 1000,
        exit_code=job.driver_exit_code,
        message=covered(job.message or ""),
        parcel=str(environment.get("working_dir", "")),
    )


def _knock(address: str) -> None:
    """See that somebody listens; Ray's client would wait for ever for a machine that is silent."""
    found = urlsplit(address)
    place = found.hostname or "", found.port or _PORTS[found.scheme]
    try:
        socket.create_connection(place, timeout=_KNOCK).close()
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise ClusterFailed(
            f"no dashboard at {address}: {why}; give the head's, port 8265 (from outside by "
            "`ray dashboard cluster.yaml` or ssh -L 8265:localhost:8265 HEAD)"
        ) from None
