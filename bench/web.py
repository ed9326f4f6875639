"""The web process as the product starts it, for the benches that go over HTTP."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

START_SECONDS = 60


@contextlib.contextmanager
def running_web() -> Iterator[int]:
    """With one worker, on the database and folders of the environment; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *(f"--bind=127.0.0.1:{port}", "--worker-class=gthread", "--threads=8"),
        *("--no-control-socket", "--log-level=warning"),
    ]
    process = subprocess.Popen(command, env=dict(os.environ))
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"web does not answer after {START_SECONDS} s")
