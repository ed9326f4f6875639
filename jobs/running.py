"""Claim a job by conditional update, run it under its fence, and write how it ended."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from django.db import transaction
from django.db.models import F

from jobs import clock
from jobs.errors import FenceLost, JobCancelled, JobFailed
from jobs.models import Job
from jobs.registry import find_job

LEASE = timedelta(seconds=30)  # Renewed with every report of progress, at most every few seconds.
ATTEMPTS = 3
LOG_CHARACTERS = 20_000


@dataclass
class JobRun:
    """What a job's function holds: its row, its fence and the clock."""

    job: Job
    fence: int

    def now(self) -> datetime:
        return clock.now()

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Report and renew the lease; raises FenceLost when another worker has taken over."""
        at = self.now()
        changes: dict[str, object] = {"done_count": done, "heartbeat_at": at}
        if total is not None:
            changes["total_count"] = total
        if note:
            changes["note"] = note[:200]
        self._update(lease_until=at + LEASE, **changes)

    def append_log(self, line: str) -> None:
        self.job.log = (self.job.log + line.rstrip() + "\n")[-LOG_CHARACTERS:]
        self._update(log=self.job.log)

    def is_cancel_requested(self) -> bool:
        return Job.objects.filter(
            pk=self.job.pk, fence=self.fence, cancel_requested_at__isnull=False
        ).exists()

    def hold(self) -> None:
        """Raise unless this run still owns the job; call it in the transaction of a last write."""
        held = Job.objects.select_for_update().filter(
            pk=self.job.pk, fence=self.fence, state=Job.State.RUNNING
        )
        if not held.exists():
            raise FenceLost(self.job.pk)

    def _update(self, **changes: object) -> None:
        held = Job.objects.filter(pk=self.job.pk, fence=self.fence, state=Job.State.RUNNING)
        if not held.update(**changes):
            raise FenceLost(self.job.pk)


class _Ending:
    """Writes the end of a run whatever happens inside it, and hides only expected ends."""

    def __init__(self, run: JobRun) -> None:
        self.run = run

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            _end(self.run, Job.State.DONE)
        elif isinstance(error, FenceLost):
            return True
        elif isinstance(error, JobCancelled):
            _end(self.run, Job.State.CANCELLED, error=str(error))
        elif isinstance(error, JobFailed):
            _end(self.run, Job.State.FAILED, error=str(error))
        else:
            last_line = traceback.format_exception_only(error)[-1].strip()
            _try_again_or_give_up(self.run, last_line)
            return False
        return True


def run_job(job_id: int) -> bool:
    """Run the job if it can be claimed now; False when somebody else has it or it has ended."""
    run = claim_job(job_id, at=clock.now())
    if run is None:
        return False
    if run.job.attempt > ATTEMPTS:
        _end(run, Job.State.FAILED, error=run.job.error or "The worker died three times.")
        return True
    with _Ending(run):
        if run.job.cancel_requested_at:
            raise JobCancelled("Cancelled before it started.")
        find_job(run.job.kind)(run, **run.job.arguments)
    return True


def claim_job(job_id: int, *, at: datetime) -> JobRun | None:
    """Flip one claimable row to running under a new fence."""
    claimed = (
        Job.objects.claimable(at)
        .filter(pk=job_id)
        .update(
            state=Job.State.RUNNING,
            fence=F("fence") + 1,
            attempt=F("attempt") + 1,
            lease_until=at + LEASE,
            heartbeat_at=at,
            started_at=at,
        )
    )
    if not claimed:
        return None
    job = Job.objects.get(pk=job_id)
    return JobRun(job, job.fence)


def drain_jobs(project_id: int | None = None) -> int:
    """Run every claimable job, or every one of a project, in this process until none is left."""
    ran = 0
    while True:
        waiting = Job.objects.claimable(clock.now())
        if project_id is not None:
            waiting = waiting.filter(project_id=project_id)
        job_id = waiting.order_by("id").values_list("pk", flat=True).first()
        if job_id is None:
            return ran
        ran += run_job(job_id)


@transaction.atomic
def _end(run: JobRun, state: str, error: str = "") -> None:
    Job.objects.filter(pk=run.job.pk, fence=run.fence, state=Job.State.RUNNING).update(
        state=state, error=error, ended_at=clock.now(), lease_until=None
    )


def _try_again_or_give_up(run: JobRun, error: str) -> None:
    if run.job.attempt >= ATTEMPTS:
        _end(run, Job.State.FAILED, error=error)
        return
    pause = timedelta(seconds=5 * 4 ** (run.job.attempt - 1))
    Job.objects.filter(pk=run.job.pk, fence=run.fence, state=Job.State.RUNNING).update(
        state=Job.State.QUEUED, error=error, due_at=clock.now() + pause, lease_until=None
    )
