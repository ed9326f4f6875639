"""Submit an answer, undo it, skip an item."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from events.recording import record
from labeling import claims, class_proposals, settlement
from labeling.answers import Answer
from labeling.models import Annotation, Guideline, Item, Lease, Skip, Slot
from projects.errors import Conflict

HELD = [Slot.State.LEASED, Slot.State.FILLED]


@transaction.atomic
def submit_annotation(
    *, lease: Lease, answer: Answer, at: datetime, seconds: float | None = None
) -> Annotation:
    """Store the answer; a late one counts while a slot is free, else it is kept as surplus.

    The same lease and answer twice gives the same annotation; another answer is a conflict.
    """
    earlier = Annotation.objects.filter(lease=lease, undoes=None).first()
    if earlier:
        return _same_or_conflict(earlier, answer)
    item = Item.objects.lock(lease.item_id)
    # Looked at again under the lock: the same request may have been sent twice at once.
    earlier = Annotation.objects.filter(lease=lease, undoes=None).first()
    if earlier:
        return _same_or_conflict(earlier, answer)
    slot = _fill_slot(item, lease)
    annotation = Annotation.objects.create(
        project_id=item.project_id,
        item=item,
        round=lease.round,
        slot=slot,
        lease=lease,
        annotator_id=lease.annotator_id,
        guideline=_current_guideline(item),
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
    if Annotation.objects.answers().filter(lease=lease).exists():
        raise Conflict("This item has your answer already; undo it first.")
    try:
        with transaction.atomic():
            skip = Skip.objects.create(
                project_id=item.project_id,
                item=item,
                round=lease.round,
                lease=lease,
                annotator_id=lease.annotator_id,
                reason=reason,
                note=note,
                at=at,
            )
    except IntegrityError:
        return Skip.objects.get(item=item, round=lease.round, annotator_id=lease.annotator_id)
    claims.release_lease(lease=lease, at=at)
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


def _fill_slot(item: Item, lease: Lease) -> Slot | None:
    """The slot that this answer fills: its own, another of this person's, or any open one."""
    if item.state != Item.State.OPEN or item.round != lease.round:
        return None
    places = Slot.objects.filter(item=item, round=lease.round)
    if places.filter(annotator_id=lease.annotator_id, state=Slot.State.FILLED).exists():
        return None
    own = places.filter(annotator_id=lease.annotator_id, state=Slot.State.LEASED).first()
    chosen = own or places.filter(state=Slot.State.OPEN).order_by("number").first()
    if chosen is None:
        return None
    filled = Slot.objects.filter(pk=chosen.pk, state=chosen.state, fence=chosen.fence).update(
        state=Slot.State.FILLED, annotator_id=lease.annotator_id, lease_until=None
    )
    # A claim does not lock the item, so an open slot may have been taken since the look.
    return chosen if filled else _fill_slot(item, lease)


def _take_slot_back(annotation: Annotation, *, at: datetime) -> Lease | None:
    if annotation.slot is None:
        return None
    slot = Slot.objects.select_related("queue").get(pk=annotation.slot_id)
    taken = Slot.objects.filter(
        pk=slot.pk, state=Slot.State.FILLED, annotator_id=annotation.annotator_id
    ).update(
        state=Slot.State.LEASED,
        lease_until=at + slot.queue.lease_length,
        fence=F("fence") + 1,
    )
    if not taken:
        raise Conflict("This answer's place has passed on; it can no longer be undone.")
    return claims.write_lease(
        slot=slot,
        annotator=annotation.annotator,
        fence=slot.fence + 1,
        at=at,
        scanned_at=annotation.lease.scanned_at,
    )


def _current_guideline(item: Item) -> Guideline | None:
    return Guideline.objects.filter(project_id=item.project_id).order_by("-number").first()
