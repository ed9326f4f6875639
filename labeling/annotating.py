"""Submit an answer, undo it, skip an item."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F

from events.recording import record
from jobs.crash_points import crash_point
from labeling import claims, class_proposals, settlement
from labeling.answers import Answer
from labeling.models import Annotation, Item, Lease, Skip, Slot
from projects.errors import Conflict


@transaction.atomic
def submit_annotation(
    *, lease: Lease, answer: Answer, at: datetime, seconds: float | None = None
) -> Annotation:
    """Store the answer; a late one counts while a slot is free, else it is kept as surplus.

    The same lease and answer twice gives the same annotation; another answer is a conflict.
    """
    return _submit(lease, answer, at=at, seconds=seconds)


@transaction.atomic
def submit_and_lease_next(
    *, lease: Lease, answer: Answer, at: datetime, seconds: float | None = None
) -> tuple[Annotation, Lease | None]:
    """The answer and the next item of its queue: one key press is one commit."""
    annotation = _submit(lease, answer, at=at, seconds=seconds)
    following = claims.lease_next_slot(queue=lease.queue, annotator=lease.annotator, at=at)
    return annotation, following


def _submit(lease: Lease, answer: Answer, *, at: datetime, seconds: float | None) -> Annotation:
    item = Item.objects.lock(lease.item_id)
    slot_id = _fill_leased(item, lease)
    if slot_id is None:
        # Looked for under the lock: the same request may have been sent twice at once.
        earlier = Annotation.objects.filter(lease=lease, undoes=None).first()
        if earlier:
            return _same_or_conflict(earlier, answer)
        slot_id = _fill_another(item, lease)
    annotation = Annotation.objects.create(
        project_id=item.project_id,
        item=item,
        round=lease.round,
        slot_id=slot_id,
        lease=lease,
        annotator_id=lease.annotator_id,
        guideline_id=item.guideline_now_id,
        seconds=seconds,
        at=at,
        **answer.fields,
    )
    record("annotation.submitted", subject=annotation, at=at, actor=lease.annotator)
    if answer.proposed_name:
        class_proposals.propose_class(
            project=item.project, name=answer.proposed_name, by=lease.annotator, at=at
        )
    settlement.settle(item=item, at=at)
    crash_point("submit")
    transaction.on_commit(partial(crash_point, "submitted"))
    return annotation


@transaction.atomic
def undo_annotation(*, annotation: Annotation, at: datetime) -> Lease | None:
    """Take an answer back: its slot is the annotator's again, under a new lease.

    Possible until the batch that holds the answer is approved, and within the same round.
    None when the answer was surplus: there is no slot to give back.
    """
    item = Item.objects.lock(annotation.item_id)
    if annotation.undoes_id or Annotation.objects.filter(undoes=annotation).exists():
        raise Conflict("This answer has been undone already.")
    if item.sealed_round >= annotation.round:
        raise Conflict("This answer is part of an approved batch; ask a reviewer to reopen it.")
    if item.round != annotation.round or item.state == Item.State.WITHDRAWN:
        raise Conflict("The item has moved on to a new round; answer it there.")
    lease = _take_slot_back(annotation, at=at)
    Annotation.objects.create(
        project_id=item.project_id,
        item=item,
        round=annotation.round,
        slot=annotation.slot,
        lease=annotation.lease,
        annotator_id=annotation.annotator_id,
        undoes=annotation,
        at=at,
    )
    record("annotation.undone", subject=annotation, at=at, actor=annotation.annotator)
    if lease is not None:
        settlement.unsettle(item=item, at=at)
    return lease


@transaction.atomic
def skip_item(*, lease: Lease, reason: str, at: datetime, note: str = "") -> Skip:
    """Pass on the item for this round; the slot is free for the others."""
    item = Item.objects.lock(lease.item_id)
    mine = {"item": item, "round": lease.round, "annotator_id": lease.annotator_id}
    if Annotation.objects.answers().filter(**mine).exists():
        raise Conflict("This item has your answer already; undo it first.")
    said = {"project_id": item.project_id, "lease": lease, "reason": reason, "note": note, "at": at}
    skip, is_new = Skip.objects.get_or_create(**mine, defaults=said)
    claims.release_place(lease=lease)
    if is_new:
        record("item.skipped", subject=skip, at=at, actor=lease.annotator, reason=reason)
    settlement.settle(item=item, at=at)
    return skip


def _same_or_conflict(earlier: Annotation, answer: Answer) -> Annotation:
    same = (
        earlier.answer == answer.label_class
        and earlier.is_outside == answer.is_outside
        and earlier.proposed_name == answer.proposed_name
    )
    if not same:
        raise Conflict("You have answered this item already. Undo that answer to give another.")
    return earlier


def _fill_leased(item: Item, lease: Lease) -> int | None:
    """The lease's own slot, while it holds it: then it has no answer yet."""
    if not _takes_answers(item, lease):
        return None
    held = Slot.objects.filter(pk=lease.slot_id, fence=lease.fence, state=Slot.State.LEASED)
    return lease.slot_id if held.update(state=Slot.State.FILLED, lease_until=None) else None


def _fill_another(item: Item, lease: Lease) -> int | None:
    """For a late answer: another slot that this person was given meanwhile, else any open one."""
    if not _takes_answers(item, lease):
        return None
    places = Slot.objects.filter(item=item, round=lease.round)
    mine = places.filter(annotator_id=lease.annotator_id)
    if mine.filter(state=Slot.State.FILLED).exists():
        return None
    still_leased = mine.filter(state=Slot.State.LEASED).first()
    chosen = still_leased or places.filter(state=Slot.State.OPEN).order_by("number").first()
    if chosen is None:
        return None
    as_seen = Slot.objects.filter(pk=chosen.pk, state=chosen.state, fence=chosen.fence)
    try:
        with transaction.atomic():
            filled = as_seen.update(
                state=Slot.State.FILLED, annotator_id=lease.annotator_id, lease_until=None
            )
    except IntegrityError:
        filled = 0  # This person claimed another slot of the item at the same moment.
    # A claim does not lock the item, so what was open a moment ago may be gone: look again.
    return chosen.pk if filled else _fill_another(item, lease)


def _takes_answers(item: Item, lease: Lease) -> bool:
    return item.state == Item.State.OPEN and item.round == lease.round


def _take_slot_back(annotation: Annotation, *, at: datetime) -> Lease | None:
    slot_id = annotation.slot_id
    if slot_id is None:
        return None
    slot = Slot.objects.select_related("queue").get(pk=slot_id)
    taken = Slot.objects.filter(
        pk=slot.pk, state=Slot.State.FILLED, annotator_id=annotation.annotator_id
    ).update(
        state=Slot.State.LEASED,
        lease_until=at + slot.queue.lease_length,
        fence=F("fence") + 1,
    )
    if not taken:
        raise Conflict("This answer's place has passed on; it can no longer be undone.")
    slot.fence += 1
    return claims.write_lease(
        slot=slot,
        queue=slot.queue,
        annotator=annotation.annotator,
        at=at,
        scanned_at=annotation.lease.scanned_at,
    )
