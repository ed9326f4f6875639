"""Build the demo anew beside a running product.

The story sets its process's clock back by weeks, so it runs in a process of its own: the
worker's clock must stay right, for its lease and for everything else that it does.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings

from jobs.errors import JobFailed
from jobs.supervisor import end_with_parent
from retraining.demo.loading import LONGEST_SECONDS

LOOK_EVERY = 1.0


def rebuild_demo(*, report: Callable[[int, int | None, str], None]) -> None:
    """Run `load_demo` to its end, or end it when the job is no longer ours."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo"]
    child = subprocess.Popen(command, preexec_fn=end_with_parent)
    try:
        for second in range(LONGEST_SECONDS):
            if child.poll() is not None:
                break
            report(second, None, "Building the demo")
            time.sleep(LOOK_EVERY)
    finally:
        child.kill()
        child.wait()
    if child.returncode:
        raise JobFailed("The demo could not be built; the worker's log says why.")
