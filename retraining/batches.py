"""What may happen to a batch, and every decision on it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from events.recording import record
from jobs.adding import add_job, request_cancel
from jobs.crash_points import crash_point
from jobs.models import Job
from labeling.models import Item
from labeling.queueing import requeue_item
from projects.errors import Conflict, Invalid, NotFound
from projects.models import ModelVersion, Project, User
from retraining.live_line import standing_versions
from retraining.models import Batch, BatchRevision, BatchRow
from retraining.revisions import (
    Difference,
    access_revision,
    difference_of,
    newest_revision,
    refresh_batch,
)

STATE = Batch.State
# Job kinds; the functions are in worker_jobs, because they need the libraries of learning.
TRAIN = "retraining.train"
EVALUATE = "retraining.evaluate"

MOVES: dict[str, set[str]] = {
    STATE.PROPOSED: {STATE.APPROVED, STATE.REJECTED, STATE.CANCELLED},
    STATE.APPROVED: {STATE.TRAINING, STATE.FAILED, STATE.CANCELLED},
    STATE.TRAINING: {STATE.EVALUATED, STATE.FAILED, STATE.CANCELLED},
    STATE.FAILED: {STATE.APPROVED},  # Tried again.
    STATE.EVALUATED: {STATE.PROMOTED, STATE.NOT_PROMOTED},
    STATE.NOT_PROMOTED: {STATE.EVALUATED},  # Evaluated again, against today's champion.
    STATE.PROMOTED: {STATE.EVALUATED},  # The same, once its version was rolled back.
    STATE.REJECTED: set(),
    STATE.CANCELLED: set(),
}


def access_batch(project: Project, number: int) -> Batch:
    """The batch of that number."""
    found = Batch.objects.filter(project=project, number=number).select_related("project").first()
    if found is None:
        raise NotFound(f"There is no batch {number} in this project.")
    return found


def move_batch(
    *, batch: Batch, state: str, at: datetime, by: User | None = None, **changes: object
) -> bool:
    """Move the batch where the move is a legal one, with its event; False where it is not."""
    sources = [source for source, targets in MOVES.items() if state in targets]
    with transaction.atomic():
        moved = Batch.objects.filter(pk=batch.pk, state__in=sources).update(state=state, **changes)
        if moved:
            record(f"batch.{state.replace(' ', '_')}", subject=batch, at=at, actor=by)
    if moved:
        for name, value in {"state": state, **changes}.items():
            setattr(batch, name, value)
    return bool(moved)


@transaction.atomic
def approve_batch(*, batch: Batch, revision: BatchRevision, by: User, at: datetime) -> Batch:
    """Approve the revision that was read, and start its training.

    It may be an older one, as long as every row in it is still current; newer rows wait for the
    next batch. The same approval twice is one.
    """
    locked = _lock(batch)
    if revision.batch_id != locked.pk:
        raise NotFound("This revision is of another batch.")
    if locked.state != STATE.PROPOSED:
        if locked.approved_revision_id == revision.pk and locked.state != STATE.FAILED:
            return locked
        raise Conflict(f"Batch {locked.number} is {locked.state} already. Reload the page.")
    _refuse_unless_current(revision)
    _seal(revision)
    move_batch(
        batch=locked,
        state=STATE.APPROVED,
        at=at,
        by=by,
        approved_revision=revision,
        decided_by=by,
        decided_at=at,
    )
    _start(locked, at=at)
    crash_point("approve")
    return locked


def approve_by_hash(*, batch: Batch, digest: str, by: User, at: datetime) -> Batch:
    """What a page or a client sends: the hash of the revision that was read."""
    return approve_batch(batch=batch, revision=access_revision(batch, digest), by=by, at=at)


@transaction.atomic
def reject_batch(*, batch: Batch, reason: str, by: User, at: datetime) -> None:
    """The labels stay; quotas fire again only with new ones."""
    if not reason.strip():
        raise Invalid("Say why: the people who labeled this will read it.")
    decided = {"reason": reason.strip(), "decided_by": by, "decided_at": at}
    if not move_batch(batch=batch, state=STATE.REJECTED, at=at, by=by, **decided):
        raise Conflict(f"Batch {batch.number} has been decided already. Reload the page.")


@transaction.atomic
def cancel_batch(*, batch: Batch, by: User, at: datetime) -> Batch:
    """Withdraw a proposal, or stop what was approved; a running trainer stops within seconds."""
    locked = _lock(batch)
    if locked.state not in {STATE.PROPOSED, STATE.APPROVED, STATE.TRAINING}:
        raise Conflict(f"Batch {locked.number} is {locked.state}: there is nothing to cancel.")
    record("batch.cancel_asked", subject=locked, at=at, actor=by)
    job = locked.job
    if job is not None and request_cancel(job, at=at):
        job.refresh_from_db()
        if job.state == Job.State.RUNNING:
            return locked  # The run sees the request and ends the batch itself.
    error = "" if locked.state == STATE.PROPOSED else "Cancelled before it started."
    move_batch(batch=locked, state=STATE.CANCELLED, at=at, by=by, error=error)
    return locked


@transaction.atomic
def retry_batch(*, batch: Batch, by: User, at: datetime) -> Batch:
    """Train an approved revision again that failed, if it still stands."""
    locked = _lock(batch)
    revision = locked.approved_revision
    if locked.state != STATE.FAILED or revision is None:
        raise Conflict(
            f"Batch {locked.number} is {locked.state}: only a failed one can be retried."
        )
    _refuse_unless_current(revision)
    move_batch(batch=locked, state=STATE.APPROVED, at=at, by=by, error="")
    _start(locked, at=at)
    return locked


def may_be_compared(batch: Batch, standing: Collection[ModelVersion] | None = None) -> bool:
    """Whether only a comparison leads to its version: not where it is live or was before that.

    `standing`: the project's versions of that kind, where the caller has them for many batches.
    """
    if batch.state != STATE.PROMOTED:
        return batch.state in {STATE.EVALUATED, STATE.NOT_PROMOTED}
    leading = standing_versions(batch.project) if standing is None else standing
    return all(version.pk != batch.version_id for version in leading)


@transaction.atomic
def ask_for_evaluation(*, batch: Batch, by: User, at: datetime) -> Job:
    """Compare its version with today's champion: what a later promotion needs."""
    locked = _lock(batch)
    if not may_be_compared(locked):
        raise Conflict(f"Batch {locked.number} is {locked.state}; it has no version to compare.")
    record("batch.evaluation_asked", subject=locked, at=at, actor=by)
    job = _add_job(EVALUATE, locked, at=at)
    Batch.objects.filter(pk=locked.pk).update(job=job)
    return job


@transaction.atomic
def send_back_rows(*, batch: Batch, item_ids: list[int], by: User, at: datetime) -> BatchRevision:
    """Have rows labeled anew, and make a revision without them."""
    rows = newest_revision(batch).rows.filter(item_id__in=item_ids).select_related("item__project")
    if not rows:
        raise Invalid("Mark at least one row of this batch.")
    for row in rows:
        requeue_item(item=row.item, at=at, by=by, reason="sent back from a batch")
    return refresh_batch(batch=batch, by=by, at=at)


def _lock(batch: Batch) -> Batch:
    return (
        Batch.objects.select_for_update(of=("self",))
        .select_related("project", "approved_revision", "job")
        .get(pk=batch.pk)
    )


def _refuse_unless_current(revision: BatchRevision) -> None:
    difference = difference_of(revision)
    if not difference.holds:
        raise stale(difference)


def stale(difference: Difference) -> Conflict:
    """The refusal of a revision that no longer stands, with what differs."""
    return Conflict(
        f"This batch has changed since it was made. {' '.join(difference.sentences)} "
        "Make a new revision and read it again.",
        corrected=[vars(correction) for correction in difference.corrected[:100]],
        champion_then=difference.champion_then,
        champion_now=difference.champion_now,
        newer_rows=difference.newer_count,
    )


def _seal(revision: BatchRevision) -> None:
    """From here on the answers of these rows cannot be undone.

    The condition is checked on the locked rows: an undo that came between look and seal is seen.
    """
    pinned = BatchRow.objects.filter(revision=revision, item=OuterRef("pk"))
    current = Item.objects.filter(
        Exists(pinned.filter(truth=OuterRef("truth"))), state=Item.State.RESOLVED
    )
    if current.update(sealed_round=F("round")) != revision.rows.count():
        raise Conflict("A row of this batch was changed this very moment. Reload the page.")


def _start(batch: Batch, *, at: datetime) -> None:
    transaction.on_commit(partial(crash_point, "approved"))
    job = _add_job(TRAIN, batch, at=at)
    Batch.objects.filter(pk=batch.pk).update(job=job)
    batch.job = job


def _add_job(kind: str, batch: Batch, *, at: datetime) -> Job:
    return add_job(
        kind,
        at=at,
        project_id=batch.project_id,
        lane=Job.Lane.TRAINING,
        key=f"batch:{batch.pk}",
        batch_id=batch.pk,
    )
