"""An S3 service on loopback, in a process of its own: moto's, one request after the other.

Real services decide between two writers of one name by themselves; moto would look first and write
then, so requests take turns here. The process ends with the one that started it, whatever becomes
of that. What lies in the bucket ``private`` is refused.
"""

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAMADEUP0123456789",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t/made+up/words",
}
PRIVATE = "private"
_REFUSED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@contextmanager
def serving() -> Iterator[str]:
    """Start a service and give its address; it has no bucket yet."""
    server = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **KEYS},
        text=True,
    )
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
    finally:
        server.communicate()  # closes its input, at which it ends


def environment(address: str) -> dict[str, str]:
    """What a program needs to reach the service."""
    return {
        **KEYS,
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def make_bucket(address: str, name: str) -> None:
    """Make a bucket, as an owner would."""
    asked = urllib.request.Request(f"{address}/{name}", method="PUT")
    urllib.request.urlopen(asked, timeout=60).close()


def _main() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    inner, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def app(asked: dict[str, Any], start: Any) -> list[bytes]:
        if asked["PATH_INFO"].startswith(f"/{PRIVATE}"):
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [_REFUSED]
        with turn:
            return list(inner(asked, start))

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            pass

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _main()
