"""The building of the demo anew: its job, one at a time."""

from __future__ import annotations

from datetime import datetime

from jobs.adding import add_job
from jobs.models import Job

REBUILD = "retraining.reset_demo"


def ask_for_rebuild(*, at: datetime) -> Job:
    """The one that has not ended, if there is one."""
    return add_job(REBUILD, at=at, key="demo")


def last_rebuild() -> Job | None:
    return Job.objects.filter(kind=REBUILD).order_by("-pk").first()


def is_being_rebuilt() -> bool:
    """Asked with every page of the demo; the index of open jobs answers."""
    return Job.objects.open().filter(kind=REBUILD).exists()
