"""Named places between a change and its commit where a fault test lets the process die."""

import os
import signal
from pathlib import Path

from django.conf import settings


def crash_point(name: str) -> None:
    """Die as by `kill -9` if the folder `CRASH_POINTS` holds a file of this name; once."""
    if not settings.CRASH_POINTS:
        return
    armed = Path(settings.CRASH_POINTS) / name
    if armed.exists():
        armed.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
