"""The floor of labeling: the same transaction, written by hand in SQL over bare psycopg.

It stores what the product stores (annotation, ground truth, lease and three events), in as few
statements as one would write by hand; it checks nothing that the database does not check.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

CLAIM = """
WITH next AS (
    SELECT id FROM labeling_slot
    WHERE queue_id = %(queue)s AND state = 'open' AND (order_key, id) > (%(key)s, %(slot)s)
      AND NOT EXISTS (
        SELECT 1 FROM labeling_slot AS mine
        WHERE mine.item_id = labeling_slot.item_id AND mine.round = labeling_slot.round
          AND mine.annotator_id = %(person)s AND mine.state IN ('leased', 'filled'))
    ORDER BY order_key, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE labeling_slot SET state = 'leased', annotator_id = %(person)s, fence = fence + 1,
       lease_until = now() + interval '10 minutes'
FROM next WHERE labeling_slot.id = next.id
RETURNING labeling_slot.id, item_id, round, fence, order_key
"""
LEASE = """
INSERT INTO labeling_lease (code, project_id, queue_id, slot_id, item_id, round, annotator_id,
                            fence, order_key, scanned_at, given_at)
VALUES (%(code)s, %(project)s, %(queue)s, %(slot)s, %(item)s, %(round)s, %(person)s,
        %(fence)s, %(key)s, now(), now()) RETURNING id
"""
LOCK = "SELECT state, round FROM labeling_item WHERE id = %(item)s FOR NO KEY UPDATE"
FILL = """
UPDATE labeling_slot SET state = 'filled', lease_until = NULL
WHERE id = %(slot)s AND fence = %(fence)s AND state = 'leased'
"""
ANNOTATE = """
INSERT INTO labeling_annotation (code, project_id, item_id, round, slot_id, lease_id, annotator_id,
                                 answer_id, is_outside, proposed_name, seconds, at)
VALUES (%(code)s, %(project)s, %(item)s, %(round)s, %(slot)s, %(lease)s, %(person)s,
        %(answer)s, false, '', 2.5, now()) RETURNING id
"""
COUNT = """
SELECT answer_id, count(*) FROM labeling_annotation
WHERE item_id = %(item)s AND round = %(round)s AND slot_id IS NOT NULL GROUP BY answer_id
"""
SETTLE = """
WITH truth AS (
    INSERT INTO labeling_groundtruth (project_id, item_id, round, revision, answer_id, is_outside,
                                      proposed_name, method, confidence, at)
    VALUES (%(project)s, %(item)s, %(round)s, 1, %(answer)s, false, '', 'majority', 1, now())
    RETURNING id
)
UPDATE labeling_item SET state = 'resolved', resolved_at = now(), truth_id = truth.id
FROM truth WHERE labeling_item.id = %(item)s
"""
EVENT = """
INSERT INTO events_event (project_id, name, subject_type, subject_id, actor_id, data, at, digest)
VALUES (%(project)s, %(name)s, %(type)s, %(subject)s, %(person)s, %(data)s, now(), '')
"""


@dataclass
class Place:
    """The slot that a person holds."""

    slot: int
    item: int
    round: int
    fence: int
    key: int
    lease: int


class Annotator:
    """One person with a connection of their own."""

    def __init__(self, url: str, *, project: int, queue: int, person: int, answer: int) -> None:
        self.connection = psycopg.connect(url)
        self.fixed = {"project": project, "queue": queue, "person": person, "answer": answer}

    def claim(self, after: Place | None) -> Place | None:
        """In a transaction of its own: how a session begins."""
        with self.connection.transaction(), self.connection.cursor() as cursor:
            return self._claim(cursor, after)

    def submit_and_claim(self, place: Place) -> Place | None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            values = {**self.fixed, **vars(place), "code": uuid.uuid4()}
            cursor.execute(LOCK, values)
            cursor.execute(FILL, values)
            (annotation,) = _row(cursor.execute(ANNOTATE, values))
            cursor.execute(COUNT, values)
            cursor.execute(SETTLE, values)
            self._events(
                cursor,
                [
                    ("annotation.submitted", "labeling.annotation", annotation),
                    ("item.resolved", "labeling.item", place.item),
                ],
            )
            return self._claim(cursor, place)

    def _claim(self, cursor: psycopg.Cursor[Any], after: Place | None) -> Place | None:
        start = {"key": after.key if after else 0, "slot": after.slot if after else 0}
        found = cursor.execute(CLAIM, {**self.fixed, **start}).fetchone()
        if found is None:
            return None
        slot, item, round_number, fence, key = found
        place = Place(slot, item, round_number, fence, key, lease=0)
        values = {**self.fixed, **vars(place), "code": uuid.uuid4()}
        (place.lease,) = _row(cursor.execute(LEASE, values))
        self._events(cursor, [("slot.leased", "labeling.slot", place.slot)])
        return place

    def _events(self, cursor: psycopg.Cursor[Any], lines: Sequence[tuple[str, str, int]]) -> None:
        for name, subject_type, subject in lines:
            event = {"name": name, "type": subject_type, "subject": subject, "data": Jsonb({})}
            cursor.execute(EVENT, {**self.fixed, **event})


def _row(cursor: psycopg.Cursor[Any]) -> tuple[Any, ...]:
    row = cursor.fetchone()
    if row is None:
        raise LookupError("The statement returned no row.")
    return tuple(row)
