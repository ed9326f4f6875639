"""A real predictor process on the tests' own database, and a client of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from tests.stack import ROOT

START_SECONDS = 90


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class PredictorProcess:
    """Gunicorn with `config.predictor`, as the product starts it."""

    port: int
    crash_points: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "config.predictor:application"),
                f"--bind=127.0.0.1:{self.port}",
                *("--worker-class=gthread", "--workers=1", "--threads=16"),
                *("--no-control-socket", "--graceful-timeout=2"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "DATA_DIR": str(settings.DATA_DIR),
                "CRASH_POINTS": str(self.crash_points),
            },
            start_new_session=True,
        )
        self.wait_until_alive()

    def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def wait_until_alive(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        assert self.process is not None
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/healthz").status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("The predictor did not start.")

    def ask(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        headers: dict[str, str] | None = None,
        seconds: float = 20,
    ) -> Reply:
        request = urllib.request.Request(
            self.url + path, content or None, headers or {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, dict(error.headers), error.read())

    def predict(self, slug: str, key: str, question: object, seconds: float = 20) -> Reply:
        return self.ask(
            "POST",
            f"/api/v1/projects/{slug}/predict",
            question if isinstance(question, bytes) else json.dumps(question).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            seconds,
        )


def database_url() -> str:
    """The database that the tests of this process work on."""
    current = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{current['NAME']}"
    host = quote(str(current["HOST"]), safe="")
    user = f"{quote(current['USER'])}:{quote(current['PASSWORD'])}"
    return f"postgresql://{user}@/{current['NAME']}?host={host}&port={current['PORT'] or 5432}"


@pytest.fixture(scope="session")
def predictor_process(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PredictorProcess]:
    """One process for all tests: it forgets the projects of a test when they are gone."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    running = PredictorProcess(port, tmp_path_factory.mktemp("crash"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
