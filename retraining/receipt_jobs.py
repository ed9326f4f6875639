"""When receipts are sent and taken back: by jobs, because answering needs the models' libraries."""

from __future__ import annotations

from datetime import datetime

from feedback.models import Flag
from jobs.adding import add_job
from projects.models import Deployment

# Job kinds; the functions are in worker_jobs.
SEND_RECEIPTS = "retraining.send_receipts"
REVOKE_RECEIPTS = "retraining.revoke_receipts"


def add_receipt_job(kind: str, line: Deployment, *, at: datetime, cause: str = "") -> None:
    """Once per deployment, and once more for each further cause."""
    add_job(
        kind,
        at=at,
        project_id=line.project_id,
        key=f"deployment {line.pk} {cause}".strip(),
        deployment_id=line.pk,
    )


def check_accepted_flag(flag: Flag, *, at: datetime) -> None:
    """Let a flag that is accepted only now get its receipt, where the live version is right.

    What the live version itself answered needs no second look. All that are accepted at one moment
    share a job.
    """
    line = Deployment.objects.current(flag.project_id)
    if line is None or flag.prediction is None or flag.prediction.version_id == line.version_id:
        return
    add_receipt_job(SEND_RECEIPTS, line, at=at, cause=f"accepted {at.isoformat()}")
