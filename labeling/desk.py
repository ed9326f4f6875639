"""What an annotator may know of a queue: how much is done and waiting, and why nothing comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from labeling import claims, next_slot
from labeling.models import Annotation, Lease, Queue, Slot
from labeling.reach import Shortage, shortages
from projects.models import Project, User

MOST_COUNTED = 100  # A longer queue is "many": counting it to the end would cost every answer.
LONGEST_HOLD = 3  # Lease lengths an open page may hold an item: somebody may have left it open.


@dataclass(frozen=True)
class Tally:
    """Answers of today, and what waits; `waiting` stops at MOST_COUNTED."""

    done: int
    waiting: int

    @property
    def is_bounded(self) -> bool:
        return self.waiting >= MOST_COUNTED


@dataclass(frozen=True)
class Emptiness:
    """Why nothing can be given: all done, held by others, or nothing that this person may have.

    `short` says which items no number of answers here would finish.
    """

    kind: Literal["done", "held", "none"]
    held_count: int = 0
    first_free_at: datetime | None = None
    short: Sequence[Shortage] = ()


def next_queue(*, project: Project, annotator: User) -> Queue | None:
    """The queue whose next item for this person has waited longest, else any of the project."""
    queues = list(project.queues.order_by("id"))
    heads = [(claims.claimable_by(queue=q, annotator=annotator).first(), q) for q in queues]
    waiting = [(slot.order_key, queue) for slot, queue in heads if slot]
    if waiting:
        return min(waiting, key=lambda pair: pair[0])[1]
    return queues[0] if queues else None


def tally(*, lease: Lease, at: datetime) -> Tally:
    """Counts beside an item: what is behind it in the queue, this one included."""
    behind = next_slot.count_behind(
        queue=lease.queue,
        annotator=lease.annotator,
        order_key=lease.order_key,
        slot_id=lease.slot_id,
        most=MOST_COUNTED * lease.queue.overlap,
    )
    done = answers_today(annotator=lease.annotator, queue=lease.queue, at=at)
    return Tally(done, min(behind + 1, MOST_COUNTED))


def answers_today(*, annotator: User, queue: Queue, at: datetime) -> int:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    given = Annotation.objects.answers().filter(annotator=annotator, at__gte=midnight)
    return given.filter(lease__queue=queue).count()


def why_empty(*, queue: Queue, annotator: User) -> Emptiness:
    """Asked only when there was nothing to give."""
    held = claims.held_by_others(queue=queue, annotator=annotator)
    first = held.order_by("lease_until").values_list("lease_until", flat=True).first()
    if first is not None:
        return Emptiness("held", held.values("item").distinct().count(), first)
    is_anything_open = Slot.objects.open_in(queue.pk).exists()
    if not is_anything_open:
        return Emptiness("done")
    return Emptiness("none", short=shortages(queue.project, also_seen=False))


def keep_lease(*, lease: Lease, at: datetime) -> datetime | None:
    """Hold the item for an open page; None when it has passed on or was held long enough."""
    if at - lease.given_at > LONGEST_HOLD * lease.queue.lease_length:
        return None
    return claims.renew_lease(lease=lease, at=at)


def due_at(lease: Lease) -> datetime | None:
    """When the queue's service level wants the item answered."""
    queued_at = lease.item.queued_at
    return queued_at + timedelta(hours=lease.queue.service_hours) if queued_at else None
