"""Three statements by hand, because they run with every key press of every annotator.

`claims` says what they mean; `tests/integration/labeling/test_claims.py` holds them to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from jobs.clock import UTC
from labeling.models import Queue, Slot
from projects.models import User

TRAIL = """
SELECT lease.order_key, lease.slot_id, lease.scanned_at, (
    SELECT held.id FROM labeling_slot AS held
    WHERE held.annotator_id = %(annotator)s AND held.queue_id = %(queue)s
      AND held.state = 'leased' AND held.lease_until >= %(at)s
    LIMIT 1
) AS held_slot_id
FROM labeling_lease AS lease
WHERE lease.annotator_id = %(annotator)s AND lease.queue_id = %(queue)s
ORDER BY lease.id DESC LIMIT 1
"""
# Open slots behind a place that this person was never given. Truth values from scalar subqueries,
# and no NOT EXISTS: see SlotQuerySet.without. The `+ 0` keeps the look at an item's few leases out
# of the index of all the leases of a person.
BEHIND = """
    FROM labeling_slot AS slot
    WHERE slot.queue_id = %(queue)s AND slot.state = 'open'
      AND (slot.order_key, slot.id) > (%(order_key)s, %(slot)s)
      AND NOT COALESCE((
        SELECT TRUE FROM labeling_lease AS lease
        WHERE lease.item_id = slot.item_id AND lease.round = slot.round
          AND lease.annotator_id + 0 = %(annotator)s
        LIMIT 1
      ), FALSE)
      {unseen}
    ORDER BY slot.order_key, slot.id
"""
TAKE = """
UPDATE labeling_slot
SET state = 'leased', annotator_id = %(annotator)s, lease_until = %(until)s, fence = fence + 1
WHERE state = 'open' AND id = (
    SELECT slot.id {behind} LIMIT 1 {skip_locked}
)
RETURNING id, project_id, item_id, round, number, fence, order_key
"""
# After an undo the item that was next is held as well, and is waiting like those behind it.
COUNT = """
SELECT count(DISTINCT found.item_id) + (
    SELECT count(*) FROM labeling_slot AS held
    WHERE held.annotator_id = %(annotator)s AND held.queue_id = %(queue)s
      AND held.state = 'leased' AND held.id <> %(slot)s
)
FROM (SELECT slot.item_id {behind} LIMIT %(most)s) AS found
"""
UNSEEN = """
      AND NOT COALESCE((
        SELECT TRUE FROM labeling_item AS item
        JOIN feedback_sighting AS seen
          ON seen.project_id = item.project_id AND seen.identity = item.identity
        WHERE item.id = slot.item_id AND seen.user_id = %(annotator)s
        LIMIT 1
      ), FALSE)
"""


@dataclass(frozen=True)
class Trail:
    """Where a person is in a queue: the place last given, and a slot they still hold."""

    order_key: int
    slot_id: int
    scanned_at: datetime
    held_slot_id: int | None


def find_trail(*, queue: Queue, annotator: User, at: datetime) -> Trail | None:
    row = _row(TRAIL, annotator=annotator.pk, queue=queue.pk, at=_stored(at))
    if row is None:
        return None
    order_key, slot_id, scanned_at, held_slot_id = row
    return Trail(order_key, slot_id, _read(scanned_at), held_slot_id)


def take_next(*, queue: Queue, annotator: User, behind: Trail, at: datetime) -> Slot | None:
    """Flip the first open slot behind the trail that this person was never given."""
    locking = connection.features.has_select_for_update_skip_locked
    statement = TAKE.format(
        behind=_behind(queue),
        skip_locked="FOR UPDATE SKIP LOCKED" if locking else "",
    )
    until = at + queue.lease_length
    row = _row(
        statement,
        annotator=annotator.pk,
        queue=queue.pk,
        until=_stored(until),
        order_key=behind.order_key,
        slot=behind.slot_id,
    )
    if row is None:
        return None
    slot_id, project_id, item_id, round_number, number, fence, order_key = row
    return Slot(
        id=slot_id,
        project_id=project_id,
        queue=queue,
        item_id=item_id,
        round=round_number,
        number=number,
        state=Slot.State.LEASED,
        annotator=annotator,
        lease_until=until,
        fence=fence,
        order_key=order_key,
    )


def count_behind(*, queue: Queue, annotator: User, order_key: int, slot_id: int, most: int) -> int:
    """Items in so many open slots behind a place, new to this person, and others they hold."""
    row = _row(
        COUNT.format(behind=_behind(queue)),
        annotator=annotator.pk,
        queue=queue.pk,
        order_key=order_key,
        slot=slot_id,
        most=most,
    )
    return int(row[0]) if row else 0


def _behind(queue: Queue) -> str:
    return BEHIND.format(unseen=UNSEEN if queue.is_blind else "")


def _row(statement: str, **values: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _read(at: datetime) -> datetime:
    """SQLite keeps times in UTC and does not say so."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _stored(at: datetime) -> Any:
    """As the database's adapter wants a time: PostgreSQL takes it, SQLite keeps text."""
    return connection.ops.adapt_datetimefield_value(at)
