"""A headless Chromium that tests look at pages with, by WebDriver over plain HTTP.

Nothing here knows what is on a page, and nothing is used outside the tests. WebDriver is W3C's;
logs and emulation are chromedriver's own.
"""

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-default-apps",
)  # fmt: skip
_PATIENCE = 120
"""Seconds for one answer, of a browser on a busy machine."""


class Browser:
    """One browser with one page."""

    def __init__(self, port: int, folder: Path, chromium: str) -> None:
        # no proxy: what is asked here never leaves the machine
        self._ask = build_opener(ProxyHandler({}))
        self._base = f"http://127.0.0.1:{port}"
        options = {"binary": chromium, "args": [*_ARGUMENTS, f"--user-data-dir={folder}"]}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        made = self._post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/session/{made['sessionId']}"

    def open(self, page: Path) -> None:
        """Load a page from the disk and wait until it is there; the browser's own is forgotten."""
        self._post("/url", {"url": "about:blank"})
        for kind in ("browser", "performance"):
            self._post("/se/log", {"type": kind})
        self._post("/url", {"url": page.absolute().as_uri()})

    def run(self, script: str) -> Any:
        """Run the body of a function in the page and give what it returns."""
        return self._post("/execute/sync", {"script": script, "args": []})

    def until(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + _PATIENCE
        while not self.run(f"return Boolean({script})"):
            assert time.monotonic() < end, f"never came true: {script}"
            time.sleep(0.1)

    def tell(self, command: str, parameters: dict[str, object]) -> Any:
        """Give a command of the DevTools protocol."""
        return self._post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int) -> None:
        """Show the page in a window of this size, as wide as a phone if need be."""
        shape = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.tell("Emulation.setDeviceMetricsOverride", {**shape, "mobile": False})

    def prefer(self, scheme: str) -> None:
        """Prefer "light" or "dark" colours."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.tell("Emulation.setEmulatedMedia", {"features": [feature]})

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Press the mouse at a point of the window, move it to another, and let go."""
        points = [_move(start), {"type": "pointerDown", "button": 0}, _move(stop)]
        mouse = {
            "type": "pointer",
            "id": "mouse",
            "parameters": {"pointerType": "mouse"},
            "actions": [*points, {"type": "pointerUp", "button": 0}],
        }
        self._post("/actions", {"actions": [mouse]})

    def key(self, name: str) -> None:
        """Press a key of the keyboard and let it go; names are WebDriver's code points."""
        strokes = [{"type": kind, "value": name} for kind in ("keyDown", "keyUp")]
        self._post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})

    def complaints(self) -> list[str]:
        """What stood in the console since this was asked last."""
        return [entry["message"] for entry in self._post("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened, its own data left out."""
        found = []
        for entry in self._post("/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return [url for url in found if not url.startswith(("data:", "blob:"))]

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what the window, or the whole page, shows as PNG."""
        taken = self.tell("Page.captureScreenshot", {"captureBeyondViewport": whole})
        path.write_bytes(base64.b64decode(taken["data"]))

    def close(self) -> None:
        """End the browser."""
        with suppress(OSError):
            self._ask.open(Request(self._base, method="DELETE"), timeout=_PATIENCE).close()

    def _post(self, path: str, content: dict[str, object]) -> Any:
        body = json.dumps(content).encode()
        request = Request(self._base + path, body, {"Content-Type": "application/json"})
        with self._ask.open(request, timeout=_PATIENCE) as answer:
            return json.load(answer)["value"]


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser for a while; the test is skipped where there is none."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium with its chromedriver is installed")
    with TemporaryDirectory(prefix="reelbrush-browser-", ignore_cleanup_errors=True) as folder:
        port = _free_port()
        words = [driver, f"--port={port}", "--allowed-ips=127.0.0.1"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(words, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            _await(port)
            found = Browser(port, Path(folder), chromium)
            try:
                yield found
            finally:
                found.close()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _move(point: tuple[float, float]) -> dict[str, object]:
    return {"type": "pointerMove", "duration": 0, "x": round(point[0]), "y": round(point[1])}


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _await(port: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < end, "chromedriver does not answer"
        time.sleep(0.1)
