"""Give events their positions and chain them, per project; and check the chain.

Each digest is SHA-256 over the previous digest and the event's canonical JSON, so a line
cannot be changed, dropped or moved without breaking every digest after it. The head of the
chain is a row of its own: sealers take turns by it, and a log cut off at its end shows.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from events.models import FIRST_DIGEST, Chain, Event

BATCH = 1_000  # Some 50 ms of a write transaction on SQLite, where nobody else writes meanwhile.
SEAL = "UPDATE events_event SET position = %s, digest = %s WHERE id = %s AND position IS NULL"


@dataclass(frozen=True)
class BrokenLine:
    """The first line whose digest or position is not what the chain says."""

    event_id: int
    position: int
    reason: str


def digest_of(event: Event, *, previous: str, position: int) -> str:
    line = {
        "project": event.project_id,
        "position": position,
        "name": event.name,
        "subject": [event.subject_type, event.subject_id],
        "actor": event.actor_id,
        "data": event.data,
        "at": event.at.isoformat(),
    }
    canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def seal_events(*, limit: int = 10_000) -> int:
    """Seal what is committed and unsealed; any number of sealers may run at once."""
    projects = Event.objects.unsealed().values_list("project_id", flat=True).distinct()
    return sum(_seal_project(project_id, limit) for project_id in list(projects))


def _seal_project(project_id: int, limit: int) -> int:
    sealed = 0
    while sealed < limit:
        count = _seal_batch(project_id)
        sealed += count
        if count < BATCH:
            break
    return sealed


@transaction.atomic
def _seal_batch(project_id: int) -> int:
    Chain.objects.get_or_create(project_id=project_id)
    chain = Chain.objects.select_for_update().get(project_id=project_id)
    # Read under the chain's lock, or two sealers would give the same line two positions.
    waiting = list(Event.objects.unsealed().filter(project_id=project_id).order_by("id")[:BATCH])
    rows = []
    for event in waiting:
        chain.position += 1
        chain.digest = digest_of(event, previous=chain.digest, position=chain.position)
        rows.append((chain.position, chain.digest, event.pk))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(SEAL, rows)
        chain.save(update_fields=["position", "digest"])
    return len(rows)


def verify_events(project_id: int) -> BrokenLine | None:
    """None when the chain holds, else the first line that does not."""
    return next(_broken_lines(project_id), None)


def _broken_lines(project_id: int) -> Iterator[BrokenLine]:
    # The head first: lines sealed while we read lie behind it and are left for the next time.
    head = Chain.objects.filter(project_id=project_id).first() or Chain()
    previous, position = FIRST_DIGEST, 0
    lines = Event.objects.sealed(project_id).filter(position__lte=head.position)
    for event in lines.iterator():
        position += 1
        if event.position != position:
            yield BrokenLine(event.pk, position, f"missing: the next line is {event.position}")
            return
        if event.digest != digest_of(event, previous=previous, position=position):
            yield BrokenLine(event.pk, position, "its content, or its place, was changed")
            return
        previous = event.digest
    if position != head.position:
        yield BrokenLine(0, position + 1, f"missing: the log should end at {head.position}")
    elif previous != head.digest:
        yield BrokenLine(0, position, "the last digest is not the one the chain ends with")


def forget_events(*, project_id: int) -> None:
    """Drop a whole project's log and chain, when the demo is rebuilt."""
    Event.objects.forget_project(project_id)
    Chain.objects.filter(project_id=project_id).delete()
