"""Lease the next slot, renew it, give it back, and free what has run out.

A claim flips one open slot by conditional update. The search starts behind the slot this person
was last given, because everything before it was theirs already or held by others at that time;
at least every RESCAN it starts at the front again, and before saying "nothing" it always does,
so an item that opens behind a person's back waits for them RESCAN at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef

from events.recording import record
from feedback.models import Sighting
from labeling.models import Annotation, Lease, Queue, Skip, Slot
from labeling.querysets import SlotQuerySet
from projects.errors import Conflict
from projects.models import User

RESCAN = timedelta(seconds=30)
CLASHES = 20  # Somebody else took the slot between look and update: look again, not for ever.


def lease_next_slot(*, queue: Queue, annotator: User, at: datetime) -> Lease | None:
    """The slot this person holds already, else the next one they may have, else None."""
    held = find_held_lease(queue=queue, annotator=annotator, at=at)
    if held:
        return held
    newest = Lease.objects.newest(annotator_id=annotator.pk, queue_id=queue.pk)
    if newest and at - newest.scanned_at < RESCAN:
        onward = Slot.objects.open_in(queue.pk).after(newest.order_key, newest.slot_id)
        lease = _claim(onward, queue, annotator, at=at, scanned_at=newest.scanned_at)
        if lease:
            return lease
    return _claim(Slot.objects.open_in(queue.pk), queue, annotator, at=at, scanned_at=at)


def find_held_lease(*, queue: Queue, annotator: User, at: datetime) -> Lease | None:
    """The lease this person holds in the queue, renewed; None when it has run out."""
    slot = Slot.objects.filter(
        queue=queue, annotator=annotator, state=Slot.State.LEASED, lease_until__gte=at
    ).first()
    if slot is None:
        return None
    lease = Lease.objects.filter(slot=slot, fence=slot.fence).select_related("slot", "item").get()
    return lease if renew_lease(lease=lease, at=at) else None


def renew_lease(*, lease: Lease, at: datetime) -> datetime | None:
    """Hold the slot for another full length; None when it has passed on."""
    until = at + lease.queue.lease_length
    held = Slot.objects.filter(pk=lease.slot_id, fence=lease.fence, state=Slot.State.LEASED)
    return until if held.update(lease_until=until) else None


def release_lease(*, lease: Lease, at: datetime) -> bool:
    """Give the slot back, so that somebody else can have it at once."""
    held = Slot.objects.filter(pk=lease.slot_id, fence=lease.fence, state=Slot.State.LEASED)
    return bool(_free(held))


def free_expired_slots(*, at: datetime) -> int:
    """Open again what nobody finished in time; the lease rows remember who had it."""
    return _free(Slot.objects.expired(at))


@dataclass(frozen=True)
class Waiting:
    """Why there is nothing for a person now: all done, or held by others until a time."""

    open_for_me: int
    held_by_others: int
    first_free_at: datetime | None


def waiting_for(*, queue: Queue, annotator: User) -> Waiting:
    """Counts for the work page and its empty states."""
    held = Slot.objects.filter(queue=queue, state=Slot.State.LEASED).exclude(annotator=annotator)
    first = held.order_by("lease_until").values_list("lease_until", flat=True).first()
    mine = _allowed(Slot.objects.open_in(queue.pk), queue, annotator)
    return Waiting(mine.values("item").distinct().count(), held.count(), first)


def claimable_by(*, queue: Queue, annotator: User) -> SlotQuerySet:
    """The open slots this person may be given."""
    return _allowed(Slot.objects.open_in(queue.pk), queue, annotator)


def held_by_others(*, queue: Queue, annotator: User) -> SlotQuerySet:
    """Leased slots that this person could be given, were they open."""
    leased = Slot.objects.filter(queue=queue, state=Slot.State.LEASED)
    return _allowed(leased.exclude(annotator=annotator), queue, annotator)


def _allowed(slots: SlotQuerySet, queue: Queue, annotator: User) -> SlotQuerySet:
    same_round = {"item": OuterRef("item"), "round": OuterRef("round"), "annotator": annotator}
    slots = slots.filter(
        ~Exists(Annotation.objects.answers().filter(**same_round)),
        ~Exists(Skip.objects.filter(**same_round)),
        ~Exists(
            Slot.objects.filter(state__in=[Slot.State.LEASED, Slot.State.FILLED], **same_round)
        ),
    )
    if queue.is_blind:
        seen = Sighting.objects.filter(
            project=OuterRef("project"), user=annotator, identity=OuterRef("item__identity")
        )
        slots = slots.filter(~Exists(seen))
    return slots


def _claim(
    slots: SlotQuerySet, queue: Queue, annotator: User, *, at: datetime, scanned_at: datetime
) -> Lease | None:
    candidates = _allowed(slots, queue, annotator)
    for _ in range(CLASHES):
        with transaction.atomic():
            slot = candidates.skip_locked().first()
            if slot is None:
                return None
            lease = give_slot(
                slot=slot, queue=queue, annotator=annotator, at=at, scanned_at=scanned_at
            )
        if lease:
            return lease
    raise Conflict("The queue is very busy; try again in a moment.")


def give_slot(
    *, slot: Slot, queue: Queue, annotator: User, at: datetime, scanned_at: datetime
) -> Lease | None:
    """Flip the open slot to this person; None when somebody else was faster."""
    try:
        with transaction.atomic():
            taken = Slot.objects.filter(pk=slot.pk, state=Slot.State.OPEN, fence=slot.fence).update(
                state=Slot.State.LEASED,
                annotator=annotator,
                lease_until=at + queue.lease_length,
                fence=F("fence") + 1,
            )
    except IntegrityError:
        return None  # This person got another slot of the same item at the same moment.
    if not taken:
        return None
    return write_lease(
        slot=slot, annotator=annotator, fence=slot.fence + 1, at=at, scanned_at=scanned_at
    )


def write_lease(
    *, slot: Slot, annotator: User, fence: int, at: datetime, scanned_at: datetime
) -> Lease:
    lease = Lease.objects.create(
        project_id=slot.project_id,
        queue_id=slot.queue_id,
        slot=slot,
        item_id=slot.item_id,
        round=slot.round,
        annotator=annotator,
        fence=fence,
        order_key=slot.order_key,
        scanned_at=scanned_at,
        given_at=at,
    )
    record("slot.leased", subject=slot, at=at, actor=annotator, fence=fence)
    return lease


def _free(slots: SlotQuerySet) -> int:
    return slots.update(
        state=Slot.State.OPEN, annotator=None, lease_until=None, fence=F("fence") + 1
    )
