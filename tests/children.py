"""A worker or front door in a process of its own, on the test's database, which may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.postgres import Server

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 240
START = "import django; django.setup()\n"


def run_in_child(code: str, *, crash_points: Path | None = None) -> int:
    """Run the code as another process would; its exit status, negative where a signal ended it."""
    made = subprocess.run(
        [sys.executable, "-c", START + code],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": _test_database_url(),
            "CRASH_POINTS": str(crash_points or ""),
        },
        timeout=SECONDS,
        check=False,
    )
    return made.returncode


def dies_in_child(code: str, *, at: str, folder: Path) -> None:
    """Run the code with the crash point armed; fails unless that is where the process died."""
    armed = folder / at
    armed.touch()
    status = run_in_child(code, crash_points=folder)
    assert (status, armed.exists()) == (-signal.SIGKILL, False), f"it ended with {status}"


def _test_database_url() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return Server.at(settings.DATABASE_URL).url(name)
