"""Add, cancel and retry background work, in the transaction of its cause."""

from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction

from jobs import nudging
from jobs.models import Job


def add_job(
    kind: str,
    *,
    at: datetime,
    project_id: int | None = None,
    lane: str = Job.Lane.LIGHT,
    key: str = "",
    due_at: datetime | None = None,
    **arguments: object,
) -> Job:
    """Write the row and nudge a worker on commit; an open job with the same key is returned."""
    if key and (same := Job.objects.open().filter(kind=kind, key=key).first()):
        return same
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                project_id=project_id,
                lane=lane,
                key=key,
                arguments=arguments,
                created_at=at,
                due_at=due_at or at,
            )
    except IntegrityError:
        return Job.objects.open().get(kind=kind, key=key)
    transaction.on_commit(partial(nudging.nudge, job.pk, job.lane))
    return job


def request_cancel(job: Job, *, at: datetime) -> bool:
    """Cancel what waits at once; ask what runs to stop. False when it has already ended."""
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    if waiting.update(state=Job.State.CANCELLED, cancel_requested_at=at, ended_at=at):
        return True
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    return bool(running.update(cancel_requested_at=at))


@transaction.atomic
def retry_job(job: Job, *, at: datetime) -> bool:
    """Give a failed job a fresh set of attempts; False while a newer row does the same work."""
    failed = Job.objects.filter(pk=job.pk, state=Job.State.FAILED)
    try:
        with transaction.atomic():
            retried = failed.update(
                state=Job.State.QUEUED,
                attempt=0,
                error="",
                due_at=at,
                ended_at=None,
                cancel_requested_at=None,
            )
    except IntegrityError:
        return False
    if retried:
        transaction.on_commit(partial(nudging.nudge, job.pk, job.lane))
    return bool(retried)
