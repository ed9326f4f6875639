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
from django.db.models import Max

from jobs.errors import JobFailed
from jobs.supervisor import end_with_parent
from projects.models import Project
from retraining.demo.desks import DESKS
from retraining.demo.loading import LONGEST_SECONDS
from retraining.demo.story import DAYS

LOOK_EVERY = 1.0


def rebuild_demo(*, report: Callable[[int, int | None, str], None]) -> None:
    """Run `load_demo` to its end, or end it when the job is no longer ours."""
    newest = Project.objects.aggregate(newest=Max("pk"))["newest"] or 0
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "load_demo"]
    child = subprocess.Popen(command, preexec_fn=end_with_parent)
    try:
        for _ in range(LONGEST_SECONDS):
            if child.poll() is not None:
                break
            days, total = days_told(after=newest), DAYS * len(DESKS)
            told = f"{days} of {total} days of history are told"
            report(days, total, told if days else "Rows come in and the first models are trained")
            time.sleep(LOOK_EVERY)
    finally:
        child.kill()
        child.wait()
    if child.returncode:
        raise JobFailed("The demo could not be built; the worker's log says why.")


def days_told(*, after: int) -> int:
    """Whole days of the stories told so far, in the projects made after that one.

    Read from what a story has written: it runs in another process, and day follows day.
    """
    told = Project.objects.filter(is_demo=True, pk__gt=after).annotate(
        newest=Max("predictions__occurred_at")
    )
    spans = told.exclude(newest=None).values_list("created_at", "newest")
    return sum(min((newest - created_at).days, DAYS) for created_at, newest in spans)
