"""Lease the next slot, renew it, give it back, and free what has run out.

A claim flips one open slot by conditional update. The search starts behind the slot this person
was last given, because everything before it was theirs already or held by others at that time;
at least every RESCAN it starts at the front again, and before saying "nothing" it always does,
so an item that opens behind a person's back waits for them RESCAN at most.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef

from events.recording import record
from feedback.models import Sighting
from labeling.models import Annotation, Item, Lease, Queue, Skip, Slot
from labeling.next_slot import find_trail, take_next
from labeling.querysets import SlotQuerySet
from projects.errors import Conflict
from projects.models import User

RESCAN = timedelta(seconds=30)
CLASHES = 20  # Each is this same person claiming twice at once: look again, not for ever.
HELD = [Slot.State.LEASED, Slot.State.FILLED]


def lease_next_slot(*, queue: Queue, annotator: User, at: datetime) -> Lease | None:
    """The slot this person holds already, else the next one they may have, else None."""
    trail = find_trail(queue=queue, annotator=annotator, at=at)
    if trail and trail.held_slot_id:
        held = find_held_lease(queue=queue, annotator=annotator, at=at)
        if held:
            return held
    if trail and at - trail.scanned_at < RESCAN:
        take = partial(take_next, queue=queue, annotator=annotator, behind=trail, at=at)
        lease = _claim(take, queue, annotator, at=at, scanned_at=trail.scanned_at)
        if lease:
            return lease
    take = partial(_take_first, queue, annotator, at=at)
    return _claim(take, queue, annotator, at=at, scanned_at=at)


def find_held_lease(*, queue: Queue, annotator: User, at: datetime) -> Lease | None:
    """The lease this person holds in the queue, renewed; None when it has run out."""
    # The one given last: after an undo that is the item taken back, not the one that waits.
    slot = (
        Slot.objects.filter(
            queue=queue, annotator=annotator, state=Slot.State.LEASED, lease_until__gte=at
        )
        .order_by("-lease_until", "-id")
        .first()
    )
    if slot is None:
        return None
    lease = Lease.objects.filter(slot=slot, fence=slot.fence).select_related("slot", "item").get()
    return lease if renew_lease(lease=lease, at=at) else None


def renew_lease(*, lease: Lease, at: datetime) -> datetime | None:
    """Hold the slot for another full length; None when it has passed on."""
    until = at + lease.queue.lease_length
    held = Slot.objects.filter(pk=lease.slot_id, fence=lease.fence, state=Slot.State.LEASED)
    return until if held.update(lease_until=until) else None


def release_place(*, lease: Lease) -> bool:
    """Give back the item's slot that this person holds, under this lease or a later one."""
    held = Slot.objects.filter(
        item=lease.item_id,
        round=lease.round,
        annotator=lease.annotator_id,
        state=Slot.State.LEASED,
    )
    return bool(_free(held))


@transaction.atomic
def free_expired_slots(*, at: datetime) -> int:
    """Open again what nobody finished in time; the lease rows remember who had it."""
    expired = Slot.objects.expired(at)
    # One that is being submitted or renewed right now is not waited for.
    return _free(expired.filter(pk__in=expired.skip_locked().values("pk")))


def claimable_by(*, queue: Queue, annotator: User) -> SlotQuerySet:
    """The open slots this person may be given."""
    return _allowed(Slot.objects.open_in(queue.pk), queue, annotator)


def held_by_others(*, queue: Queue, annotator: User) -> SlotQuerySet:
    """Leased slots that this person could be given, were they open."""
    leased = Slot.objects.filter(queue=queue, state=Slot.State.LEASED)
    return _allowed(leased.exclude(annotator=annotator), queue, annotator)


def _allowed(slots: SlotQuerySet, queue: Queue, annotator: User) -> SlotQuerySet:
    mine = _of_same_round(annotator)
    slots = slots.without(Slot.objects.filter(state__in=HELD, **mine))
    slots = slots.without(Annotation.objects.answers().filter(**mine))
    return _unseen(slots.without(Skip.objects.filter(**mine)), queue, annotator)


def _unseen(slots: SlotQuerySet, queue: Queue, annotator: User) -> SlotQuerySet:
    """In a blind queue, without items whose model answer the person was shown."""
    if not queue.is_blind:
        return slots
    seen = Sighting.objects.filter(
        project=OuterRef("project"), user=annotator, identity=OuterRef("identity")
    )
    return slots.without(Item.objects.filter(Exists(seen), pk=OuterRef("item")))


def _of_same_round(annotator: User) -> dict[str, Any]:
    return {"item": OuterRef("item"), "round": OuterRef("round"), "annotator": annotator}


def _claim(
    take: Callable[[], Slot | None],
    queue: Queue,
    annotator: User,
    *,
    at: datetime,
    scanned_at: datetime,
) -> Lease | None:
    for _ in range(CLASHES):
        try:
            with transaction.atomic():
                slot = take()
                if slot is None:
                    return None
                return write_lease(
                    slot=slot, queue=queue, annotator=annotator, at=at, scanned_at=scanned_at
                )
        except IntegrityError:
            continue  # This person got another slot of the same item at the same moment.
    raise Conflict("The queue is very busy; try again in a moment.")


def _take_first(queue: Queue, annotator: User, *, at: datetime) -> Slot | None:
    """Flip the first of all open slots that this person may be given."""
    slot = claimable_by(queue=queue, annotator=annotator).skip_locked().first()
    if slot is None:
        return None
    taken = Slot.objects.filter(pk=slot.pk, state=Slot.State.OPEN, fence=slot.fence).update(
        state=Slot.State.LEASED,
        annotator=annotator,
        lease_until=at + queue.lease_length,
        fence=slot.fence + 1,
    )
    if not taken:
        return _take_first(queue, annotator, at=at)
    slot.fence += 1
    return slot


def write_lease(
    *, slot: Slot, queue: Queue, annotator: User, at: datetime, scanned_at: datetime
) -> Lease:
    """Remember that this person was given the slot, under its present fence."""
    lease = Lease.objects.create(
        project_id=slot.project_id,
        queue=queue,
        slot=slot,
        item_id=slot.item_id,
        round=slot.round,
        annotator=annotator,
        fence=slot.fence,
        order_key=slot.order_key,
        scanned_at=scanned_at,
        given_at=at,
    )
    record("slot.leased", subject=slot, at=at, actor=annotator, fence=slot.fence)
    return lease


def _free(slots: SlotQuerySet) -> int:
    return slots.update(
        state=Slot.State.OPEN, annotator=None, lease_until=None, fence=F("fence") + 1
    )
