"""Run an import's job in this process, for commands and the demo."""

from __future__ import annotations

import time
from collections.abc import Callable

from feedback.models import Import
from jobs.running import run_job

WAIT_SECONDS = 0.5


def run_here(imported: Import, tell: Callable[[str], None]) -> Import:
    """The import once it has ended; waits where a worker was quicker to take the job."""
    while imported.job and not imported.job.has_ended:
        if not run_job(imported.job.pk):
            time.sleep(WAIT_SECONDS)
        imported.job.refresh_from_db()
    imported.refresh_from_db()
    for problem in imported.problems:
        tell(f"line {problem['line']}: {problem['reason']}")
    tell(summary(imported))
    return imported


def summary(imported: Import) -> str:
    """The counts in one line; those that are none are left out, but for the first."""
    parts = [f"{imported.accepted:,} accepted"]
    for name, words in {
        "duplicates": "already there",
        "conflicts": "in conflict",
        "rejected": "rejected",
        "refused": "refused: known for the other use",
    }.items():
        if count := getattr(imported, name):
            parts.append(f"{count:,} {words}")
    return f"{imported.file_name}: {', '.join(parts)} ({imported.state})"
