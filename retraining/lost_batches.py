"""A batch whose job ended without ending it: a worker that died for good."""

from __future__ import annotations

from datetime import datetime

from jobs.models import Job
from retraining.batches import move_batch
from retraining.models import Batch

UNDER_WAY = [Batch.State.APPROVED, Batch.State.TRAINING]


def end_lost_batches(*, at: datetime) -> int:
    """Each ends as failed, or cancelled where that was asked, with the job's reason."""
    under_way = Batch.objects.filter(state__in=UNDER_WAY).select_related("job")
    lost = [batch for batch in under_way if batch.job is None or batch.job.has_ended]
    return sum(_end(batch, at=at) for batch in lost)


def _end(batch: Batch, *, at: datetime) -> bool:
    job = batch.job
    is_cancelled = job is not None and job.state == Job.State.CANCELLED
    return move_batch(
        batch=batch,
        state=Batch.State.CANCELLED if is_cancelled else Batch.State.FAILED,
        at=at,
        error=(job.error if job else "") or "Its job ended without a result.",
    )
